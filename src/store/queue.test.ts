import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from './database.ts'
import {
  cancelJob,
  claimJob,
  enqueueJob,
  finishJob,
  handBackJob,
  reapJobs,
  recordOutcome,
  renewLease,
  setCapacity,
  type ClaimedJob,
  type JobOrder,
  type Outcome,
  type Runner,
} from './queue.ts'
import { describeBothStores } from './test-bed.ts'

const ORGANIZATION = 'org'
const runner: Runner = { name: 'runner-1', node: 'node-1', capacity: 100, kinds: ['backup'] }
const failure: Outcome = { state: 'failed', error: { code: 'tool_failed', message: 'It failed.' } }

describeBothStores('the queue', (makePlace) => {
  /** A store with a queue, and shorter words for what is done with it. */
  async function openQueue() {
    const store = await (await makePlace()).openMigrated()
    await store.db
      .insertInto('organizations')
      .values({ id: ORGANIZATION, name: 'Ours', createdAt: store.now })
      .execute()
    return {
      store,
      enqueue: (key: string, more: Partial<JobOrder> = {}) => enqueue(store, key, more),
      claim: (more: Partial<Runner> = {}) => claimJob(store, { ...runner, ...more }),
      finish: (job: ClaimedJob, outcome: Outcome) =>
        store.db.transaction().execute((trx) => finishJob(store, trx, job, outcome)),
      cancel: (id: string) => store.db.transaction().execute((trx) => cancelJob(store, trx, id)),
      limit: (resource: string, capacity: number) =>
        store.db.transaction().execute((trx) => setCapacity(trx, resource, capacity)),
      job: (id: string) =>
        store.db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  }

  it('gives each job to one claimer, the most urgent first, then in the order of their time', async () => {
    await using queue = await openQueue()
    const first = await queue.enqueue('a')
    await sleep(5)
    const second = await queue.enqueue('b', { payload: { database: 'shop' } })
    const urgent = await queue.enqueue('c', { priority: 1 })
    const claimed = [await queue.claim(), await queue.claim(), await queue.claim()]
    assert.deepEqual(
      claimed.map((job) => job?.id),
      [urgent.id, first.id, second.id],
    )
    assert.deepEqual(JSON.parse(claimed[2]?.payload ?? ''), { database: 'shop' })
    assert.equal(await queue.claim(), undefined)
  })

  it('keeps a job back until its time, from who cannot do it, and from who has not its label', async () => {
    await using queue = await openQueue()
    await queue.enqueue('later', { delay: 300 })
    await queue.enqueue('other', { kind: 'restore' })
    await queue.enqueue('eu', { label: 'eu' })
    assert.equal(await queue.claim(), undefined)
    assert.equal((await queue.claim({ labels: ['us', 'eu'] }))?.key, 'eu')
    assert.equal((await queue.claim({ kinds: ['restore'] }))?.key, 'other')
    await sleep(350)
    assert.equal((await queue.claim())?.key, 'later')
  })

  it('lets a job that is joined wait no longer, and be no less urgent, than each that was asked for', async () => {
    await using queue = await openQueue()
    const { id } = await queue.enqueue('a', { delay: 60_000, priority: 1, payload: { n: 1 } })
    await queue.enqueue('b', { priority: 2 })
    const seen: unknown[] = []
    const joining = (n: number, more: Partial<JobOrder>) =>
      queue.enqueue('a', {
        payload: { n },
        replacesPayload: (waiting) => seen.push(waiting) === 1,
        ...more,
      })
    await joining(2, { priority: 3, delay: 90_000 })
    assert.equal((await queue.claim())?.key, 'b')
    assert.deepEqual(await joining(3, {}), { id, joined: true })
    const claimed = await queue.claim()
    assert.deepEqual([claimed?.id, JSON.parse(claimed?.payload ?? '')], [id, { n: 2 }])
    assert.equal((await queue.job(id)).priority, 3)
    assert.deepEqual(seen, [{ n: 1 }, { n: 2 }])
  })

  it('has one running and one waiting job of a key: what comes after joins the one that waits', async () => {
    await using queue = await openQueue()
    const first = await queue.enqueue('same')
    assert.deepEqual(await queue.enqueue('same'), { id: first.id, joined: true })
    const running = await queue.claim()
    assert.equal(running?.id, first.id)
    const second = await queue.enqueue('same')
    assert.equal(second.joined, false)
    assert.deepEqual(await queue.enqueue('same'), { id: second.id, joined: true })
    assert.equal(await queue.claim(), undefined, 'the first one still runs')
    await queue.finish(running, { state: 'succeeded' })
    assert.equal((await queue.claim())?.id, second.id)
  })

  it('never has more jobs on a resource than it may, and lets others go on', async () => {
    await using queue = await openQueue()
    await queue.limit('server:1', 2)
    await queue.limit('volume:1', 3)
    for (const key of ['a', 'b', 'c']) await queue.enqueue(key, { resources: ['server:1', 'volume:1'] })
    await queue.enqueue('d', { resources: ['server:2', 'volume:1'] })
    await queue.enqueue('e', { resources: ['server:2', 'volume:1'] })
    const running = [await queue.claim(), await queue.claim(), await queue.claim()]
    assert.deepEqual(
      running.map((job) => job?.key),
      ['a', 'b', 'd'],
    )
    assert.equal(await queue.claim(), undefined)
    if (running[0]) await queue.finish(running[0], { state: 'succeeded' })
    assert.equal((await queue.claim())?.key, 'c')
    await queue.limit('volume:1', 4)
    assert.equal((await queue.claim())?.key, 'e')
  })

  it('never has more jobs on a node than it may', async () => {
    await using queue = await openQueue()
    for (const key of ['a', 'b', 'c']) await queue.enqueue(key)
    const node = { node: 'small', capacity: 1 }
    assert.ok(await queue.claim(node))
    assert.equal(await queue.claim({ ...node, name: 'runner-2' }), undefined)
    assert.ok(await queue.claim({ node: 'other' }))
  })

  it('tries a failed job again after a pause that doubles, as often as it may be tried', async () => {
    await using queue = await openQueue()
    const { id } = await queue.enqueue('a', { maxAttempts: 3, backoff: 1 })
    for (const attempt of [1, 2, 3]) {
      await sleep(10)
      const job = await queue.claim()
      assert.equal(job?.attempt, attempt)
      assert.equal(job.isLast, attempt === 3)
      assert.equal(await queue.finish(job, failure), attempt === 3 ? 'failed' : 'queued')
    }
    const { state, error, finishedAt } = await queue.job(id)
    assert.equal(state, 'failed')
    assert.equal(JSON.parse(error ?? '').code, 'tool_failed')
    assert.ok(finishedAt)

    const slow = await queue.enqueue('b', { maxAttempts: 3, backoff: 60_000 })
    const job = await queue.claim()
    assert.ok(job)
    await queue.finish(job, failure)
    const { runAt, startedAt } = await queue.job(slow.id)
    assert.ok(runAt - (startedAt ?? 0) >= 60_000)
  })

  it('does not try again what cannot succeed, nor what is not to be tried', async () => {
    await using queue = await openQueue()
    await queue.enqueue('a', { maxAttempts: 3 })
    const job = await queue.claim()
    assert.ok(job)
    assert.equal(await queue.finish(job, { ...failure, final: true }), 'failed')
    await queue.enqueue('restore')
    const restore = await queue.claim()
    assert.ok(restore?.isLast)
    assert.equal(await queue.finish(restore, failure), 'failed')
  })

  it('ends a failed job for good when a newer one of its key waits already', async () => {
    await using queue = await openQueue()
    const first = await queue.enqueue('same', { maxAttempts: 3 })
    const running = await queue.claim()
    assert.ok(running)
    const second = await queue.enqueue('same')
    assert.equal(await queue.finish(running, failure), 'failed')
    assert.equal((await queue.job(first.id)).state, 'failed')
    assert.equal((await queue.claim())?.id, second.id)
  })

  it('cancels a waiting job at once, and asks a running one to stop', async () => {
    await using queue = await openQueue()
    const { id } = await queue.enqueue('a', { maxAttempts: 3 })
    assert.equal(await queue.cancel(id), 'cancelled')
    assert.equal(await queue.claim(), undefined)
    const next = await queue.enqueue('a', { maxAttempts: 3 })
    const job = await queue.claim()
    assert.ok(job)
    assert.deepEqual(await renewLease(queue.store, job), { cancel: false })
    assert.equal(await queue.cancel(next.id), 'running')
    assert.deepEqual(await renewLease(queue.store, job), { cancel: true })
    assert.equal(await queue.finish(job, { state: 'cancelled' }), 'cancelled')
    assert.equal(await queue.cancel(next.id), 'cancelled')
    assert.equal(await queue.cancel('no such job'), undefined)
  })

  it('keeps nothing of a failed attempt in a job that is cancelled while it waits for the next one', async () => {
    await using queue = await openQueue()
    const { id } = await queue.enqueue('a', { maxAttempts: 3 })
    const job = (await queue.claim()) ?? assert.fail()
    assert.equal(await queue.finish(job, failure), 'queued')
    assert.match((await queue.job(id)).error ?? '', /tool_failed/)
    assert.equal(await queue.cancel(id), 'cancelled')
    assert.equal((await queue.job(id)).error, null)
  })

  it('does not try again what failed while it was being cancelled', async () => {
    await using queue = await openQueue()
    const { id } = await queue.enqueue('a', { maxAttempts: 3 })
    const job = await queue.claim()
    assert.ok(job)
    await queue.cancel(id)
    assert.equal(await queue.finish(job, failure), 'failed')
  })

  it('gives a job to another runner when its own is not heard of, and lets that one finish nothing', async () => {
    await using queue = await openQueue()
    await queue.limit('server:1', 1)
    const { id } = await queue.enqueue('a', { maxAttempts: 2, backoff: 1, resources: ['server:1'] })
    const lost = await queue.claim({ lease: 250 })
    assert.ok(lost)
    assert.deepEqual(await reapJobs(queue.store), [])
    await sleep(300)
    assert.deepEqual(await reapJobs(queue.store), [id])
    await sleep(5)
    const taken = await queue.claim({ name: 'runner-2' })
    assert.equal(taken?.id, id)
    assert.equal(taken.attempt, 2)
    await assert.rejects(renewLease(queue.store, lost), { code: 'lease_lost' })
    await assert.rejects(queue.finish(lost, { state: 'succeeded' }), { code: 'lease_lost' })
    assert.equal(await queue.finish(taken, { state: 'succeeded' }), 'succeeded')
  })

  it('writes nothing of a transaction in which a lost job is finished', async () => {
    await using queue = await openQueue()
    await queue.enqueue('a')
    const lost = await queue.claim({ lease: 1 })
    assert.ok(lost)
    await sleep(20)
    await reapJobs(queue.store)
    const finishing = queue.store.db.transaction().execute(async (trx) => {
      await trx.insertInto('resources').values({ name: 'written', capacity: 1 }).execute()
      await finishJob(queue.store, trx, lost, { state: 'succeeded' })
    })
    await assert.rejects(finishing, { code: 'lease_lost' })
    assert.deepEqual(await queue.store.db.selectFrom('resources').selectAll().execute(), [])
  })

  it('keeps a job as long as its runner is heard of', async () => {
    await using queue = await openQueue()
    await queue.enqueue('a')
    const job = await queue.claim({ lease: 600 })
    assert.ok(job)
    for (let n = 0; n < 4; n++) {
      await sleep(200)
      await renewLease(queue.store, job, { lease: 600, progress: { n } })
    }
    assert.deepEqual(await reapJobs(queue.store), [])
    assert.equal((await queue.job(job.id)).progress?.replace(/\s/g, ''), '{"n":3}')
    await queue.finish(job, { state: 'succeeded', result: { ok: true } })
  })

  it('ends what was lost at its last attempt as failed, and what was to be cancelled as cancelled', async () => {
    await using queue = await openQueue()
    const last = await queue.enqueue('a')
    const cancelled = await queue.enqueue('b', { maxAttempts: 3 })
    assert.ok(await queue.claim({ lease: 1 }))
    assert.ok(await queue.claim({ lease: 1 }))
    await queue.cancel(cancelled.id)
    await sleep(20)
    assert.equal((await reapJobs(queue.store)).length, 2)
    const { state, error } = await queue.job(last.id)
    assert.equal(state, 'failed')
    assert.equal(JSON.parse(error ?? '').code, 'runner_lost')
    assert.equal((await queue.job(cancelled.id)).state, 'cancelled')
    assert.deepEqual(await queue.store.db.selectFrom('jobSlots').selectAll().execute(), [])
  })

  it('never begins a job anew whose outcome is recorded: whoever ends it ends it with that', async () => {
    await using queue = await openQueue()
    const inTransaction = queue.store.db.transaction()
    const open = async (key: string) => {
      await queue.enqueue(key, { maxAttempts: 3 })
      const job = (await queue.claim({ lease: 1 })) ?? assert.fail()
      await inTransaction.execute((trx) =>
        recordOutcome(queue.store, trx, job, { state: 'partial', result: { snapshotId: key } }),
      )
      return job
    }
    const isRecorded = async ({ id }: ClaimedJob) => {
      const { state, result, error, runner } = await queue.job(id)
      assert.deepEqual([state, error, runner], ['partial', null, null])
      assert.match(result ?? '', /snapshotId/)
    }
    const [lost, unwanted] = [await open('a'), await open('b')]
    await queue.cancel(unwanted.id)
    await sleep(20)
    const told: string[] = []
    await reapJobs(queue.store, {
      onBadEnd: async () => assert.fail('it has not ended badly'),
      onRecordedEnd: async (_, { id }) => void told.push(id),
    })
    assert.deepEqual(told.toSorted(), [lost.id, unwanted.id].toSorted())
    await isRecorded(lost)
    await isRecorded(unwanted)

    const broken = await open('c')
    await assert.rejects(
      inTransaction.execute((trx) => handBackJob(queue.store, trx, broken)),
      { code: 'lease_lost' },
    )
    assert.equal(await queue.finish(broken, failure), 'partial')
    await isRecorded(broken)
    const overruled = await open('d')
    assert.equal(await queue.finish(overruled, { ...failure, overruled: true }), 'failed')
    assert.match((await queue.job(overruled.id)).error ?? '', /tool_failed/)
  })

  it('lets others have what a job has used whose outcome is recorded, but not its place on the machine', async () => {
    await using queue = await openQueue()
    await queue.limit('server:1', 1)
    for (const key of ['a', 'b']) await queue.enqueue(key, { resources: ['server:1'] })
    const job = (await queue.claim({ capacity: 2 })) ?? assert.fail()
    assert.equal(await queue.claim({ capacity: 2 }), undefined)
    await queue.store.db
      .transaction()
      .execute((trx) => recordOutcome(queue.store, trx, job, { state: 'succeeded' }))
    assert.equal(await queue.claim({ capacity: 1 }), undefined)
    assert.equal((await queue.claim({ capacity: 2 }))?.key, 'b')
    assert.equal(await queue.finish(job, { state: 'succeeded' }), 'succeeded')
    const held = await queue.store.db.selectFrom('jobSlots').select('resource').execute()
    assert.deepEqual(held.map(({ resource }) => resource).toSorted(), ['node:node-1', 'server:1'])
  })

  it('writes nothing of a transaction in which the outcome of a lost job is recorded', async () => {
    await using queue = await openQueue()
    await queue.enqueue('a')
    const lost = await queue.claim({ lease: 1 })
    assert.ok(lost)
    await sleep(20)
    await reapJobs(queue.store)
    const recording = queue.store.db.transaction().execute(async (trx) => {
      await trx.insertInto('resources').values({ name: 'written', capacity: 1 }).execute()
      await recordOutcome(queue.store, trx, lost, { state: 'succeeded' })
    })
    await assert.rejects(recording, { code: 'lease_lost' })
    assert.deepEqual(await queue.store.db.selectFrom('resources').selectAll().execute(), [])
  })

  it('keeps the reason of a job that is left out', async () => {
    await using queue = await openQueue()
    await queue.enqueue('a', { maxAttempts: 3 })
    const job = (await queue.claim()) ?? assert.fail()
    const error = { code: 'hook_skipped' as const, message: 'It is Sunday.' }
    assert.equal(await queue.finish(job, { state: 'cancelled', error }), 'cancelled')
    assert.match((await queue.job(job.id)).error ?? '', /It is Sunday/)
  })
})

function enqueue(store: Store, key: string, more: Partial<JobOrder>) {
  const order = { organizationId: ORGANIZATION, kind: 'backup', key, payload: {}, ...more }
  return store.db.transaction().execute((trx) => enqueueJob(store, trx, order))
}
