import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import type { Job } from '../shared/jobs.ts'
import { formatBytes, formatSeconds } from '../shared/units.ts'
import { interruption } from './interruption.ts'
import { localTime, printTable } from './named-things.ts'
import { positiveInteger } from './parse.ts'
import { jobOver, type Remote, remote, shortcomingOf } from './remote.ts'
import { describeError, note, type OutputOptions, print, printJson } from './terminal.ts'

const PATH = '/api/v1/jobs'
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
        const { items } = await app.get<{ items: Job[] }>(PATH, { ...query, limit: Math.min(limit, 200) })
        printTable(items, columns, { json, none: 'There are no such jobs.' })
      }),
  )
  .addCommand(
    new Command('show')
      .description('Show everything about a job, as JSON')
      .argument('<id>', 'its id')
      .option('--json', 'as it is anyway')
      .action(async (id: string) => printJson(await (await remote()).get(`${PATH}/${id}`))),
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
        const job = await (await remote()).post<Job>(`${PATH}/${id}/cancel`)
        if (json) printJson(job)
        else print(job.state === 'running' ? 'It is being stopped.' : `It is ${job.state}.`)
      }),
  )

interface LogPage {
  lines: { at: string; level: string; message: string; fields?: Record<string, unknown> }[]
  next: number
  isOver: boolean
}

async function logs(id: string, { follow, json }: { follow?: boolean; json?: boolean }): Promise<void> {
  const app = await remote()
  for (let after = 0; ;) {
    const page = await app.get<LogPage>(`${PATH}/${id}/log`, { after })
    for (const line of page.lines) {
      if (json) print(JSON.stringify(line))
      else print(`${line.at.slice(11, 19)} ${line.level === 'info' ? '' : `${line.level}: `}${line.message}`)
    }
    if (page.isOver || (page.next === after && !follow)) return
    if (page.next === after) await sleep(LOG_EVERY, undefined, { signal: interruption() })
    after = page.next
  }
}

/** Waits for a job, prints what came of it, and throws if it did not succeed. */
export async function finishJob(app: Remote, id: string, options: OutputOptions): Promise<Job> {
  const job = await jobOver(app, id, options)
  const shortcoming = shortcomingOf(job)
  if (options.json) printJson(job)
  else if (shortcoming) note(`holdfast: ${describeError(shortcoming)}`)
  else describeResult(job)
  // What is wrong has been printed; what is left is the exit code.
  if (shortcoming) process.exitCode = shortcoming.exitCode
  return job
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
