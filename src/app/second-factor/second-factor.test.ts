import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import type { Browser, Person } from '../sign-in/test-bed.ts'
import { bytesOf, totp } from './test-bed.ts'

type App = Awaited<ReturnType<typeof openApp>>

/** Somebody with an authenticator app; its next code has not been used. */
async function addWithTotp(app: App) {
  const person = await app.people.add()
  const { password } = person
  const made = await person.request('POST', '/api/v1/me/totp', { password })
  assert.equal(made.statusCode, 200, made.body)
  assert.equal(made.headers['cache-control'], 'no-store')
  const { secret, uri, recoveryCodes } = made.json()
  assert.match(uri, /^otpauth:\/\/totp\/Holdfast:/)
  assert.equal(recoveryCodes.length, 10)
  const before = await person.signInAgain()
  assert.equal((await before.request('GET', '/api/v1/servers')).statusCode, 200, 'not asked for a code yet')
  const firstCode = totp(secret)
  const confirmed = await person.request('POST', '/api/v1/me/totp/verify', { code: firstCode })
  assert.equal(confirmed.statusCode, 204, confirmed.body)
  assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 200)
  return { person, secret: secret as string, firstCode, recoveryCodes: recoveryCodes as string[] }
}

async function enterPassword({ email, password }: Person, browser: Browser) {
  const answer = await browser.request('POST', '/api/v1/sign-in', { email, password })
  assert.deepEqual(answer.json(), { secondFactor: ['totp', 'recovery-code'] }, answer.body)
  assert.equal((await browser.request('GET', '/api/v1/servers')).statusCode, 401)
  return browser
}

const second = (browser: Browser, factor: object) =>
  browser.request('POST', '/api/v1/sign-in/second-factor', factor)

describeStores(
  'a second factor',
  (makePlace) => {
    it('is asked for behind the password, and each code works once', async () => {
      await using app = await openApp(makePlace)
      const { person, secret, firstCode } = await addWithTotp(app)
      const browser = await enterPassword(person, person.otherBrowser())
      const used = await second(browser, { code: firstCode })
      assert.equal(used.statusCode, 401, 'that with which it was set up')
      assert.equal(used.json().code, 'sign_in_failed')
      const code = totp(secret, 1)
      const answer = await second(browser, { code: `${code.slice(0, 3)} ${code.slice(3)}` })
      assert.equal(answer.statusCode, 200, answer.body)
      assert.deepEqual([...browser.cookies.keys()], ['holdfast.session'])
      assert.equal((await browser.request('GET', '/api/v1/servers')).statusCode, 200)
      const again = await enterPassword(person, person.otherBrowser())
      assert.equal((await second(again, { code })).statusCode, 401)
      const methods = await app.store.db.selectFrom('sessions').select('method').distinct().execute()
      assert.deepEqual(methods, [{ method: 'password' }])
    })

    it('lets one of two in who use a code at once', async () => {
      await using app = await openApp(makePlace)
      const { person, secret } = await addWithTotp(app)
      const browsers = [person.otherBrowser(), person.otherBrowser(), person.otherBrowser()]
      for (const browser of browsers) await enterPassword(person, browser)
      const code = totp(secret, 1)
      const answers = await Promise.all(browsers.map((browser) => second(browser, { code })))
      assert.deepEqual(answers.map(({ statusCode }) => String(statusCode)).sort(), ['200', '401', '401'])
    })

    it('is asked for of no one who has not entered the password, and only for some tries', async () => {
      await using app = await openApp(makePlace)
      const { person, secret } = await addWithTotp(app)
      const nobody = app.people.browser()
      assert.equal((await second(nobody, { code: totp(secret, 1) })).json().code, 'sign_in_expired')
      assert.equal((await second(nobody, { recoveryCode: 'x' })).json().code, 'sign_in_expired')
      const forged = app.people.browser()
      forged.cookies.set('holdfast.two_factor', '2fa-aaaaaaaaaaaaaaaaaaaa.x')
      assert.equal((await second(forged, { code: totp(secret, 1) })).json().code, 'sign_in_expired')

      const browser = await enterPassword(person, person.otherBrowser())
      const wrong = totp(secret, 500)
      const codes: string[] = []
      for (let n = 0; n < 6; n++) codes.push((await second(browser, { code: wrong })).json().code)
      assert.deepEqual(codes, [...Array<string>(5).fill('sign_in_failed'), 'too_many_requests'])
      assert.equal((await second(browser, { code: totp(secret, 1) })).json().code, 'sign_in_expired')

      const later = await enterPassword(person, person.otherBrowser())
      for (let n = 0; n < 5; n++) await second(later, { code: wrong })
      const locked = await enterPassword(person, person.otherBrowser())
      const refused = await second(locked, { code: totp(secret, 1) })
      assert.equal(refused.json().code, 'too_many_requests', 'ten wrong ones lock the account')
      const seconds = Number(refused.headers['retry-after'])
      assert.ok(seconds > 600 && seconds <= 900, String(seconds))
    })

    it('cannot be guessed by many tries at once', async () => {
      await using app = await openApp(makePlace)
      const { person, secret, recoveryCodes } = await addWithTotp(app)
      const browsers = Array.from({ length: 40 }, () => person.otherBrowser())
      for (const browser of browsers) await enterPassword(person, browser)
      const guesses = browsers.map((_, n) =>
        n % 2 === 0 ? { code: totp(secret, 500 + n) } : { recoveryCode: `wrong-${n}` },
      )
      const [right] = recoveryCodes
      const last = browsers.length - 1
      guesses.splice(last, 1, { recoveryCode: String(right) })
      const answers = await Promise.all(guesses.map((guess, n) => second(browsers[n] ?? person, guess)))
      const codes = answers.map((answer) => answer.json().code as string | undefined)
      const lookedAt = codes.filter((code) => code !== 'too_many_requests')
      assert.ok(lookedAt.length <= 10, `${lookedAt.length} were looked at`)
      assert.equal(answers[last]?.statusCode, 429, 'also the right one')
      assert.ok(Number(answers[last]?.headers['retry-after']) > 600)
    })

    it('is taken back as a try when it was right', async () => {
      await using app = await openApp(makePlace)
      const { person, secret, recoveryCodes } = await addWithTotp(app)
      const wrong = totp(secret, 500)
      for (const recoveryCode of recoveryCodes.slice(0, 4)) {
        const browser = await enterPassword(person, person.otherBrowser())
        for (let n = 0; n < 4; n++) assert.equal((await second(browser, { code: wrong })).statusCode, 401)
        assert.equal((await second(browser, { recoveryCode })).statusCode, 200)
      }
    })

    it('has no second half any more once the password is another one, or all is signed out', async () => {
      await using app = await openApp(makePlace)
      const { person, secret, recoveryCodes } = await addWithTotp(app)
      const [early, late] = [person.otherBrowser(), person.otherBrowser()]
      await enterPassword(person, early)
      assert.equal((await person.request('DELETE', '/api/v1/me/sessions')).statusCode, 200)
      const first = await second(early, { code: totp(secret, 1) })
      assert.equal(first.json().code, 'sign_in_expired', first.body)
      await enterPassword(person, late)
      const change = { current: person.password, new: 'Seven quiet lanterns' }
      assert.equal((await person.request('POST', '/api/v1/me/password', change)).statusCode, 204)
      const refused = await second(late, { recoveryCode: recoveryCodes[0] })
      assert.equal(refused.json().code, 'sign_in_expired', refused.body)
    })

    it('is replaced by a recovery code, once', async () => {
      await using app = await openApp(makePlace)
      const { person, recoveryCodes } = await addWithTotp(app)
      const [recoveryCode] = recoveryCodes
      const browser = await enterPassword(person, person.otherBrowser())
      assert.equal((await second(browser, { recoveryCode })).statusCode, 200)
      assert.deepEqual((await browser.request('GET', '/api/v1/me/totp')).json(), {
        isEnabled: true,
        recoveryCodesLeft: 9,
      })
      const again = await enterPassword(person, person.otherBrowser())
      assert.equal((await second(again, { recoveryCode })).json().code, 'sign_in_failed')

      const { password } = person
      const renewed = await person.request('POST', '/api/v1/me/recovery-codes', { password })
      assert.equal(renewed.json().recoveryCodes.length, 10)
      assert.equal((await second(again, { recoveryCode: recoveryCodes[1] })).statusCode, 401)
      assert.equal((await second(again, { recoveryCode: renewed.json().recoveryCodes[1] })).statusCode, 200)
      const wrong = await person.request('POST', '/api/v1/me/recovery-codes', { password: 'wrong' })
      assert.equal(wrong.json().code, 'sign_in_failed')
    })

    it('goes with the password or a code, and not with a token', async () => {
      await using app = await openApp(makePlace)
      const { person, secret, firstCode } = await addWithTotp(app)
      const { password } = person
      assert.equal((await person.request('POST', '/api/v1/me/totp', { password })).json().code, 'in_use')
      const wrong = await person.request('DELETE', '/api/v1/me/totp', { password: 'wrong' })
      assert.equal(wrong.json().code, 'sign_in_failed')
      const used = await person.request('DELETE', '/api/v1/me/totp', { code: firstCode })
      assert.equal(used.json().code, 'sign_in_failed')
      assert.equal((await app.ask('DELETE', '/api/v1/me/totp', { password })).statusCode, 403)
      const gone = await person.request('DELETE', '/api/v1/me/totp', { code: totp(secret, 1) })
      assert.equal(gone.statusCode, 204, gone.body)
      assert.equal((await person.request('GET', '/api/v1/me/totp')).json().isEnabled, false)
      const browser = await person.signInAgain()
      assert.equal((await browser.request('GET', '/api/v1/servers')).statusCode, 200)

      await person.request('POST', '/api/v1/me/totp', { password })
      assert.equal((await person.request('DELETE', '/api/v1/me/totp', { password })).statusCode, 204)
      assert.equal((await person.request('DELETE', '/api/v1/me/totp', { password })).statusCode, 404)
      await app.store.db.deleteFrom('accounts').execute()
      const none = await person.request('POST', '/api/v1/me/totp', { password })
      assert.equal(none.json().code, 'unsupported')
    })

    it('is demanded by the settings: without one, nothing else can be done', async () => {
      await using app = await openApp(makePlace)
      const person = await app.people.add({ isInstanceAdministrator: true })
      const settings = '/api/v1/instance-settings'
      assert.equal((await person.request('PATCH', settings, { requireSecondFactor: true })).statusCode, 200)

      const lacks = async () => (await person.request('GET', '/api/v1/me')).json().lacksSecondFactor
      assert.equal(await lacks(), true)
      const tries = [
        ['GET', '/api/v1/servers'],
        ['GET', '/api/v1/events'],
        ['PATCH', settings, { requireSecondFactor: false }],
        ['POST', '/api/v1/tokens', { name: 'way round', scopes: null }],
      ] as const
      for (const [method, url, body] of tries) {
        const refused = await person.request(method, url, body)
        assert.deepEqual([refused.statusCode, refused.json().code], [403, 'second_factor_required'], url)
      }
      const token = await app.ask('GET', '/api/v1/servers')
      assert.equal(token.statusCode, 200, 'a token has no password that others could know')

      const { id, password } = person
      const by = (method: string) =>
        app.store.db.updateTable('sessions').set({ method }).where('userId', '=', id).execute()
      for (const [method, isEnough] of [
        ['passkey', true],
        ['oidc:dex', true],
        ['link', false],
        ['password', false],
      ] as const) {
        await by(method)
        assert.equal(await lacks(), !isEnough, method)
      }

      const ofPasswords = app.store.db.updateTable('accounts').where('userId', '=', id)
      await ofPasswords.set({ providerId: 'elsewhere' }).execute()
      assert.equal(await lacks(), false, 'without a password, who came by a link')
      await ofPasswords.set({ providerId: 'credential' }).execute()

      const { secret } = (await person.request('POST', '/api/v1/me/totp', { password })).json()
      assert.equal(await lacks(), true, 'one that was not tried yet is none')
      const code = totp(secret)
      assert.equal((await person.request('POST', '/api/v1/me/totp/verify', { code })).statusCode, 204)
      assert.equal(await lacks(), false)
      assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 200)
      assert.equal((await person.request('DELETE', '/api/v1/me/totp', { password })).statusCode, 204)
      assert.equal((await person.request('GET', '/api/v1/servers')).statusCode, 403)
    })

    it('leaves no secret in the store that could be read', async () => {
      await using app = await openApp(makePlace)
      const { secret, recoveryCodes } = await addWithTotp(app)
      const stored = JSON.stringify([
        await app.store.db.selectFrom('twoFactors').selectAll().execute(),
        await app.store.db.selectFrom('verifications').selectAll().execute(),
      ])
      const raw = bytesOf(secret).toString()
      for (const shown of [secret, raw, ...recoveryCodes]) assert.ok(!stored.includes(shown))
    })
  },
  'postgresql',
)
