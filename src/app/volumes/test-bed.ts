import assert from 'node:assert/strict'
import type { InjectOptions } from 'fastify'
import { v7 as uuidv7 } from 'uuid'
import { writeManifest } from '../../runner/manifests.ts'
import { problem } from '../../shared/problems.ts'
import type { Manifest } from '../../shared/snapshots.ts'
import type { Volume } from '../../volumes/volume.ts'
import { recordSnapshot } from '../snapshots/record.ts'
import type { openApp } from '../test-bed.ts'

type App = Awaited<ReturnType<typeof openApp>>
type Response = Awaited<ReturnType<App['ask']>>

const never = new AbortController().signal

/** The only organization. */
export async function organizationOf({ store }: App): Promise<string> {
  const { id } = await store.db.selectFrom('organizations').select('id').executeTakeFirstOrThrow()
  return id
}

/** What a complete snapshot of so many bytes says of itself. */
export function manifestOf(bytes: number, more: Partial<Manifest> = {}): Manifest {
  const sha256 = '0'.repeat(64)
  return {
    version: 1,
    holdfast: '0.0.0',
    snapshot: uuidv7(),
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:04:06.000Z',
    server: { name: 'prod', engine: 'sqlite', flavour: 'sqlite', version: '3' },
    database: '/srv/shop.db',
    properties: {},
    tool: { name: 'node', version: '24' },
    format: 'sqlite',
    fileName: 'shop.db',
    compression: { method: 'none' },
    encryption: null,
    raw: { bytes, sha256 },
    stored: { bytes, sha256 },
    seconds: {},
    trigger: 'manual',
    ...more,
  }
}

/** Puts an object and its manifest on the volume. */
export async function put(volume: Volume, key: string, manifest: Manifest): Promise<void> {
  async function* body() {
    yield Buffer.alloc(manifest.stored.bytes, 7)
  }
  await volume.write(key, { body: body() }, never)
  await writeManifest(volume, key, manifest, never)
}

/** Adds it to the catalogue, with a copy on each of the volumes. */
export async function record(
  app: App,
  key: string,
  manifest: Manifest,
  volumeIds: readonly string[],
  more: { planId?: string } = {},
): Promise<void> {
  const organizationId = await organizationOf(app)
  await app.store.db.transaction().execute((trx) =>
    recordSnapshot(app.store, trx, {
      organizationId,
      manifest,
      key,
      serverId: null,
      plan: more.planId === undefined ? undefined : { id: more.planId, name: 'plan' },
      jobId: undefined,
      copies: volumeIds.map((volumeId) => ({ volumeId })),
    }),
  )
}

/** A plan of a server of its own, which keeps its snapshots on the volume. Returns its id. */
export async function planOn(app: App, volumeId: string | undefined, name: string, settings: object = {}) {
  const { store } = app
  const organizationId = await organizationOf(app)
  const times = { revision: 1, createdAt: store.now, updatedAt: store.now }
  const [id, serverId] = [uuidv7(), uuidv7()]
  await store.db
    .insertInto('servers')
    .values({
      id: serverId,
      organizationId,
      name: `server of ${name}`,
      engine: 'sqlite',
      connection: '{}',
      labels: '{}',
      isProduction: 0,
      isProtected: 0,
      maxRunning: 1,
      ...times,
    })
    .execute()
  await store.db
    .insertInto('plans')
    .values({
      id,
      organizationId,
      serverId,
      name,
      isEnabled: 1,
      settings: JSON.stringify(settings),
      ...times,
    })
    .execute()
  if (volumeId !== undefined) {
    await store.db.insertInto('planVolumes').values({ planId: id, volumeId, position: 0 }).execute()
  }
  return id
}

/** What was refused, with that code. */
export function refusal(response: Response, code: string) {
  assert.ok(response.statusCode >= 400, response.body)
  const refused = problem.parse(response.json())
  assert.equal(refused.code, code, response.body)
  return refused
}

/** Sends it all at once. */
export function inject(app: App, requests: InjectOptions[]): Promise<Response[]> {
  const headers = { authorization: `Bearer ${app.token}` }
  return Promise.all(requests.map((request) => app.app.inject({ ...request, headers })))
}
