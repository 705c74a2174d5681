import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { plan, type Plan } from '../../shared/plans.ts'
import type { StorePlace } from '../../store/test-bed.ts'
import type { AppOptions } from '../app.ts'
import type { AppContext } from '../context.ts'
import type { JobKind } from '../jobs/job-kind.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { openApp } from '../test-bed.ts'

/** The app with all that a plan needs: a server, which is a SQLite file, two volumes, which are folders, and a schedule. */
export async function openPlans(makePlace: () => Promise<StorePlace>, options: AppOptions = {}) {
  const app = await openApp(makePlace, options)
  const folder = await tempFolder('plans')
  const add = async (url: string, body: object): Promise<string> => {
    const added = await app.ask('POST', url, body)
    assert.equal(added.statusCode, 201, added.body)
    return added.json().id
  }
  const path = join(folder.path, 'shop.db')
  const database = new DatabaseSync(path)
  database.exec('create table orders (id integer primary key); insert into orders values (1), (2)')
  database.close()
  const addServer = (name: string) => add('/api/v1/servers', { name, engine: 'sqlite', connection: { path } })
  const addVolume = async (name: string, fields: object = {}) => {
    await mkdir(join(folder.path, name))
    const settings = { path: join(folder.path, name) }
    return await add('/api/v1/volumes', { name, kind: 'local', settings, ...fields })
  }
  const addSchedule = (name: string, rule: object) =>
    add('/api/v1/schedules', { name, rule: { timeZone: 'UTC', ...rule } })
  const serverId = await addServer('shop')
  const volumeId = await addVolume('first')
  const scheduleId = await addSchedule('nightly', { type: 'daily', times: ['03:00'] })
  return {
    ...app,
    folder: folder.path,
    path,
    serverId,
    volumeId,
    scheduleId,
    addServer,
    addVolume,
    addSchedule,
    /** Of the server to the volume, by hand only, unless something else is given. */
    async addPlan(fields: object = {}): Promise<Plan> {
      const added = await app.ask('POST', '/api/v1/plans', {
        serverId,
        volumes: [{ id: volumeId }],
        ...fields,
      })
      assert.equal(added.statusCode, 201, added.body)
      return plan.parse(added.json())
    },
    /** Makes another organization, and gives it all that there is of a kind. */
    async giveAway(table: 'plans' | 'schedules'): Promise<void> {
      await app.store.db
        .insertInto('organizations')
        .values({ id: 'other', name: 'Other', createdAt: app.store.now })
        .execute()
      await app.store.db.updateTable(table).set({ organizationId: 'other' }).execute()
    },
    async organizationId(): Promise<string> {
      const row = await app.store.db.selectFrom('organizations').select('id').executeTakeFirstOrThrow()
      return row.id
    },
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** What is answered while jobs are run, as by a worker. */
export async function workUntil<T>(
  context: AppContext,
  kinds: Readonly<Record<string, JobKind>>,
  asking: PromiseLike<T>,
): Promise<T> {
  const state = { isAnswered: false }
  const answer = Promise.resolve(asking).finally(() => (state.isAnswered = true))
  while (!state.isAnswered) {
    await runJobs(context, { kinds })
    await sleep(20)
  }
  return await answer
}
