import { Command } from 'commander'
import type { NewAppBackupRegistration } from '../client/api.ts'
import type { AppBackup, AppBackupRegistration } from '../shared/app-backups.ts'
import { AppError } from '../shared/errors.ts'
import { formatBytes } from '../shared/units.ts'
import { finishJobs } from './jobs.ts'
import { listOf, localTime, printTable, removalOf, showOf, type Things } from './named-things.ts'
import { positiveInteger, weekdayOf, word } from './parse.ts'
import { named, remote } from './remote.ts'
import { note, print, printJson } from './terminal.ts'
import { printReport } from './test-report.ts'

const things: Things<AppBackupRegistration> = {
  list: 'GET /api/v1/app-backup-registrations',
  one: 'app backup registration',
  many: 'app backup registrations',
  columns: {
    NAME: ({ name }) => name,
    KIND: ({ kindLabel }) => kindLabel,
    LOCATION: ({ location }) => location ?? 'its settings are not valid any more',
    WHEN: ({ descriptions }) => descriptions.join('; ') || 'by hand',
    LAST: ({ lastBackup }) => (lastBackup ? `${lastBackup.state} ${localTime(lastBackup.startedAt)}` : '-'),
    'NEXT (UTC)': ({ nextRun }) => localTime(nextRun),
    'KEEPS ': ({ keeps }) => (keeps === 0 ? 'all' : String(keeps)),
    MARKS: ({ isEnabled, isManaged }) =>
      [...(isEnabled ? [] : ['off']), ...(isManaged ? ['environment'] : [])].join(', '),
  },
}

const backupColumns: Record<string, (backup: AppBackup) => string> = {
  STARTED: ({ startedAt }) => localTime(startedAt),
  REGISTRATION: ({ registrationName }) => registrationName,
  KEY: ({ key }) => key,
  CAUSE: ({ cause }) => cause,
  STATE: ({ state }) => state,
  'SIZE ': ({ bytes }) => (bytes === null ? '-' : formatBytes(bytes)),
  'WHAT HAPPENED': ({ error }) => error?.message ?? '',
}

export const backup = new Command('backup')
  .description('Back up the app’s own database now, and wait until that is done')
  .argument('[registration]', 'its name or id; all that are switched on if left out')
  .option('--json', 'print the jobs as JSON')
  .action(async (registration: string | undefined, options: { json?: boolean }) => {
    const app = await remote()
    const all = await app.all('GET /api/v1/app-backup-registrations')
    const chosen =
      registration === undefined
        ? all.filter(({ isEnabled }) => isEnabled)
        : [await named(app, things.list, things.one, registration)]
    if (chosen.length === 0) {
      throw new AppError('not_found', 'There is no app backup registration that is switched on.', {
        hint: 'Add one: holdfast app registrations add',
      })
    }
    const jobs: string[] = []
    for (const { id } of chosen) {
      const job = await app.ask('POST /api/v1/app-backup-registrations/{id}/run', { params: { id } })
      jobs.push(job.id)
    }
    await finishJobs(app, jobs, options)
  })

export const backups = new Command('backups').description('Backups of the app’s own database').addCommand(
  new Command('ls')
    .description('List them, the newest first')
    .option('--registration <name>', 'only those of this one', word('--registration'))
    .option('--limit <n>', 'so many (default: 50)', positiveInteger)
    .option('--json', 'print the result as JSON')
    .action(
      async ({
        registration,
        limit = 50,
        json,
      }: {
        registration?: string
        limit?: number
        json?: boolean
      }) => {
        const app = await remote()
        const found =
          registration === undefined ? undefined : await named(app, things.list, things.one, registration)
        const query = found ? { registration: found.id } : {}
        const items = await app.some(limit, 'GET /api/v1/app-backups', { query })
        printTable(items, backupColumns, { json, none: 'There are no app backups yet.' })
      },
    ),
)

interface AddOptions {
  volume?: string
  migration?: boolean
  daily?: string
  weekly?: string
  monthly?: string
  at?: string
  timeZone?: string
  json?: boolean
}

export const registrations = new Command('registrations')
  .description('Where and when the app’s own database is backed up')
  .addCommand(listOf(things))
  .addCommand(showOf(things))
  .addCommand(
    new Command('add')
      .description(
        'Add one: to a folder or a storage by its URL, or to a volume that is there; secrets by AWS_*',
      )
      .argument('<name>', 'what people call it')
      .argument('[volume-url]', 'a folder, s3://bucket/prefix, sftp://user@host/path')
      .option('--volume <name>', 'a volume of the app, instead of a URL', word('--volume'))
      .option('--migration', 'before a release changes the database')
      .option('--daily <times>', 'at these times: 03:00,15:00', word('--daily'))
      .option('--weekly <days>', 'on these days: monday,friday; with --at', word('--weekly'))
      .option('--monthly <days>', 'on these days: 1,31 (31 is the last one); with --at', word('--monthly'))
      .option('--at <times>', 'with --weekly and --monthly', word('--at'))
      .option('--time-zone <name>', 'IANA name (default: the installation’s)', word('--time-zone'))
      .option('--json', 'print the result as JSON')
      .action(add),
  )
  .addCommand(
    new Command('test')
      .description('Write and remove a small object where a registration puts its backups')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, things.list, things.one, name)
        printReport(
          await app.ask('POST /api/v1/app-backup-registrations/{id}/test', { params: { id } }),
          json,
        )
      }),
  )
  .addCommand(removalOf(things))

async function add(name: string, url: string | undefined, options: AddOptions): Promise<void> {
  const app = await remote()
  const body = { name, ...(await targetOf(url, options.volume)), schedules: schedulesOf(options) }
  const added = await app.ask('POST /api/v1/app-backup-registrations', { body })
  if (options.json) return printJson(added)
  print(`Added app backup registration “${added.name}” (${added.id}) to ${added.location}.`)
  for (const description of added.descriptions) print(`  ${description}`)
  for (const warning of added.warnings) note(`warning: ${warning}`)
  print(`Try it: holdfast app registrations test ${added.id}`)
}

async function targetOf(
  url: string | undefined,
  volume: string | undefined,
): Promise<Pick<NewAppBackupRegistration, 'kind' | 'settings' | 'volumeId'>> {
  if ((url === undefined) === (volume === undefined)) {
    throw new AppError('invalid_input', 'Where to is said by a URL or by --volume: give one of them.')
  }
  if (volume !== undefined) {
    const { id } = await named(await remote(), 'GET /api/v1/volumes', 'volume', volume)
    return { volumeId: id }
  }
  const { openVolumeUrl } = await import('../volumes/index.ts')
  const opened = openVolumeUrl(url ?? '', process.env)
  await opened.volume[Symbol.asyncDispose]()
  for (const warning of opened.warnings) note(`warning: ${warning}`)
  return { kind: opened.kind, settings: opened.config }
}

/** What of it is none is for the app to refuse, which names the field. */
function schedulesOf(options: AddOptions): NonNullable<NewAppBackupRegistration['schedules']> {
  const zone = options.timeZone === undefined ? {} : { timeZone: options.timeZone }
  const at = () => {
    if (options.at !== undefined) return list(options.at)
    throw new AppError('invalid_input', '--at says at which times of day; it is missing.')
  }
  const rules = [
    options.migration ? { type: 'migration' } : undefined,
    options.daily === undefined ? undefined : { type: 'daily', times: list(options.daily) },
    options.weekly === undefined
      ? undefined
      : { type: 'weekly', weekdays: list(options.weekly).map(weekdayOf), times: at() },
    options.monthly === undefined
      ? undefined
      : { type: 'monthly', days: list(options.monthly).map(Number), times: at() },
  ]
  const chosen = rules.filter((rule) => rule !== undefined).map((rule) => ({ ...rule, ...zone }))
  if (chosen.length === 0)
    note('warning: Without --migration, --daily, --weekly or --monthly it only runs by hand.')
  return chosen as NonNullable<NewAppBackupRegistration['schedules']>
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim())
}
