import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { totp } from '../../src/app/second-factor/test-bed.ts'
import { startHttpReceiver } from '../servers/http-receiver.ts'
import { detailsOf, skipUnless } from '../servers/needs.ts'
import { startOidcProvider } from '../servers/oidc-provider.ts'
import { freePort } from '../servers/port.ts'
import { tempFolder } from '../servers/temp-folder.ts'
import { type AppProcess, startApp } from './app.ts'

/** A page of the app, without the program that it would load. */
const PAGE = '/api/docs'
const admin = { name: 'Ada', email: 'ada@example.com', password: 'Nacre-tiled 7 harbours' }

/** What the page of the app does, in the words of a browser. */
const program = {
  ask: `async ({ method, path, body }) => {
    const headers = body ? { 'content-type': 'application/json' } : {}
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
  }`,
  create: `async (options) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
    return (await navigator.credentials.create({ publicKey })).toJSON()
  }`,
  get: `async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
    return (await navigator.credentials.get({ publicKey })).toJSON()
  }`,
}

async function run<T>(page: Page, name: keyof typeof program, argument: unknown): Promise<T> {
  return await page.evaluate<T>(`(${program[name]})(${JSON.stringify(argument)})`)
}

async function ask<T = Record<string, unknown>>(
  page: Page,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  const answer = await run<{ status: number; body: T }>(page, 'ask', { method, path, body })
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

const statusOf = async (page: Page, path: string) =>
  (await run<{ status: number }>(page, 'ask', { method: 'GET', path })).status

describe('signing in, in a browser', { skip: skipUnless('chromium') }, () => {
  let browser: Browser
  let app: AppProcess
  let origin: string
  const stack = new AsyncDisposableStack()

  before(async () => {
    const folder = stack.use(await tempFolder('sign-in'))
    const port = String(await freePort())
    origin = `http://localhost:${port}`
    app = stack.use(await startApp(folder.path, { env: { HOLDFAST_PORT: port, APP_URL: origin } }))
    assert.ok(app.isUp, app.said())
    const [executablePath = ''] = detailsOf('chromium').programs
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    stack.defer(() => browser.close())
  })
  after(() => stack.disposeAsync())

  /** A browser of somebody else, on a page of the app. */
  async function open(): Promise<{ context: BrowserContext; page: Page } & AsyncDisposable> {
    const context = await browser.newContext()
    await context.route('**/reference.js*', (route) => route.abort())
    const page = await context.newPage()
    await page.goto(origin + PAGE)
    return { context, page, [Symbol.asyncDispose]: () => context.close() }
  }

  async function signedIn() {
    const opened = await open()
    const { email, password } = admin
    await ask(opened.page, 'POST', '/api/v1/sign-in', { email, password })
    return opened
  }

  it('begins with the token that the app prints, and ends with the session', async () => {
    await using opened = await open()
    const { page, context } = opened
    const token = /Or with the token of the setup:\s+(\S+)/.exec(app.said())?.[1]
    assert.ok(token, app.said())
    await ask(page, 'POST', '/api/v1/setup', { token, ...admin })
    assert.equal(await statusOf(page, '/api/v1/servers'), 200)
    const cookies = await context.cookies()
    assert.deepEqual(
      cookies.map(({ name, httpOnly, sameSite, secure, path, domain }) => ({
        name,
        httpOnly,
        sameSite,
        secure,
        path,
        domain,
      })),
      [
        {
          name: 'holdfast.session',
          httpOnly: true,
          sameSite: 'Lax',
          secure: false, // there is no TLS here
          path: '/',
          domain: 'localhost',
        },
      ],
    )
    assert.equal(await page.evaluate('document.cookie'), '')
    await ask(page, 'POST', '/api/v1/sign-out')
    assert.equal(await statusOf(page, '/api/v1/servers'), 401)
    assert.deepEqual(await context.cookies(), [])
    await ask(page, 'POST', '/api/v1/sign-in', { email: admin.email, password: admin.password })
    assert.equal(await statusOf(page, '/api/v1/servers'), 200)
  })

  it('asks for a code once an authenticator app is set up', async () => {
    await using first = await signedIn()
    const { email, password } = admin
    const { secret } = await ask<{ secret: string }>(first.page, 'POST', '/api/v1/me/totp', { password })
    await ask(first.page, 'POST', '/api/v1/me/totp/verify', { code: totp(secret) })

    await using second = await open()
    const half = await ask(second.page, 'POST', '/api/v1/sign-in', { email, password })
    assert.deepEqual(half, { secondFactor: ['totp', 'recovery-code'] })
    assert.equal(await statusOf(second.page, '/api/v1/servers'), 401)
    await ask(second.page, 'POST', '/api/v1/sign-in/second-factor', { code: totp(secret, 1) })
    assert.equal(await statusOf(second.page, '/api/v1/servers'), 200)
    const names = (await second.context.cookies()).map(({ name }) => name)
    assert.deepEqual(names, ['holdfast.session'])
    await ask(second.page, 'DELETE', '/api/v1/me/totp', { password })
  })

  it('takes a passkey of the device, without a name', async () => {
    await using opened = await signedIn()
    const { page, context } = opened
    const devtools = await context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    const options = await ask(page, 'POST', '/api/v1/me/passkeys/options')
    const response = await run(page, 'create', options)
    await ask(page, 'POST', '/api/v1/me/passkeys', { name: 'This device', response })
    await ask(page, 'POST', '/api/v1/sign-out')
    assert.equal(await statusOf(page, '/api/v1/me/passkeys'), 401)

    const challenge = await ask(page, 'POST', '/api/v1/sign-in/passkey/options')
    const proof = await run(page, 'get', challenge)
    await ask(page, 'POST', '/api/v1/sign-in/passkey', { response: proof })
    const { items } = await ask<{ items: { name: string; lastUsedAt: string | null }[] }>(
      page,
      'GET',
      '/api/v1/me/passkeys',
    )
    assert.deepEqual(
      items.map(({ name, lastUsedAt }) => [name, lastUsedAt !== null]),
      [['This device', true]],
    )
    const again = await run<{ status: number }>(page, 'ask', {
      method: 'POST',
      path: '/api/v1/sign-in/passkey',
      body: { response: proof },
    })
    assert.equal(again.status, 400, 'a proof that was used')
  })

  it('goes to the page of an identity provider and comes back', async () => {
    await using server = await startOidcProvider()
    server.accounts.set('grace', { email: 'grace@example.com', email_verified: true, name: 'Grace' })
    await using administrator = await signedIn()
    const { items: roles } = await ask<{ items: { id: string; name: string; organizationId?: string }[] }>(
      administrator.page,
      'GET',
      '/api/v1/roles',
    )
    const viewer = roles.find(({ name }) => name === 'Viewer') ?? assert.fail()
    const { discoveryUrl, clientId, clientSecret } = server
    const provider = await ask<{ id: string; redirectUrl: string }>(
      administrator.page,
      'POST',
      '/api/v1/identity-providers',
      {
        name: 'Company',
        kind: 'oidc',
        settings: { discoveryUrl, clientId, clientSecret },
        autoCreate: true,
        defaultMembership: { organizationId: viewer.id.replace(/-viewer$/, ''), roleId: viewer.id },
      },
    )
    assert.equal(provider.redirectUrl, `${origin}/api/v1/sign-in/providers/${provider.id}/callback`)
    server.allowRedirect(provider.redirectUrl)

    await using opened = await open()
    const { page, context } = opened
    await page.goto(`${origin}/api/v1/sign-in/providers/${provider.id}?to=${PAGE}`)
    assert.equal(new URL(page.url()).origin, server.issuer)
    await page.fill('input[name=login]', 'grace')
    await page.fill('input[name=password]', 'any')
    await page.click('button[type=submit]')
    await page.click('button[type=submit]') // that the app may know who it is
    await page.waitForURL(origin + PAGE)
    assert.equal(await statusOf(page, '/api/v1/servers'), 200)
    const names = (await context.cookies(origin)).map(({ name }) => name)
    assert.deepEqual(names, ['holdfast.session'])
    const { items } = await ask<{ items: { subject: string }[] }>(page, 'GET', '/api/v1/me/identities')
    assert.deepEqual(
      items.map(({ subject }) => subject),
      ['grace'],
    )
  })

  it('gives other pages nothing, neither of another site nor of another port of the same host', async () => {
    const form = `<form method="post" action="${origin}/api/v1/sign-out"><button>Win</button></form>`
    const headers = { 'content-type': 'text/html' }
    await using other = await startHttpReceiver(() => ({ status: 200, headers, body: form }))
    await using opened = await signedIn()
    const { page } = opened
    for (const [host, code] of [
      ['127.0.0.1', 'not_signed_in'], // the cookie does not come along
      ['localhost', 'forbidden'], // it does
    ] as const) {
      await page.goto(`http://${host}:${other.port}/`)
      await page.click('button')
      await page.waitForURL(`${origin}/api/v1/sign-out`)
      assert.match((await page.textContent('body')) ?? '', new RegExp(`"code":"${code}"`), host)
    }
    await page.goto(origin + PAGE)
    assert.equal(await statusOf(page, '/api/v1/servers'), 200)
  })
})
