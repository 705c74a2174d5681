import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { it } from 'node:test'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import type { Job, JobState } from '../../shared/jobs.ts'
import { enqueueJob, type JobOrder } from '../../store/queue.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { defineJob, type JobKind } from './job-kind.ts'
import { startWorker, type Worker } from './worker.ts'

type App = Awaited<ReturnType<typeof openApp>>

async function organizationIn({ store }: App): Promise<string> {
  return (await store.db.selectFrom('organizations').select('id').executeTakeFirstOrThrow()).id
}

async function order(app: App, kind: string, more: Partial<JobOrder> = {}): Promise<string> {
  const organizationId = await organizationIn(app)
  const { id } = await app.store.db.transaction().execute((trx) =>
    enqueueJob(app.store, trx, {
      organizationId,
      kind,
      key: `${kind}:1`,
      payload: {},
      backoff: 10,
      ...more,
    }),
  )
  return id
}

async function untilState(app: App, id: string, ...states: JobState[]): Promise<Job> {
  for (;;) {
    const job = (await app.ask('GET', `/api/v1/jobs/${id}`)).json<Job>()
    if (states.includes(job.state)) return job
    await sleep(20)
  }
}

function worker(app: App, kinds: Record<string, JobKind>): Worker {
  const onTrouble = (message: string) => assert.fail(message)
  return startWorker(app.context, { kinds, concurrency: 4, pollEvery: 20, onTrouble })
}

const payload = z.object({})

/** Runs until it is told to stop. */
const endless = defineJob({
  payload,
  async run({ signal, log, progress }) {
    log('info', 'It begins.')
    progress({ phase: 'dumping', rawBytes: 17 })
    await sleep(600_000, undefined, { signal })
  },
})

describeBothStores('a worker', (makePlace) => {
  it('does a job, and keeps what it said and what came of it', async () => {
    await using app = await openApp(makePlace)
    const kind = defineJob({
      payload: z.object({ n: z.number() }),
      async run({ log, payload: { n } }) {
        log('info', 'Half of it is done.', { n })
        return { result: { twice: n * 2 } }
      },
    })
    await using _worker = worker(app, { kind })
    const id = await order(app, 'kind', { payload: { n: 21 } })
    const job = await untilState(app, id, 'succeeded', 'failed')
    assert.equal(job.state, 'succeeded')
    assert.deepEqual(job.result, { twice: 42 })
    assert.equal(job.attempt, 1)
    const log = (await app.ask('GET', `/api/v1/jobs/${id}/log`)).json<{ lines: { message: string }[] }>()
    assert.deepEqual(
      log.lines.map(({ message }) => message),
      ['Half of it is done.'],
    )
    const text = await app.ask('GET', `/api/v1/jobs/${id}/log?as=text`)
    assert.match(text.body, /^\S+Z info {4}Half of it is done\. \{"n":21\}\n$/)
    assert.match(String(text.headers['content-type']), /^text\/plain/)
  })

  it('writes what belongs to the end together with the end, or nothing of it', async () => {
    await using app = await openApp(makePlace)
    const renamed = defineJob({
      payload,
      async run({ finish }) {
        await finish({
          async record(trx) {
            await trx.updateTable('organizations').set({ name: 'Renamed' }).execute()
          },
        })
      },
    })
    const broken = defineJob({
      payload,
      async run({ finish }) {
        await finish({
          async record(trx) {
            await trx.updateTable('organizations').set({ name: 'Broken' }).execute()
            throw new AppError('invalid_input', 'It cannot be recorded.')
          },
        })
      },
    })
    await using _worker = worker(app, { renamed, broken })
    await untilState(app, await order(app, 'renamed'), 'succeeded')
    const failed = await untilState(app, await order(app, 'broken'), 'failed')
    assert.equal(failed.error?.message, 'It cannot be recorded.')
    const { name } = await app.store.db.selectFrom('organizations').select('name').executeTakeFirstOrThrow()
    assert.equal(name, 'Renamed')
  })

  it('tries again what may have been a moment’s trouble, and tells its kind only when it is given up', async () => {
    await using app = await openApp(makePlace)
    const told: string[] = []
    let attempts = 0
    const troubled = defineJob({
      payload,
      async run() {
        attempts += 1
        throw new AppError('database_unreachable', `Attempt ${attempts} failed.`)
      },
      async endedBadly(_context, _trx, end) {
        told.push(end.state === 'failed' ? end.error.message : end.state)
      },
    })
    await using _worker = worker(app, { troubled })
    const job = await untilState(app, await order(app, 'troubled', { maxAttempts: 3 }), 'failed')
    assert.equal(job.attempt, 3)
    assert.equal(job.error?.code, 'database_unreachable')
    assert.deepEqual(told, ['Attempt 3 failed.'])
  })

  it('does not try again what another attempt cannot change, or must not hide', async () => {
    await using app = await openApp(makePlace)
    const failing = (error: AppError) =>
      defineJob({
        payload,
        async run() {
          throw error
        },
      })
    const unreachable = (details: object) => new AppError('volume_unreachable', 'It is not there.', details)
    const kinds = {
      wrong: failing(new AppError('authentication_failed', 'The password is wrong.')),
      told: failing(unreachable({ isFinal: true })),
      // Whoever was asked a moment ago says so; a job comes back later.
      refused: failing(unreachable({ retryable: false })),
    }
    await using _worker = worker(app, kinds)
    const attempts: Record<string, number> = {}
    for (const kind of Object.keys(kinds)) {
      attempts[kind] = (await untilState(app, await order(app, kind, { maxAttempts: 2 }), 'failed')).attempt
    }
    assert.deepEqual(attempts, { wrong: 1, told: 1, refused: 2 })
  })

  it('refuses a payload that is none, and a kind that it does not know by name is left to others', async () => {
    await using app = await openApp(makePlace)
    const strict = defineJob({ payload: z.object({ n: z.number() }), async run() {} })
    await using _worker = worker(app, { strict })
    const foreign = await order(app, 'foreign')
    const job = await untilState(app, await order(app, 'strict', { payload: { n: 'x' } }), 'failed')
    assert.equal(job.error?.code, 'unsupported')
    const waiting = (await app.ask('GET', `/api/v1/jobs/${foreign}`)).json<Job>()
    assert.equal(waiting.state, 'queued')
  })

  it('stops a job that is cancelled while it runs, shows its progress before, and calls it cancelled', async () => {
    await using app = await openApp(makePlace)
    await using _worker = worker(app, { endless })
    const id = await order(app, 'endless', { maxAttempts: 3 })
    for (;;) {
      const job = await untilState(app, id, 'running')
      if (job.progress) {
        assert.equal(job.progress.rawBytes, 17)
        assert.equal(job.progress.phase, 'dumping')
        break
      }
      await sleep(50)
    }
    assert.equal((await app.ask('POST', `/api/v1/jobs/${id}/cancel`)).statusCode, 200)
    const job = await untilState(app, id, 'cancelled', 'failed', 'queued')
    assert.equal(job.state, 'cancelled')
    assert.equal(job.error, null)
  })

  it('cancels what waits at once, and with the run of a plan all that it has ordered', async () => {
    await using app = await openApp(makePlace)
    const parent = await order(app, 'run-plan')
    const child = await order(app, 'backup', { parentId: parent })
    const cancelled = (await app.ask('POST', `/api/v1/jobs/${parent}/cancel`)).json<Job>()
    assert.equal(cancelled.state, 'cancelled')
    await untilState(app, child, 'cancelled')
    assert.equal((await app.ask('POST', `/api/v1/jobs/${child}/cancel`)).json<Job>().state, 'cancelled')
  })

  it('lets nothing go on that is ordered at the very end of what was cancelled meanwhile', async () => {
    await using app = await openApp(makePlace)
    const organizationId = await organizationIn(app)
    const { promise: orderedChild, resolve: tellChild } = Promise.withResolvers<string>()
    const parent = defineJob({
      payload,
      async run({ id, finish }) {
        assert.equal((await app.ask('POST', `/api/v1/jobs/${id}/cancel`)).statusCode, 200)
        await finish({
          async record(trx) {
            const child = { organizationId, kind: 'child', key: 'child', payload: {}, parentId: id }
            tellChild((await enqueueJob(app.store, trx, child)).id)
          },
        })
      },
    })
    await using _worker = worker(app, { parent })
    await order(app, 'parent')
    await untilState(app, await orderedChild, 'cancelled')
  })

  it('hands a job back when it stops, without counting the attempt; another worker does it', async () => {
    await using app = await openApp(makePlace)
    const id = await order(app, 'endless', { maxAttempts: 1 })
    {
      await using _worker = worker(app, { endless })
      await untilState(app, id, 'running')
    }
    await untilState(app, id, 'queued')
    const quick = defineJob({ payload, async run() {} })
    await using _next = worker(app, { endless: quick })
    const job = await untilState(app, id, 'succeeded', 'failed')
    assert.equal(job.state, 'succeeded')
    assert.equal(job.attempt, 2)
  })

  it('tells its kind when it cannot hand a job back, because another one waits with its key', async () => {
    await using app = await openApp(makePlace)
    const told: string[] = []
    const endedBadly: JobKind['endedBadly'] = async (_context, _trx, { id }) => void told.push(id)
    const id = await order(app, 'endless')
    {
      await using _worker = worker(app, { endless: { ...endless, endedBadly } })
      await untilState(app, id, 'running')
      await order(app, 'endless')
    }
    assert.equal((await untilState(app, id, 'failed', 'queued')).state, 'failed')
    assert.deepEqual(told, [id])
  })

  it('does not begin anew by itself what must not be repeated', async () => {
    await using app = await openApp(makePlace)
    const id = await order(app, 'once')
    {
      await using _worker = worker(app, { once: { ...endless, isNeverRepeated: true } })
      await untilState(app, id, 'running')
    }
    const job = await untilState(app, id, 'failed', 'queued')
    assert.equal(job.state, 'failed')
    assert.equal(job.error?.code, 'job_interrupted')
  })

  it('stops a job that it cannot hold in time, also while its query hangs', async () => {
    await using app = await openApp(makePlace)
    const { promise: stopped, resolve: tellStopped } = Promise.withResolvers<unknown>()
    const held = defineJob({
      payload,
      async run({ signal }) {
        await sleep(600_000, undefined, { signal }).catch(() => tellStopped(signal.reason))
        signal.throwIfAborted()
      },
    })
    const id = await order(app, 'held', { maxAttempts: 2 })
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    let hangs = false
    const hanging: object = new Proxy(
      { execute: () => answered.then(() => []), executeTakeFirst: () => answered },
      { get: (target, name) => Reflect.get(target, name) ?? (() => hanging) },
    )
    const db = new Proxy(app.store.db, {
      get(target, name) {
        if (hangs && name === 'selectFrom') return () => hanging
        const own: unknown = Reflect.get(target, name, target)
        return typeof own === 'function' ? own.bind(target) : own
      },
    })
    const context = { ...app.context, store: { ...app.store, db } }
    await using _worker = startWorker(context, { kinds: { held }, pollEvery: 20, patience: 300 })
    await untilState(app, id, 'running')
    hangs = true
    const reason = await stopped
    answer()
    hangs = false
    assert.ok(reason instanceof AppError && reason.code === 'lease_lost')
    assert.equal((await untilState(app, id, 'running')).attempt, 1)
  })

  it('lets a job that has been taken over write nothing any more', async () => {
    await using app = await openApp(makePlace)
    const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>()
    const { promise: ended, resolve: tellEnded } = Promise.withResolvers<unknown>()
    const slow = defineJob({
      payload,
      async run({ finish }) {
        await mayEnd
        try {
          await finish({
            record: async (trx) => {
              await trx.updateTable('organizations').set({ name: 'Late' }).execute()
            },
          })
        } catch (error) {
          tellEnded(error)
          throw error
        }
      },
    })
    await using _worker = worker(app, { slow })
    const id = await order(app, 'slow', { maxAttempts: 2 })
    await untilState(app, id, 'running')
    // As if its lease had ended, and another runner had claimed it.
    await app.store.db
      .updateTable('jobs')
      .set({ attempt: 2, runner: 'another' })
      .where('id', '=', id)
      .execute()
    end()
    const error = await ended
    assert.ok(error instanceof AppError && error.code === 'lease_lost')
    const job = await untilState(app, id, 'running')
    assert.equal(job.attempt, 2)
    const { name } = await app.store.db.selectFrom('organizations').select('name').executeTakeFirstOrThrow()
    assert.equal(name, 'Default')
  })

  it('ends a job whose outcome is recorded as it then ordered, also if that could not be stored at once', async () => {
    await using app = await openApp(makePlace)
    let tries = 0
    const overruled = defineJob({
      payload,
      async run({ record }) {
        await record({ result: { recorded: true } })
        return {
          failure: new AppError('hook_failed', 'What ran behind it has failed.'),
          async record() {
            tries++
            if (tries === 1) throw new Error('The store was locked for a moment.')
          },
        }
      },
    })
    await using _worker = worker(app, { overruled })
    const job = await untilState(app, await order(app, 'overruled'), 'failed', 'succeeded')
    assert.deepEqual([job.state, job.error?.code, tries], ['failed', 'hook_failed', 2])
  })

  it('takes the jobs of a process that is known to be dead at once, without waiting for the lease', async () => {
    await using app = await openApp(makePlace)
    const id = await order(app, 'kind', { maxAttempts: 2 })
    const { claimJob } = await import('../../store/queue.ts')
    const { ownToken } = await import('../../lib/identity.ts')
    // The machine and the start of this process, but a process number that nobody has.
    const dead = ownToken().replace(/-\d+-/, '-4194305-')
    const runner = { name: `${dead}/1`, node: 'here', capacity: 1, kinds: ['kind'] }
    assert.ok(await claimJob(app.store, runner))
    await using _worker = worker(app, { kind: defineJob({ payload, async run() {} }) })
    const job = await untilState(app, id, 'succeeded', 'failed')
    assert.equal(job.state, 'succeeded')
    assert.equal(job.attempt, 2)
  })
})

describeBothStores('the routes of jobs', (makePlace) => {
  it('list the newest first, page by page, and find by what a job is about', async () => {
    await using app = await openApp(makePlace)
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      ids.unshift(await order(app, i % 2 ? 'odd' : 'even', { key: `k${i}`, subject: { database: `d${i}` } }))
    }
    const seen: string[] = []
    let cursor = ''
    do {
      const { items, nextCursor } = (await app.ask('GET', `/api/v1/jobs?limit=2${cursor}`)).json<{
        items: Job[]
        nextCursor: string | null
      }>()
      seen.push(...items.map(({ id }) => id))
      cursor = nextCursor === null ? '' : `&cursor=${nextCursor}`
    } while (cursor !== '')
    assert.deepEqual(seen, ids)
    const found = async (query: string) =>
      (await app.ask('GET', `/api/v1/jobs?${query}`))
        .json<{ items: Job[] }>()
        .items.map(({ database }) => database)
    assert.deepEqual(await found('kind=odd'), ['d3', 'd1'])
    assert.deepEqual(await found('database=d4'), ['d4'])
    assert.deepEqual(await found('state=running,failed'), [])
    assert.equal((await found('state=queued,failed')).length, 5)
    assert.equal((await app.ask('GET', '/api/v1/jobs?state=odd')).statusCode, 400)
  })

  it('find what ended in a time', async () => {
    await using app = await openApp(makePlace)
    const times = [
      '2026-01-01T23:59:59.999Z',
      '2026-01-02T00:00:00.000Z',
      '2026-01-02T12:00:00.000Z',
      undefined,
    ]
    const ids: string[] = []
    for (const [i, time] of times.entries()) {
      const id = await order(app, 'even', { key: `k${i}` })
      const ended = time !== undefined && { state: 'succeeded' as const, finishedAt: Date.parse(time) }
      await app.store.db
        .updateTable('jobs')
        .set({ createdAt: i, ...ended })
        .where('id', '=', id)
        .execute()
      ids.push(id)
    }
    const found = async (query: Record<string, string>) =>
      (await app.ask('GET', `/api/v1/jobs?${new URLSearchParams(query).toString()}`))
        .json<{ items: Job[] }>()
        .items.map(({ id }) => ids.indexOf(id))
    assert.deepEqual(await found({ from: '2026-01-02T00:00:00Z', to: '2026-01-03T00:00:00Z' }), [2, 1])
    assert.deepEqual(await found({ from: '2026-01-02T01:00:00+01:00', limit: '1' }), [2])
    assert.deepEqual(await found({ to: '2026-01-02T00:00:00Z' }), [0])
    assert.deepEqual(await found({ from: '2026-01-02T00:00:00Z', kind: 'odd' }), [])
    for (const wrong of [
      'from=yesterday',
      'to=2026-01-02',
      'from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z',
    ]) {
      assert.equal((await app.ask('GET', `/api/v1/jobs?${wrong}`)).statusCode, 400, wrong)
    }
  })

  it('say what a job waits for, and keep those of others to them', async () => {
    await using app = await openApp(makePlace)
    const { setCapacity, claimJob } = await import('../../store/queue.ts')
    const { id: serverId } = (
      await app.ask('POST', '/api/v1/servers', {
        name: 'prod',
        engine: 'sqlite',
        connection: { path: '/a.db' },
      })
    ).json<{ id: string }>()
    const resource = `server:${serverId}`
    await app.store.db.transaction().execute((trx) => setCapacity(trx, resource, 1))
    await order(app, 'kind', { key: 'a', resources: [resource] })
    const waiting = await order(app, 'kind', { key: 'b', resources: [resource] })
    await claimJob(app.store, { name: 'r', node: 'n', capacity: 2, kinds: ['kind'] })
    const job = (await app.ask('GET', `/api/v1/jobs/${waiting}`)).json<Job>()
    assert.deepEqual(job.waitsFor, ['server prod: 1 of 1 running'])
    assert.deepEqual(job.waitsForResources, [{ kind: 'server', name: 'prod', capacity: 1 }])

    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: 1 })
      .execute()
    await app.store.db
      .updateTable('jobs')
      .set({ organizationId: 'other' })
      .where('id', '=', waiting)
      .execute()
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/log'],
      ['POST', '/cancel'],
    ] as const) {
      assert.equal((await app.ask(method, `/api/v1/jobs/${waiting}${path}`)).statusCode, 404)
    }
  })
})
