import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import type { Job } from '../shared/jobs.ts'
import { formatBytes, formatSeconds } from '../shared/units.ts'
import { interruption } from './interruption.ts'
import { localTime, printTable } from './named-things.ts'
import { positiveInteger } from './parse.ts'
import { jobOver, type Remote, remote, shortcomingOf } from './remote.ts'
import { describeError, note, type OutputOptions, print, printJson } from './terminal.ts'

const LOG_EVERY = 1000

const columns: Record<string, (job: Job) => string> = {
  ID: ({ id }) => id,
  CREATED: ({ createdAt }) => localTime(createdAt),
  KIND: ({ kind }) => kind,
  STATE: ({ state }) => state,
  DATABASE: ({ database }) => database ?? '-',
  TOOK: ({ startedAt, finishedAt }) => (startedAt && finishedAt ? seconds(startedAt, finishedAt) : '-'),
  'WHAT HAPPENED': ({ error, waitsFor, progress }) =>
    error?.message ?? waitsFor[0] ?? (progress ? progressOf(progress) : ''),
}

interface ListOptions {
  state?: string
  kind?: string
  limit?: number
  json?: boolean
}

export const jobs = new Command('jobs')
  .description('What the app does, and has done')
  .addCommand(
    new Command('ls')
      .description('List the jobs, the newest first')
      .option('--state <list>', 'queued, running, succeeded, partial, failed, cancelled')
      .option('--kind <list>', 'backup, restore, prune, …')
      .option('--limit <n>', 'so many (default: 20)', positiveInteger)
      .option('--json', 'print the result as JSON')
      .action(async ({ json, limit = 20, ...query }: ListOptions) => {
        const app = await remote()
        const filter = { state: query.state?.split(',') as Job['state'][], kind: query.kind?.split(',') }
        const items = await app.some(limit, 'GET /api/v1/jobs', { query: filter })
        printTable(items, columns, { json, none: 'There are no such jobs.' })
      }),
  )
  .addCommand(
    new Command('show')
      .description('Show everything about a job, as JSON')
      .argument('<id>', 'its id')
      .option('--json', 'as it is anyway')
      .action(async (id: string) => {
        const app = await remote()
        printJson(await app.ask('GET /api/v1/jobs/{id}', { params: { id } }))
      }),
  )
  .addCommand(
    new Command('logs')
      .description('What a job has said')
      .argument('<id>', 'its id')
      .option('-f, --follow', 'go on until it is over')
      .option('--json', 'print each line as JSON')
      .action(logs),
  )
  .addCommand(
    new Command('cancel')
      .description('Stop a job; the run of a plan with all its backups')
      .argument('<id>', 'its id')
      .option('--json', 'print the job as JSON')
      .action(async (id: string, { json }: OutputOptions) => {
        const app = await remote()
        const job = await app.ask('POST /api/v1/jobs/{id}/cancel', { params: { id } })
        if (json) printJson(job)
        else print(job.state === 'running' ? 'It is being stopped.' : `It is ${job.state}.`)
      }),
  )

async function logs(id: string, { follow, json }: { follow?: boolean; json?: boolean }): Promise<void> {
  const app = await remote()
  for (let after = 0; ;) {
    const page = await app.ask('GET /api/v1/jobs/{id}/log', { params: { id }, query: { after } })
    for (const line of page.lines) {
      if (json) print(JSON.stringify(line))
      else print(`${line.at.slice(11, 19)} ${line.level === 'info' ? '' : `${line.level}: `}${line.message}`)
    }
    if (page.isOver || (page.next === after && !follow)) return
    if (page.next === after) await sleep(LOG_EVERY, undefined, { signal: interruption() })
    after = page.next
  }
}

/** Waits for a job, prints what came of it, and makes that the exit code. */
export async function finishJob(app: Remote, id: string, options: OutputOptions): Promise<Job> {
  const job = await jobOver(app, id, options)
  if (options.json) printJson(job)
  conclude(job, options)
  return job
}

/** The same for several, of which the first that fails decides about the exit code. */
export async function finishJobs(app: Remote, ids: readonly string[], options: OutputOptions): Promise<void> {
  const over: Job[] = []
  for (const id of ids) {
    const job = await jobOver(app, id, options)
    over.push(job)
    conclude(job, options)
  }
  if (options.json) printJson({ jobs: over })
}

function conclude(job: Job, { json }: OutputOptions): void {
  const shortcoming = shortcomingOf(job)
  if (shortcoming) {
    process.exitCode ??= shortcoming.exitCode
    if (!json) note(`holdfast: ${describeError(shortcoming)}`)
  } else if (!json) describeResult(job)
}

function describeResult({ kind, database, startedAt, finishedAt, result }: Job): void {
  const took = startedAt && finishedAt ? ` in ${seconds(startedAt, finishedAt)}` : ''
  print(`${kind}${database === null ? '' : ` of ${database}`}: done${took}.`)
  if (typeof result !== 'object' || result === null) return
  for (const [name, value] of Object.entries(result)) {
    if (value === null || (Array.isArray(value) && value.length === 0)) continue
    print(`  ${name.padEnd(20)} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
  }
}

function seconds(from: string, to: string): string {
  return formatSeconds((Date.parse(to) - Date.parse(from)) / 1000)
}

function progressOf({ phase, rawBytes, storedBytes }: NonNullable<Job['progress']>): string {
  const bytes = rawBytes ?? storedBytes
  return bytes === undefined ? phase : `${phase} ${formatBytes(bytes)}`
}
