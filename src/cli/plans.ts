import { Command } from 'commander'
import { parseCompression } from '../shared/codecs.ts'
import { AppError } from '../shared/errors.ts'
import type { DatabaseMatches, NewPlan } from '../client/api.ts'
import type { DeletedPlan, Plan, PlanLosses } from '../shared/plans.ts'
import type { RetentionPolicy } from '../shared/retention.ts'
import { formatBytes } from '../shared/units.ts'
import { listOf, localTime, printTable, removalOf, showOf, type Things } from './named-things.ts'
import { collect, positiveInteger, word, words } from './parse.ts'
import { named, type Remote, remote } from './remote.ts'
import { scheduleThings } from './schedules.ts'
import { serverThings } from './servers.ts'
import { note, print, printJson } from './terminal.ts'
import { volumeThings } from './volumes.ts'

export const planThings: Things<Plan> = {
  list: 'GET /api/v1/plans',
  one: 'plan',
  many: 'plans',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    DATABASES: ({ databases }) =>
      databases.mode === 'selected'
        ? databases.names.join(', ')
        : databases.mode === 'pattern'
          ? databases.include
          : 'all',
    'VOLUMES ': ({ volumes }) => String(volumes.length),
    'SCHEDULES ': ({ schedules }) => String(schedules.length),
    MARKS: ({ isEnabled }) => (isEnabled ? '' : 'disabled'),
  },
}

interface AddOptions {
  server: string
  volume: string[]
  schedule?: string[]
  name?: string
  database?: string[]
  include?: string
  exclude?: string[]
  excludeTable?: string[]
  excludeTableData?: string[]
  format?: string
  path?: string
  fileName?: string
  compression?: string
  encryption?: string
  keepLast?: number
  keepDays?: number
  hourly?: number
  daily?: number
  weekly?: number
  monthly?: number
  yearly?: number
  forever?: boolean
  disabled?: boolean
  json?: boolean
}

export const plans = new Command('plans')
  .description('Which databases are backed up, when, where to, and how long they are kept')
  .addCommand(listOf(planThings))
  .addCommand(showOf(planThings))
  .addCommand(addCommand())
  .addCommand(
    new Command('databases')
      .description('Which databases a plan matches right now')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, planThings.list, 'plan', name)
        const answer = await app.ask('GET /api/v1/plans/{id}/databases', { params: { id } })
        if (json) return printJson(answer)
        const none = 'The server has no database that the user can see.'
        printTable(answer.items, matchColumns, { json, none })
        for (const name of answer.missing) note(`warning: “${name}” is chosen, and not there.`)
      }),
  )
  .addCommand(
    new Command('losses')
      .description('Show exactly what would be lost with a plan and its snapshots')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, planThings.list, 'plan', name)
        const losses = await app.ask('GET /api/v1/plans/{id}/losses', { params: { id } })
        if (json) return printJson(losses)
        for (const line of lossesInWords(losses)) print(line)
        for (const obstacle of obstaclesInWords(losses)) note(`It cannot be deleted now: ${obstacle}`)
      }),
  )
  .addCommand(
    removalOf(
      planThings,
      [{ flags: '--snapshots <word>', description: 'keep: they stay, under no plan. delete: they go, too' }],
      (answer) => keptSnapshots(answer as DeletedPlan | null),
      async (app, id, { snapshots }) =>
        snapshots === undefined
          ? lossesInWords(await app.ask('GET /api/v1/plans/{id}/losses', { params: { id } }))
          : [],
    ),
  )

/** What goes, database by database, and what stays all the same. Empty if it has no snapshots. */
export function lossesInWords(losses: PlanLosses): string[] {
  const { snapshots, copies, bytes, databases, keptCount } = losses
  if (snapshots + keptCount === 0) return []
  return [
    `With --snapshots delete: ${snapshots} snapshots, ${copies} copies, ${formatBytes(bytes)}`,
    ...databases.map(
      (share) =>
        `  “${share.database}”: ${share.snapshots} snapshots, ${share.copies} copies, ${formatBytes(share.bytes)}, the newest of ${localTime(share.newest)}`,
    ),
    ...keptSnapshots(losses),
  ]
}

function obstaclesInWords({ scheduledRestores, runningBackups }: PlanLosses): string[] {
  return [
    ...scheduledRestores.map((name) => `The scheduled restore “${name}” takes its snapshots.`),
    ...(runningBackups > 0 ? ['A backup of it is running.'] : []),
  ]
}

/** The snapshots that are not deleted with their plan, each in a sentence. */
export function keptSnapshots(deleted: DeletedPlan | PlanLosses | null): string[] {
  const { kept = [], keptCount = 0 } = deleted ?? {}
  const named = kept.map(
    ({ id, database, takenAt, reason }) =>
      `The snapshot of “${database}” of ${takenAt} (${id}) stays, under no plan. ${reason}`,
  )
  const more = keptCount - kept.length
  return more > 0 ? [...named, `${more} more stay.`] : named
}

function addCommand(): Command {
  return new Command('add')
    .description('Add a plan')
    .requiredOption('--server <name>', 'whose databases', word('--server'))
    .requiredOption('--volume <name>', 'where to; may be repeated', collect)
    .option('--schedule <name>', 'when; may be repeated (default: by hand only)', collect)
    .option('--name <name>', 'what people call it', word('--name'))
    .option('--database <name>', 'only this one; may be repeated (default: all)', words('--database'))
    .option('--include <pattern>', 'only those whose name matches this regular expression', word('--include'))
    .option('--exclude <name>', 'never this one; * stands for anything; may be repeated', words('--exclude'))
    .option('--exclude-table <name>', 'leave this table out; may be repeated', words('--exclude-table'))
    .option(
      '--exclude-table-data <name>',
      'keep this table’s definition only; may be repeated',
      words('--exclude-table-data'),
    )
    .option('--format <format>', 'PostgreSQL: custom, plain or directory', word('--format'))
    .option('--path <template>', 'folder below the volume', word('--path'))
    .option('--file-name <template>', 'without extension', word('--file-name'))
    .option('--compression <method>', 'none, gzip[:1-9], zstd[:1-19[:threads]]', word('--compression'))
    .option('--encryption <method>', 'none, 7z, 7z:<key>, age:<key>', word('--encryption'))
    .option('--keep-last <n>', 'keep the newest n; 0 keeps all', Number)
    .option('--keep-days <n>', 'keep those younger than n days', positiveInteger)
    .option('--hourly <n>', 'keep the newest of each of the last n hours', positiveInteger)
    .option('--daily <n>', 'keep the newest of each of the last n days', positiveInteger)
    .option('--weekly <n>', 'keep the newest of each of the last n weeks', positiveInteger)
    .option('--monthly <n>', 'keep the newest of each of the last n months', positiveInteger)
    .option('--yearly <n>', 'keep the newest of each of the last n years', positiveInteger)
    .option('--forever', 'keep all')
    .option('--disabled', 'run it by hand only, whatever its schedules say')
    .option('--json', 'print the result as JSON')
    .action(add)
}

async function add(options: AddOptions): Promise<void> {
  const app = await remote()
  const added = await app.ask('POST /api/v1/plans', { body: await planOf(app, options) })
  if (options.json) return printJson(added)
  print(`Added plan “${added.name}” (${added.id}).`)
  print(`Run it now: holdfast backup run ${added.id} --wait`)
}

async function planOf(app: Remote, options: AddOptions): Promise<NewPlan> {
  const server = await named(app, serverThings.list, 'server', options.server)
  const volumes = await Promise.all(
    options.volume.map((name) => named(app, volumeThings.list, 'volume', name)),
  )
  const schedules = await Promise.all(
    (options.schedule ?? []).map((name) => named(app, scheduleThings.list, 'schedule', name)),
  )
  const dumpOptions = {
    format: options.format,
    excludeTables: options.excludeTable,
    excludeTableData: options.excludeTableData,
  }
  const retention = retentionOf(options)
  return {
    serverId: server.id,
    volumes: volumes.map(({ id }) => ({ id })),
    schedules: schedules.map(({ id }) => id),
    isEnabled: !options.disabled,
    name: options.name,
    databases: databasesOf(options),
    excludedDatabases: options.exclude,
    dumpOptions: Object.values(dumpOptions).some((value) => value !== undefined) ? dumpOptions : undefined,
    path: options.path,
    fileName: options.fileName,
    compression: options.compression === undefined ? undefined : parseCompression(options.compression),
    encryption: options.encryption === undefined ? undefined : await encryptionOf(app, options.encryption),
    retention: Object.keys(retention).length > 0 ? retention : undefined,
  }
}

function databasesOf({ database, include }: AddOptions): NewPlan['databases'] {
  if (database && include !== undefined) {
    throw new AppError('invalid_input', '--database and --include are two ways to choose; use one.')
  }
  if (database) return { mode: 'selected', names: database }
  return include === undefined ? undefined : { mode: 'pattern', include }
}

function retentionOf(options: AddOptions): Partial<RetentionPolicy> {
  const { keepLast, keepDays, hourly, daily, weekly, monthly, yearly, forever } = options
  const rules = { keepLast, keepDays, hourly, daily, weekly, monthly, yearly, forever }
  return Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined))
}

async function encryptionOf(app: Remote, text: string): Promise<NewPlan['encryption']> {
  const [method, name] = text.split(/:(.*)/s)
  if (method === 'none' && name === undefined) return { method }
  if (method === '7z' && name === undefined) return { method, keyId: 'instance' }
  if ((method === '7z' || method === 'age') && name !== undefined) {
    return { method, keyId: (await named(app, 'GET /api/v1/keys', 'encryption key', name)).id }
  }
  throw new AppError('invalid_input', `“${text}” is not an encryption of a plan.`, {
    hint: 'Use none, 7z (the key of the installation), 7z:<name of a key>, or age:<name of a key>.',
  })
}

type Match = DatabaseMatches['items'][number]

const matchColumns: Record<string, (match: Match) => string> = {
  DATABASE: ({ database }) => database,
  'BACKED UP': ({ isIncluded, why }) => (isIncluded ? 'yes' : `no: ${why?.replace('_', ' ') ?? ''}`),
}
