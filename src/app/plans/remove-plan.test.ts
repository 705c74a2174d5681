import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { planRun } from '../../shared/jobs.ts'
import { deletedPlan, planLosses } from '../../shared/plans.ts'
import { problem } from '../../shared/problems.ts'
import type { Snapshot } from '../../shared/snapshots-api.ts'
import { describeStores } from '../../store/test-bed.ts'
import { backup } from '../backups/backup.ts'
import { runPlan } from '../backups/run-plan.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { deletePending } from '../snapshots/deletion.ts'
import { openPlans, workUntil } from './test-bed.ts'

type App = Awaited<ReturnType<typeof openPlans>>

const kinds = { 'run-plan': runPlan, backup, 'delete-snapshots': deletePending }

/** Makes so many snapshots of the plan, each on all its volumes. */
async function backUp(app: App, planId: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await app.ask('POST', `/api/v1/plans/${planId}/run`)
    await runJobs(app.context, { kinds })
  }
}

async function lossesOf(app: App, planId: string) {
  const answer = await app.ask('GET', `/api/v1/plans/${planId}/losses`)
  assert.equal(answer.statusCode, 200, answer.body)
  return planLosses.strict().parse(answer.json())
}

async function snapshotsIn(app: App) {
  return await app.store.db.selectFrom('snapshots').select(['planId', 'planName']).execute()
}

/** Objects and manifests; not the note that says how to restore them. */
async function filesOn(app: App, volume: string): Promise<string[]> {
  const found = await readdir(join(app.folder, volume), { recursive: true, withFileTypes: true })
  return found.filter((entry) => entry.isFile() && entry.name !== 'RESTORE.txt').map(({ name }) => name)
}

async function orderDirectly(app: App, planId: string, state: 'queued' | 'running') {
  const { jobId } = (await app.ask('POST', `/api/v1/plans/${planId}/run`)).json()
  await app.store.db.updateTable('jobs').set({ state }).where('id', '=', jobId).execute()
  return jobId as string
}

describeStores(
  'a plan that is deleted',
  (makePlace) => {
    it('keeps its snapshots, unless a word is said, and tells what there is', async () => {
      await using app = await openPlans(makePlace)
      const volumes = [{ id: app.volumeId }, { id: await app.addVolume('second') }]
      const { id } = await app.addPlan({ name: 'mine', volumes })
      await backUp(app, id, 2)
      assert.equal((await snapshotsIn(app)).length, 2)
      const before = [await filesOn(app, 'first'), await filesOn(app, 'second')]
      assert.equal(before.flat().length, 8)

      const refused = await app.ask('DELETE', `/api/v1/plans/${id}`)
      assert.equal(refused.statusCode, 409)
      const { code, title, hint } = problem.parse(refused.json())
      assert.equal(code, 'snapshots_kept')
      assert.match(title, /“mine” has 2 snapshots \(4 copies, .* B\), the newest of \d{4}-\d\d-\d\dT.*Z\./)
      assert.match(hint ?? '', /\?snapshots=keep .* \?snapshots=delete /)
      assert.equal((await app.ask('DELETE', `/api/v1/plans/${id}?snapshots=perhaps`)).statusCode, 400)
      assert.equal((await app.ask('GET', `/api/v1/plans/${id}`)).statusCode, 200)

      assert.equal((await app.ask('DELETE', `/api/v1/plans/${id}?snapshots=keep`)).statusCode, 204)
      assert.equal((await app.ask('GET', `/api/v1/plans/${id}`)).statusCode, 404)
      assert.deepEqual(await snapshotsIn(app), [
        { planId: null, planName: 'mine' },
        { planId: null, planName: 'mine' },
      ])
      await runJobs(app.context, { kinds })
      assert.deepEqual([await filesOn(app, 'first'), await filesOn(app, 'second')], before)
    })

    it('takes its snapshots along if it is told to, and no others', async () => {
      await using app = await openPlans(makePlace)
      const { id } = await app.addPlan({ name: 'mine' })
      const other = await app.addPlan({ name: 'other' })
      const nothing = { snapshots: 0, copies: 0, bytes: 0, newest: null, databases: [] }
      const noObstacle = { keptCount: 0, kept: [], scheduledRestores: [], runningBackups: 0 }
      assert.deepEqual(await lossesOf(app, id), { ...nothing, ...noObstacle })
      await backUp(app, id, 2)
      await backUp(app, other.id, 1)
      const { items } = (await app.ask('GET', `/api/v1/snapshots?plan=${id}`)).json<{ items: Snapshot[] }>()
      const lost = {
        snapshots: 2,
        copies: 2,
        bytes: items.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
        newest: items[0]?.takenAt,
      }
      assert.deepEqual(await lossesOf(app, id), {
        ...lost,
        databases: [{ database: app.path, ...lost }],
        ...noObstacle,
      })
      assert.equal((await app.ask('GET', '/api/v1/plans/strange/losses')).statusCode, 404)
      const deleted = await app.ask('DELETE', `/api/v1/plans/${id}?snapshots=delete`)
      assert.equal(deleted.statusCode, 202, deleted.body)
      assert.equal(deleted.json().jobIds.length, 1)
      assert.equal((await app.ask('GET', `/api/v1/plans/${id}`)).statusCode, 404)
      await runJobs(app.context, { kinds })
      const [job] = deleted.json().jobIds
      assert.equal((await app.ask('GET', `/api/v1/jobs/${job}`)).json().state, 'succeeded')
      assert.deepEqual(await snapshotsIn(app), [{ planId: other.id, planName: 'other' }])
      assert.equal((await filesOn(app, 'first')).length, 2)
    })

    it('names the snapshots that must stay, and why', async () => {
      await using app = await openPlans(makePlace)
      const fixed = await app.addVolume('fixed')
      const { id } = await app.addPlan({ volumes: [{ id: app.volumeId }] })
      await backUp(app, id, 3)
      const { db } = app.store
      const ids = (await db.selectFrom('snapshots').select('id').orderBy('takenAt').execute()).map(
        ({ id }) => id,
      )
      const [locked = '', onFixed = ''] = ids
      await app.ask('PATCH', `/api/v1/snapshots/${locked}`, { locked: true })
      await db.updateTable('copies').set({ volumeId: fixed }).where('snapshotId', '=', onFixed).execute()
      await app.ask('PATCH', `/api/v1/volumes/${fixed}`, { isReadOnly: true })
      const losses = await lossesOf(app, id)
      assert.deepEqual(
        losses.databases.map(({ database, snapshots, copies }) => [database, snapshots, copies]),
        [[app.path, 1, 1]],
      )
      const deleted = await app.ask('DELETE', `/api/v1/plans/${id}?snapshots=delete`)
      assert.equal(deleted.statusCode, 202, deleted.body)
      const { jobIds, kept, keptCount } = deletedPlan.parse(deleted.json())
      assert.equal(jobIds.length, 1)
      assert.equal(keptCount, 2)
      assert.deepEqual([losses.keptCount, losses.kept], [keptCount, kept])
      assert.deepEqual(
        kept.map(({ id, database, reason }) => [id, database, reason]),
        [
          [onFixed, app.path, 'The volume “fixed”, on which it has a copy, is only read.'],
          [locked, app.path, 'It is locked.'],
        ],
      )
      await runJobs(app.context, { kinds })
      assert.deepEqual(await snapshotsIn(app), [
        { planId: null, planName: 'shop by hand' },
        { planId: null, planName: 'shop by hand' },
      ])
    })

    it('says so if all its snapshots must stay', async () => {
      await using app = await openPlans(makePlace)
      const { id } = await app.addPlan()
      await backUp(app, id, 1)
      await app.store.db.updateTable('snapshots').set({ isLocked: 1 }).execute()
      const deleted = await app.ask('DELETE', `/api/v1/plans/${id}?snapshots=delete`)
      assert.equal(deleted.statusCode, 200, deleted.body)
      assert.deepEqual([deleted.json().jobIds, deleted.json().keptCount], [[], 1])
      assert.equal((await app.ask('GET', `/api/v1/plans/${id}`)).statusCode, 404)
    })

    it('stays while a scheduled restore takes its snapshots', async () => {
      await using app = await openPlans(makePlace)
      const { id } = await app.addPlan({ name: 'mine' })
      const restore = await app.ask('POST', '/api/v1/scheduled-restores', {
        name: 'to staging',
        sourceServerId: app.serverId,
        sourceDatabase: app.path,
        planId: id,
        targetServerId: app.serverId,
        targetDatabase: `${app.path}.staging`,
      })
      assert.equal(restore.statusCode, 201, restore.body)
      const refused = await app.ask('DELETE', `/api/v1/plans/${id}`)
      const { code, title, hint } = problem.parse(refused.json())
      assert.deepEqual(
        [refused.statusCode, code, title],
        [409, 'in_use', 'The plan “mine” is used by the scheduled restore “to staging”.'],
      )
      assert.match(hint ?? '', /another plan/)
      assert.deepEqual((await lossesOf(app, id)).scheduledRestores, ['to staging'])
      await app.ask('PATCH', `/api/v1/scheduled-restores/${restore.json().id}`, { planId: null })
      assert.equal((await app.ask('DELETE', `/api/v1/plans/${id}`)).statusCode, 204)
    })

    it('without snapshots is just gone, with what waited for it', async () => {
      await using app = await openPlans(makePlace)
      const { id } = await app.addPlan({ schedules: [app.scheduleId] })
      const jobId = await orderDirectly(app, id, 'queued')
      assert.equal((await app.ask('DELETE', `/api/v1/plans/${id}`)).statusCode, 204)
      assert.equal((await app.ask('GET', `/api/v1/jobs/${jobId}`)).json().state, 'cancelled')
      for (const table of ['planSchedules', 'planVolumes'] as const) {
        assert.deepEqual(await app.store.db.selectFrom(table).selectAll().execute(), [])
      }
    })

    it('stays while it runs', async () => {
      await using app = await openPlans(makePlace)
      const { id } = await app.addPlan()
      const jobId = await orderDirectly(app, id, 'running')
      assert.equal((await lossesOf(app, id)).runningBackups, 1)
      for (const word of ['', '?snapshots=keep', '?snapshots=delete']) {
        const refused = await app.ask('DELETE', `/api/v1/plans/${id}${word}`)
        assert.equal(refused.statusCode, 409)
        assert.equal(problem.parse(refused.json()).code, 'in_use')
      }
      assert.equal((await app.ask('GET', `/api/v1/jobs/${jobId}`)).json().isCancelRequested, false)
      await app.store.db.updateTable('jobs').set({ state: 'failed' }).execute()
      assert.equal((await app.ask('DELETE', `/api/v1/plans/${id}`)).statusCode, 204)
    })

    it('lets its server go, which stays as long as a plan uses it', async () => {
      await using app = await openPlans(makePlace)
      const { id } = await app.addPlan({ name: 'mine' })
      await backUp(app, id, 1)
      const url = `/api/v1/servers/${app.serverId}`
      const refused = await app.ask('DELETE', url)
      assert.equal(refused.statusCode, 409)
      const { code, title } = problem.parse(refused.json())
      assert.deepEqual([code, title], ['in_use', 'The server “shop” is used by the plan “mine”.'])
      assert.equal((await app.ask('DELETE', `/api/v1/plans/${id}?snapshots=keep`)).statusCode, 204)
      assert.equal((await app.ask('DELETE', url)).statusCode, 204)
      assert.equal((await snapshotsIn(app)).length, 1)
    })
  },
  'postgresql',
)

describeStores('a plan that is run', (makePlace) => {
  it('has, when the answer comes, a snapshot on each of its volumes', async () => {
    await using app = await openPlans(makePlace)
    const volumes = [{ id: app.volumeId }, { id: await app.addVolume('second') }]
    const { id } = await app.addPlan({
      volumes,
      encryption: { method: '7z' },
      fileName: '{database}-{version}',
    })
    const order = { trigger: 'migration', version: '42', wait: true }
    const asking = app.ask('POST', `/api/v1/plans/${id}/run`, order)
    const { statusCode, body } = await workUntil(app.context, kinds, asking)
    assert.equal(statusCode, 200, body)
    const { state, backups } = planRun.parse(JSON.parse(body))
    assert.equal(state, 'succeeded')
    assert.deepEqual(
      backups.map(({ state, database }) => [state, database]),
      [['succeeded', app.path]],
    )
    for (const volume of ['first', 'second']) {
      assert.deepEqual(
        (await filesOn(app, volume)).filter((name) => !name.endsWith('.json')),
        ['shop.db-42.db.zst.7z'],
      )
    }
  })
})
