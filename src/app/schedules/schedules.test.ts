import assert from 'node:assert/strict'
import { it } from 'node:test'
import { problem } from '../../shared/problems.ts'
import { MOST_RUNS, namedSchedule, schedulePreview } from '../../shared/schedules.ts'
import { describeStores } from '../../store/test-bed.ts'
import { nowOf } from '../clock.ts'
import { openPlans } from '../plans/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { dueSchedules, noteFired, ruleOf } from './schedules.ts'

const url = '/api/v1/schedules'
const nightly = {
  name: 'nightly',
  rule: { type: 'daily', times: ['03:00', '03:00'], timeZone: 'Europe/Berlin' },
}

function named({ items }: { items: { name: string }[] }): string[] {
  return items.map(({ name }) => name)
}

describeStores('schedules', (makePlace) => {
  it('are added, read, listed by name, changed and forgotten', async () => {
    await using app = await openApp(makePlace)
    const added = await app.ask('POST', url, nightly)
    assert.equal(added.statusCode, 201, added.body)
    const first = namedSchedule.parse(added.json())
    assert.equal(added.headers['location'], `${url}/${first.id}`)
    assert.deepEqual(first.rule, { type: 'daily', times: ['03:00'], timeZone: 'Europe/Berlin' })
    assert.equal(first.description, 'Every day at 03:00 (Europe/Berlin)')
    assert.equal(first.catchUpHours, 24)
    assert.equal(first.nextRuns.length, 5)
    assert.deepEqual(first.usedBy, { plans: 0, scheduledRestores: 0 })
    assert.deepEqual((await app.ask('GET', `${url}/${first.id}`)).json(), first)

    await app.ask('POST', url, { name: 'before releases', rule: { type: 'migration' } })
    const list = (await app.ask('GET', url)).json()
    assert.deepEqual(named(list), ['before releases', 'nightly'])
    assert.deepEqual(list.items[0].nextRuns, [])

    const changed = await app.ask('PATCH', `${url}/${first.id}`, { name: 'each night', catchUpHours: 2 })
    assert.equal(changed.statusCode, 200, changed.body)
    assert.deepEqual(changed.json(), {
      ...first,
      name: 'each night',
      catchUpHours: 2,
      updatedAt: changed.json().updatedAt,
    })
    assert.equal((await app.ask('DELETE', `${url}/${first.id}`)).statusCode, 204)
    assert.equal((await app.ask('GET', `${url}/${first.id}`)).statusCode, 404)
    assert.equal((await app.ask('DELETE', `${url}/${first.id}`)).statusCode, 404)
  })

  it('are listed page by page, each once', async () => {
    await using app = await openApp(makePlace)
    const names = Array.from({ length: 5 }, (_, n) => `schedule ${n}`)
    for (const name of [...names].reverse()) await app.ask('POST', url, { ...nightly, name })
    const first = (await app.ask('GET', `${url}?limit=3`)).json()
    const second = (await app.ask('GET', `${url}?limit=3&cursor=${first.nextCursor}`)).json()
    assert.deepEqual([...named(first), ...named(second)], names)
    assert.equal(second.nextCursor, null)
  })

  it('run in the organization’s time zone, unless they have one', async () => {
    await using app = await openApp(makePlace)
    await app.ask('PATCH', '/api/v1/settings', { displayTimeZone: 'Asia/Tokyo' })
    const rule = { type: 'hourly', every: 6 }
    const added = await app.ask('POST', url, { name: 'often', rule })
    assert.deepEqual(added.json().rule, { ...rule, minute: 0, timeZone: 'Asia/Tokyo' })
    const preview = await app.ask('POST', `${url}/preview`, { rule })
    assert.equal(preview.json().description, 'Every 6 hours from 00:00 (Asia/Tokyo)')
  })

  it('are explained before they are saved', async () => {
    await using app = await openApp(makePlace)
    const rule = { type: 'cron', expression: '30 2 * * 1-5', timeZone: 'UTC' }
    const response = await app.ask('POST', `${url}/preview`, { rule })
    assert.equal(response.statusCode, 200, response.body)
    const { description, nextRuns } = schedulePreview.parse(response.json())
    assert.equal(description, 'From Monday to Friday at 02:30 (UTC)')
    assert.equal(nextRuns.length, 5)
    assert.ok(nextRuns.every((run) => run.endsWith('T02:30:00.000Z')))
    assert.deepEqual([...nextRuns].sort(), nextRuns)
    assert.deepEqual(named((await app.ask('GET', url)).json()), [], 'nothing was saved')
  })

  it('are told for the days to come, up to a limit', async () => {
    await using app = await openApp(makePlace)
    const until = new Date(Date.now() + 7 * 86_400_000).toISOString()
    const runsOf = async (rule: object) => {
      const response = await app.ask('POST', `${url}/preview`, { rule: { timeZone: 'UTC', ...rule }, until })
      return schedulePreview.parse(response.json()).nextRuns
    }
    const hourly = await runsOf({ type: 'hourly', every: 1 })
    assert.equal(hourly.length, 168)
    assert.ok(hourly.every((run, index) => run > (hourly[index - 1] ?? '') && run <= until))
    assert.equal((await runsOf({ type: 'daily', times: ['03:00'] })).length, 7)
    assert.equal((await runsOf({ type: 'cron', expression: '* * * * *' })).length, MOST_RUNS)
    assert.deepEqual(await runsOf({ type: 'migration' }), [])
  })

  it('are counted for each day of a month, wherever the viewer is', async () => {
    await using app = await openApp(makePlace)
    const rule = { type: 'cron', expression: '*/5 * * * *', timeZone: 'Europe/Berlin' }
    const preview = async (more: object) => await app.ask('POST', `${url}/preview`, { rule, ...more })
    const year = new Date().getUTCFullYear() + 1
    const march = { from: `${year}-03-01T05:00:00.000Z`, until: `${year}-04-01T03:59:59.999Z` }
    const answer = await preview({ ...march, daysIn: 'America/New_York' })
    const { days = [], nextRuns } = schedulePreview.parse(answer.json())
    assert.equal(days.length, 31)
    assert.deepEqual(days[0], {
      day: `${year}-03-01`,
      runs: 288,
      times: [`${year}-03-01T05:00:00.000Z`, `${year}-03-02T04:55:00.000Z`],
    })
    assert.deepEqual(
      days.filter(({ runs }) => runs !== 288).map(({ runs }) => runs),
      [276],
    )
    assert.equal(nextRuns[0], march.from)
    assert.ok(answer.body.length < 10_000, 'cheap to send')

    // What is over is not counted.
    const past = await preview({
      from: '2001-01-01T00:00:00.000Z',
      until: new Date().toISOString(),
      daysIn: 'UTC',
    })
    assert.deepEqual(schedulePreview.parse(past.json()).days, [])

    for (const [more, field] of [
      [{ daysIn: 'UTC' }, 'until'],
      [{ from: march.from, until: `${year}-06-01T00:00:00.000Z`, daysIn: 'UTC' }, 'until'],
      [{ ...march, daysIn: '+02:00' }, 'daysIn'],
      [{ ...march, from: 'tomorrow' }, 'from'],
      [{ from: '9999-12-31T23:59:59.999Z' }, 'from'],
    ] as const) {
      const refused = await preview(more)
      assert.equal(refused.statusCode, 400, refused.body)
      assert.equal(problem.parse(refused.json()).errors?.[0]?.field, field)
    }
  })

  it('with anything wrong change nothing, and every field is named', async () => {
    await using app = await openApp(makePlace)
    const { id } = (await app.ask('POST', url, nightly)).json()
    const before = (await app.ask('GET', `${url}/${id}`)).json()
    const utc = { timeZone: 'UTC' }
    const wrongRules: [rule: object, field: string][] = [
      [{ type: 'yearly' }, 'rule.type'],
      [{ type: 'daily', times: ['24:00'], ...utc }, 'rule.times.0'],
      [{ type: 'daily', times: [], ...utc }, 'rule.times'],
      [{ type: 'daily', times: ['03:00'], timeZone: '+02:00' }, 'rule.timeZone'],
      [{ type: 'weekly', weekdays: ['someday'], times: ['03:00'], ...utc }, 'rule.weekdays.0'],
      [{ type: 'monthly', days: [32], times: ['03:00'], ...utc }, 'rule.days.0'],
      [{ type: 'hourly', every: 24, ...utc }, 'rule.every'],
      [{ type: 'cron', expression: '* * *', ...utc }, 'rule.expression'],
      [{ type: 'cron', expression: '61 * * * *', ...utc }, 'rule.expression'],
      [{ type: 'cron', expression: '0 3 30 2 *', ...utc }, 'rule.expression'],
    ]
    const wrong: [body: object, field: string][] = [
      ...wrongRules.map(([rule, field]): [object, string] => [{ ...nightly, name: 'x', rule }, field]),
      [{ ...nightly, name: ' ' }, 'name'],
      [{ ...nightly, catchUpHours: -1 }, 'catchUpHours'],
      [{ name: 'x' }, 'rule'],
      [{ ...nightly, nextAt: 1 }, ''],
    ]
    const check = (response: { statusCode: number; body: string }, field: string) => {
      assert.equal(response.statusCode, 400, response.body)
      const { errors = [], code } = problem.parse(JSON.parse(response.body))
      assert.equal(code, 'invalid_input')
      assert.ok(
        errors.some((error) => error.field === field),
        `${field}: ${response.body}`,
      )
    }
    for (const [body, field] of wrong) check(await app.ask('POST', url, body), field)
    for (const [rule, field] of wrongRules) {
      check(await app.ask('POST', `${url}/preview`, { rule }), field)
      check(await app.ask('PATCH', `${url}/${id}`, { name: 'x', rule }), field)
    }
    assert.deepEqual(named((await app.ask('GET', url)).json()), ['nightly'])
    assert.deepEqual((await app.ask('GET', `${url}/${id}`)).json(), before)
  })

  it('are changed only by who has seen them as they are, and have names of their own', async () => {
    await using app = await openApp(makePlace)
    const added = await app.ask('POST', url, nightly)
    const one = `${url}/${added.json().id}`
    const etag = String(added.headers['etag'])
    assert.equal((await app.ask('PATCH', one, { catchUpHours: 1 }, { 'if-match': etag })).statusCode, 200)
    const refused = await app.ask('PATCH', one, { catchUpHours: 2 }, { 'if-match': etag })
    assert.equal(refused.statusCode, 412)
    assert.equal((await app.ask('GET', one)).json().catchUpHours, 1)
    await app.ask('POST', url, { ...nightly, name: 'other' })
    for (const taken of [
      await app.ask('POST', url, nightly),
      await app.ask('PATCH', one, { name: 'other' }),
    ]) {
      assert.equal(taken.statusCode, 409)
      assert.equal(problem.parse(taken.json()).code, 'name_taken')
    }
  })

  it('count from the moment in which their rule was made or changed, by the store’s clock', async () => {
    await using app = await openApp(makePlace)
    const row = () =>
      app.store.db.selectFrom('schedules').select(['since', 'nextAt']).executeTakeFirstOrThrow()
    const before = await nowOf(app.store)
    const { id, nextRuns } = namedSchedule.parse((await app.ask('POST', url, nightly)).json())
    const first = await row()
    assert.ok(first.since >= before && first.since <= (await nowOf(app.store)))
    assert.equal(first.nextAt, Date.parse(nextRuns[0] ?? ''))

    await app.store.db.updateTable('schedules').set({ since: 5, nextAt: 7 }).execute()
    await app.ask('PATCH', `${url}/${id}`, { name: 'x', catchUpHours: 3, rule: nightly.rule })
    assert.deepEqual(await row(), { since: 5, nextAt: 7 }, 'the rule is as it was')

    await app.ask('PATCH', `${url}/${id}`, { rule: { type: 'hourly', every: 1, timeZone: 'UTC' } })
    const changed = await row()
    assert.ok(changed.since >= first.since)
    assert.ok((changed.nextAt ?? 0) > changed.since && (changed.nextAt ?? 0) <= changed.since + 3_600_000)

    await app.ask('PATCH', `${url}/${id}`, { rule: { type: 'migration', timeZone: 'UTC' } })
    assert.equal((await row()).nextAt, null)
  })

  it('that are due are found, and noted as fired once, without disturbing who edits them', async () => {
    await using app = await openApp(makePlace)
    const added = await app.ask('POST', url, { ...nightly, catchUpHours: 3 })
    await app.ask('POST', url, { ...nightly, name: 'later' })
    await app.ask('POST', url, { name: 'migration', rule: { type: 'migration', timeZone: 'UTC' } })
    assert.deepEqual(await dueSchedules(app.store), [])
    const { id } = added.json()
    await app.store.db
      .updateTable('schedules')
      .set({ since: 500, nextAt: 1000 })
      .where('id', '=', id)
      .execute()
    const [due, ...others] = await dueSchedules(app.store)
    assert.deepEqual(others, [])
    const { organizationId } = await app.store.db
      .selectFrom('schedules')
      .select('organizationId')
      .executeTakeFirstOrThrow()
    const expected = {
      id,
      organizationId,
      name: nightly.name,
      rule: added.json().rule,
      since: 500,
      catchUpHours: 3,
      nextAt: 1000,
    }
    assert.deepEqual(due && { ...due, rule: ruleOf(due) }, expected)
    const note = (fired: { since: number; nextAt: number | null }) =>
      app.store.db.transaction().execute((trx) => noteFired(trx, expected, fired))
    assert.equal(await note({ since: 1000, nextAt: null }), true)
    assert.equal(await note({ since: 2000, nextAt: 3000 }), false, 'it was fired since it was read')
    assert.deepEqual(await dueSchedules(app.store), [])
    const etag = String(added.headers['etag'])
    const edited = await app.ask('PATCH', `${url}/${id}`, { name: 'mine' }, { 'if-match': etag })
    assert.equal(edited.statusCode, 200, 'a firing is no change')
  })

  it('that is changed while it is due keeps its new rule', async () => {
    await using app = await openApp(makePlace)
    const { id } = (await app.ask('POST', url, nightly)).json()
    await app.store.db.updateTable('schedules').set({ since: 500, nextAt: 1000 }).execute()
    const [due] = await dueSchedules(app.store)
    await app.ask('PATCH', `${url}/${id}`, { rule: { ...nightly.rule, times: ['04:00'] } })
    const changed = await app.store.db.selectFrom('schedules').select('nextAt').executeTakeFirstOrThrow()
    const isNoted = await app.store.db
      .transaction()
      .execute((trx) => noteFired(trx, due ?? assert.fail(), { since: 1000, nextAt: 2000 }))
    assert.equal(isNoted, false)
    assert.deepEqual(
      await app.store.db.selectFrom('schedules').select('nextAt').executeTakeFirstOrThrow(),
      changed,
    )
  })

  it('are kept while anything uses them, which is named', async () => {
    await using app = await openPlans(makePlace)
    const one = `${url}/${app.scheduleId}`
    for (let n = 1; n <= 7; n++) await app.addPlan({ name: `plan ${n}`, schedules: [app.scheduleId] })
    await app.store.db
      .insertInto('scheduledRestores')
      .values({
        id: 'restore',
        organizationId: await app.organizationId(),
        name: 'to staging',
        sourceServerId: app.serverId,
        sourceDatabase: 'shop',
        targetServerId: app.serverId,
        scheduleId: app.scheduleId,
        isEnabled: 1,
        settings: '{}',
        revision: 1,
        createdAt: app.store.now,
        updatedAt: app.store.now,
      })
      .execute()
    assert.deepEqual((await app.ask('GET', one)).json().usedBy, { plans: 7, scheduledRestores: 1 })
    const refused = await app.ask('DELETE', one)
    assert.equal(refused.statusCode, 409)
    const { code, title } = problem.parse(refused.json())
    assert.equal(code, 'in_use')
    assert.equal(
      title,
      'The schedule “nightly” is used by the plans “plan 1”, “plan 2”, “plan 3”, “plan 4”, “plan 5” and 2 more, and by the scheduled restore “to staging”.',
    )
    await app.store.db.deleteFrom('plans').execute()
    await app.store.db.deleteFrom('scheduledRestores').execute()
    assert.equal((await app.ask('DELETE', one)).statusCode, 204)
  })

  it('run all their enabled plans now', async () => {
    await using app = await openPlans(makePlace)
    const schedules = [app.scheduleId]
    const [first, second] = [await app.addPlan({ schedules }), await app.addPlan({ schedules })]
    await app.addPlan({ schedules, isEnabled: false })
    await app.addPlan()
    const started = await app.ask('POST', `${url}/${app.scheduleId}/run`)
    assert.equal(started.statusCode, 202, started.body)
    const { items } = started.json()
    assert.deepEqual(
      items.map(({ planId }: { planId: string }) => planId).sort(),
      [first.id, second.id].sort(),
    )
    const jobs = await app.store.db
      .selectFrom('jobs')
      .select(['id', 'kind', 'planId'])
      .orderBy('planId')
      .execute()
    assert.deepEqual(
      jobs,
      items
        .map(({ planId, jobId }: { planId: string; jobId: string }) => ({
          id: jobId,
          kind: 'run-plan',
          planId,
        }))
        .sort((a: { planId: string }, b: { planId: string }) => (a.planId < b.planId ? -1 : 1)),
    )
    const again = (await app.ask('POST', `${url}/${app.scheduleId}/run`)).json().items
    assert.ok(again.every(({ joined }: { joined: boolean }) => joined))
  })

  it('of an organization that is not ours are not seen', async () => {
    await using app = await openPlans(makePlace)
    await app.giveAway('schedules')
    assert.deepEqual(named((await app.ask('GET', url)).json()), [])
    const one = `${url}/${app.scheduleId}`
    for (const response of [
      await app.ask('GET', one),
      await app.ask('PATCH', one, { name: 'mine' }),
      await app.ask('DELETE', one),
      await app.ask('POST', `${one}/run`),
    ]) {
      assert.equal(response.statusCode, 404)
      assert.equal(problem.parse(response.json()).code, 'not_found')
    }
    assert.equal((await app.ask('POST', url, nightly)).statusCode, 201, 'the name is free here')
  })
})
