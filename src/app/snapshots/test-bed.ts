import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { manifestKey, once, writeManifest } from '../../runner/manifests.ts'
import { AppError } from '../../shared/errors.ts'
import type { Job } from '../../shared/jobs.ts'
import type { Snapshot } from '../../shared/snapshots-api.ts'
import type { Manifest } from '../../shared/snapshots.ts'
import { openVolumeUrl } from '../../volumes/index.ts'
import { runJobs, type RunOptions } from '../jobs/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { recordSnapshot } from './record.ts'

export interface MadeSnapshot {
  database?: string
  takenAt?: Date
  /** Numbers of volumes: stored there. */
  on?: readonly number[]
  /** Numbers of volumes: wanted there. */
  failedOn?: readonly number[]
  plan?: { id: string; name: string } | null
  serverId?: string | null
  serverName?: string
  engine?: string
  content?: Buffer
  provenAt?: Date
  comment?: string
  releaseVersion?: string
  key?: string
}

/** An app with volumes, which are folders, a server and a plan on all of the volumes; snapshots are made as needed. */
export async function openCatalogue(
  makePlace: Parameters<typeof openApp>[0],
  { volumes = 1, plan: planMore = {} }: { volumes?: number; plan?: object } = {},
) {
  const stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('catalogue'))
  const app = stack.use(await openApp(makePlace))
  const { context, store } = app
  const { id: organizationId } = await store.db
    .selectFrom('organizations')
    .select('id')
    .executeTakeFirstOrThrow()

  const post = async <T>(path: string, body?: object): Promise<T> => {
    const answer = await app.ask('POST', `/api/v1/${path}`, body)
    assert.ok(answer.statusCode < 300, answer.body)
    return answer.json<T>()
  }
  const get = async <T>(path: string): Promise<T> => {
    const answer = await app.ask('GET', `/api/v1/${path}`)
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.json<T>()
  }
  const places: string[] = []
  const volumeIds: string[] = []
  for (let n = 0; n < volumes; n++) {
    const path = join(folder.path, `volume-${n}`)
    places.push(path)
    const volume = { name: `volume ${n}`, kind: 'local', settings: { path } }
    volumeIds.push((await post<{ id: string }>('volumes', volume)).id)
  }
  const database = join(folder.path, 'shop.db')
  const server = { name: 'prod', engine: 'sqlite', connection: { path: database } }
  const { id: serverId } = await post<{ id: string }>('servers', server)
  const plan = await post<{ id: string; name: string }>('plans', {
    serverId,
    name: 'nightly',
    databases: { mode: 'selected', names: [database] },
    volumes: volumeIds.map((id) => ({ id })),
    retention: { keepLast: 0 },
    backoffSeconds: 1,
    ...planMore,
  })

  /** On its volumes, and in the catalogue, as a backup leaves it. Returns the id. */
  const add = async (made: MadeSnapshot = {}): Promise<string> => {
    const { on = [0], failedOn = [], takenAt = new Date(), content = randomBytes(200) } = made
    const id = uuidv7({ msecs: takenAt.getTime() })
    const ofPlan = made.plan === undefined ? plan : made.plan
    const name = made.database ?? 'shop'
    const key = made.key ?? `prod/${name}/${id}.db`
    const manifest = manifestOf({ ...made, database: name, id, takenAt, content, plan: ofPlan })
    for (const n of on) {
      await using volume = openVolumeUrl(places[n] ?? '', {}).volume
      const signal = new AbortController().signal
      await volume.write(key, { body: once(content) }, signal)
      await writeManifest(volume, key, manifest, signal)
    }
    await store.db.transaction().execute(async (trx) => {
      await recordSnapshot(store, trx, {
        organizationId,
        manifest,
        key,
        serverId: made.serverId === undefined ? serverId : made.serverId,
        plan: ofPlan ?? undefined,
        jobId: 'a backup',
        copies: [
          ...on.map((n) => ({ volumeId: volumeIds[n] ?? '' })),
          ...failedOn.map((n) => ({
            volumeId: volumeIds[n] ?? '',
            // As a server may say it: no store takes a NUL.
            failure: new AppError('volume_full', 'There is no room.\0'),
          })),
        ],
      })
      if (made.provenAt) {
        const provenAt = made.provenAt.getTime()
        await trx.updateTable('snapshots').set({ provenAt }).where('id', '=', id).execute()
      }
    })
    return id
  }

  return {
    ...app,
    folder: folder.path,
    database,
    organizationId,
    places,
    volumeIds,
    serverId,
    plan,
    post,
    get,
    add,
    run: (options?: RunOptions) => runJobs(context, options),
    snapshot: (id: string) => get<Snapshot>(`snapshots/${id}`),
    /** The ids of all snapshots, the newest first. */
    async ids(query = ''): Promise<string[]> {
      const { items } = await get<{ items: Snapshot[] }>(`snapshots?limit=200${query}`)
      return items.map(({ id }) => id)
    },
    async jobs(kind: string): Promise<Job[]> {
      return (await get<{ items: Job[] }>(`jobs?kind=${kind}`)).items
    },
    /** The state of each copy, by the name of its volume. */
    async states(id: string): Promise<Record<string, string>> {
      const { copies } = await get<Snapshot>(`snapshots/${id}`)
      return Object.fromEntries(copies.map(({ volumeName, state }) => [volumeName, state]))
    },
    async keyOf(id: string): Promise<string> {
      return (await get<Snapshot>(`snapshots/${id}`)).copies[0]?.key ?? ''
    },
    path: (n: number, key: string) => join(places[n] ?? '', key),
    manifestPath: (n: number, key: string) => join(places[n] ?? '', manifestKey(key)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export type Catalogue = Awaited<ReturnType<typeof openCatalogue>>

/** What lies on a volume, without RESTORE.txt and folders. */
export async function filesOn(place: string): Promise<string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && entry.name !== 'RESTORE.txt')
    .map((entry) => entry.name)
    .sort()
}

function manifestOf(
  made: MadeSnapshot & { id: string; database: string; takenAt: Date; content: Buffer },
): Manifest {
  const { id, database, takenAt, content, plan, comment, releaseVersion } = made
  const sha256 = createHash('sha256').update(content).digest('hex')
  const engine = made.engine ?? 'sqlite'
  return {
    version: 1,
    holdfast: '0.1.0',
    snapshot: id,
    startedAt: takenAt.toISOString(),
    finishedAt: takenAt.toISOString(),
    server: { name: made.serverName ?? 'prod', engine, flavour: engine, version: '3' },
    database,
    properties: {},
    tool: { name: 'sqlite', version: '3' },
    format: 'sqlite',
    fileName: `${database}.db`,
    compression: { method: 'none' },
    encryption: null,
    raw: { bytes: content.length, sha256 },
    stored: { bytes: content.length, sha256 },
    rows: { things: 3, others: 4 },
    seconds: {},
    warnings: ['Mind the gap.'],
    trigger: 'schedule',
    ...(plan && { plan }),
    ...(comment !== undefined && { comment }),
    ...(releaseVersion !== undefined && { releaseVersion }),
  }
}
