import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { engineNamed } from '../../engines/index.ts'
import type { EncryptionChoice } from '../../runner/encryption.ts'
import { takeSnapshot } from '../../runner/take-snapshot.ts'
import type { Job } from '../../shared/jobs.ts'
import { problem, type Problem } from '../../shared/problems.ts'
import { restore, type Restore, startedRestore } from '../../shared/restores.ts'
import type { StorePlace } from '../../store/test-bed.ts'
import type { AppContext } from '../context.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { keyRingOf } from '../keys/keys.ts'
import { connectionOf, serverOf } from '../servers/servers.ts'
import { recordSnapshot } from '../snapshots/record.ts'
import { openApp } from '../test-bed.ts'
import { openVolumeOf, volumeOf } from '../volumes/volumes.ts'

// As bin/holdfast does: every operation on a SQLite file is a process of its own.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../../../node_modules/.cache/holdfast-tests')

const SCHEMA = 'create table orders (id integer primary key, email text)'

/** The app with a volume, which is a folder, and a server `shop`, which is a SQLite file with three orders. */
export async function openRestores(makePlace: () => Promise<StorePlace>, more: Partial<AppContext> = {}) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('restores'))
  const app = stack.use(await openApp(makePlace))
  const { context, store } = app
  Object.assign(context, more)
  const { id: organizationId } = await store.db
    .selectFrom('organizations')
    .select('id')
    .executeTakeFirstOrThrow()
  const post = async (path: string, body: object): Promise<{ id: string }> => {
    const answer = await app.ask('POST', `/api/v1/${path}`, body)
    assert.ok(answer.statusCode < 300, answer.body)
    return answer.json()
  }
  const addServer = async (name: string, engine: string, connection: object, more: object = {}) =>
    (await post('servers', { name, engine, connection, ...more })).id
  const addVolume = async (name: string, more: object = {}) => {
    const path = join(folder.path, `volume ${name}`)
    await mkdir(path)
    return (await post('volumes', { name, kind: 'local', settings: { path }, ...more })).id
  }
  const file = (name: string) => join(folder.path, name)
  fillFile(file('shop.db'), 3)
  const volumeId = await addVolume('first')
  const shop = await addServer('shop', 'sqlite', { path: file('shop.db') })
  const cleanUp = stack.move()

  return {
    ...app,
    organizationId,
    volumeId,
    /** The server’s id. */
    shop,
    file,
    addServer,
    addVolume,
    post,
    /** Backs a database up as a job would, and returns the snapshot’s id. */
    async takeSnapshot(
      serverId: string,
      database: string,
      more: {
        encryption?: EncryptionChoice
        dumpOptions?: object
        plan?: { id: string; name: string }
        on?: string
        at?: Date
      } = {},
    ): Promise<string> {
      const { encryption, plan, on = volumeId } = more
      const server = await serverOf(context, organizationId, serverId)
      await using volume = openVolumeOf(context, await volumeOf(context, organizationId, on))
      const engine = engineNamed(server.engine)
      const signal = new AbortController().signal
      const { manifest, key } = await takeSnapshot(
        {
          engine,
          engineName: server.engine,
          connection: connectionOf(context, server),
          database,
          dumpOptions: engine.dumpOptions.parse(more.dumpOptions ?? {}),
          serverName: server.name,
          compression: { method: 'zstd', level: 3, threads: 1 },
          ...(encryption && { encryption }),
          keys: await keyRingOf(context, organizationId),
          volumes: [{ name: 'volume', volume }],
          trigger: 'manual',
          catalogue: { organization: organizationId, serverId, plan },
          stallAfter: 60_000,
        },
        { signal, log: () => {}, progress: () => {} },
      )
      await store.db.transaction().execute((trx) =>
        recordSnapshot(store, trx, {
          organizationId,
          manifest,
          key,
          serverId,
          plan,
          jobId: undefined,
          copies: [{ volumeId: on }],
        }),
      )
      const at = more.at?.getTime()
      if (at !== undefined) {
        await store.db
          .updateTable('snapshots')
          .set({ takenAt: at })
          .where('id', '=', manifest.snapshot)
          .execute()
      }
      return manifest.snapshot
    },
    /** Orders a restore that is not refused; it has not begun. */
    async order(body: object): Promise<string> {
      const answer = await app.ask('POST', '/api/v1/restores', body)
      assert.equal(answer.statusCode, 201, answer.body)
      const { jobId } = startedRestore.parse(answer.json())
      assert.equal(answer.headers['location'], `/api/v1/restores/${jobId}`)
      return jobId
    },
    /** Orders it, and does it. */
    async restore(body: object): Promise<Restore> {
      const id = await this.order(body)
      await runJobs(context)
      return await this.restoreOf(id)
    },
    async restoreOf(id: string): Promise<Restore> {
      const answer = await app.ask('GET', `/api/v1/restores/${id}`)
      assert.equal(answer.statusCode, 200, answer.body)
      return restore.parse(answer.json())
    },
    /** Nothing may be enqueued. */
    async refused(body: object, path = 'restores'): Promise<Problem> {
      const count = async () => (await app.ask('GET', '/api/v1/jobs')).json<{ items: Job[] }>().items.length
      const before = await count()
      const answer = await app.ask('POST', `/api/v1/${path}`, body)
      assert.ok(answer.statusCode >= 400, answer.body)
      assert.equal(await count(), before)
      return problem.parse(answer.json())
    },
    /** The states of the jobs that tidy up, the newest first. */
    async tidying(): Promise<string[]> {
      const { items } = (await app.ask('GET', '/api/v1/jobs?kind=tidy-restore')).json<{ items: Job[] }>()
      return items.map(({ state }) => state)
    },
    async logOf(id: string): Promise<string> {
      return (await app.ask('GET', `/api/v1/jobs/${id}/log?as=text`)).body
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

export type RestoreBed = Awaited<ReturnType<typeof openRestores>>

/** A SQLite file with so many orders. */
export function fillFile(path: string, orders: number): void {
  const database = new DatabaseSync(path)
  database.exec(SCHEMA)
  for (let n = 1; n <= orders; n++)
    database.exec(`insert into orders values (${n}, 'person${n}@shop.example')`)
  database.close()
}

export function emailsIn(path: string): unknown[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database
      .prepare('select email from orders order by id')
      .all()
      .map(({ email }) => email)
  } finally {
    database.close()
  }
}
