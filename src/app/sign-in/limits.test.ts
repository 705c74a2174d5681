import assert from 'node:assert/strict'
import { it } from 'node:test'
import { AppError } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { forgetTries, startTry } from './limits.ts'
import { deleteOldTries } from './limits-store.ts'
import { PASSWORD } from './test-bed.ts'

const MINUTE = 60_000
const ada = { email: 'ada@example.com', address: '192.0.2.1' }

/** As if so many milliseconds had gone by. */
async function wait({ db }: Store, milliseconds: number): Promise<void> {
  await db
    .updateTable('signInFailures')
    .set((eb) => ({
      lastAt: eb('lastAt', '-', milliseconds),
      blockedUntil: eb('blockedUntil', '-', milliseconds),
    }))
    .execute()
}

/** Seconds to wait; undefined for a try that was made. */
async function tryOnce(store: Store, who = ada): Promise<number | undefined> {
  try {
    await startTry(store, who)
    return undefined
  } catch (error) {
    assert.ok(error instanceof AppError)
    assert.equal(error.code, 'too_many_requests')
    return error.retryAfter
  }
}

async function tryOften(
  store: Store,
  times: number,
  who: (n: number) => typeof ada = () => ada,
): Promise<number> {
  let made = 0
  for (let n = 0; n < times; n++) if ((await tryOnce(store, who(n))) === undefined) made += 1
  return made
}

const nearly = (seconds: number | undefined, minutes: number) => {
  const from = minutes * 60 - 20
  assert.ok(
    seconds !== undefined && seconds > from && seconds <= minutes * 60,
    `${seconds} s, ${minutes} min`,
  )
}

describeBothStores('tries to sign in', (makePlace) => {
  it('are five in a minute, then one after 1, 2, 4 … minutes, up to an hour', async () => {
    await using app = await openApp(makePlace)
    assert.equal(await tryOften(app.store, 7), 5)
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      nearly(await tryOnce(app.store), minutes)
      await wait(app.store, minutes * MINUTE)
      assert.equal(await tryOnce(app.store), undefined, `after ${minutes} minutes`)
    }
  })

  it('are never more, however many come at once', async () => {
    await using app = await openApp(makePlace)
    const all = await Promise.all(Array.from({ length: 50 }, () => tryOnce(app.store)))
    assert.equal(all.filter((seconds) => seconds === undefined).length, 5)
  })

  it('are never more over HTTP, where the right password does not help any more', async () => {
    await using app = await openApp(makePlace)
    const { email } = await app.people.add()
    await app.store.db.deleteFrom('sessions').execute()
    const browser = app.people.browser('192.0.2.9')
    const attempt = (password: string) => browser.request('POST', '/api/v1/sign-in', { email, password })
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => attempt(`guess ${n}`)))
    const refused = answers.filter(({ statusCode }) => statusCode === 429)
    assert.equal(refused.length, 45)
    assert.ok(answers.every(({ statusCode }) => [401, 429].includes(statusCode)))
    assert.ok(Number(refused[0]?.headers['retry-after']) > 30)
    assert.equal((await attempt(PASSWORD)).statusCode, 429)
    const elsewhere = app.people.browser('192.0.2.10')
    const owner = await elsewhere.request('POST', '/api/v1/sign-in', { email, password: PASSWORD })
    assert.equal(owner.statusCode, 200, 'the owner, from elsewhere')
  })

  it('are forgotten after a quiet minute, or a quiet day', async () => {
    await using app = await openApp(makePlace)
    assert.equal(await tryOften(app.store, 4), 4)
    await wait(app.store, MINUTE + 1)
    assert.equal(await tryOften(app.store, 6), 5)
    await wait(app.store, 24 * 60 * MINUTE + 1)
    assert.equal(await tryOften(app.store, 6), 5)
  })

  it('are forgotten when one succeeds', async () => {
    await using app = await openApp(makePlace)
    await tryOften(app.store, 4)
    await forgetTries(app.store, await startTry(app.store, ada))
    assert.equal(await tryOften(app.store, 6), 5)
  })

  it('are limited for one who tries many accounts, and success does not begin that anew', async () => {
    await using app = await openApp(makePlace)
    const spray = (n: number) => ({ email: `user${n}@example.com`, address: '2001:db8::1' })
    assert.equal(await tryOften(app.store, 29, spray), 29)
    const own = await startTry(app.store, { email: 'own@example.com', address: '2001:db8::2' })
    await forgetTries(app.store, own)
    const other = (n: number) => ({ ...spray(n + 100), address: `2001:db8::${n + 2}` })
    assert.equal(await tryOften(app.store, 5, other), 1, 'from all of the network that is his')
    const neighbour = { email: 'user1@example.com', address: '2001:db8:0:1::1' }
    assert.equal(await tryOnce(app.store, neighbour), undefined)
  })

  it('of many against one account are slowed down, and keep its owner out of nothing', async () => {
    await using app = await openApp(makePlace)
    const person = await app.people.add({ email: ada.email })
    const bots = (n: number) => ({ ...ada, address: `198.51.${n >> 8}.${n & 255}` })
    const made = await tryOften(app.store, 60, bots)
    assert.ok(made >= 50 && made < 60, String(made))
    const seconds = await tryOnce(app.store, bots(1000))
    assert.ok(seconds !== undefined && seconds <= 30, 'never for long')
    const session = await app.store.db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow()
    const known = { ...ada, address: session.ipAddress ?? '' }
    assert.equal(await tryOnce(app.store, known), undefined, 'from where the owner has a session')
    assert.equal((await person.request('GET', '/api/v1/me')).statusCode, 200)
  })

  it('say who tried in no table', async () => {
    await using app = await openApp(makePlace)
    await tryOften(app.store, 2)
    const rows = await app.store.db.selectFrom('signInFailures').selectAll().execute()
    assert.equal(rows.length, 3)
    assert.doesNotMatch(JSON.stringify(rows), /ada|192\.0/)
  })

  it('leave nothing behind when they are old', async () => {
    await using app = await openApp(makePlace)
    await tryOften(app.store, 2)
    await deleteOldTries(app.store)
    assert.equal((await app.store.db.selectFrom('signInFailures').selectAll().execute()).length, 3)
    await wait(app.store, 25 * 60 * MINUTE)
    await deleteOldTries(app.store)
    assert.deepEqual(await app.store.db.selectFrom('signInFailures').selectAll().execute(), [])
  })
})
