import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { RestoreCheck, StartedRestore } from '../shared/restores.ts'
import type { NewRestore } from '../client/api.ts'
import { formatBytes, formatSeconds } from '../shared/units.ts'
import { keyRing } from './environment.ts'
import { finishJob } from './jobs.ts'
import { word } from './parse.ts'
import { named, type Remote, remote } from './remote.ts'
import { engineOptionsOf, type RestoreChoices, withRestoreOptions } from './restore-options.ts'
import { serverThings } from './servers.ts'
import { idOf } from './snapshots-of-app.ts'
import { note, type OutputOptions, print, printJson } from './terminal.ts'

interface Options extends OutputOptions, RestoreChoices {
  server: string
  database: string
  runAfter?: string
  confirm?: string
  check?: boolean
  wait: boolean
}

export const restoreRun = withRestoreOptions(new Command('run'))
  .description('Write a snapshot into a database of a server that the app knows')
  .argument('<snapshot>', 'its id, or the first eight or more characters of it')
  .requiredOption('--server <name>', 'the target server', word('--server'))
  .requiredOption('--database <name>', 'the target database; for SQLite a path', word('--database'))
  .option('--run-after <file>', 'SQL that runs before the database takes its name, to mask data for instance')
  .option('--confirm <name>', 'the database’s name, where the server is in production')
  .option('--check', 'only say what a restore would meet')
  .option('--no-wait', 'only start it')
  .option('--json', 'print the result as JSON')
  .option('-q, --quiet', 'no progress')
  .action(async (snapshot: string, options: Options) => {
    const app = await remote()
    const order = await orderOf(app, snapshot, options)
    if (options.check)
      return describeCheck(await app.ask('POST /api/v1/restores/check', { body: order }), options)
    await followRestore(app, await app.ask('POST /api/v1/restores', { body: order }), options)
  })

interface UndoOptions extends OutputOptions {
  endSessions?: boolean
  safetySnapshot: boolean
  confirm?: string
  wait: boolean
}

export const restoreUndo = new Command('undo')
  .description('Put back what a restore has replaced, from its safety snapshot')
  .argument('<job>', 'the id of the restore')
  .option('--end-sessions', 'end other sessions on the database that is replaced')
  .option('--no-safety-snapshot', 'do not back up the database that is replaced')
  .option('--confirm <name>', 'the database’s name, where the server is in production')
  .option('--no-wait', 'only start it')
  .option('--json', 'print the result as JSON')
  .option('-q, --quiet', 'no progress')
  .action(async (job: string, options: UndoOptions) => {
    const app = await remote()
    const order = {
      endSessions: options.endSessions ?? false,
      safetySnapshot: options.safetySnapshot,
      confirmation: options.confirm,
      keys: await keysAtHand(),
    }
    const started = await app.ask('POST /api/v1/restores/{id}/undo', { params: { id: job }, body: order })
    await followRestore(app, started, options)
  })

/** Waits for a restore that was started, unless that is not wanted, and says how it can be undone. */
export async function followRestore(
  app: Remote,
  { jobId, warnings }: StartedRestore,
  options: OutputOptions & { wait: boolean },
): Promise<void> {
  for (const warning of warnings) note(`warning: ${warning}`)
  if (options.wait) {
    const job = await finishJob(app, jobId, options)
    const { safetySnapshotId } = (job.result ?? {}) as { safetySnapshotId?: string | null }
    if (safetySnapshotId && !options.json) print(`Take it back: holdfast restore undo ${jobId}`)
    return
  }
  if (options.json) printJson({ jobId, warnings })
  else print(`Started job ${jobId}.`)
}

async function orderOf(app: Remote, snapshot: string, options: Options): Promise<NewRestore> {
  const engineOptions = engineOptionsOf(options)
  const { id: serverId } = await named(app, serverThings.list, 'server', options.server)
  return {
    snapshotId: await idOf(app, snapshot),
    serverId,
    database: options.database,
    mode: options.mode,
    options: engineOptions,
    tables: options.table,
    endSessions: options.endSessions ?? false,
    safetySnapshot: options.safetySnapshot,
    runAfter: options.runAfter === undefined ? undefined : await readFile(options.runAfter, 'utf8'),
    confirmation: options.confirm,
    keys: await keysAtHand(),
  }
}

/** What the environment has to open a snapshot with, where the app may not keep its key. */
async function keysAtHand(): Promise<NewRestore['keys']> {
  const { ageIdentities, agePassphrases } = await keyRing()
  const keys = {
    ...(ageIdentities[0] !== undefined && { ageIdentity: ageIdentities[0] }),
    ...(agePassphrases[0] !== undefined && { passphrase: agePassphrases[0] }),
  }
  return Object.keys(keys).length > 0 ? keys : undefined
}

function describeCheck(check: RestoreCheck, { json }: OutputOptions): void {
  if (json) printJson(check)
  else {
    const { snapshot, target, estimate } = check
    print(`${snapshot.database} of ${snapshot.serverName}, taken ${snapshot.takenAt}`)
    print(`  into      ${target.database ?? 'the server'} on ${target.serverName}`)
    print(
      `  size      ${formatBytes(snapshot.storedBytes)} to download, ${formatBytes(snapshot.rawBytes)} to load`,
    )
    print(`  takes     about ${formatSeconds(estimate.seconds)}`)
    for (const warning of check.warnings) print(`  warning   ${warning}`)
    for (const { message, hint } of check.problems) print(`  REFUSED   ${message}${hint ? ` ${hint}` : ''}`)
    if (check.needsConfirmation) print('  The name of the database must be given with --confirm.')
  }
  if (!check.isPossible) process.exitCode = 1
}
