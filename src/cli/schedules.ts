import { Command } from 'commander'
import { AppError } from '../shared/errors.ts'
import { type NamedSchedule, weekdays } from '../shared/schedules.ts'
import { listOf, localTime, removalOf, showOf, type Things } from './named-things.ts'
import { positiveInteger, word } from './parse.ts'
import { named, remote } from './remote.ts'
import { print, printJson } from './terminal.ts'

export const scheduleThings: Things<NamedSchedule> = {
  path: '/api/v1/schedules',
  one: 'schedule',
  many: 'schedules',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    WHEN: ({ description }) => description,
    'NEXT (UTC)': ({ nextRuns }) => localTime(nextRuns[0]),
    'PLANS ': ({ usedBy }) => String(usedBy.plans),
  },
}

interface AddOptions {
  cron?: string
  hourly?: number
  daily?: string
  weekly?: string
  monthly?: string
  migration?: boolean
  at?: string
  minute?: number
  timeZone?: string
  json?: boolean
}

export const schedules = new Command('schedules')
  .description('When plans run')
  .addCommand(listOf(scheduleThings))
  .addCommand(showOf(scheduleThings))
  .addCommand(
    new Command('add')
      .description('Add a schedule; one of --cron, --hourly, --daily, --weekly, --monthly, --migration')
      .argument('<name>', 'what people call it')
      .option('--cron <expression>', 'five fields, as in "0 3 * * *"', word('--cron'))
      .option('--hourly <n>', 'every n hours', positiveInteger)
      .option('--minute <n>', 'with --hourly: at this minute', Number)
      .option('--daily <times>', 'at these times: 03:00,15:00', word('--daily'))
      .option('--weekly <days>', 'on these days: monday,friday; with --at', word('--weekly'))
      .option('--monthly <days>', 'on these days: 1,31 (31 is the last one); with --at', word('--monthly'))
      .option('--at <times>', 'with --weekly and --monthly', word('--at'))
      .option('--migration', 'never by itself, but when a release asks for it')
      .option('--time-zone <name>', 'IANA name (default: the organization’s)', word('--time-zone'))
      .option('--json', 'print the result as JSON')
      .action(add),
  )
  .addCommand(
    new Command('run')
      .description('Run all plans of a schedule now')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named<NamedSchedule>(app, scheduleThings.path, 'schedule', name)
        const answer = await app.post<{ jobIds: string[] }>(`${scheduleThings.path}/${id}/run`)
        if (json) return printJson(answer)
        for (const job of answer.jobIds) print(`Started job ${job}.`)
      }),
  )
  .addCommand(removalOf(scheduleThings))

async function add(name: string, options: AddOptions): Promise<void> {
  const app = await remote()
  const added = await app.post<NamedSchedule>(scheduleThings.path, { name, rule: ruleOf(options) })
  if (options.json) return printJson(added)
  print(`Added schedule “${added.name}” (${added.id}): ${added.description}.`)
  for (const run of added.nextRuns) print(`  ${localTime(run)} UTC`)
}

function ruleOf(options: AddOptions): object {
  const zone = options.timeZone === undefined ? {} : { timeZone: options.timeZone }
  const at = () => {
    if (options.at !== undefined) return list(options.at)
    throw new AppError('invalid_input', '--at says at which times of day; it is missing.')
  }
  const rules: (object | undefined)[] = [
    options.cron === undefined ? undefined : { type: 'cron', expression: options.cron },
    options.hourly === undefined
      ? undefined
      : { type: 'hourly', every: options.hourly, minute: options.minute ?? 0 },
    options.daily === undefined ? undefined : { type: 'daily', times: list(options.daily) },
    options.weekly === undefined
      ? undefined
      : { type: 'weekly', weekdays: list(options.weekly).map(weekdayOf), times: at() },
    options.monthly === undefined
      ? undefined
      : { type: 'monthly', days: list(options.monthly).map(Number), times: at() },
    options.migration ? { type: 'migration' } : undefined,
  ]
  const [rule, ...others] = rules.filter((chosen) => chosen !== undefined)
  if (rule && others.length === 0) return { ...rule, ...zone }
  throw new AppError('invalid_input', rule ? 'A schedule has one rule.' : 'When is it to run?', {
    hint: 'Give one of --cron, --hourly, --daily, --weekly, --monthly and --migration.',
  })
}

/** `mon` for Monday. What is none is for the app to refuse. */
function weekdayOf(text: string): string {
  return weekdays.find((day) => text.length > 1 && day.startsWith(text.toLowerCase())) ?? text
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim())
}
