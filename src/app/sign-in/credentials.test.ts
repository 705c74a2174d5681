import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeBothStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { authOf } from './auth.ts'
import { proofOf, voidProofs, withProof } from './credentials.ts'
import { makeLink } from './links.ts'
import { findUser } from './store.ts'
import { PASSWORD } from './test-bed.ts'

const NEXT = 'Seven quiet lanterns'

describeBothStores('what somebody was about to sign in with', (makePlace) => {
  it('gives no session when the password is changed meanwhile', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const changing = person.request('POST', '/api/v1/me/password', { current: PASSWORD, new: NEXT })
    const signingIn: Promise<unknown>[] = []
    for (let n = 0; n < 16; n++) {
      const body = { email: person.email, password: PASSWORD }
      // From many networks, so that none of them waits.
      const browser = app.people.browser(`10.0.0.${n}`)
      signingIn.push(browser.request('POST', '/api/v1/sign-in', body))
      await sleep(15)
    }
    const changed = await changing
    await Promise.all(signingIn)
    const sessions = await app.store.db.selectFrom('sessions').select('id').execute()
    assert.equal(changed.statusCode, 204, changed.body)
    assert.equal(sessions.length, 1, 'only the one in which it was changed')
  })

  it('counts for nothing once the account was signed out, changed or disabled', async () => {
    await using app = await openApp(makePlace)
    const { store, context } = app
    const person = await app.people.add()
    const admin = await app.people.add({ isInstanceAdministrator: true })
    const auth = await authOf(context)
    const { internalAdapter } = await auth.$context
    const changes: [string, () => Promise<unknown>][] = [
      ['sign out others', () => person.request('DELETE', '/api/v1/me/sessions')],
      ['sign out', () => admin.request('POST', `/api/v1/accounts/${person.id}/sign-out`)],
      ['e-mail', () => admin.request('PATCH', `/api/v1/accounts/${person.id}`, { email: 'new@example.com' })],
      ['disable', () => admin.request('PATCH', `/api/v1/accounts/${person.id}`, { isDisabled: true })],
      ['enable', () => admin.request('PATCH', `/api/v1/accounts/${person.id}`, { isDisabled: false })],
    ]
    for (const [what, change] of changes) {
      const before = await proofOf(store.db, person.id)
      const { email } = (await findUser(store.db, { id: person.id })) ?? assert.fail()
      const token = await makeLink(store, 'reset-password', { id: person.id, email })
      const answer = (await change()) as { statusCode: number; body: string }
      assert.ok(answer.statusCode < 300, `${what}: ${answer.statusCode} ${answer.body}`)
      if (what === 'enable') break
      const made = withProof(before, () => internalAdapter.createSession(person.id))
      await assert.rejects(made, { code: what === 'disable' ? 'forbidden' : 'sign_in_expired' }, what)
      const confirmed = await app.people
        .browser()
        .request('POST', '/api/v1/password-reset/confirm', { token, password: NEXT })
      assert.equal(confirmed.statusCode, 404, what)
    }
  })

  it('is nothing without a proof, and nothing for another user', async () => {
    await using app = await openApp(makePlace)
    const [one, other] = [await app.people.add(), await app.people.add()]
    const { internalAdapter } = await (await authOf(app.context)).$context
    const proof = await proofOf(app.store.db, one.id)
    for (const given of [undefined, proof]) {
      const made = withProof(given, () => internalAdapter.createSession(other.id))
      await assert.rejects(made, { code: 'sign_in_expired' })
    }
    await app.store.db.transaction().execute((trx) => voidProofs(trx, other.id))
    await withProof(proof, () => internalAdapter.createSession(one.id))
  })

  it('is refused of a disabled account as if it were wrong', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    await app.store.db.updateTable('users').set({ isDisabled: 1 }).where('id', '=', person.id).execute()
    const answers: unknown[] = []
    for (const password of [PASSWORD, 'not this one at all']) {
      const answer = await person.otherBrowser().request('POST', '/api/v1/sign-in', {
        email: person.email,
        password,
      })
      const { requestId: _, ...body } = answer.json()
      answers.push([answer.statusCode, body])
    }
    assert.deepEqual(answers[0], answers[1])
  })

  it('makes no more than fifty sessions: those that were used last stay', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const { internalAdapter } = await (await authOf(app.context)).$context
    const proof = await proofOf(app.store.db, person.id)
    const [first] = await app.store.db.selectFrom('sessions').select('id').execute()
    await app.store.db.updateTable('sessions').set({ updatedAt: 1 }).execute()
    for (let n = 0; n < 52; n++) await withProof(proof, () => internalAdapter.createSession(person.id))
    const left = await app.store.db.selectFrom('sessions').select('id').execute()
    assert.equal(left.length, 50)
    assert.ok(!left.some(({ id }) => id === first?.id))
  })
})
