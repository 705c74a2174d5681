import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { letIn, userHere } from './at-the-machine.ts'
import { openSetup } from './setup.ts'
import { PASSWORD } from './test-bed.ts'

type App = Awaited<ReturnType<typeof openApp>>

async function entriesOf({ store }: App) {
  const rows = await store.db.selectFrom('auditEntries').selectAll().orderBy('number').execute()
  return rows.map(({ action, outcome, actor, address, details }) => ({
    what: `${action} ${outcome}`,
    who: JSON.parse(actor).name as string,
    address,
    details: JSON.parse(details) as Record<string, unknown>,
  }))
}

describeStores('the audit log', (makePlace) => {
  it('has who signed in, who failed to, and who was kept out, and no password', async () => {
    await using app = await openApp(makePlace)
    const { email } = await app.people.add()
    const browser = app.people.browser('192.0.2.1')
    const attempt = (password: string, as = email) =>
      browser.request('POST', '/api/v1/sign-in', { email: as, password })
    await attempt('canary-wrong')
    await attempt('canary-unknown', 'nobody@example.com')
    await attempt(PASSWORD)
    await browser.request('POST', '/api/v1/sign-out')
    for (let n = 0; n < 6; n++) await attempt('canary-again')
    const entries = (await entriesOf(app)).filter(({ address }) => address === '192.0.2.1')
    const seen = new Set(entries.map(({ what, who }) => `${what} ${who}`))
    for (const expected of [
      `sign-in.password sign_in_failed ${email}`,
      `sign-in.password succeeded ${email}`,
      `sign-in.end succeeded ${email}`,
      `sign-in.password too_many_requests ${email}`,
    ]) {
      assert.ok(seen.has(expected), `${expected}: ${[...seen].join(', ')}`)
    }
    const unknown = entries.find(({ details }) => details['email'] === 'nobody@example.com')
    assert.equal(unknown?.what, 'sign-in.password sign_in_failed')
    assert.doesNotMatch(JSON.stringify(entries), /canary|Nacre/)
  })

  it('has the first account, and what was done at the machine', async () => {
    await using app = await openApp(makePlace)
    const token = await openSetup(app.store)
    const body = { token, name: 'Ada', email: 'ada@example.com', password: PASSWORD }
    await app.people.browser().request('POST', '/api/v1/setup', { ...body, token: 'wrong' })
    await app.people.browser().request('POST', '/api/v1/setup', body)
    const user = await userHere(app.store, 'ada@example.com')
    const options = { password: undefined, isEnabled: false, withoutSecondFactor: false }
    const { token: link = '' } = await letIn(app.store, user, options)
    await app.people.browser().request('POST', '/api/v1/sign-in/link', { token: link })
    const entries = await entriesOf(app)
    assert.deepEqual(
      entries.map(({ what }) => what),
      [
        'setup.complete forbidden',
        'setup.complete succeeded',
        'user.reset-password succeeded',
        'sign-in.link succeeded',
      ],
    )
    assert.equal(entries[1]?.who, 'ada@example.com')
    assert.equal(entries[3]?.who, 'ada@example.com')
    const all = JSON.stringify(entries)
    assert.ok(!all.includes(link) && !all.includes(token ?? 'none') && !all.includes(PASSWORD))
  })
})
