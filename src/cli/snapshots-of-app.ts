import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Deletion, Snapshot } from '../shared/snapshots-api.ts'
import { AppError } from '../shared/errors.ts'
import { formatBytes } from '../shared/units.ts'
import { findOutput } from './decrypt-output.ts'
import { interruption } from './interruption.ts'
import { finishJob } from './jobs.ts'
import { localTime, printTable } from './named-things.ts'
import { jobOver, type Remote, remote, shortcomingOf } from './remote.ts'
import { describeError, note, print, printJson, table } from './terminal.ts'

/*
 * The snapshots that the app knows, on whatever volumes. What is on one volume, without any app, is snapshots.ts.
 */

export interface ListOptions {
  server?: string
  plan?: string
  database?: string
  search?: string
  limit?: number
  json?: boolean
}

const columns: Record<string, (snapshot: Snapshot) => string> = {
  SNAPSHOT: ({ id }) => id,
  'TAKEN (UTC)': ({ takenAt }) => localTime(takenAt),
  SERVER: ({ serverName }) => serverName,
  DATABASE: ({ database }) => database,
  PLAN: ({ planName }) => planName ?? '-',
  'STORED ': ({ storedBytes }) => formatBytes(storedBytes),
  COPIES: ({ copies }) =>
    copies
      .map(({ volumeName, state }) => (state === 'stored' ? volumeName : `${volumeName}: ${state}`))
      .join(', '),
  MARKS: ({ locked, provenAt, keyId }) =>
    [locked !== false && 'locked', provenAt && 'proven', keyId && 'encrypted'].filter(Boolean).join(' '),
}

export async function listKnown({ json, limit = 50, ...query }: ListOptions): Promise<void> {
  const app = await remote()
  const items = await app.some(limit, 'GET /api/v1/snapshots', { query })
  printTable(items, columns, { json, none: 'There are no such snapshots.' })
}

export async function showKnown(snapshot: string, { json }: { json?: boolean }): Promise<void> {
  const app = await remote()
  const id = await idOf(app, snapshot)
  const found = await app.ask('GET /api/v1/snapshots/{id}', { params: { id } })
  if (json) return printJson(found)
  const { manifest } = found
  const facts: [string, string | null | undefined][] = [
    ['snapshot', found.id],
    ['database', found.database],
    ['server', `${found.serverName} (${manifest.server.flavour} ${manifest.server.version})`],
    ['plan', found.planName],
    ['taken', `${found.takenAt}, finished ${found.finishedAt}`],
    ['by', `${manifest.tool.name} ${manifest.tool.version}, format ${found.format}`],
    ['left out', manifest.partial?.join(', ')],
    ['stored', `${formatBytes(found.storedBytes)} (${found.storedBytes} bytes), SHA-256 ${found.sha256}`],
    ['raw', formatBytes(found.rawBytes)],
    ['trigger', found.trigger],
    ['release', found.releaseVersion],
    ['comment', found.comment],
    ['locked', found.locked === false ? undefined : String(found.locked)],
    ['proven', found.provenAt],
    ...found.copies.map(({ volumeName, key, state, error }): [string, string] => [
      `on ${volumeName}`,
      `${state}: ${key}${error ? ` (${error.message})` : ''}`,
    ]),
    ...(manifest.warnings ?? []).map((warning): [string, string] => ['warning', warning]),
  ]
  for (const [name, value] of facts) if (value) print(`${name.padEnd(16)} ${value}`)
  const rows = Object.entries(manifest.rows ?? {}).toSorted(([a], [b]) => a.localeCompare(b))
  if (rows.length > 0)
    print(
      `\n${table(
        ['TABLE', 'ROWS '],
        rows.map(([name, count]) => [name, String(count)]),
      )}`,
    )
}

export async function verifyKnown(
  snapshot: string,
  options: { json?: boolean; quiet?: boolean },
): Promise<void> {
  const app = await remote()
  const id = await idOf(app, snapshot)
  const { jobId } = await app.ask('POST /api/v1/snapshots/{id}/verify', { params: { id }, body: null })
  await finishJob(app, jobId, options)
}

/** `locked`: `true`, `false`, or a time until which it is. */
export async function lockKnown(
  snapshot: string,
  locked: boolean | string,
  { json }: { json?: boolean },
): Promise<void> {
  const app = await remote()
  const id = await idOf(app, snapshot)
  const changed = await app.ask('PATCH /api/v1/snapshots/{id}', { params: { id }, body: { locked } })
  if (json) return printJson(changed)
  print(
    locked === false
      ? 'It is not locked any more.'
      : `It is locked${locked === true ? '' : ` until ${locked}`}.`,
  )
}

export interface RemoveOptions {
  newest?: boolean
  yes?: boolean
  json?: boolean
}

/** Shows what would go; with `yes`, deletes it. */
export async function removeKnown(snapshots: readonly string[], options: RemoveOptions): Promise<void> {
  const app = await remote()
  const ids: string[] = []
  for (const snapshot of snapshots) ids.push(await idOf(app, snapshot))
  const newest = options.newest ?? false
  const body = { ids, newest, dryRun: !options.yes }
  const deletion = await app.ask('POST /api/v1/snapshots/delete', { body })
  if (options.json) printJson(deletion)
  else describeDeletion(deletion)
  if (!options.yes) {
    note('Nothing has been deleted. Say --yes to delete it.')
    process.exitCode = 1
    return
  }
  for (const job of deletion.jobIds) {
    const shortcoming = shortcomingOf(await jobOver(app, job, { ...options, quiet: true }))
    if (!shortcoming) continue
    note(`holdfast: ${describeError(shortcoming)}`)
    process.exitCode ??= shortcoming.exitCode
  }
}

function describeDeletion({ snapshots, copies, bytes }: Deletion): void {
  for (const { id, database, serverName, takenAt, isNewest, refusal, copies } of snapshots) {
    const marks = [isNewest && 'THE NEWEST GOOD ONE', refusal].filter(Boolean).join('; ')
    print(`${id}  ${localTime(takenAt)}  ${database} of ${serverName}${marks ? `  (${marks})` : ''}`)
    for (const { volumeName, key } of copies) print(`    ${volumeName}: ${key}`)
  }
  print(`${snapshots.length} snapshots, ${copies} copies, ${formatBytes(bytes)}`)
}

export interface DownloadOptions {
  output?: string
  plain?: boolean
  volume?: string
}

/** Streams the object to a file, or to standard output. What breaks off half-way is no file. */
export async function downloadKnown(snapshot: string, options: DownloadOptions): Promise<void> {
  const { output } = options
  const signal = interruption()
  const file = output === undefined || output === '-' ? undefined : await findOutput(output, false)
  const app = await remote()
  const id = await idOf(app, snapshot)
  const query = new URLSearchParams({ as: options.plain ? 'plain' : 'stored', direct: 'true' })
  if (options.volume !== undefined) query.set('volume', options.volume)
  const path = `/api/v1/snapshots/${id}/download?${query.toString()}`
  const { body } = await app.client.send('GET', path, { signal })
  if (!body) throw new AppError('internal', 'The app has sent nothing.')
  const bytes = Readable.fromWeb(body)
  if (!file) return await pipeline(bytes, process.stdout, { end: false, signal })
  await file.write(bytes, signal)
  note(`Saved as ${output}.`)
}

/** A whole id, or the beginning of one that only one snapshot has. */
export async function idOf(app: Remote, idOrBeginning: string): Promise<string> {
  if (/^[0-9a-f-]{36}$/.test(idOrBeginning)) return idOrBeginning
  if (!/^[0-9a-f-]{8,}$/.test(idOrBeginning)) {
    throw new AppError(
      'invalid_input',
      `“${idOrBeginning}” is not the id of a snapshot, nor its beginning.`,
      {
        hint: 'holdfast snapshots ls lists them.',
      },
    )
  }
  const all = await app.all('GET /api/v1/snapshots')
  const [only, ...others] = all.filter(({ id }) => id.startsWith(idOrBeginning))
  if (!only) throw new AppError('snapshot_not_found', `There is no snapshot “${idOrBeginning}”.`)
  if (others.length === 0) return only.id
  throw new AppError('invalid_input', `“${idOrBeginning}” begins the ids of ${others.length + 1} snapshots.`)
}
