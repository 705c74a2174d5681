import assert from 'node:assert/strict'
import { it } from 'node:test'
import { problem } from '../../shared/problems.ts'
import { DEFAULT_SETTINGS, settings as settingsSchema } from '../../shared/settings.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'

const url = '/api/v1/settings'

describeBothStores('settings', (makePlace) => {
  it('have all their defaults until somebody changes them, and again with null', async () => {
    await using app = await openApp(makePlace)
    const defaults = { ...DEFAULT_SETTINGS, displayTimeZone: 'UTC' }
    assert.deepEqual(settingsSchema.parse((await app.ask('GET', url)).json()), defaults)

    const changed = await app.ask('PATCH', url, {
      tries: 5,
      displayTimeZone: 'Europe/Berlin',
      overdueMinutes: 90,
    })
    assert.equal(changed.statusCode, 200, changed.body)
    const expected = { ...defaults, tries: 5, displayTimeZone: 'Europe/Berlin', overdueMinutes: 90 }
    assert.deepEqual(changed.json(), expected)
    assert.deepEqual((await app.ask('GET', url)).json(), expected)

    await app.ask('PATCH', url, { tries: null, overdueMinutes: null, historyDays: 30 })
    assert.deepEqual((await app.ask('GET', url)).json(), {
      ...defaults,
      displayTimeZone: 'Europe/Berlin',
      historyDays: 30,
    })
  })

  it('take the time zone of the app for the one to show times in', async () => {
    await using app = await openApp(makePlace)
    app.context.timeZone = 'Asia/Tokyo'
    assert.equal((await app.ask('GET', url)).json().displayTimeZone, 'Asia/Tokyo')
  })

  it('are changed only by who has seen them as they are', async () => {
    await using app = await openApp(makePlace)
    const etag = String((await app.ask('GET', url)).headers['etag'])
    const change = (tries: number, ifMatch: string) =>
      app.ask('PATCH', url, { tries }, { 'if-match': ifMatch })
    const first = await change(4, etag)
    assert.equal(first.statusCode, 200)
    const refused = await change(5, etag)
    assert.equal(refused.statusCode, 412)
    assert.equal(problem.parse(refused.json()).code, 'changed_meanwhile')
    assert.equal((await app.ask('GET', url)).json().tries, 4)
    assert.equal((await change(6, String(first.headers['etag']))).statusCode, 200)
    assert.equal((await change(7, '*')).statusCode, 200)
  })

  it('are not lost when several change them at once, for the first time or later', async () => {
    await using app = await openApp(makePlace)
    for (const n of [1, 2, 3]) {
      const changes = [
        { tries: n },
        { historyDays: n },
        { safetyDays: n },
        { stallMinutes: n },
        { backoffSeconds: n },
      ]
      const answers = await Promise.all(changes.map((change) => app.ask('PATCH', url, change)))
      const now = (await app.ask('GET', url)).json()
      for (const [i, answer] of answers.entries()) {
        assert.ok([200, 412].includes(answer.statusCode), answer.body)
        if (answer.statusCode === 200) assert.deepEqual({ ...now, ...changes[i] }, now)
      }
      assert.ok(answers.some(({ statusCode }) => statusCode === 200))
    }
  })

  it('with anything wrong change nothing, and every field is named', async () => {
    await using app = await openApp(makePlace)
    const before = (await app.ask('GET', url)).json()
    for (const [body, field] of [
      [{ tries: 0, historyDays: 10 }, 'tries'],
      [{ compression: { method: 'rar' } }, 'compression.method'],
      [{ cleanUpTime: '24:00' }, 'cleanUpTime'],
      [{ displayTimeZone: '+02:00' }, 'displayTimeZone'],
      [{ apiRateLimit: -1 }, 'apiRateLimit'],
      [{ contentCheckDays: 1.5 }, 'contentCheckDays'],
      [{ nonsense: 1 }, ''],
    ] as const) {
      const response = await app.ask('PATCH', url, body)
      assert.equal(response.statusCode, 400, response.body)
      const { errors = [] } = problem.parse(response.json())
      assert.ok(
        errors.some((error) => error.field === field),
        response.body,
      )
    }
    assert.deepEqual((await app.ask('GET', url)).json(), before)
  })

  it('belong to one organization', async () => {
    await using app = await openApp(makePlace)
    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: app.store.now })
      .execute()
    await app.ask('PATCH', url, { tries: 9 })
    const { settingsOf } = await import('./settings.ts')
    assert.equal((await settingsOf(app.context, 'other')).tries, DEFAULT_SETTINGS.tries)
  })

  it('limit the requests of a token as they say at that moment', async () => {
    await using app = await openApp(makePlace, { rateLimit: undefined })
    const first = await app.ask('GET', url)
    assert.equal(first.headers['ratelimit-limit'], '300')
    await app.ask('PATCH', url, { apiRateLimit: 4 })
    assert.equal((await app.ask('GET', url)).headers['ratelimit-remaining'], '1')
    await app.ask('GET', url)
    assert.equal((await app.ask('GET', url)).statusCode, 429)
  })

  it('limit nothing where they say 0', async () => {
    await using app = await openApp(makePlace, { rateLimit: undefined })
    await app.ask('PATCH', url, { apiRateLimit: 1 })
    assert.equal((await app.ask('GET', url)).statusCode, 429)
    await app.store.db.updateTable('settings').set({ content: '{"apiRateLimit":0}' }).execute()
    for (let n = 0; n < 5; n++) assert.equal((await app.ask('GET', url)).statusCode, 200)
  })
})
