import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { newAttempt, openProvider } from './protocol.ts'

const WELL_KNOWN = '/.well-known/openid-configuration'

/** A provider that says what it is told to. */
async function startProvider(told: {
  issuer?: string
  idToken?: Record<string, unknown>
  userInfo?: Record<string, unknown>
  /** Instead of what it says of the user. */
  userStatus?: number
}) {
  const asked: string[] = []
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  let nonce = ''
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '')
    asked.push(path)
    request.resume()
    response.setHeader('content-type', 'application/json')
    if (path === '/user' && told.userStatus) response.statusCode = told.userStatus
    response.end(JSON.stringify(answer(path)))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = () => told.issuer ?? base
  const answer = (path: string): unknown => {
    if (path.endsWith(WELL_KNOWN)) {
      return {
        issuer: issuer(),
        authorization_endpoint: `${base}/authorize`,
        token_endpoint: `${base}/token`,
        jwks_uri: `${base}/keys`,
        userinfo_endpoint: `${base}/user`,
        id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
      }
    }
    if (path === '/keys') {
      return { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'RS256' }] }
    }
    if (path === '/user') return { sub: 'ada', ...told.userInfo }
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: issuer(), aud: 'us', sub: 'ada', iat: now, exp: now + 60, nonce, ...told.idToken }
    const parts = [{ alg: 'RS256', kid: 'k' }, claims]
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    const signature = sign('sha256', Buffer.from(text), privateKey)
    return {
      access_token: 'a',
      token_type: 'Bearer',
      id_token: `${text}.${signature.toString('base64url')}`,
    }
  }
  const open = async (discoveryUrl = `${base}${WELL_KNOWN}`) => {
    const settings = { discoveryUrl, clientId: 'us', scopes: ['openid'], allowHttp: false }
    return await openProvider({ id: 'p', kind: 'oidc', settings }, AbortSignal.timeout(20_000))
  }
  return {
    base,
    asked,
    open,
    async identity() {
      const provider = await open()
      const attempt = newAttempt()
      ;({ nonce } = attempt)
      return await provider.identity({ code: 'c', issuer: undefined }, attempt, 'http://localhost/callback')
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

describe('a provider of OpenID Connect', () => {
  it('is asked once for what it is: of the document that was checked all follows', async () => {
    await using provider = await startProvider({})
    const opened = await provider.open()
    assert.deepEqual(provider.asked, [WELL_KNOWN])
    const url = await opened.authorizationUrl(newAttempt(), 'http://localhost/callback')
    assert.equal(url.origin + url.pathname, `${provider.base}/authorize`)
  })

  it('is refused if it calls itself another one', async () => {
    const issuer = 'http://127.0.0.1:9/other'
    await using provider = await startProvider({ issuer })
    for (const url of [undefined, `${provider.base}/somewhere/else`]) {
      await assert.rejects(provider.open(url), { code: 'provider_refused' })
    }
    await using other = await startProvider({})
    await assert.rejects(other.open(`${other.base}/realms/a${WELL_KNOWN}`), { code: 'provider_refused' })
  })

  it('says an address and whether it is verified in one place, or it counts as unverified', async () => {
    const [ada, eve] = ['ada@example.com', 'eve@example.com']
    const cases = [
      { idToken: { email: eve }, userInfo: { email: ada, email_verified: true }, expected: [eve, false] },
      { idToken: { email: eve }, userInfo: { email_verified: true }, expected: [eve, false] },
      { idToken: { email_verified: true }, userInfo: { email: ada }, expected: [ada, false] },
      { idToken: { email: ada }, userInfo: { email: ada, email_verified: true }, expected: [ada, true] },
      { idToken: {}, userInfo: { email: ada, email_verified: true }, expected: [ada, true] },
      { idToken: { email: ada, email_verified: true }, userInfo: {}, expected: [ada, true] },
      {
        idToken: { email: ada, email_verified: false },
        userInfo: { email: ada, email_verified: true },
        expected: [ada, false],
      },
    ]
    for (const { expected, ...told } of cases) {
      await using provider = await startProvider(told)
      const { email, isEmailVerified, subject } = await provider.identity()
      assert.deepEqual([email, isEmailVerified, subject], [...expected, 'ada'], JSON.stringify(told))
    }
  })

  it('signs nobody in while it cannot say what it knows of them: missing groups would be taken away', async () => {
    await using provider = await startProvider({ userInfo: { groups: ['ops'] }, userStatus: 503 })
    await assert.rejects(provider.identity(), { code: 'provider_refused' })
  })

  it('is not believed what is for another client, or of another issuer', async () => {
    for (const idToken of [{ aud: 'them' }, { iss: 'https://evil.test' }, { nonce: 'x' }, { exp: 1 }]) {
      await using provider = await startProvider({ idToken })
      await assert.rejects(provider.identity(), { code: 'provider_refused' }, JSON.stringify(idToken))
    }
  })
})
