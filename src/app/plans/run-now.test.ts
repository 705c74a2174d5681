import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { it } from 'node:test'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { planRun } from '../../shared/jobs.ts'
import { problem } from '../../shared/problems.ts'
import { enqueueJob } from '../../store/queue.ts'
import { describeStores } from '../../store/test-bed.ts'
import { defineJob, type JobKind } from '../jobs/job-kind.ts'
import { waitUntilOver } from './run-now.ts'
import { openPlans, workUntil } from './test-bed.ts'

type App = Awaited<ReturnType<typeof openPlans>>
type End = 'succeeded' | 'partial' | 'failed' | 'cancelled'

/** A run that orders a backup for each of these ends, and backups that end so. */
function endings(...ends: End[]): Record<string, JobKind> {
  return {
    'run-plan': defineJob({
      payload: z.looseObject({ planId: z.string() }),
      async run({ context: { store }, organizationId, payload: { planId } }) {
        const jobs = await store.db.transaction().execute((trx) =>
          Promise.all(
            ends.map(async (end, i) => {
              const database = `database ${i}`
              const subject = { planId, database }
              const key = `backup:${planId}:${database}`
              const order = { organizationId, kind: 'backup', key, subject, payload: { end } }
              return { id: (await enqueueJob(store, trx, order)).id, database }
            }),
          ),
        )
        return { result: { jobs } }
      },
    }),
    backup: defineJob({
      payload: z.object({ end: z.string() }),
      async run({ context, id, payload: { end } }) {
        if (end === 'failed')
          throw new AppError('tool_failed', 'pg_dump stumbled.', { hint: 'Look at its log.' })
        if (end === 'partial') return { state: 'partial' }
        if (end === 'cancelled') {
          await context.store.db
            .updateTable('jobs')
            .set({ state: 'cancelled', finishedAt: 1 })
            .where('id', '=', id)
            .execute()
        }
        return {}
      },
    }),
  }
}

async function runAndWait(app: App, planId: string, kinds: Record<string, JobKind>) {
  const asking = app.ask('POST', `/api/v1/plans/${planId}/run`, { wait: true })
  return await workUntil(app.context, kinds, asking)
}

async function orders(app: App) {
  const jobs = await app.store.db
    .selectFrom('jobs')
    .select(['id', 'kind', 'state', 'payload'])
    .orderBy('id')
    .execute()
  return jobs.map(({ payload, ...job }) => ({
    ...job,
    payload: JSON.parse(payload) as Record<string, unknown>,
  }))
}

describeStores('a plan that is run by hand', (makePlace) => {
  it('orders one job, which says what for', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan({ isEnabled: false })
    const order = { trigger: 'migration', version: ' 42 ', comment: 'before 42', databases: [app.path] }
    const started = await app.ask('POST', `/api/v1/plans/${id}/run`, order)
    assert.equal(started.statusCode, 202, started.body)
    const { jobId, joined } = started.json()
    assert.equal(joined, false)
    assert.equal(started.headers['location'], `/api/v1/jobs/${jobId}`)
    const [job] = await orders(app)
    assert.deepEqual(job, {
      id: jobId,
      kind: 'run-plan',
      state: 'queued',
      payload: {
        planId: id,
        trigger: 'migration',
        version: '42',
        comment: 'before 42',
        databases: [app.path],
      },
    })
    assert.equal((await app.ask('GET', `/api/v1/jobs/${jobId}`)).statusCode, 200)
  })

  it('needs nothing to be said, and joins a run that waits already', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan()
    const first = await app.ask('POST', `/api/v1/plans/${id}/run`)
    assert.equal(first.statusCode, 202, first.body)
    const second = await app.ask('POST', `/api/v1/plans/${id}/run`, { trigger: 'migration' })
    assert.deepEqual(second.json(), { jobId: first.json().jobId, joined: true })
    assert.equal((await orders(app))[0]?.payload['trigger'], 'manual')
  })

  it('refuses databases that it is not about, and whatever else is wrong, and orders nothing', async () => {
    await using app = await openPlans(makePlace)
    const databases = { mode: 'selected', names: ['a', 'b*'] }
    const { id } = await app.addPlan({ databases, excludedDatabases: ['bad'] })
    for (const [order, ...fields] of [
      [{ databases: ['a', 'c', 'bad'] }, 'databases.1', 'databases.2'],
      [{ databases: [] }, 'databases'],
      [{ trigger: 'schedule' }, 'trigger'],
      [{ comment: 'x'.repeat(2001) }, 'comment'],
      [{ version: ' ' }, 'version'],
      [{ nonsense: 1 }, ''],
    ] as [object, ...string[]][]) {
      const refused = await app.ask('POST', `/api/v1/plans/${id}/run`, order)
      assert.equal(refused.statusCode, 400, refused.body)
      const { errors = [] } = problem.parse(refused.json())
      assert.deepEqual(
        errors.map(({ field }) => field),
        fields,
      )
    }
    assert.deepEqual(await orders(app), [])
    const taken = await app.ask('POST', `/api/v1/plans/${id}/run`, { databases: ['a', 'bb'] })
    assert.equal(taken.statusCode, 202)
  })

  it('answers, if it is to wait, when every backup is complete', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan()
    const answer = await runAndWait(app, id, endings('succeeded', 'succeeded'))
    assert.equal(answer.statusCode, 200, answer.body)
    const { state, run, backups } = planRun.parse(answer.json())
    assert.equal(state, 'succeeded')
    assert.equal(answer.headers['location'], `/api/v1/jobs/${run.id}`)
    assert.deepEqual(
      backups.map(({ state, database }) => [state, database]),
      [
        ['succeeded', 'database 0'],
        ['succeeded', 'database 1'],
      ],
    )
  })

  for (const [ends, state, status, code, title] of [
    [
      ['succeeded', 'failed'],
      'failed',
      502,
      'run_failed',
      '1 of 2 backups failed. “database 1”: pg_dump stumbled.',
    ],
    [['partial', 'succeeded'], 'partial', 502, 'run_partial', 'Not all copies are stored: “database 0”.'],
    [['succeeded', 'cancelled'], 'cancelled', 409, 'cancelled', 'The run was cancelled.'],
    [[], 'failed', 502, 'run_failed', 'The run has made no backup.'],
  ] as const) {
    it(`answers with a problem, and all jobs, if the backups end so: ${ends.join(', ') || '(none)'}`, async () => {
      await using app = await openPlans(makePlace)
      const { id } = await app.addPlan()
      const answer = await runAndWait(app, id, endings(...ends))
      assert.equal(answer.statusCode, status, answer.body)
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
      const shown = problem.parse(answer.json())
      assert.equal(shown.code, code)
      assert.equal(shown.title, title)
      assert.equal(planRun.parse(answer.json()).state, state)
      assert.equal(planRun.parse(answer.json()).backups.length, ends.length)
    })
  }

  it('answers with a problem if the run itself fails, or was cancelled before it began', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan({ tries: 1 })
    const broken = defineJob({
      payload: z.unknown(),
      run: async () => {
        throw new AppError('database_unreachable', 'No answer.', { hint: 'Is it on?' })
      },
    })
    const failed = await runAndWait(app, id, { 'run-plan': broken })
    assert.equal(failed.statusCode, 502)
    const { code, title, hint } = problem.parse(failed.json())
    assert.deepEqual(
      [code, title, hint],
      ['run_failed', 'The run has made no backup. No answer.', 'Is it on?'],
    )

    // It is sent when somebody asks for the answer.
    const asking = Promise.resolve(app.ask('POST', `/api/v1/plans/${id}/run`, { wait: true }))
    let waiting: string | undefined
    while (waiting === undefined) {
      await sleep(20)
      waiting = (await orders(app)).find(({ state }) => state === 'queued')?.id
    }
    await app.ask('POST', `/api/v1/jobs/${waiting}/cancel`)
    const cancelled = await asking
    assert.equal(cancelled.statusCode, 409)
    assert.equal(problem.parse(cancelled.json()).code, 'cancelled')
  })

  it('goes on when nobody waits any more', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan()
    const { jobId } = (await app.ask('POST', `/api/v1/plans/${id}/run`)).json()
    const organizationId = await app.organizationId()
    for (const [reason, code] of [
      ['left', 'cancelled'],
      ['closing', 'job_interrupted'],
    ] as const) {
      const controllers = { left: new AbortController(), closing: new AbortController() }
      const signals = { left: controllers.left.signal, closing: controllers.closing.signal }
      const waiting = waitUntilOver(app.context, organizationId, jobId, signals)
      controllers[reason].abort()
      await assert.rejects(waiting, (error) => error instanceof AppError && error.code === code)
    }
    assert.equal((await orders(app))[0]?.state, 'queued')
  })

  it('is the same run for all who ask with the same key, also if the line breaks', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan()
    const address = await app.app.listen({ host: '127.0.0.1', port: 0 })
    const headers = {
      authorization: `Bearer ${app.token}`,
      'content-type': 'application/json',
      'idempotency-key': 'release-42',
    }
    const ask = (signal?: AbortSignal) =>
      fetch(`${address}/api/v1/plans/${id}/run`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ wait: true }),
        ...(signal && { signal }),
      })
    const runs = async () => (await orders(app)).filter(({ kind }) => kind === 'run-plan')
    const line = new AbortController()
    const asking = ask(line.signal)
    while ((await runs()).length === 0) await sleep(20)
    line.abort()
    await assert.rejects(asking)

    const again = ask()
    await sleep(100)
    const [run, ...others] = await runs()
    assert.ok(run)
    assert.deepEqual(others, [])
    // Over when somebody cancels it: a second run would be waiting still.
    await app.ask('POST', `/api/v1/jobs/${run.id}/cancel`)
    const answer = await again
    assert.equal(answer.status, 409)
    assert.equal(answer.headers.get('idempotency-replayed'), 'true')
    assert.equal((await runs()).length, 1)
  })

  it('does not keep the app from being stopped', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan()
    const asking = Promise.resolve(app.ask('POST', `/api/v1/plans/${id}/run`, { wait: true }))
    while ((await orders(app)).length === 0) await sleep(20)
    await app.app.close()
    const answer = await asking
    assert.equal(answer.statusCode, 503)
    assert.equal(problem.parse(answer.json()).code, 'job_interrupted')
  })
})
