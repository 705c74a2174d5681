import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Deletion, Snapshot, SnapshotDetails } from '../shared/snapshots-api.ts'
import { AppError } from '../shared/errors.ts'
import { formatBytes } from '../shared/units.ts'
import { interruption } from './interruption.ts'
import { finishJob } from './jobs.ts'
import { localTime, printTable } from './named-things.ts'
import { type Remote, remote } from './remote.ts'
import { note, print, printJson, table } from './terminal.ts'

/*
 * The snapshots that the app knows, on whatever volumes. What is on one volume, without any app, is snapshots.ts.
 */

const PATH = '/api/v1/snapshots'

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
  const { items } = await app.get<{ items: Snapshot[] }>(PATH, { ...query, limit: Math.min(limit, 200) })
  printTable(items, columns, { json, none: 'There are no such snapshots.' })
}

export async function showKnown(snapshot: string, { json }: { json?: boolean }): Promise<void> {
  const app = await remote()
  const found = await app.get<SnapshotDetails>(`${PATH}/${await idOf(app, snapshot)}`)
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
  const { jobId } = await app.post<{ jobId: string }>(`${PATH}/${await idOf(app, snapshot)}/verify`)
  await finishJob(app, jobId, options)
}

/** `locked`: `true`, `false`, or a time until which it is. */
export async function lockKnown(
  snapshot: string,
  locked: boolean | string,
  { json }: { json?: boolean },
): Promise<void> {
  const app = await remote()
  const changed = await app.patch<Snapshot>(`${PATH}/${await idOf(app, snapshot)}`, { locked })
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
  const deletion = await app.post<Deletion>(`${PATH}/delete`, { ids, newest, dryRun: !options.yes })
  if (options.json) printJson(deletion)
  else describeDeletion(deletion)
  if (!options.yes) {
    note('Nothing has been deleted. Say --yes to delete it.')
    process.exitCode = 1
    return
  }
  for (const job of deletion.jobIds) await finishJob(app, job, { ...options, json: false, quiet: true })
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
  const app = await remote()
  const id = await idOf(app, snapshot)
  const query = new URLSearchParams({ as: options.plain ? 'plain' : 'stored', direct: 'true' })
  if (options.volume !== undefined) query.set('volume', options.volume)
  const { body } = await app.client.send('GET', `${PATH}/${id}/download?${query.toString()}`, {
    signal: interruption(),
  })
  if (!body) throw new AppError('internal', 'The app has sent nothing.')
  const bytes = Readable.fromWeb(body)
  if (options.output === undefined || options.output === '-') {
    return await pipeline(bytes, process.stdout, { end: false })
  }
  try {
    await pipeline(bytes, createWriteStream(options.output, { flags: 'wx' }))
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST'
    if (isTaken) throw new AppError('object_exists', `${options.output} is there already.`, { cause: error })
    await rm(options.output, { force: true })
    throw error
  }
  note(`Saved as ${options.output}.`)
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
  const all = await app.all<Snapshot>(PATH)
  const [only, ...others] = all.filter(({ id }) => id.startsWith(idOrBeginning))
  if (!only) throw new AppError('snapshot_not_found', `There is no snapshot “${idOrBeginning}”.`)
  if (others.length === 0) return only.id
  throw new AppError('invalid_input', `“${idOrBeginning}” begins the ids of ${others.length + 1} snapshots.`)
}
