import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import type { Plan } from '../../shared/plans.ts'
import { openApp } from '../test-bed.ts'

/** A plan of a SQLite database on two volumes, both folders. */
export async function openPlan(makePlace: Parameters<typeof openApp>[0], more: object = {}) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('backups'))
  const app = stack.use(await openApp(makePlace))
  const database = join(folder.path, 'shop.db')
  fill(database)
  const post = async <T>(path: string, body: object) => {
    const answer = await app.ask('POST', `/api/v1/${path}`, body)
    assert.ok(answer.statusCode < 300, answer.body)
    return answer.json<T>()
  }
  const places = ['one', 'two'].map((name) => join(folder.path, name))
  const volumes: { id: string }[] = []
  for (const path of places) {
    volumes.push(await post('volumes', { name: path.slice(-3), kind: 'local', settings: { path } }))
  }
  const { id: serverId } = await post<{ id: string }>('servers', {
    name: 'shop',
    engine: 'sqlite',
    connection: { path: database },
  })
  const plan = await post<Plan>('plans', {
    serverId,
    name: 'nightly',
    volumes: volumes.map(({ id }) => ({ id })),
    backoffSeconds: 1,
    ...more,
  })
  const opened = stack.move()
  return {
    ...app,
    folder: folder.path,
    database,
    places: places as [string, string],
    volumeIds: volumes.map(({ id }) => id) as [string, string],
    plan,
    post,
    async run(body: object = {}) {
      const { jobId } = await post<{ jobId: string }>(`plans/${plan.id}/run`, body)
      return jobId
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** The database that it backs up, with three rows. */
function fill(path: string): void {
  const database = new DatabaseSync(path)
  database.exec(`create table things (id integer primary key, name text);
    insert into things (name) values ('a'), ('b'), ('c')`)
  database.close()
}
