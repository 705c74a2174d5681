import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { makeKey, sealer, writeKey } from '../../lib/sealing.ts'
import { AppError } from '../../shared/errors.ts'
import type { Job } from '../../shared/jobs.ts'
import type { Snapshot } from '../../shared/snapshots-api.ts'
import { claimJob } from '../../store/queue.ts'
import { describeStores } from '../../store/test-bed.ts'
import { jobKinds } from '../jobs/kinds.ts'
import { startJob } from '../jobs/run-job.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { reap } from '../jobs/worker.ts'
import type { RunnerOrder } from '../jobs/killed-runner.ts'
import { openHooks, until } from './test-bed.ts'

type App = Awaited<ReturnType<typeof openHooks>>

/** Says that it runs, and goes on until it is ended; one that is run again says so a second time. */
const endless = (file: string) => `echo running >> '${file}'; exec sleep 9999`

/** Begins the job of the kind, which waits already, and waits until its hook runs. */
async function begin(app: App, kind: string, file: string) {
  const runner = { name: 'tests', node: 'tests', capacity: 1, kinds: [kind] }
  const claimed = (await claimJob(app.store, runner)) ?? assert.fail('nothing waits')
  const job = startJob(app.context, jobKinds, claimed, (error) => assert.fail(String(error)))
  await until(() => (existsSync(file) ? true : undefined))
  return {
    job,
    id: claimed.id,
    look: async () => (await app.ask('GET', `/api/v1/jobs/${claimed.id}`)).json<Job>(),
    async [Symbol.asyncDispose]() {
      job.abort(new AppError('lease_lost', 'The test is over.'))
      await job.over
    },
  }
}

async function beginBackup(app: App, file: string) {
  await app.start(await app.addPlan({ tries: 3 }))
  const { 'run-plan': runPlan } = jobKinds
  assert.ok(runPlan)
  await runJobs(app.context, { kinds: { 'run-plan': runPlan } })
  return await begin(app, 'backup', file)
}

async function onlySnapshot(app: App): Promise<Snapshot> {
  const { items } = (await app.ask('GET', '/api/v1/snapshots')).json<{ items: Snapshot[] }>()
  const [snapshot, ...others] = items
  assert.equal(others.length, 0, 'it was not dumped again')
  return snapshot ?? assert.fail('there is no snapshot')
}

async function isAsItShouldBe(app: App, job: Job, file: string): Promise<void> {
  const snapshot = await onlySnapshot(app)
  assert.deepEqual([job.state, job.attempt, job.error], ['succeeded', 1, null])
  assert.equal((job.result as { snapshotId: string }).snapshotId, snapshot.id)
  assert.equal(readFileSync(file, 'utf8'), 'running\n', 'the hook has run once')
  assert.equal((await app.standing()).standing, 'protected')
  assert.match(await app.logOf(job.id), /warning .*hooks|warning .*what was to follow/i)
  assert.equal(await runJobs(app.context, { evenLater: true }), 1, 'nothing but to prune')
  await onlySnapshot(app)
}

describeStores('a backup whose hooks run', (makePlace) => {
  it('is in the catalogue, with no note left on its volumes, while the job still runs', async () => {
    await using app = await openHooks(makePlace)
    const file = app.file('file')
    await app.set({ postBackupScript: endless(file) })
    await using running = await beginBackup(app, file)
    const { job, look } = running
    const { state, result } = await look()
    assert.equal(state, 'running')
    assert.equal(job.progress?.phase, 'hooks')
    const snapshot = await onlySnapshot(app)
    assert.equal((result as { snapshotId: string }).snapshotId, snapshot.id)
    assert.deepEqual(
      snapshot.copies.map(({ state }) => state),
      ['stored'],
    )
    const notes = join(app.file('volume first'), '.holdfast/writing')
    assert.deepEqual(existsSync(notes) ? await readdir(notes) : [], [])
  })

  it('ends as it was recorded when its runner is lost, and neither is done again', async () => {
    await using app = await openHooks(makePlace)
    const file = app.file('file')
    await app.set({ postBackupScript: endless(file) })
    await using running = await beginBackup(app, file)
    const { job, id, look } = running
    await app.store.db.updateTable('jobs').set({ leaseUntil: 0 }).where('id', '=', id).execute()
    assert.deepEqual(await reap(app.context, jobKinds), [id])
    assert.equal((await look()).state, 'succeeded')
    // It was not dead after all, and hears of it now.
    job.abort(new AppError('lease_lost', 'Another one has it.'))
    await job.over
    await isAsItShouldBe(app, await look(), file)
  })

  it('ends as it was recorded when the app stops', async () => {
    await using app = await openHooks(makePlace)
    const file = app.file('file')
    await app.addHook(endless(file), { onFailure: 'fail' })
    await using running = await beginBackup(app, file)
    const { job, look } = running
    job.abort(new AppError('job_interrupted', 'The app was stopped while the job ran.'))
    await job.over
    await isAsItShouldBe(app, await look(), file)
  })

  it('ends as it was recorded when somebody cancels it', async () => {
    await using app = await openHooks(makePlace)
    const file = app.file('file')
    await app.addHook(endless(file), { onFailure: 'fail' })
    await using running = await beginBackup(app, file)
    const { job, id, look } = running
    await app.ask('POST', `/api/v1/jobs/${id}/cancel`)
    job.abort(new AppError('cancelled', 'The job was cancelled.'))
    await job.over
    await isAsItShouldBe(app, await look(), file)
  })

  it('leaves nothing when another runner has the job by the time that it would be recorded', async () => {
    await using app = await openHooks(makePlace)
    const file = app.file('file')
    await app.set({ postBackupScript: endless(file) })
    const plan = await app.addPlan()
    await app.start(plan)
    const { 'run-plan': runPlan, backup } = jobKinds
    assert.ok(runPlan && backup)
    await runJobs(app.context, { kinds: { 'run-plan': runPlan } })
    const stolen: typeof backup = {
      ...backup,
      async run(work) {
        await app.store.db.updateTable('jobs').set({ attempt: 7 }).where('id', '=', work.id).execute()
        return await backup.run(work)
      },
    }
    await runJobs(app.context, { kinds: { backup: stolen } })
    assert.deepEqual(await app.snapshots(), [])
    assert.equal(existsSync(file), false)
    const left = await readdir(app.file('volume first'), { recursive: true, withFileTypes: true })
    assert.deepEqual(
      left.filter((entry) => entry.isFile() && entry.name !== 'RESTORE.txt').map(({ name }) => name),
      [],
    )
  })

  it('whose process is killed has succeeded all the same', { timeout: 240_000 }, async () => {
    const place = await makePlace()
    const key = makeKey()
    await using app = await openHooks(async () => place, { sealer: sealer({ current: key }) })
    const file = app.file('file')
    // It ends by itself: nobody is left who would end it.
    await app.set({ postBackupScript: `echo running >> '${file}'; sleep 5` })
    await app.start(await app.addPlan({ tries: 3 }))
    const { instanceKeys, timeZone, dataDirectory, workDirectory } = app.context
    const context = { instanceKeys, timeZone, dataDirectory, workDirectory }
    const kinds = ['run-plan', 'backup']
    const order: RunnerOrder = { place: place.place, key: writeKey(key), context, kinds }
    const program = join(import.meta.dirname, '../jobs/killed-runner.ts')
    const args = ['--disable-warning=ExperimentalWarning', program]
    const runner = spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'] })
    const ended = once(runner, 'exit')
    runner.stdin.end(JSON.stringify(order))
    await until(() => {
      assert.equal(runner.exitCode, null)
      return existsSync(file) ? true : undefined
    })
    runner.kill('SIGKILL')
    await ended
    const [running] = await app.jobsOf('backup')
    assert.equal(running?.state, 'running')
    assert.deepEqual(await reap(app.context, jobKinds), [running.id])
    const [job] = await app.jobsOf('backup')
    await isAsItShouldBe(app, job ?? running, file)
  })
})

describeStores('a restore whose hooks run', (makePlace) => {
  it('ends as it was recorded when its runner is lost', async () => {
    await using app = await openHooks(makePlace)
    const file = app.file('file')
    await app.set({ postRestoreScript: endless(file) })
    const snapshotId = await app.takeSnapshot(app.shop, app.database)
    const database = app.file('target.db')
    await app.order({ snapshotId, serverId: app.shop, database })
    await using running = await begin(app, 'restore', file)
    const { job, id } = running
    const during = await app.restoreOf(id)
    assert.deepEqual([during.state, during.result?.rows], ['running', { tables: 1, rows: 3 }])
    await app.store.db.updateTable('jobs').set({ leaseUntil: 0 }).where('id', '=', id).execute()
    assert.deepEqual(await reap(app.context, jobKinds), [id])
    job.abort(new AppError('lease_lost', 'Another one has it.'))
    await job.over
    const { state, error, result } = await app.restoreOf(id)
    assert.deepEqual([state, error], ['succeeded', null])
    assert.deepEqual(result?.rows, { tables: 1, rows: 3 })
    assert.equal(await runJobs(app.context, { evenLater: true }), 0)
    assert.ok(existsSync(database))
    assert.equal(readFileSync(file, 'utf8'), 'running\n')
  })
})
