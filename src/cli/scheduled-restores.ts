import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { ScheduledRestore } from '../shared/scheduled-restores.ts'
import { listOf, removalOf, showOf, type Things } from './named-things.ts'
import { positiveInteger, word } from './parse.ts'
import { planThings } from './plans.ts'
import { type ListOfNamed, named, remote } from './remote.ts'
import { engineOptionsOf, type RestoreChoices, withRestoreOptions } from './restore-options.ts'
import { followRestore } from './restore-run.ts'
import { scheduleThings } from './schedules.ts'
import { serverThings } from './servers.ts'
import { type OutputOptions, print, printJson } from './terminal.ts'

const scheduledThings: Things<ScheduledRestore> = {
  list: 'GET /api/v1/scheduled-restores',
  one: 'scheduled restore',
  many: 'scheduled restores',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    FROM: ({ sourceDatabase }) => sourceDatabase,
    INTO: ({ targetDatabase }) => targetDatabase,
    MARKS: ({ isEnabled, scheduleId }) => (isEnabled ? (scheduleId === null ? 'by hand' : '') : 'disabled'),
    'LAST SKIPPED BECAUSE': ({ lastSkipReason }) => lastSkipReason ?? '',
  },
}

interface AddOptions extends RestoreChoices {
  source: string
  sourceDatabase: string
  server: string
  database: string
  plan?: string
  schedule?: string
  runAfter?: string
  newestWithin?: number
  repeatUnchanged?: boolean
  confirm?: string
  disabled?: boolean
  json?: boolean
}

export const scheduledRestores = new Command('scheduled-restores')
  .description('Restores of the newest snapshot into another database, again and again')
  .addCommand(listOf(scheduledThings))
  .addCommand(showOf(scheduledThings))
  .addCommand(
    withRestoreOptions(new Command('add'), 'replace')
      .description('Add a scheduled restore')
      .argument('<name>', 'what people call it')
      .requiredOption('--source <name>', 'the server whose database was backed up', word('--source'))
      .requiredOption('--source-database <name>', 'that database', word('--source-database'))
      .requiredOption('--server <name>', 'the target server', word('--server'))
      .requiredOption('--database <name>', 'the target database; for SQLite a path', word('--database'))
      .option('--plan <name>', 'only snapshots of this plan', word('--plan'))
      .option('--schedule <name>', 'when (default: by hand only)', word('--schedule'))
      .option('--run-after <file>', 'SQL that runs before the database takes its name, to mask data')
      .option('--newest-within <hours>', 'restore no snapshot that is older (default: 48)', positiveInteger)
      .option('--repeat-unchanged', 'restore the same snapshot again, where there is no newer one')
      .option('--confirm <name>', 'the target database’s name, where its server is in production')
      .option('--disabled', 'run it by hand only, whatever its schedule says')
      .option('--json', 'print the result as JSON')
      .action(add),
  )
  .addCommand(
    new Command('run')
      .description('Restore the newest snapshot now')
      .argument('<name>', 'its name or id')
      .option('--no-wait', 'only start it')
      .option('--json', 'print the result as JSON')
      .option('-q, --quiet', 'no progress')
      .action(async (name: string, options: OutputOptions & { wait: boolean }) => {
        const app = await remote()
        const { id } = await named(app, scheduledThings.list, scheduledThings.one, name)
        const { jobId } = await app.ask('POST /api/v1/scheduled-restores/{id}/run', { params: { id } })
        await followRestore(app, { jobId, warnings: [] }, options)
      }),
  )
  .addCommand(removalOf(scheduledThings))

async function add(name: string, options: AddOptions): Promise<void> {
  const app = await remote()
  const idOf = async ({ list, one }: { list: ListOfNamed; one: string }, nameOrId: string | undefined) =>
    nameOrId === undefined ? undefined : (await named(app, list, one, nameOrId)).id
  const source = await named(app, serverThings.list, 'server', options.source)
  const target = await named(app, serverThings.list, 'server', options.server)
  const body = {
    name,
    sourceServerId: source.id,
    sourceDatabase: options.sourceDatabase,
    targetServerId: target.id,
    targetDatabase: options.database,
    planId: await idOf(planThings, options.plan),
    scheduleId: await idOf(scheduleThings, options.schedule),
    isEnabled: !options.disabled,
    mode: options.mode,
    options: engineOptionsOf(options),
    tables: options.table,
    endSessions: options.endSessions ?? false,
    safetySnapshot: options.safetySnapshot,
    runAfter: options.runAfter === undefined ? undefined : await readFile(options.runAfter, 'utf8'),
    newestWithinHours: options.newestWithin,
    skipUnchanged: !options.repeatUnchanged,
    confirmation: options.confirm,
  }
  const added = await app.ask('POST /api/v1/scheduled-restores', { body })
  if (options.json) return printJson(added)
  print(`Added scheduled restore “${added.name}” (${added.id}).`)
  print(`Run it now: holdfast scheduled-restores run ${added.id}`)
}
