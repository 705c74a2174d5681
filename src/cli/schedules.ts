import { Command } from 'commander'
import type { NewSchedule } from '../client/api.ts'
import { AppError } from '../shared/errors.ts'
import type { NamedSchedule } from '../shared/schedules.ts'
import { listOf, localTime, removalOf, showOf, type Things } from './named-things.ts'
import { positiveInteger, weekdayOf, word } from './parse.ts'
import { named, remote } from './remote.ts'
import { note, print, printJson } from './terminal.ts'

export const scheduleThings: Things<NamedSchedule> = {
  list: 'GET /api/v1/schedules',
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
        const { id } = await named(app, scheduleThings.list, 'schedule', name)
        const answer = await app.ask('POST /api/v1/schedules/{id}/run', { params: { id } })
        if (json) return printJson(answer)
        for (const { jobId } of answer.items) print(`Started job ${jobId}.`)
        if (answer.items.length === 0) note('No enabled plan has this schedule.')
      }),
  )
  .addCommand(removalOf(scheduleThings))

async function add(name: string, options: AddOptions): Promise<void> {
  const app = await remote()
  const added = await app.ask('POST /api/v1/schedules', { body: { name, rule: ruleOf(options) } })
  if (options.json) return printJson(added)
  print(`Added schedule “${added.name}” (${added.id}): ${added.description}.`)
  for (const run of added.nextRuns) print(`  ${localTime(run)} UTC`)
}

/** What of it is none is for the app to refuse, which names the field. */
function ruleOf(options: AddOptions): NewSchedule['rule'] {
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
  if (rule && others.length === 0) return { ...rule, ...zone } as NewSchedule['rule']
  throw new AppError('invalid_input', rule ? 'A schedule has one rule.' : 'When is it to run?', {
    hint: 'Give one of --cron, --hourly, --daily, --weekly, --monthly and --migration.',
  })
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim())
}
