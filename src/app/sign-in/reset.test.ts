import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readMail, startSmtpReceiver } from '../../../test/servers/smtp-receiver.ts'
import { type Certificates, makeCertificates } from '../../../test/servers/certificates.ts'
import { describeBothStores, describeStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { makeLink } from './links.ts'
import { PASSWORD } from './test-bed.ts'

type MakePlace = Parameters<typeof openApp>[0]

const NEXT = 'Seven quiet lanterns'
let certificates: Certificates | undefined

/** An app that can send mail, with a user. */
async function openWithMail(makePlace: MakePlace) {
  certificates ??= await makeCertificates()
  const server = await startSmtpReceiver({
    certificate: certificates.server,
    user: 'holdfast',
    password: 'smtp-password-1',
    tls: 'none',
  })
  const app = await openApp(makePlace)
  app.context.appUrl = 'http://backups.example.com'
  app.context.smtp = {
    host: '127.0.0.1',
    port: server.port,
    tls: 'none',
    user: 'holdfast',
    password: 'smtp-password-1',
    from: 'Holdfast <holdfast@example.com>',
  }
  const person = await app.people.add({ email: 'ada@example.com' })
  const order = (email: string) => app.people.browser().request('POST', '/api/v1/password-reset', { email })
  /** The token of the nth mail, as soon as it is there. */
  const tokenOf = async (n: number) => {
    for (let waited = 0; server.received.length < n && waited < 10_000; waited += 20) await sleep(20)
    const mail = server.received[n - 1] ?? assert.fail(`there is no mail ${n}`)
    const link = /http:\/\/backups\.example\.com\/reset-password#token=([\w-]{43})/
    return link.exec(readMail(mail.source).text)?.[1] ?? assert.fail('there is no link')
  }
  const confirm = (token: string, password = NEXT) =>
    app.people.browser().request('POST', '/api/v1/password-reset/confirm', { token, password })
  return {
    ...app,
    server,
    person,
    order,
    tokenOf,
    confirm,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

describeBothStores('a forgotten password', (makePlace) => {
  it('is set anew with a link that comes by mail, once, and ends all sessions', async () => {
    await using app = await openWithMail(makePlace)
    assert.equal((await app.get('/api/v1/sign-in')).json().passwordReset, true)
    const ordered = await app.order('Ada@example.com')
    assert.equal(ordered.statusCode, 202, ordered.body)
    const token = await app.tokenOf(1)
    assert.deepEqual(app.server.received[0]?.to, ['ada@example.com'])
    const rows = await app.store.db.selectFrom('verifications').selectAll().execute()
    assert.ok(rows.length === 1 && !JSON.stringify(rows).includes(token), 'the store has only its hash')

    const bad = await app.confirm(token, 'password1234')
    assert.equal(bad.statusCode, 400)
    const confirmed = await app.confirm(token)
    assert.equal(confirmed.statusCode, 204, confirmed.body)
    assert.equal((await app.confirm(token)).statusCode, 404)
    assert.equal((await app.person.request('GET', '/api/v1/me')).statusCode, 401)
    const signIn = (password: string) =>
      app.people.browser().request('POST', '/api/v1/sign-in', { email: 'ada@example.com', password })
    assert.equal((await signIn(PASSWORD)).statusCode, 401)
    assert.equal((await signIn(NEXT)).statusCode, 200)
  })

  it('is set by one of all who come with the link at once', async () => {
    await using app = await openWithMail(makePlace)
    const token = await makeLink(app.store, 'reset-password', app.person)
    const answers = await Promise.all(Array.from({ length: 5 }, () => app.confirm(token)))
    const codes = answers.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)
    assert.deepEqual(codes, [204, 404, 404, 404, 404])
  })

  it('is answered alike for everybody, and mailed only to who signs in with a password', async () => {
    await using app = await openWithMail(makePlace)
    const disabled = await app.people.add({ email: 'disabled@example.com' })
    await app.store.db.updateTable('users').set({ isDisabled: 1 }).where('id', '=', disabled.id).execute()
    const single = await app.people.add({ email: 'sso@example.com' })
    await app.store.db.deleteFrom('accounts').where('userId', '=', single.id).execute()
    const answers: string[] = []
    for (const name of ['nobody', 'disabled', 'sso', 'ada']) {
      const { statusCode, body } = await app.order(`${name}@example.com`)
      answers.push(`${statusCode} ${body}`)
    }
    assert.deepEqual(new Set(answers), new Set([answers[0]]))
    await app.tokenOf(1)
    await app.app.close()
    assert.deepEqual(
      app.server.received.map(({ to }) => to),
      [['ada@example.com']],
    )
  })

  it('is no reason to fill a mailbox', async () => {
    await using app = await openWithMail(makePlace)
    const codes: number[] = []
    for (let n = 0; n < 5; n++) codes.push((await app.order('ada@example.com')).statusCode)
    assert.deepEqual(codes, [202, 202, 202, 429, 429])
    // However often somebody else asks, the owner waits a quarter of an hour.
    for (let n = 0; n < 4; n++) {
      await app.store.db.updateTable('signInFailures').set({ blockedUntil: 0 }).execute()
      assert.equal((await app.order('ada@example.com')).statusCode, 202)
    }
    const refused = await app.order('ada@example.com')
    const seconds = Number(refused.headers['retry-after'])
    assert.ok(seconds > 600 && seconds <= 900, String(seconds))
  })

  it('takes the account from whoever made it with an address that nobody had proven', async () => {
    await using app = await openWithMail(makePlace)
    const { db, now } = app.store
    const { id: userId } = app.person
    await db
      .insertInto('passkeys')
      .values({
        id: 'p',
        userId,
        name: 'p',
        credentialId: 'c',
        publicKey: 'k',
        counter: 0,
        transports: '[]',
        mayBeBackedUp: 0,
        isBackedUp: 0,
        createdAt: now,
      })
      .execute()
    await db
      .insertInto('accounts')
      .values({ id: 'a', userId, accountId: 's', providerId: 'company', createdAt: now, updatedAt: now })
      .execute()
    await db.insertInto('twoFactors').values({ id: 't', userId, secret: 's', backupCodes: 'b' }).execute()
    await db.updateTable('users').set({ twoFactorEnabled: 1 }).where('id', '=', userId).execute()
    const made = await app.person.request('POST', '/api/v1/tokens', { name: 'theirs' })
    assert.equal(made.statusCode, 201, made.body)
    const left = async () => {
      const count = async (table: 'passkeys' | 'twoFactors' | 'accounts') =>
        (await db.selectFrom(table).select('id').where('userId', '=', userId).execute()).length
      const tokens = await db.selectFrom('tokens').select('id').where('ownerId', '=', userId).execute()
      return [await count('passkeys'), await count('twoFactors'), await count('accounts'), tokens.length]
    }
    const reset = async (password: string) => {
      const token = await makeLink(app.store, 'reset-password', app.person)
      assert.equal((await app.confirm(token, password)).statusCode, 204)
    }
    await reset(NEXT)
    assert.deepEqual(await left(), [1, 1, 2, 1], 'the address was proven before')
    await db.updateTable('users').set({ emailVerified: 0 }).where('id', '=', userId).execute()
    await reset(PASSWORD)
    assert.deepEqual(await left(), [0, 0, 1, 0], 'the password is left')
    const { email } = app.person
    const signedIn = await app.people
      .browser()
      .request('POST', '/api/v1/sign-in', { email, password: PASSWORD })
    assert.deepEqual([signedIn.statusCode, signedIn.json()], [200, {}])
  })

  it('is mailed to no address that the account has no more', async () => {
    await using app = await openWithMail(makePlace)
    const former = { id: app.person.id, email: 'former@example.com' }
    await assert.rejects(makeLink(app.store, 'reset-password', former), { code: 'changed_meanwhile' })
  })

  it('has links that no further order voids, but an hour, one of them, and another password', async () => {
    await using app = await openWithMail(makePlace)
    const make = () => makeLink(app.store, 'reset-password', app.person)
    const [first, second] = [await make(), await make()]
    assert.equal((await app.confirm(first, PASSWORD)).statusCode, 204)
    assert.equal((await app.confirm(second)).statusCode, 404, 'one was used')
    const before = await make()
    const browser = await app.person.signInAgain()
    const change = { current: PASSWORD, new: NEXT }
    assert.equal((await browser.request('POST', '/api/v1/me/password', change)).statusCode, 204)
    assert.equal((await app.confirm(before)).statusCode, 404)
    const third = await makeLink(app.store, 'reset-password', app.person)
    const { db, now } = app.store
    const { left } = await db
      .selectFrom('verifications')
      .select((eb) => eb('expiresAt', '-', now).as('left'))
      .executeTakeFirstOrThrow()
    assert.ok(left > 3_590_000 && left <= 3_600_000)
    await db.updateTable('verifications').set({ expiresAt: now }).execute()
    assert.equal((await app.confirm(third)).statusCode, 404)
  })

  it('is nothing to mail without an address of the app, or a mail server', async () => {
    await using app = await openWithMail(makePlace)
    app.context.appUrl = undefined
    assert.equal((await app.get('/api/v1/sign-in')).json().passwordReset, false)
    assert.equal((await app.order('ada@example.com')).statusCode, 202)
    app.context.appUrl = 'http://backups.example.com'
    app.context.smtp = undefined
    assert.equal((await app.get('/api/v1/sign-in')).json().passwordReset, false)
    assert.equal((await app.order('ada@example.com')).statusCode, 202)
    await app.app.close()
    assert.deepEqual(app.server.received, [])
  })

  it('keeps nobody waiting, and says nothing to them, when the mail server refuses', async () => {
    await using app = await openWithMail(makePlace)
    app.server.refuse({ recipient: () => ({ code: 550, text: '5.1.1 No such user here' }) })
    assert.equal((await app.order('ada@example.com')).statusCode, 202)
  })
})

describeStores('a link to sign in with', (makePlace) => {
  it('signs in once, also where passwords are switched off, and is no link of another kind', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    await app.store.db
      .insertInto('instanceSettings')
      .values({
        id: 'instance',
        content: '{"passwordSignIn":false}',
        revision: 1,
        updatedAt: app.store.now,
      })
      .execute()
    const reset = await makeLink(app.store, 'reset-password', person)
    const token = await makeLink(app.store, 'sign-in-link', person)
    const follow = (carried: string, headers = {}) => {
      const browser = app.people.browser()
      return browser.request('POST', '/api/v1/sign-in/link', { token: carried }, headers).then((answer) => ({
        answer,
        browser,
      }))
    }
    assert.equal((await follow(reset)).answer.statusCode, 404)
    assert.equal((await follow(token, { 'sec-fetch-site': 'cross-site' })).answer.statusCode, 403)
    const { answer, browser } = await follow(token)
    assert.equal(answer.statusCode, 200, answer.body)
    assert.equal((await browser.request('GET', '/api/v1/me')).json().user.id, person.id)
    const [latest] = (await browser.request('GET', '/api/v1/me/sessions')).json().items
    assert.equal(latest.method, 'link')
    assert.equal((await follow(token)).answer.statusCode, 404)
  })

  it('is of no use to a disabled account', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add()
    const token = await makeLink(app.store, 'sign-in-link', person)
    await app.store.db.updateTable('users').set({ isDisabled: 1 }).execute()
    const refused = await app.people.browser().request('POST', '/api/v1/sign-in/link', { token })
    assert.equal(refused.statusCode, 403, refused.body)
  })
})
