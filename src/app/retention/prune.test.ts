import assert from 'node:assert/strict'
import { stat } from 'node:fs/promises'
import { it } from 'node:test'
import fc from 'fast-check'
import type { Transaction } from 'kysely'
import type { RetentionPolicy } from '../../shared/retention.ts'
import type { DatabaseRetention } from '../../shared/retention-preview.ts'
import type { CopyState, Snapshot } from '../../shared/snapshots-api.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { describeBothStores, describeStores } from '../../store/test-bed.ts'
import { lockSnapshots } from '../snapshots/marking.ts'
import { type Catalogue, filesOn, openCatalogue } from '../snapshots/test-bed.ts'
import { jobKinds } from '../jobs/kinds.ts'
import { enqueuePrune } from './prune.ts'

const DAY = 86_400_000
const ago = (days: number) => new Date(Date.now() - days * DAY)

async function keep(app: Catalogue, retention: object, onVolume: Record<number, object> = {}): Promise<void> {
  const volumes = app.volumeIds.map((id, n) => ({ id, ...(onVolume[n] && { retention: onVolume[n] }) }))
  const answer = await app.ask('PATCH', `/api/v1/plans/${app.plan.id}`, { retention, volumes })
  assert.equal(answer.statusCode, 200, answer.body)
}

/** What the job decides, and what the jobs of the volumes then do. */
async function prune(app: Catalogue): Promise<void> {
  const { store, organizationId, plan } = app
  await store.db.transaction().execute((trx) => enqueuePrune(store, trx, organizationId, plan.id))
  await app.run()
  const states = (await app.jobs('prune')).map(({ state, error }) => [state, error])
  assert.ok(
    states.every(([state]) => state === 'succeeded'),
    JSON.stringify(states),
  )
}

async function setState(
  app: Catalogue,
  snapshotId: string,
  state: CopyState,
  volume?: number,
): Promise<void> {
  let update = app.store.db.updateTable('copies').set({ state }).where('snapshotId', '=', snapshotId)
  if (volume !== undefined) update = update.where('volumeId', '=', app.volumeIds[volume] ?? '')
  await update.execute()
}

describeBothStores('pruning', (makePlace) => {
  it('deletes what the policy does not keep, of each database for itself', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    await keep(app, { keepLast: 2 })
    const shop: string[] = []
    const crm: string[] = []
    for (let n = 4; n > 0; n--) shop.push(await app.add({ takenAt: ago(n), on: [0, 1] }))
    for (let n = 3; n > 0; n--) crm.push(await app.add({ takenAt: ago(n + 10), database: 'crm' }))
    const ofNoPlan = await app.add({ takenAt: ago(500), plan: null })
    await prune(app)
    assert.deepEqual(await app.ids('&database=shop'), [shop[3], shop[2], ofNoPlan])
    assert.deepEqual(await app.ids('&database=crm'), [crm[2], crm[1]])
    const [first = '', second = ''] = app.places
    assert.equal((await filesOn(first)).length, 10)
    assert.equal((await filesOn(second)).length, 4)
    const log = await app.ask('GET', `/api/v1/jobs/${(await app.jobs('prune'))[0]?.id}/log?as=text`)
    assert.match(log.body, /goes from “volume 1”: not among the newest 2/)
    await prune(app)
    assert.equal((await app.ids()).length, 5)
  })

  it('never takes the last good one, although every backup has failed for a year', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    await keep(app, { keepDays: 1 })
    const older = await app.add({ takenAt: ago(366) })
    const good = await app.add({ takenAt: ago(365), failedOn: [1] })
    const damaged = await app.add({ takenAt: ago(100) })
    const lost = await app.add({ takenAt: ago(0.5) })
    await setState(app, damaged, 'corrupt')
    await setState(app, lost, 'missing')
    await prune(app)
    // The older one is the newest of which no copy failed.
    assert.deepEqual(await app.ids(), [lost, good, older])
    await setState(app, lost, 'stored')
    await prune(app)
    assert.deepEqual(await app.ids(), [lost])
  })

  it('keeps what is proven, locked, read by a job, or on a volume that is only read', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    await keep(app, { keepLast: 1 })
    const fixed = await app.add({ takenAt: ago(9), on: [0, 1] })
    const readBy = await app.add({ takenAt: ago(8) })
    const lockedOnce = await app.add({ takenAt: ago(7) })
    const locked = await app.add({ takenAt: ago(6) })
    const provenBefore = await app.add({ takenAt: ago(5), provenAt: ago(4) })
    const proven = await app.add({ takenAt: ago(4), provenAt: ago(3) })
    const repaired = await app.add({ takenAt: ago(3) })
    const newest = await app.add({ takenAt: ago(2) })
    await app.ask('PATCH', `/api/v1/snapshots/${locked}`, { locked: true })
    await app.store.db
      .updateTable('snapshots')
      .set({ lockedUntil: Date.now() - 1000 })
      .where('id', '=', lockedOnce)
      .execute()
    await app.ask('PATCH', `/api/v1/volumes/${app.volumeIds[1]}`, { isReadOnly: true })
    for (const [kind, snapshotId] of [
      ['restore', readBy],
      ['repair-copy', repaired],
    ] as const) {
      await app.store.db.transaction().execute((trx) =>
        enqueueJob(app.store, trx, {
          organizationId: app.organizationId,
          kind,
          key: kind,
          payload: {},
          subject: { snapshotId },
          delay: DAY,
        }),
      )
    }
    await prune(app)
    assert.deepEqual(await app.ids(), [newest, proven, locked, readBy, fixed])
    assert.deepEqual(await app.states(fixed), { 'volume 1': 'stored' })
    assert.ok(lockedOnce && provenBefore)
  })

  it('judges a volume with a policy of its own by itself', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    await keep(app, { keepLast: 3 }, { 1: { keepLast: 1 } })
    const ids: string[] = []
    for (let n = 5; n > 0; n--) ids.push(await app.add({ takenAt: ago(n), on: [0, 1] }))
    const [, , third = '', fourth = '', fifth = ''] = ids
    // The volume has taken nothing for a while: what is there must not be pushed out by what is not.
    const sixth = await app.add({ takenAt: ago(0.5), on: [0], failedOn: [1] })
    await prune(app)
    assert.deepEqual(await app.ids(), [sixth, fifth, fourth])
    assert.deepEqual(await app.states(sixth), { 'volume 0': 'stored', 'volume 1': 'failed' })
    assert.deepEqual(await app.states(fifth), { 'volume 0': 'stored', 'volume 1': 'stored' })
    assert.deepEqual(await app.states(fourth), { 'volume 0': 'stored' })
    assert.ok(third)
  })

  it('lets a volume that is no more of the plan go empty with the others', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    await keep(app, { keepLast: 2 })
    await app.add({ takenAt: ago(5), on: [0, 1] })
    await app.add({ takenAt: ago(4), on: [0, 1] })
    const [kept = ''] = app.volumeIds
    await app.ask('PATCH', `/api/v1/plans/${app.plan.id}`, { volumes: [{ id: kept }] })
    for (const n of [3, 2]) await app.add({ takenAt: ago(n), on: [0] })
    await prune(app)
    assert.deepEqual(await filesOn(app.places[1] ?? ''), [])
    assert.equal((await app.ids()).length, 2)
  })

  it('sees a lock that is set while it decides', async () => {
    await using app = await openCatalogue(makePlace)
    await keep(app, { keepLast: 1 })
    const old = await app.add({ takenAt: ago(2) })
    const newest = await app.add({ takenAt: ago(1) })
    const { store, organizationId } = app
    let pruning: Promise<void> = Promise.resolve()
    await store.db.transaction().execute(async (trx) => {
      await lockSnapshots(store, trx, organizationId, [old])
      await trx.updateTable('snapshots').set({ isLocked: 1 }).where('id', '=', old).execute()
      if (store.engine === 'postgresql') {
        pruning = prune(app)
        await new Promise((resolve) => setTimeout(resolve, 1000))
      }
    })
    await (store.engine === 'postgresql' ? pruning : prune(app))
    assert.deepEqual(await app.ids(), [newest, old])
  })

  it('is the same by order, after each backup, and each day', async () => {
    await using app = await openCatalogue(makePlace)
    await keep(app, { keepLast: 1 })
    const old = await app.add({ takenAt: ago(2) })
    const newest = await app.add({ takenAt: ago(1) })
    assert.deepEqual(await app.ids(), [newest, old])
    await app.store.db.transaction().execute((trx) =>
      enqueueJob(app.store, trx, {
        organizationId: app.organizationId,
        kind: 'clean-up',
        key: 'clean-up',
        payload: {},
      }),
    )
    await app.run()
    assert.deepEqual(await app.ids(), [newest])
  })

  it('marks nothing by a policy that has changed while it judged', async () => {
    await using app = await openCatalogue(makePlace)
    await keep(app, { keepLast: 1 })
    const old = await app.add({ takenAt: ago(2) })
    const newest = await app.add({ takenAt: ago(1) })
    const { prune: kind } = jobKinds
    assert.ok(kind)
    const db = new Proxy(app.store.db, {
      get(target, name) {
        const own: unknown = Reflect.get(target, name, target)
        if (typeof own !== 'function') return own
        if (name !== 'transaction') return own.bind(target)
        return () => ({
          async execute(act: (trx: Transaction<Tables>) => Promise<unknown>) {
            await keep(app, { keepLast: 2 })
            return await target.transaction().execute(act)
          },
        })
      },
    })
    const changing: typeof kind = {
      ...kind,
      run: (work) => kind.run({ ...work, context: { ...work.context, store: { ...app.store, db } } }),
    }
    const { store, organizationId, plan } = app
    await store.db.transaction().execute((trx) => enqueuePrune(store, trx, organizationId, plan.id))
    await app.run({ kinds: { prune: changing } })
    const [job] = await app.jobs('prune')
    assert.deepEqual([job?.state, job?.error?.code], ['queued', 'changed_meanwhile'])
    await app.run({ evenLater: true })
    assert.equal((await app.jobs('prune'))[0]?.state, 'succeeded')
    assert.deepEqual(await app.ids(), [newest, old])
  })

  it('keeps its promises whatever has happened', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    let databases = 0
    await fc.assert(
      fc.asyncProperty(history, async (history) => {
        const database = `database ${++databases}`
        await keep(app, history.policy, history.own ? { 1: history.own } : {})
        const ids = await make(app, database, history.snapshots)
        const before = await listed(app, database)
        await prune(app)
        const after = await listed(app, database)
        await checkPromises(app, before, after)
        await prune(app)
        assert.deepEqual(await listed(app, database), after, 'a second time')
        assert.equal(ids.length, before.length)
      }),
      { numRuns: 12, endOnFailure: true },
    )
  })
})

describeStores('the preview of pruning', (makePlace) => {
  const page = async (app: Catalogue, query = '') =>
    await app.get<{ items: DatabaseRetention[]; nextCursor: string | null }>(`retention/preview${query}`)

  it('says what goes now and until then, and why; and what stays, and why', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    await keep(app, { keepDays: 10 })
    const gone = await app.add({ takenAt: ago(11), on: [0, 1], content: Buffer.alloc(100) })
    const soon = await app.add({ takenAt: ago(9.5) })
    const later = await app.add({ takenAt: ago(1) })
    const newest = await app.add({ takenAt: ago(0.5) })
    const now = await page(app, `?plan=${app.plan.id}`)
    assert.equal(now.nextCursor, null)
    assert.equal(now.items.length, 1)
    const [shop] = now.items
    assert.deepEqual([shop?.database, shop?.timeZone, shop?.bytes], ['shop', 'UTC', 200])
    assert.deepEqual(
      shop?.goes.map(({ snapshotId, volumeName, isLast, reasons }) => [
        snapshotId,
        volumeName,
        isLast,
        reasons,
      ]),
      [
        [gone, 'volume 0', true, ['10 days old or older']],
        [gone, 'volume 1', true, ['10 days old or older']],
      ],
    )
    assert.deepEqual(
      shop?.stays.map(({ snapshotId }) => snapshotId),
      [soon, later, newest],
    )
    assert.match(shop?.stays[2]?.reasons[0] ?? '', /the newest good one of this database/)
    const until = new Date(Date.now() + DAY).toISOString()
    const [tomorrow] = (await page(app, `?plan=${app.plan.id}&database=shop&until=${until}`)).items
    assert.deepEqual(
      tomorrow?.goes.map(({ snapshotId }) => snapshotId),
      [gone, gone, soon],
    )
    const goesAt = Date.parse(tomorrow?.goes[2]?.goesAt ?? '')
    assert.ok(Math.abs(goesAt - (Date.now() + DAY / 2)) < 60_000)
    assert.deepEqual(await app.ids(), [newest, later, soon, gone])
    await prune(app)
    assert.deepEqual(await app.ids(), [newest, later, soon])
  })

  it('tries out another policy, and changes nothing', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    for (const n of [3, 2, 1]) await app.add({ takenAt: ago(n), on: [0, 1] })
    const trial = async (body: object) => {
      const { items } = await app.post<{ items: DatabaseRetention[] }>(
        `plans/${app.plan.id}/retention/preview`,
        body,
      )
      return items[0]?.goes.map(({ volumeName }) => volumeName)
    }
    assert.deepEqual((await page(app)).items[0]?.goes, [])
    assert.deepEqual(await trial({ retention: { keepLast: 2 } }), ['volume 0', 'volume 1'])
    const own = [{ id: app.volumeIds[1], retention: { keepLast: 1 } }]
    assert.deepEqual(await trial({ retention: { keepLast: 0 }, volumes: own }), ['volume 1', 'volume 1'])
    assert.deepEqual(await trial({ retention: { keepLast: 1 }, database: 'crm' }), undefined)
    // What goes anyway is not what a change takes.
    assert.deepEqual(await trial({ retention: { keepLast: 2 }, onlyMore: true }), ['volume 0', 'volume 1'])
    assert.deepEqual(await trial({ retention: { keepLast: 0 }, onlyMore: true }), undefined)
    await keep(app, { keepLast: 2 })
    assert.deepEqual(await trial({ retention: { keepLast: 2 } }), ['volume 0', 'volume 1'])
    assert.deepEqual(await trial({ retention: { keepLast: 2 }, onlyMore: true }), undefined)
    assert.deepEqual(await trial({ retention: { keepLast: 1 }, onlyMore: true }), ['volume 0', 'volume 1'])
    await keep(app, { keepLast: 3 })
    const of = async (schedules: string[], code = 200) => {
      const body = { retention: { keepLast: 1 }, schedules }
      const answer = await app.ask('POST', `/api/v1/plans/${app.plan.id}/retention/preview`, body)
      assert.equal(answer.statusCode, code, answer.body)
      return answer.json().items?.[0]?.timeZone
    }
    const rule = { type: 'daily', times: ['03:00'], timeZone: 'Pacific/Auckland' }
    const schedule = await app.post<{ id: string }>('schedules', { name: 'far away', rule })
    assert.equal(await of([schedule.id]), 'Pacific/Auckland', 'days are counted where it would be')
    assert.equal(await of([]), 'UTC')
    await of(['none'], 404)
    const wrong = await app.ask('POST', `/api/v1/plans/${app.plan.id}/retention/preview`, { retention: {} })
    assert.equal(wrong.statusCode, 400)
    await prune(app)
    assert.equal((await app.ids()).length, 3)
  })

  it('goes from database to database, and counts days where the plan does', async () => {
    await using app = await openCatalogue(makePlace)
    const rule = { type: 'daily', times: ['03:00'], timeZone: 'Pacific/Auckland' }
    const schedule = await app.post<{ id: string }>('schedules', { name: 'nightly', rule })
    const { id: second } = await app.post<{ id: string }>('plans', {
      serverId: app.serverId,
      name: 'second',
      schedules: [schedule.id],
      volumes: [{ id: app.volumeIds[0] }],
    })
    for (const database of ['b', 'a', 'c']) await app.add({ database })
    await app.add({ database: 'a', plan: { id: second, name: 'second' } })
    await app.add({ database: 'z', plan: null })
    const seen: string[][] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const found: Awaited<ReturnType<typeof page>> = await page(
        app,
        `?limit=2${cursor && `&cursor=${cursor}`}`,
      )
      seen.push(...found.items.map(({ planId, database, timeZone }) => [planId, database, timeZone]))
      cursor = found.nextCursor
    }
    const [first, other] = [app.plan.id, second].sort()
    const zone = (id = '') => (id === second ? 'Pacific/Auckland' : 'UTC')
    const of = (id = '') => (id === second ? ['a'] : ['a', 'b', 'c'])
    assert.deepEqual(
      seen,
      [first, other].flatMap((id) => of(id).map((database) => [id, database, zone(id)])),
    )
    assert.equal((await app.ask('GET', '/api/v1/retention/preview?plan=strange')).statusCode, 404)
  })
})

const policy: fc.Arbitrary<Partial<RetentionPolicy>> = fc.oneof(
  fc.record({ keepLast: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ keepDays: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ daily: fc.integer({ min: 1, max: 3 }), monthly: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ keepLast: fc.integer({ min: 1, max: 3 }), minimumKept: fc.integer({ min: 1, max: 5 }) }),
)

const made = fc.record({
  days: fc.double({ min: -3, max: 200, noNaN: true }),
  states: fc.array(fc.constantFrom('stored', 'stored', 'stored', 'failed', 'missing', 'corrupt', 'none'), {
    minLength: 2,
    maxLength: 2,
  }),
  isProven: fc.boolean(),
  isLocked: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
})
type Made = typeof made extends fc.Arbitrary<infer T> ? T : never

const history = fc.record({
  policy,
  own: fc.option(policy, { nil: undefined }),
  snapshots: fc.array(made, { minLength: 1, maxLength: 9 }),
})

/** Returns the ids of those that have a copy at all. */
async function make(app: Catalogue, database: string, snapshots: readonly Made[]): Promise<string[]> {
  const ids: string[] = []
  for (const { days, states, isProven, isLocked } of snapshots) {
    const volumes = [0, 1].filter((n) => states[n] !== 'none')
    if (volumes.length === 0) continue
    const id = await app.add({
      database,
      takenAt: ago(days),
      on: volumes.filter((n) => states[n] === 'stored' || states[n] === 'corrupt'),
      failedOn: volumes.filter((n) => states[n] === 'failed' || states[n] === 'missing'),
      ...(isProven && { provenAt: ago(days) }),
    })
    for (const n of volumes) await setState(app, id, states[n] as CopyState, n)
    if (isLocked) await app.ask('PATCH', `/api/v1/snapshots/${id}`, { locked: true })
    ids.push(id)
  }
  return ids
}

async function listed(app: Catalogue, database: string): Promise<Snapshot[]> {
  return (await app.get<{ items: Snapshot[] }>(`snapshots?database=${encodeURIComponent(database)}`)).items
}

async function checkPromises(
  app: Catalogue,
  before: readonly Snapshot[],
  after: readonly Snapshot[],
): Promise<void> {
  const isGood = ({ copies }: Snapshot) => copies.some(({ state }) => state === 'stored')
  const goodCopies = ({ copies }: Snapshot) =>
    copies.filter(({ state }) => state === 'stored').map(({ volumeId }) => volumeId)
  const isPast = ({ takenAt }: Snapshot) => Date.parse(takenAt) <= Date.now()
  const newest = before.find((snapshot) => isGood(snapshot) && isPast(snapshot))
  const proven = before.find((snapshot) => isGood(snapshot) && isPast(snapshot) && snapshot.provenAt !== null)
  const promised = [newest, proven, ...before.filter(({ locked }) => locked === true)]
  for (const snapshot of promised) {
    if (!snapshot) continue
    const found = after.find(({ id }) => id === snapshot.id)
    assert.ok(found, `${snapshot.id} is gone`)
    assert.deepEqual(goodCopies(found), goodCopies(snapshot))
  }
  for (const { id, copies } of before) {
    const left = after.find((snapshot) => snapshot.id === id)?.copies ?? []
    for (const { volumeId, key, state } of copies) {
      const n = app.volumeIds.indexOf(volumeId)
      const isThere = await stat(app.path(n, key)).then(
        () => true,
        () => false,
      )
      const isListed = left.some((copy) => copy.volumeId === volumeId)
      if (state === 'stored') assert.equal(isThere, isListed, `${key} on volume ${n}`)
      else if (!isListed) assert.equal(isThere, false, `${key} on volume ${n}`)
    }
  }
}
