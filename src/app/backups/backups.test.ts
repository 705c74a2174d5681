import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownToken } from '../../lib/identity.ts'
import type { Job, PlanRun } from '../../shared/jobs.ts'
import type { Snapshot } from '../../shared/snapshots-api.ts'
import type { Manifest } from '../../shared/snapshots.ts'
import { claimJob } from '../../store/queue.ts'
import { describeStores } from '../../store/test-bed.ts'
import { jobKinds } from '../jobs/kinds.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { reap } from '../jobs/worker.ts'
import type { openApp } from '../test-bed.ts'
import { openPlan } from './test-bed.ts'

type App = Awaited<ReturnType<typeof openApp>>

async function snapshotsOf(app: Pick<App, 'ask'>): Promise<Snapshot[]> {
  return (await app.ask('GET', '/api/v1/snapshots')).json<{ items: Snapshot[] }>().items
}

async function backupsOf(app: Pick<App, 'ask'>): Promise<Job[]> {
  return (await app.ask('GET', '/api/v1/jobs?kind=backup')).json<{ items: Job[] }>().items
}

/** Without RESTORE.txt, which is on every volume. */
/** Orders what the plan says, and returns the kind of the backups that wait then. */
async function orderBackups(app: Awaited<ReturnType<typeof openPlan>>) {
  await app.run()
  const { 'run-plan': runPlan, backup } = jobKinds
  assert.ok(runPlan && backup)
  await runJobs(app.context, { kinds: { 'run-plan': runPlan } })
  return backup
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name !== 'RESTORE.txt')
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted()
}

describeStores(
  'backups of a plan',
  (makePlace) => {
    it('dump once, store on every volume, and are in the catalogue with all that is known of them', async () => {
      await using app = await openPlan(makePlace)
      const jobId = await app.run({ comment: 'before the holidays' })
      await runJobs(app.context)
      const [snapshot, ...others] = await snapshotsOf(app)
      assert.ok(snapshot)
      assert.equal(others.length, 0)
      assert.equal(snapshot.planId, app.plan.id)
      assert.equal(snapshot.serverName, 'shop')
      assert.equal(snapshot.database, app.database)
      assert.equal(snapshot.comment, 'before the holidays')
      assert.equal(snapshot.trigger, 'manual')
      assert.deepEqual(
        snapshot.copies.map(({ state }) => state),
        ['stored', 'stored'],
      )
      const [key] = snapshot.copies.map(({ key }) => key)
      for (const place of app.places) {
        assert.deepEqual(await filesIn(place), [key, `${key}.manifest.json`], 'and no note is left')
      }
      const manifest = JSON.parse(
        await readFile(join(app.places[0], `${key}.manifest.json`), 'utf8'),
      ) as Manifest
      assert.deepEqual(manifest.plan, { id: app.plan.id, name: 'nightly' })
      assert.equal(manifest.policy, 'the newest 7; at least 1')
      assert.equal(manifest.server.id, snapshot.serverId)
      const run = (await app.ask('GET', `/api/v1/jobs/${jobId}`)).json<Job>()
      const [backup] = await backupsOf(app)
      assert.equal(run.state, 'succeeded')
      assert.equal(backup?.state, 'succeeded')
      assert.equal(backup?.parentId, jobId)
      assert.deepEqual(run.result, { jobs: [{ id: backup?.id, database: app.database }] })
    })

    it('are partial while a volume takes nothing; its copy is made from the other one, by no second dump', async () => {
      await using app = await openPlan(makePlace)
      const [one, two] = app.places
      await rm(two, { recursive: true, force: true })
      await writeFile(two, 'no folder')
      await app.run()
      await runJobs(app.context)
      const [backup] = await backupsOf(app)
      assert.equal(backup?.state, 'partial')
      const [before] = await snapshotsOf(app)
      assert.deepEqual(
        before?.copies.map(({ volumeId, state }) => [volumeId, state]).toSorted(byText),
        [
          [app.volumeIds[0], 'stored'],
          [app.volumeIds[1], 'failed'],
        ].toSorted(byText),
      )
      // The source is gone: whatever comes to the second volume now comes from the first.
      await rm(app.database)
      await runJobs(app.context, { evenLater: false })
      await rm(two)
      await app.store.db.updateTable('jobs').set({ runAt: 0 }).where('state', '=', 'queued').execute()
      await runJobs(app.context)
      const [after, ...others] = await snapshotsOf(app)
      assert.equal(others.length, 0)
      assert.equal(after?.id, before?.id)
      assert.deepEqual(
        after?.copies.map(({ state }) => state),
        ['stored', 'stored'],
      )
      const names = await filesIn(one)
      assert.deepEqual(await filesIn(two), names)
      for (const name of names) {
        const [copy, original] = [await readFile(join(two, name)), await readFile(join(one, name))]
        // A store may keep the fields of JSON in another order.
        if (name.endsWith('.json')) assert.deepEqual(JSON.parse(String(copy)), JSON.parse(String(original)))
        else assert.deepEqual(copy, original)
      }
    })

    it('do not take a damaged copy for a good one when they repair', async () => {
      await using app = await openPlan(makePlace)
      const [one, two] = app.places
      await writeFile(two, 'no folder')
      await app.run()
      await runJobs(app.context)
      await rm(two)
      const [object = ''] = await filesIn(one)
      const bytes = await readFile(join(one, object))
      bytes[bytes.length - 5] = 255 - (bytes[bytes.length - 5] ?? 0)
      await writeFile(join(one, object), bytes)
      await app.store.db
        .updateTable('jobs')
        .set({ runAt: 0, maxAttempts: 1 })
        .where('state', '=', 'queued')
        .execute()
      await runJobs(app.context)
      const [snapshot] = await snapshotsOf(app)
      const states = snapshot?.copies.map(({ volumeId, state }) => [volumeId, state]).toSorted(byText)
      assert.deepEqual(
        states,
        [
          [app.volumeIds[0], 'corrupt'],
          [app.volumeIds[1], 'failed'],
        ].toSorted(byText),
      )
      assert.deepEqual(await filesIn(two), [], 'nothing of it has been published')
    })

    it('fail loudly for a database that is named and not there, while the others go on', async () => {
      await using app = await openPlan(makePlace, { databases: { mode: 'all' } })
      const gone = join(app.folder, 'gone.db')
      await rename(app.database, gone)
      await app.run()
      await runJobs(app.context, { evenLater: true })
      const { items } = (await app.ask('GET', '/api/v1/overview')).json<{
        items: { standing: string; database: string | null; lastError: { message: string } | null }[]
      }>()
      assert.deepEqual(
        items.map(({ standing }) => standing),
        ['failing'],
      )
      assert.match(items[0]?.lastError?.message ?? '', /shop\.db/)
      await rename(gone, app.database)
      await app.run()
      await runJobs(app.context)
      const now = (await app.ask('GET', '/api/v1/overview')).json<{ items: { standing: string }[] }>()
      assert.deepEqual(
        now.items.map(({ standing }) => standing),
        ['protected'],
      )
    })

    it('that cannot begin are a failure of the databases that were asked for, and of no other', async () => {
      await using app = await openPlan(makePlace)
      const other = join(app.folder, 'other.db')
      const databases = { mode: 'selected', names: [app.database, other, '*.sqlite'] }
      await app.ask('PATCH', `/api/v1/plans/${app.plan.id}`, { databases })
      await rename(app.database, `${app.database}-gone`)
      const failed = async () => {
        const rows = await app.store.db
          .selectFrom('planDatabases')
          .select(['database', 'lastFailedJobId'])
          .execute()
        return new Map(rows.map(({ database, lastFailedJobId }) => [database, lastFailedJobId]))
      }
      const first = await app.run()
      await runJobs(app.context, { evenLater: true })
      assert.deepEqual(await failed(), new Map([app.database, other].map((name) => [name, first])))
      const second = await app.run({ databases: [other] })
      await runJobs(app.context, { evenLater: true })
      assert.deepEqual(
        await failed(),
        new Map([
          [app.database, first],
          [other, second],
        ]),
      )
    })

    it('that wait for their schedule are not left out as too late when somebody asks for them', async (test) => {
      await using app = await openPlan(makePlace, { windowMinutes: 10 })
      const { 'run-plan': runPlan } = jobKinds
      assert.ok(runPlan)
      const { planOf } = await import('../plans/plans.ts')
      const { startPlan } = await import('./backups.ts')
      const { organizationId } = await app.store.db
        .selectFrom('plans')
        .select('organizationId')
        .executeTakeFirstOrThrow()
      const plan = await planOf(app.context, organizationId, app.plan.id)
      const fire = async (dueAt: number) => {
        const order = { trigger: 'schedule', dueAt }
        await app.store.db.transaction().execute((trx) => startPlan(app.context, trx, plan, order))
        await runJobs(app.context, { kinds: { 'run-plan': runPlan } })
      }
      const HOUR = 3_600_000
      await fire(Date.now() - HOUR)
      await app.run({ comment: 'now' })
      await runJobs(app.context)
      assert.deepEqual(
        (await backupsOf(app)).map(({ state }) => state),
        ['succeeded'],
      )
      assert.equal((await snapshotsOf(app))[0]?.comment, 'now')
      await fire(Date.now() - HOUR)
      await runJobs(app.context)
      assert.equal((await backupsOf(app))[0]?.error?.code, 'job_too_late')
      // The clock of this machine is wrong; that of the store decides.
      await fire(Date.now())
      const now = Date.now.bind(Date)
      const clock = test.mock.method(Date, 'now', () => now() + HOUR)
      await runJobs(app.context)
      clock.mock.restore()
      assert.equal((await backupsOf(app))[0]?.state, 'succeeded')
    })

    it('of a copy that is given up meanwhile are no repair', async () => {
      await using app = await openPlan(makePlace)
      await writeFile(app.places[1], 'no folder')
      await app.run()
      await runJobs(app.context)
      await rm(app.places[1])
      const { 'repair-copy': repair } = jobKinds
      assert.ok(repair)
      const givenUp: typeof repair = {
        ...repair,
        async run(work) {
          const finish: typeof work.finish = async (finished) => {
            await app.store.db.deleteFrom('copies').where('volumeId', '=', app.volumeIds[1]).execute()
            await work.finish(finished)
          }
          return await repair.run({ ...work, finish })
        },
      }
      await runJobs(app.context, { kinds: { 'repair-copy': givenUp }, evenLater: true })
      const { items } = (await app.ask('GET', '/api/v1/jobs?kind=repair-copy')).json<{ items: Job[] }>()
      assert.deepEqual([items[0]?.state, items[0]?.error?.code], ['failed', 'changed_meanwhile'])
      // Nor is it found there one day, and taken for one that was forgotten.
      assert.deepEqual(await filesIn(app.places[1]), [])
    })

    it('leave nothing on any volume when another runner has taken the job over meanwhile', async () => {
      await using app = await openPlan(makePlace)
      const backup = await orderBackups(app)
      const stolen = {
        ...backup,
        run: async (work: Parameters<typeof backup.run>[0]) => {
          await app.store.db.updateTable('jobs').set({ attempt: 7 }).where('id', '=', work.id).execute()
          return await backup.run(work)
        },
      }
      await runJobs(app.context, { kinds: { backup: stolen } })
      assert.deepEqual(await snapshotsOf(app), [])
      for (const place of app.places) assert.deepEqual(await filesIn(place), [])
    })

    it('are swept up behind when they were cancelled, and their runner was killed before it heard of it', async () => {
      await using app = await openPlan(makePlace)
      await orderBackups(app)
      const sweeps = async () =>
        (await app.ask('GET', '/api/v1/jobs?kind=sweep-volume&state=queued')).json<{ items: Job[] }>().items
      const runner = { name: 'killed', node: 'killed', capacity: 1, kinds: ['backup'], lease: 1 }
      const claimed = await claimJob(app.store, runner)
      assert.ok(claimed)
      await app.ask('POST', `/api/v1/jobs/${claimed.id}/cancel`)
      assert.deepEqual(await sweeps(), [])
      await sleep(10)
      assert.deepEqual(await reap(app.context, jobKinds), [claimed.id])
      assert.equal((await sweeps()).length, app.places.length)
    })

    it('are found by the next one when they were complete, and killed before the catalogue heard of them', async () => {
      await using app = await openPlan(makePlace)
      const backup = await orderBackups(app)
      // The store is lost at the very moment, so nobody knows what it has written.
      const cutOff = {
        ...backup,
        run: (work: Parameters<typeof backup.run>[0]) =>
          backup.run({ ...work, finish: () => Promise.reject(new Error('The line is cut.')) }),
      }
      await app.store.db.updateTable('jobs').set({ maxAttempts: 1 }).where('kind', '=', 'backup').execute()
      await runJobs(app.context, { kinds: { backup: cutOff } })
      assert.deepEqual(await snapshotsOf(app), [])
      await pretendDead(app.places[0])
      await pretendDead(app.places[1])
      await app.run()
      await runJobs(app.context)
      const snapshots = await snapshotsOf(app)
      assert.equal(snapshots.length, 2)
      for (const { copies } of snapshots) {
        assert.deepEqual(
          copies.map(({ state }) => state),
          ['stored', 'stored'],
        )
      }
      const keys = snapshots.flatMap(({ copies }) => copies.map(({ key }) => key))
      const expected = [...new Set(keys)].flatMap((key) => [key, `${key}.manifest.json`]).toSorted()
      for (const place of app.places) assert.deepEqual(await filesIn(place), expected)
    })

    it('go to their volumes no faster than the plan lets them', async () => {
      const bandwidth = 8192
      await using app = await openPlan(makePlace, { bandwidth, compression: { method: 'none' } })
      const { 'run-plan': runPlan, backup } = jobKinds
      assert.ok(runPlan && backup)
      const stored: number[] = [0]
      const watched: typeof backup = {
        ...backup,
        run: (work) =>
          backup.run({
            ...work,
            progress: ({ phase, storedBytes }) => {
              if (phase === 'dumping' && storedBytes !== undefined) stored.push(storedBytes)
            },
          }),
      }
      await app.run()
      await runJobs(app.context, { kinds: { 'run-plan': runPlan, backup: watched } })
      const [snapshot] = await snapshotsOf(app)
      assert.equal(stored.at(-1), snapshot?.storedBytes)
      // A throttle lets by what is due in a tenth of a second.
      const steps = stored.slice(1).map((bytes, i) => bytes - (stored[i] ?? 0))
      assert.ok(Math.max(...steps) <= Math.ceil(bandwidth / 10), String(steps))
    })

    it('write nothing to a volume whose quota is reached, and say so', async () => {
      await using app = await openPlan(makePlace)
      await app.run()
      await runJobs(app.context)
      const [first] = await backupsOf(app)
      const [id] = app.volumeIds
      const changed = await app.ask('PATCH', `/api/v1/volumes/${id}`, { quota: 10, quotaAction: 'refuse' })
      assert.equal(changed.statusCode, 200, changed.body)
      await app.run()
      await runJobs(app.context)
      const [backup] = await backupsOf(app)
      assert.equal(backup?.state, 'partial')
      assert.match(JSON.stringify(backup?.result), /its quota is 10 B/)
      assert.equal((await filesIn(app.places[0])).length, 2)
      assert.equal((await filesIn(app.places[1])).length, 4)

      await app.ask('PATCH', `/api/v1/volumes/${id}`, { quotaAction: 'warn' })
      await app.run()
      await runJobs(app.context)
      const warned = (await backupsOf(app)).find(({ state, id }) => state === 'succeeded' && id !== first?.id)
      assert.ok(warned)
      const log = await app.ask('GET', `/api/v1/jobs/${warned.id}/log?as=text`)
      assert.match(log.body, /its quota is 10 B/)
    })

    it('before a release carry its version in their names, and say to whoever waits whether it may go on', async () => {
      await using app = await openPlan(makePlace, { path: 'releases/{version}' })
      const { startWorker } = await import('../jobs/worker.ts')
      await using _worker = startWorker(app.context, { kinds: jobKinds, pollEvery: 20 })
      const order = { trigger: 'migration', version: '42', wait: true }
      const done = await app.ask('POST', `/api/v1/plans/${app.plan.id}/run`, order)
      assert.equal(done.statusCode, 200, done.body)
      assert.equal(done.json<PlanRun>().state, 'succeeded')
      const [snapshot] = await snapshotsOf(app)
      assert.equal(snapshot?.releaseVersion, '42')
      assert.match(snapshot?.copies[0]?.key ?? '', /^releases\/42\//)
      await rm(app.places[1], { recursive: true })
      await writeFile(app.places[1], 'no folder')
      const partial = await app.ask('POST', `/api/v1/plans/${app.plan.id}/run`, order)
      assert.ok(partial.statusCode >= 400, partial.body)
      assert.match(partial.body, /run_partial/)
    })

    it('that are asked for while one waits are one, and behind one that runs are another', async () => {
      await using app = await openPlan(makePlace)
      const first = await app.run()
      assert.equal(await app.run(), first)
      await mkdir(app.places[0], { recursive: true })
      await runJobs(app.context)
      assert.notEqual(await app.run(), first)
    })
  },
  'postgresql',
)

/** As if the process that wrote the notes there had been killed. */
async function pretendDead(place: string): Promise<void> {
  const folder = join(place, '.holdfast/writing')
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8')
    await writeFile(join(folder, name), text.replaceAll(ownToken(), ownToken().replace(/-\d+-/, '-4194305-')))
  }
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a).localeCompare(JSON.stringify(b))
}
