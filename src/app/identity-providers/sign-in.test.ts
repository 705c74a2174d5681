import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import {
  type OidcAccount,
  type OidcServer,
  signInAt,
  startOidcProvider,
} from '../../../test/servers/oidc-provider.ts'
import { describeStores, type StorePlace } from '../../store/test-bed.ts'
import { builtInRoleId } from '../roles/built-in.ts'
import type { Browser } from '../sign-in/test-bed.ts'
import { openApp } from '../test-bed.ts'

let server: OidcServer
before(async () => (server = await startOidcProvider()))
after(() => server[Symbol.asyncDispose]())

const ada: OidcAccount = { email: 'ada@example.com', email_verified: true, name: 'Ada', groups: ['ops'] }

/** An app with the provider, and who may sign in there. */
async function open(
  makePlace: () => Promise<StorePlace>,
  rules: object = {},
  accounts: Record<string, OidcAccount> = { ada },
) {
  const app = await openApp(makePlace)
  const settings = {
    discoveryUrl: server.discoveryUrl,
    clientId: server.clientId,
    clientSecret: server.clientSecret,
  }
  const role = (slug: string) => ({
    organizationId: app.organizationId,
    roleId: builtInRoleId(app.organizationId, slug),
  })
  const order = {
    name: 'Company',
    kind: 'oidc',
    settings,
    autoCreate: true,
    defaultMembership: role('viewer'),
  }
  const added = await app.ask('POST', '/api/v1/identity-providers', { ...order, ...rules })
  assert.equal(added.statusCode, 201, added.body)
  const provider = added.json() as { id: string; redirectUrl: string }
  server.allowRedirect(provider.redirectUrl)
  server.accounts.clear()
  for (const [name, account] of Object.entries(accounts)) server.accounts.set(name, account)
  const start = `/api/v1/sign-in/providers/${provider.id}`
  /** Begins; returns the address at the provider. */
  const begin = async (browser: Browser, to = '/snapshots') => {
    const answer = await browser.request('GET', `${start}?to=${encodeURIComponent(to)}`)
    assert.equal(answer.statusCode, 303, answer.body)
    return String(answer.headers['location'])
  }
  /** What the app answers when the browser comes back. */
  const comeBack = async (browser: Browser, url: string) => {
    const { pathname, search } = new URL(url)
    const cross = { 'sec-fetch-site': 'cross-site' }
    return await browser.request('GET', pathname + search, undefined, cross)
  }
  const signIn = async (name: string, browser = app.people.browser()) => {
    const back = await signInAt(server, await begin(browser), name)
    const { headers } = await comeBack(browser, back)
    return { browser, to: headers['location'] }
  }
  const memberships = () =>
    app.store.db
      .selectFrom('memberships')
      .innerJoin('users', 'users.id', 'memberships.userId')
      .select(['users.email', 'memberships.roleId', 'memberships.providerId'])
      .orderBy('users.email')
      .execute()
  const change = async (changes: object) => {
    const answer = await app.ask('PATCH', `/api/v1/identity-providers/${provider.id}`, changes)
    assert.equal(answer.statusCode, 200, answer.body)
  }
  return {
    ...app,
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
    provider,
    role,
    begin,
    comeBack,
    signIn,
    memberships,
    change,
  }
}

describeStores(
  'signing in by an identity provider',
  (makePlace) => {
    it('makes an account the first time, and finds it the second, also under another address', async () => {
      await using app = await open(makePlace)
      const first = await app.signIn('ada')
      assert.equal(first.to, '/snapshots')
      assert.deepEqual([...first.browser.cookies.keys()], ['holdfast.session'])
      assert.equal((await first.browser.request('GET', '/api/v1/servers')).statusCode, 200)
      assert.deepEqual(await app.memberships(), [
        { email: 'ada@example.com', roleId: app.role('viewer').roleId, providerId: app.provider.id },
      ])
      server.accounts.set('ada', { ...ada, email: 'lovelace@example.com' })
      assert.equal((await app.signIn('ada')).to, '/snapshots')
      const users = await app.store.db
        .selectFrom('users')
        .select(['name', 'email', 'emailVerified'])
        .execute()
      assert.deepEqual(users, [{ name: 'Ada', email: 'ada@example.com', emailVerified: 1 }])
      const sessions = await app.store.db.selectFrom('sessions').select('method').execute()
      assert.deepEqual(
        sessions,
        [1, 2].map(() => ({ method: `oidc:${app.provider.id}` })),
      )
    })

    it('makes no account where it is not told to', async () => {
      await using app = await open(makePlace, { autoCreate: false })
      const { to, browser } = await app.signIn('ada')
      assert.equal(to, '/sign-in?error=account_unknown')
      assert.equal(browser.cookies.size, 0)
      assert.equal((await app.store.db.selectFrom('users').select('id').execute()).length, 0)
    })

    it('links an account by an address that is verified on both sides, and by no other', async () => {
      await using app = await open(makePlace)
      const person = await app.people.add({ email: 'ada@example.com', role: 'operator' })
      server.accounts.set('mallory', { ...ada, email_verified: false })
      assert.equal((await app.signIn('mallory')).to, '/sign-in?error=email_not_verified')
      await app.store.db.updateTable('users').set({ emailVerified: 0 }).execute()
      assert.equal((await app.signIn('ada')).to, '/sign-in?error=email_not_verified')
      await app.store.db.updateTable('users').set({ emailVerified: 1 }).execute()
      const { browser, to } = await app.signIn('ada')
      assert.equal(to, '/snapshots')
      const { items } = (await browser.request('GET', '/api/v1/me/identities')).json()
      assert.deepEqual(
        items.map(({ provider, subject }: { provider: { name: string }; subject: string }) => [
          provider.name,
          subject,
        ]),
        [['Company', 'ada']],
      )
      // What a person gave is nothing that the provider changes.
      assert.deepEqual(await app.memberships(), [
        { email: person.email, roleId: app.role('operator').roleId, providerId: null },
      ])
    })

    it('refuses who is disabled', async () => {
      await using app = await open(makePlace)
      await app.signIn('ada')
      await app.store.db.updateTable('users').set({ isDisabled: 1 }).execute()
      const { to, browser } = await app.signIn('ada')
      assert.equal(to, '/sign-in?error=forbidden')
      assert.equal(browser.cookies.size, 0)
    })

    it('takes only verified addresses of the domains that are named', async () => {
      await using app = await open(makePlace, { emailDomains: ['example.com'] })
      server.accounts.set('eve', { email: 'eve@example.com.evil.test', email_verified: true })
      server.accounts.set('bob', { email: 'bob@example.com', email_verified: false })
      for (const name of ['eve', 'bob']) {
        assert.equal((await app.signIn(name)).to, '/sign-in?error=account_unknown')
      }
      assert.equal((await app.signIn('ada')).to, '/snapshots')
    })

    it('gives the roles of the groups, anew each time, and with strict rules no others', async () => {
      await using app = await open(makePlace, { claim: 'groups' })
      await app.change({
        mappings: [
          { value: 'admins', ...app.role('admin') },
          { value: 'ops', ...app.role('operator') },
        ],
      })
      const roles = async () => (await app.memberships()).map(({ roleId }) => roleId)
      await app.signIn('ada')
      assert.deepEqual(await roles(), [app.role('operator').roleId])
      server.accounts.set('ada', { ...ada, groups: ['admins', 'ops'] })
      await app.signIn('ada')
      assert.deepEqual(await roles(), [app.role('admin').roleId])
      // The last who may give roles out keeps that.
      server.accounts.set('ada', { ...ada, groups: [] })
      await app.signIn('ada')
      assert.deepEqual(await roles(), [app.role('admin').roleId])
      await app.people.add({ role: 'admin', email: 'root@example.com' })
      await app.signIn('ada')
      assert.deepEqual(await roles(), [app.role('viewer').roleId, app.role('admin').roleId])

      const { browser } = await app.signIn('ada')
      await app.change({ isStrict: true })
      const refused = await app.signIn('ada')
      assert.equal(refused.to, '/sign-in?error=no_role')
      assert.deepEqual(await roles(), [app.role('admin').roleId], 'only that of the other')
      assert.equal((await browser.request('GET', '/api/v1/servers')).statusCode, 401)
      server.accounts.set('new', { ...ada, email: 'new@example.com', groups: ['others'] })
      assert.equal((await app.signIn('new')).to, '/sign-in?error=no_role')
      assert.equal((await app.store.db.selectFrom('users').select('id').execute()).length, 2)
      server.accounts.set('ada', { ...ada, groups: ['ops'] })
      assert.equal((await app.signIn('ada')).to, '/snapshots')
    })

    it('finds groups below a path, and where the user is asked for', async () => {
      await using other = await startOidcProvider({ groupsInUserInfo: true })
      await using app = await open(makePlace, { claim: 'realm_access.roles', defaultMembership: null })
      const { discoveryUrl, clientId, clientSecret } = other
      other.allowRedirect(app.provider.redirectUrl)
      other.accounts.set('ada', { ...ada, realm_access: { roles: ['backup'] } })
      await app.change({
        settings: { discoveryUrl, clientId, clientSecret },
        mappings: [{ value: 'backup', ...app.role('member') }],
      })
      const browser = app.people.browser()
      const back = await signInAt(other, await app.begin(browser), 'ada')
      assert.equal((await app.comeBack(browser, back)).headers['location'], '/snapshots')
      assert.deepEqual(
        (await app.memberships()).map(({ roleId }) => roleId),
        [app.role('member').roleId],
      )
    })

    it('changes nothing of who administers the instance, whatever the groups', async () => {
      await using app = await open(makePlace, { isStrict: true, claim: 'groups' })
      const email = 'ada@example.com'
      const person = await app.people.add({ email, isInstanceAdministrator: true, role: 'viewer' })
      const { to, browser } = await app.signIn('ada')
      assert.equal(to, '/snapshots')
      assert.equal((await browser.request('GET', '/api/v1/instance-settings')).statusCode, 200)
      assert.deepEqual(
        (await app.memberships()).map(({ email }) => email),
        [person.email],
      )
    })

    it('refuses an answer to another browser, to another question, and one that came before', async () => {
      await using app = await open(makePlace)
      const over = '/sign-in?error=sign_in_expired'
      const [victim, attacker] = [app.people.browser(), app.people.browser()]
      const back = await signInAt(server, await app.begin(attacker), 'ada')
      const location = async (browser: Browser, url: string) =>
        (await app.comeBack(browser, url)).headers['location']
      assert.equal(await location(victim, back), over, 'without a cookie')
      await app.begin(victim)
      assert.equal(await location(victim, back), over, 'with the cookie of another sign-in')
      assert.equal(victim.cookies.size, 0)
      const kept = new Map(attacker.cookies)
      assert.equal(await location(attacker, back), '/snapshots')
      for (const [name, value] of kept) attacker.cookies.set(name, value)
      assert.equal(await location(attacker, back), over, 'the same once more')
      for (const [name, value] of kept) victim.cookies.set(name, `${value}x`)
      assert.equal(await location(victim, back), over, 'with a cookie that was changed')
    })

    it('refuses an ID token with other claims, without a true signature, of another sign-in, and none at all', async () => {
      await using app = await open(makePlace)
      const changed = (token: unknown, change: (claims: Record<string, unknown>) => void, sign = true) => {
        const [head, body = '', signature = ''] = String(token).split('.')
        const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
        change(claims)
        const made = Buffer.from(JSON.stringify(claims)).toString('base64url')
        const unsigned = Buffer.from('{"alg":"none"}').toString('base64url')
        return sign ? `${head}.${made}.${signature}` : `${unsigned}.${made}.`
      }
      const tamperings: ((answer: Record<string, unknown>) => Record<string, unknown>)[] = [
        (answer) => ({
          ...answer,
          id_token: changed(answer['id_token'], (claims) => (claims['sub'] = 'root')),
        }),
        (answer) => ({ ...answer, id_token: changed(answer['id_token'], () => {}, false) }),
        (answer) => ({ ...answer, id_token: String(answer['id_token']).slice(0, -8) + 'AAAAAAAA' }),
        (answer) => ({ ...answer, id_token: undefined }),
      ]
      try {
        for (const tampering of tamperings) {
          server.tamper(tampering)
          const { to, browser } = await app.signIn('ada')
          assert.equal(to, '/sign-in?error=provider_refused')
          assert.equal(browser.cookies.size, 0)
        }
        // Signed as it should be, but for another sign-in.
        let stolen: unknown
        server.tamper((answer) => ((stolen = answer['id_token']), answer))
        await app.signIn('ada')
        server.tamper((answer) => ({ ...answer, id_token: stolen }))
        assert.equal((await app.signIn('ada')).to, '/sign-in?error=provider_refused')
      } finally {
        server.tamper(undefined)
      }
      assert.equal((await app.signIn('ada')).to, '/snapshots')
    })

    it('refuses a code that was used, and what the provider itself refuses', async () => {
      await using app = await open(makePlace)
      const browser = app.people.browser()
      const used = new URL(await signInAt(server, await app.begin(browser), 'ada'))
      await app.comeBack(browser, used.href)
      const again = app.people.browser()
      const back = new URL(await signInAt(server, await app.begin(again), 'ada'))
      back.searchParams.set('code', used.searchParams.get('code') ?? '')
      const refused = await app.comeBack(again, back.href)
      assert.equal(refused.headers['location'], '/sign-in?error=provider_refused')
      const third = app.people.browser()
      const denied = new URL(app.provider.redirectUrl)
      denied.searchParams.set('state', new URL(await app.begin(third)).searchParams.get('state') ?? '')
      denied.searchParams.set('error', 'access_denied')
      const answer = await app.comeBack(third, denied.href)
      assert.equal(answer.headers['location'], '/sign-in?error=provider_refused')
      const entries = await app.store.db.selectFrom('auditEntries').select(['action', 'outcome']).execute()
      const outcomes = entries
        .filter(({ action }) => action === 'sign-in.provider')
        .map(({ outcome }) => outcome)
      // Of the same refusals one is recorded.
      assert.deepEqual(outcomes, ['succeeded', 'provider_refused'])
    })

    it('says that a provider is down, and begins again when it is not', async () => {
      await using app = await open(makePlace)
      await app.change({ settings: { ...connection(), discoveryUrl: 'http://127.0.0.1:9/.well-known/x' } })
      const browser = app.people.browser()
      assert.equal(await app.begin(browser), '/sign-in?error=provider_unreachable')
      const report = await app.ask('POST', `/api/v1/identity-providers/${app.provider.id}/test`)
      assert.equal(report.json().passed, false, report.body)
      await app.change({ settings: connection() })
      assert.equal((await app.signIn('ada')).to, '/snapshots')
      const working = (await app.ask('POST', `/api/v1/identity-providers/${app.provider.id}/test`)).json()
      assert.equal(working.passed, true, JSON.stringify(working))
    })

    it('takes with a membership what would still act for its user there', async () => {
      await using app = await open(makePlace, { claim: 'groups', defaultMembership: null })
      const mapped = (slug: string) => app.change({ mappings: [{ value: 'ops', ...app.role(slug) }] })
      await mapped('admin')
      const { browser } = await app.signIn('ada')
      const { token } = (await browser.request('POST', '/api/v1/tokens', { name: 'adas' })).json()
      const invite = (email: string) =>
        browser.request('POST', '/api/v1/invitations', { email, roleId: app.role('operator').roleId })
      assert.equal((await invite('eve@example.com')).statusCode, 201)
      const invited = () => app.store.db.selectFrom('invitations').select('email').execute()
      await app.people.add({ email: 'root@example.com', role: 'admin' })
      await mapped('viewer')
      await app.signIn('ada')
      assert.deepEqual(await invited(), [], 'she may not give that any more')

      await mapped('admin')
      await app.signIn('ada')
      assert.equal((await invite('bob@example.com')).statusCode, 201)
      await app.change({ mappings: [] })
      await app.signIn('ada')
      assert.deepEqual(await invited(), [])
      assert.deepEqual(
        await app.store.db.selectFrom('tokens').select('id').where('name', '=', 'adas').execute(),
        [],
      )
      assert.equal((await app.get('/api/v1/servers', `Bearer ${token}`)).statusCode, 401)
    })

    it('goes on to no other site', async () => {
      await using app = await open(makePlace)
      for (const to of ['https://evil.test/', '//evil.test', '/\\evil.test', '\\\\evil.test', '/a\tb']) {
        const url = `/api/v1/sign-in/providers/${app.provider.id}?to=${encodeURIComponent(to)}`
        assert.equal((await app.app.inject(url)).statusCode, 400, to)
      }
    })

    it('is added to an account in the profile, and taken away unless it is the last way', async () => {
      await using app = await open(makePlace, { autoCreate: false })
      const person = await app.people.add({ email: 'other@example.com' })
      const begun = await person.request('POST', '/api/v1/me/identities', {
        providerId: app.provider.id,
        to: '/profile',
      })
      assert.equal(begun.statusCode, 200, begun.body)
      const linked = await app.comeBack(person, await signInAt(server, begun.json().url, 'ada'))
      assert.equal(linked.headers['location'], '/profile')
      const { browser, to } = await app.signIn('ada')
      assert.equal(to, '/snapshots')
      const me = (await browser.request('GET', '/api/v1/me/identities')).json()
      assert.equal(me.items.length, 1)

      const stranger = await app.people.add({ email: 'third@example.com' })
      const order = { providerId: app.provider.id }
      const { url } = (await stranger.request('POST', '/api/v1/me/identities', order)).json()
      const taken = await app.comeBack(stranger, await signInAt(server, url, 'ada'))
      assert.equal(taken.headers['location'], '/sign-in?error=identity_taken')

      const place = `/api/v1/me/identities/${me.items[0].id}`
      assert.equal((await stranger.request('DELETE', place)).statusCode, 404)
      const off = await app.ask('PATCH', '/api/v1/instance-settings', { passwordSignIn: false })
      assert.equal(off.statusCode, 200, off.body)
      const switchedOff = await person.request('DELETE', place)
      assert.equal(switchedOff.json().code, 'last_way_to_sign_in', 'a password that is switched off is none')
      await app.ask('PATCH', '/api/v1/instance-settings', { passwordSignIn: true })
      await app.store.db.deleteFrom('accounts').where('providerId', '=', 'credential').execute()
      const refused = await person.request('DELETE', place)
      assert.equal(refused.json().code, 'last_way_to_sign_in')
      const inUse = await app.ask('DELETE', `/api/v1/identity-providers/${app.provider.id}`)
      assert.equal(inUse.json().code, 'in_use', inUse.body)
      assert.match(inUse.json().title, /other@example\.com/)
      const gone = await app.ask('DELETE', `/api/v1/identity-providers/${app.provider.id}?force=true`)
      assert.equal(gone.statusCode, 204, gone.body)
    })

    it('is added to no account whose password is another one since, or whose session is over', async () => {
      await using app = await open(makePlace, { autoCreate: false })
      const person = await app.people.add({ email: 'other@example.com' })
      const order = { providerId: app.provider.id, to: '/profile' }
      const begin = async (browser: Browser) => {
        const begun = await browser.request('POST', '/api/v1/me/identities', order)
        return await signInAt(server, begun.json().url, 'ada')
      }
      const changed = await begin(person)
      const change = { current: person.password, new: 'Seven quiet lanterns' }
      assert.equal((await person.request('POST', '/api/v1/me/password', change)).statusCode, 204)
      const first = await app.comeBack(person, changed)
      assert.equal(first.headers['location'], '/sign-in?error=sign_in_expired')

      const revoked = await begin(person)
      await app.store.db.deleteFrom('sessions').where('userId', '=', person.id).execute()
      const second = await app.comeBack(person, revoked)
      assert.equal(second.headers['location'], '/sign-in?error=sign_in_expired')
      const linked = app.store.db
        .selectFrom('accounts')
        .select('id')
        .where('providerId', '=', app.provider.id)
      assert.deepEqual(await linked.execute(), [])
    })
  },
  'postgresql',
)

function connection() {
  const { discoveryUrl, clientId, clientSecret } = server
  return { discoveryUrl, clientId, clientSecret }
}
