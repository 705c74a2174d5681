import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Job, type RetriedKind, retriedKinds } from '../../shared/jobs.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { openTeam } from '../users/test-bed.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { jobKinds } from './kinds.ts'

/** An app with a server, a volume and a plan, and with jobs about them that are over. */
async function open(makePlace: Parameters<typeof openTeam>[0]) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('retry'))
  const app = stack.use(await openTeam(makePlace))
  const { store, organizationId } = app
  const add = async (path: string, body: object): Promise<string> => {
    const added = await app.ask('POST', `/api/v1/${path}`, body)
    assert.equal(added.statusCode, 201, added.body)
    return added.json().id
  }
  const serverId = await add('servers', { name: 's', engine: 'sqlite', connection: { path: '/x.db' } })
  const place = { kind: 'local', settings: { path: folder.path } }
  const volumeId = await add('volumes', { name: 'v', ...place })
  const planId = await add('plans', { serverId, volumes: [{ id: volumeId }] })
  const registrationId = await add('app-backup-registrations', { name: 'r', ...place })
  const subjects: Record<string, object> = {
    backup: { planId, serverId, database: '/x.db' },
    'run-plan': { planId },
    prune: { planId },
    verify: { snapshotId: 'snapshot', volumeId },
    'repair-copy': { snapshotId: 'snapshot', volumeId },
  }
  const payloads: Record<string, object> = { 'app-backup': { registrationId, cause: 'schedule' } }
  const cleanUp = stack.move()
  return {
    ...app,
    /** Another one that is over already. */
    async ended(kind: string, state: Job['state'] = 'failed'): Promise<string> {
      const id = crypto.randomUUID()
      const times = { createdAt: store.now, updatedAt: store.now, runAt: 0, finishedAt: 1 }
      const payload = JSON.stringify(payloads[kind] ?? {})
      const subject = subjects[kind] ?? { volumeId }
      await store.db
        .insertInto('jobs')
        .values({ id, organizationId, kind, key: `test:${id}`, state, payload, ...subject, ...times })
        .execute()
      return id
    },
    count: async () => (await store.db.selectFrom('jobs').select('id').execute()).length,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

describeBothStores('a job that has not done what it was for', (makePlace) => {
  it('is done again in another job of its kind; asked for twice, in one', async () => {
    await using app = await open(makePlace)
    for (const kind of Object.keys(retriedKinds) as RetriedKind[]) {
      if (kind === 'verify') continue // its snapshot would have to be there
      const old = await app.ended(kind)
      const retry = async () => await app.ask('POST', `/api/v1/jobs/${old}/retry`)
      const started = await retry()
      assert.equal(started.statusCode, 202, `${kind}: ${started.body}`)
      const job = started.json<Job>()
      assert.equal(started.headers.location, `/api/v1/jobs/${job.id}`)
      // A single database is backed up by the run that orders it.
      assert.equal(job.kind, kind === 'backup' ? 'run-plan' : kind)
      assert.equal(job.state, 'queued')
      assert.notEqual(job.id, old)
      const before = await app.count()
      assert.equal((await retry()).json<Job>().id, job.id, kind)
      assert.equal(await app.count(), before)
    }
    const audit = await app.ask('GET', '/api/v1/audit?action=job.retry&limit=1')
    assert.equal(audit.json().items.length, 1, audit.body)
  })

  it('is not while it is not over, when all is done, or when it comes again by itself', async () => {
    await using app = await open(makePlace)
    const before = await app.count()
    const wrong = [
      await app.ended('prune', 'succeeded'),
      await app.ended('prune', 'queued'),
      await app.ended('restore'),
    ]
    for (const kind of Object.keys(jobKinds)) if (!(kind in retriedKinds)) wrong.push(await app.ended(kind))
    for (const id of wrong) {
      const refused = await app.ask('POST', `/api/v1/jobs/${id}/retry`)
      assert.equal(refused.statusCode, 400, refused.body)
      assert.equal(refused.json().code, 'unsupported')
    }
    const gone = await app.ended('verify')
    assert.equal((await app.ask('POST', `/api/v1/jobs/${gone}/retry`)).statusCode, 404)
    assert.equal(await app.count(), before + wrong.length + 1)
  })

  it('is done again by nobody who could not have ordered it', async () => {
    await using app = await open(makePlace)
    const { ask: asOperator } = await app.person('op', { role: 'operator' })
    const { ask: asAdmin } = await app.person('ad', { role: 'admin' })
    const { ask: asViewer } = await app.person('vi', { role: 'viewer' })
    const role = await app.addRole('few', ['view', 'run-backups', 'delete-snapshots'], { names: ['s'] })
    const { ask: asLimited } = await app.person('li', { role })
    const refused = async (kind: string) => {
      const id = await app.ended(kind)
      const answers: string[] = []
      for (const [name, ask] of Object.entries({ asViewer, asOperator, asAdmin, asLimited })) {
        const { statusCode } = await ask('POST', `/api/v1/jobs/${id}/retry`)
        if (statusCode === 403 || statusCode === 404) answers.push(name)
        else assert.equal(statusCode, 202, `${kind} ${name}`)
      }
      return answers
    }
    assert.deepEqual(await refused('prune'), ['asViewer'])
    assert.deepEqual(await refused('file-check'), ['asViewer', 'asLimited'])
    assert.deepEqual(await refused('delete-snapshots'), ['asViewer', 'asOperator', 'asLimited'])
    assert.deepEqual(await refused('scan-volume'), ['asViewer', 'asOperator', 'asLimited'])
    assert.deepEqual(await refused('app-backup'), ['asViewer', 'asOperator', 'asAdmin', 'asLimited'])
  })
})
