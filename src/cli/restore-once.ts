import { Command } from 'commander'
import { openDatabaseUrl, parseSettings, type OpenedServer } from '../engines/index.ts'
import { findSnapshot } from '../runner/manifests.ts'
import { restoreSnapshot, type RestoredSnapshot } from '../runner/restore-snapshot.ts'
import { checkTarget } from '../runner/restore-target.ts'
import { takeSafetySnapshot } from '../runner/safety-snapshot.ts'
import { formatSeconds } from '../shared/units.ts'
import { keyRing } from './environment.ts'
import { interruption } from './interruption.ts'
import { positiveInteger } from './parse.ts'
import { engineOptionsOf, type RestoreChoices, withRestoreOptions } from './restore-options.ts'
import { jobContext, print, printJson, warnOfPassword } from './terminal.ts'
import { withVolume } from './with-volume.ts'

export const restoreOnce = withRestoreOptions(new Command('once'))
  .description('Write a snapshot into a database, without any app')
  .argument('<snapshot>', 'its id, the first eight or more characters of it, or its key')
  .requiredOption('--from <volume-url>', 'the volume that holds it')
  .requiredOption('--into <database-url>', 'the target: postgresql://user@host/new-name · sqlite:copy.db · …')
  .option('--server <name>', 'what to call the target’s server in the safety snapshot (default: its host)')
  .option('--stall-after <minutes>', 'give up when no byte has moved for so long', positiveInteger, 30)
  .option('--json', 'print the result as JSON')
  .option('-q, --quiet', 'no progress')
  .option('-v, --verbose', 'show the log of the job')
  .action(restore)

interface Options extends RestoreChoices {
  from: string
  into: string
  server?: string
  stallAfter: number
  json?: boolean
  quiet?: boolean
  verbose?: boolean
}

async function restore(idOrKey: string, options: Options): Promise<void> {
  const server = openDatabaseUrl(options.into, process.env)
  const restoreOptions = restoreOptionsOf(server, options)
  const target = {
    ...server,
    mode: options.mode,
    partial: Boolean(options.table ?? options.schemaOnly ?? options.dataOnly),
  }
  const serverName = options.server ?? server.host ?? server.engineName
  warnOfPassword(options.into)
  await withVolume(options.from, async (volume) => {
    const job = jobContext(interruption(), options)
    const keys = await keyRing()
    const stallAfter = options.stallAfter * 60_000
    try {
      await checkTarget(target, job.signal) // told before a snapshot is looked for
      const snapshot = { volume, ...(await findSnapshot(volume, idOrKey, job.signal)) }
      const restored = await restoreSnapshot(
        {
          ...target,
          restoreOptions,
          ...(!options.schemaOnly && !options.dataOnly && { wholeTables: options.table }),
          endSessions: options.endSessions ?? false,
          snapshot,
          keys,
          stallAfter,
          ...(options.safetySnapshot && {
            takeSafetySnapshot: (database, context) =>
              takeSafetySnapshot(
                { ...server, serverName, database, volume, keys, stallAfter, like: snapshot },
                context,
              ),
          }),
        },
        job,
      )
      job.done()
      if (options.json) printJson(resultJson(snapshot.manifest.snapshot, restored))
      else describe(restored, snapshot.manifest.database)
    } finally {
      job.done()
    }
  })
}

/** Only what was said, under the engine's own names; its schema refuses what it does not know. */
function restoreOptionsOf({ engine }: OpenedServer, options: Options): unknown {
  const said = { ...engineOptionsOf(options), ...(options.table && { tables: options.table }) }
  return parseSettings(engine.restoreOptions, said, `the options for ${engine.label}`)
}

function describe({ database, seconds, rows, safetySnapshot }: RestoredSnapshot, source: string): void {
  const total = Object.values(seconds).reduce((sum, part) => sum + part, 0)
  print(`Restored ${database ?? source} in ${formatSeconds(total)}`)
  if (rows) print(`  compared  ${rows.tables} tables, ${rows.rows} rows: the same as in the snapshot`)
  if (safetySnapshot) print(`  before    ${safetySnapshot} is what was there; restore it to undo`)
}

function resultJson(
  id: string,
  { database, seconds, rows, safetySnapshot }: RestoredSnapshot,
): Record<string, unknown> {
  return {
    id,
    database,
    restored: true,
    seconds,
    compared: rows && { tables: rows.tables, rows: rows.rows },
    safetySnapshot,
  }
}
