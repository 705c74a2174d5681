import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Job, type RetriedKind, retriedKinds } from '../../shared/jobs.ts'
import type { Store } from '../../store/database.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { openCatalogue } from '../snapshots/test-bed.ts'
import { openTeam } from '../users/test-bed.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { jobKinds } from './kinds.ts'

interface Ended {
  state?: Job['state']
  subject?: object
  payload?: object
}

/** Another job that is over already. */
async function addEnded(
  { store, organizationId }: { store: Store; organizationId: string },
  kind: string,
  { state = 'failed', subject = {}, payload = {} }: Ended,
): Promise<string> {
  const id = crypto.randomUUID()
  const times = { createdAt: store.now, updatedAt: store.now, runAt: 0, finishedAt: 1 }
  await store.db
    .insertInto('jobs')
    .values({
      id,
      organizationId,
      kind,
      key: `test:${id}`,
      state,
      payload: JSON.stringify(payload),
      ...subject,
      ...times,
    })
    .execute()
  return id
}

/** An app with a server, a volume and a plan, and with jobs about them that are over. */
async function open(makePlace: Parameters<typeof openTeam>[0]) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('retry'))
  const app = stack.use(await openTeam(makePlace))
  const { store } = app
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
  const payloads: Record<string, object> = {
    'app-backup': { registrationId, cause: 'daily' },
    backup: { planId, database: '/x.db', trigger: 'schedule' },
    'content-check': { volumeId },
    'run-plan': { planId, trigger: 'schedule' },
  }
  const cleanUp = stack.move()
  return {
    ...app,
    async ended(kind: string, state: Job['state'] = 'failed'): Promise<string> {
      const subject = subjects[kind] ?? { volumeId }
      return await addEnded(app, kind, { state, subject, payload: payloads[kind] ?? {} })
    },
    count: async () => (await store.db.selectFrom('jobs').select('id').execute()).length,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

describeBothStores('a job that has not done what it was for', (makePlace) => {
  it('is done again in another job of its kind; asked for twice, in one', async () => {
    await using app = await open(makePlace)
    for (const kind of Object.keys(retriedKinds) as RetriedKind[]) {
      if (kind === 'verify' || kind === 'repair-copy') continue // their snapshot would have to be there
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

  it('is done again as it was ordered, while what it is about is there', async () => {
    const databases = { mode: 'selected', names: ['a', 'b'] }
    await using app = await openCatalogue(makePlace, { plan: { databases } })
    const [volumeId = ''] = app.volumeIds
    const planId = app.plan.id
    const retry = async (kind: string, ended: Ended) => {
      const id = await addEnded(app, kind, ended)
      return await app.ask('POST', `/api/v1/jobs/${id}/retry`)
    }
    /** Of the job that does it again. */
    const payloadOf = async (kind: string, ended: Ended): Promise<unknown> => {
      const started = await retry(kind, ended)
      assert.equal(started.statusCode, 202, `${kind}: ${started.body}`)
      const { id } = started.json<Job>()
      const { payload } = await app.store.db
        .selectFrom('jobs')
        .select('payload')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      return JSON.parse(payload)
    }
    const release = { planId, trigger: 'migration', version: '2.0', comment: 'before 2.0' }
    const backupOfB = { subject: { planId, database: 'b' }, payload: { ...release, database: 'b' } }
    const runOf = (payload: object) => ({ subject: { planId }, payload })
    assert.deepEqual(await payloadOf('run-plan', runOf({ ...release, databases: ['a'] })), {
      ...release,
      databases: ['a'],
    })
    assert.deepEqual(await payloadOf('backup', backupOfB), { ...release, databases: ['b'] })
    const due = { planId, trigger: 'schedule', dueAt: 1 }
    assert.deepEqual(await payloadOf('run-plan', runOf(due)), { planId, trigger: 'manual' })

    const share = { volumeId, share: 0.5 }
    assert.deepEqual(await payloadOf('content-check', { subject: { volumeId }, payload: share }), share)
    assert.deepEqual(await app.jobs('file-check'), [], 'which nobody has asked for')

    const copy = { snapshotId: await app.add(), volumeId }
    assert.deepEqual(await payloadOf('repair-copy', { subject: copy, payload: copy }), copy)

    const selectsA = { databases: { mode: 'selected', names: ['a'] } }
    assert.equal((await app.ask('PATCH', `/api/v1/plans/${planId}`, selectsA)).statusCode, 200)
    for (const [kind, ended] of [
      ['backup', backupOfB],
      ['run-plan', runOf({ ...release, databases: ['a', 'b'] })],
    ] as const) {
      const refused = await retry(kind, ended)
      assert.equal(refused.statusCode, 422, refused.body)
      const { code, title, errors } = refused.json()
      assert.equal(code, 'nothing_matched')
      assert.equal(title, 'The plan is not about “b” any more.')
      assert.equal(errors, undefined, 'no field was asked for')
    }
    const gone: [kind: string, subject: object][] = [
      ['delete-snapshots', { volumeId: 'gone' }],
      ['content-check', { volumeId: 'gone' }],
      ['prune', { planId: 'gone' }],
      ['repair-copy', { ...copy, snapshotId: 'gone' }],
      ['repair-copy', { ...copy, volumeId: 'gone' }],
    ]
    for (const [kind, subject] of gone) {
      const refused = await retry(kind, { subject, payload: subject })
      assert.equal(refused.statusCode, 404, `${kind}: ${refused.body}`)
    }
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
