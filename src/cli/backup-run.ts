import { Command } from 'commander'
import type { RunOrder, StartedRun } from '../client/api.ts'
import { type Job, stateOfRun } from '../shared/jobs.ts'
import { AppError } from '../shared/errors.ts'
import { formatBytes } from '../shared/units.ts'
import { planThings } from './plans.ts'
import { text, word, words } from './parse.ts'
import { jobOver, named, type Remote, remote, shortcomingOf } from './remote.ts'
import { describeError, note, type OutputOptions, print, printJson } from './terminal.ts'

const MAX_COMMENT = 2000
const EXIT_PARTIAL = 3

interface Options extends OutputOptions {
  trigger: string
  version?: string
  comment?: string
  database?: string[]
  wait?: boolean
}

export const backupRun = new Command('run')
  .description('Run a plan of the app now')
  .argument('<plan>', 'its name or id')
  .option('--database <name>', 'only this one of its databases; may be repeated', words('--database'))
  .option('--trigger <word>', 'manual, or migration: a release is about to change the database', 'manual')
  .option('--version <version>', 'of the release; {version} in names', word('--version'))
  .option('--comment <text>', 'kept with the snapshots', text('--comment', MAX_COMMENT))
  .option('--wait', 'end only when every copy of every database is stored; else the exit code is not 0')
  .option('--json', 'print the result as JSON')
  .option('-q, --quiet', 'no progress')
  .addHelpText(
    'after',
    '\nIn a deploy pipeline: holdfast backup run <plan> --trigger migration --version 42 --wait\nExit codes with --wait: 0 every copy is stored · 3 some copies are not · 1 and others: a database is not backed up',
  )
  .action(async (name: string, options: Options) => {
    const app = await remote()
    const { id } = await named(app, planThings.list, 'plan', name)
    const body = {
      trigger: options.trigger as RunOrder['trigger'],
      version: options.version,
      comment: options.comment,
      databases: options.database,
    }
    // Without `wait` it answers at once; waiting here shows the progress, too.
    const started = await app.ask('POST /api/v1/plans/{id}/run', { params: { id }, body })
    const { jobId } = started as StartedRun
    if (!options.wait) {
      if (options.json) return printJson({ jobId })
      print(`Started job ${jobId}.`)
      return print(`Follow it: holdfast jobs logs ${jobId} --follow`)
    }
    process.exitCode = await waitForAll(app, jobId, options)
  })

/** The run, and then each backup that it has ordered. Returns the exit code. */
async function waitForAll(app: Remote, jobId: string, options: Options): Promise<number> {
  const run = await jobOver(app, jobId, options)
  const ordered = (run.result as { jobs?: { id: string }[] } | null)?.jobs ?? []
  const backups: Job[] = []
  const volumes = options.json ? [] : await app.all('GET /api/v1/volumes')
  const names = new Map(volumes.map(({ id, name }) => [id, name]))
  for (const { id } of ordered) {
    const job = await jobOver(app, id, options)
    backups.push(job)
    if (!options.json) describe(job, names)
  }
  const state = stateOfRun(run, backups)
  const nothing = backups.length > 0 ? undefined : new AppError('run_failed', 'The run has made no backup.')
  const shortcoming = shortcomingOf(run) ?? nothing
  if (options.json) printJson({ state, run, backups })
  else if (shortcoming) note(`holdfast: ${describeError(shortcoming)}`)
  if (state === 'partial') return EXIT_PARTIAL
  const [bad] = [shortcoming, ...backups.map(shortcomingOf)].filter((error) => error !== undefined)
  return bad?.exitCode ?? 0
}

interface BackupResult {
  snapshotId: string
  key: string
  rawBytes: number
  storedBytes: number
  copies: { volumeId: string; state: string; error?: { message: string } }[]
}

function describe(job: Job, volumes: ReadonlyMap<string, string>): void {
  const shortcoming = shortcomingOf(job)
  if (shortcoming) return note(`holdfast: ${job.database}: ${describeError(shortcoming)}`)
  const result = job.result as BackupResult
  print(`${job.state === 'partial' ? 'PARTLY backed up' : 'Backed up'} ${job.database}`)
  print(`  snapshot  ${result.snapshotId}`)
  print(`  key       ${result.key}`)
  print(`  size      ${formatBytes(result.rawBytes)} → ${formatBytes(result.storedBytes)}`)
  for (const { volumeId, state, error } of result.copies) {
    print(`  copy      ${volumes.get(volumeId) ?? volumeId}: ${state}${error ? `: ${error.message}` : ''}`)
  }
}
