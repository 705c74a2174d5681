import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startHttpReceiver } from '../../../test/servers/http-receiver.ts'
import { identityProvider, identityProviderKind } from '../../shared/identity-providers.ts'
import { describeStores, type StorePlace } from '../../store/test-bed.ts'
import type { OidcOfEnvironment } from '../configuration.ts'
import { builtInRoleId } from '../roles/built-in.ts'
import { openApp } from '../test-bed.ts'
import { keepProviderOfEnvironment } from './from-environment.ts'

const settings = {
  discoveryUrl: 'https://sso.example.com/.well-known/openid-configuration',
  clientId: 'holdfast',
  clientSecret: 'canary-of-mine',
}
const order = { name: 'Company', kind: 'oidc', settings }
const url = '/api/v1/identity-providers'

async function add(app: Awaited<ReturnType<typeof openApp>>, more: object = {}) {
  const answer = await app.ask('POST', url, { ...order, ...more })
  assert.equal(answer.statusCode, 201, answer.body)
  return { provider: identityProvider.parse(answer.json()), etag: String(answer.headers['etag']) }
}

describeStores('identity providers', (makePlace) => {
  it('are added, listed, changed and deleted, and never show their secret', async () => {
    await using app = await openApp(makePlace)
    const { provider, etag } = await add(app)
    assert.deepEqual(provider.settings, {
      ...settings,
      clientSecret: 'cana****',
      scopes: ['openid', 'profile', 'email'],
      allowHttp: false,
    })
    assert.equal(provider.redirectUrl, `http://localhost:80/api/v1/sign-in/providers/${provider.id}/callback`)
    const place = `${url}/${provider.id}`
    const renamed = await app.ask('PATCH', place, { name: 'Corp', isStrict: true }, { 'if-match': etag })
    assert.equal(renamed.statusCode, 200, renamed.body)
    assert.equal((await app.ask('PATCH', place, { name: 'Old' }, { 'if-match': etag })).statusCode, 412)
    const twin = await app.ask('POST', url, { ...order, name: 'Corp' })
    assert.equal(twin.json().code, 'name_taken')
    const list = await app.ask('GET', url)
    assert.deepEqual(
      list.json().items.map(({ name, isStrict }: { name: string; isStrict: boolean }) => [name, isStrict]),
      [['Corp', true]],
    )
    const ways = (await app.app.inject('/api/v1/sign-in')).json()
    assert.deepEqual(ways.providers, [{ id: provider.id, name: 'Corp' }])
    const stored = JSON.stringify(await app.store.db.selectFrom('identityProviders').selectAll().execute())
    for (const text of [list.body, stored]) assert.ok(!text.includes('canary'))

    await app.ask('PATCH', place, { isEnabled: false })
    assert.deepEqual((await app.app.inject('/api/v1/sign-in')).json().providers, [])
    const start = await app.app.inject(`/api/v1/sign-in/providers/${provider.id}`)
    assert.equal(start.headers['location'], '/sign-in?error=not_found')
    assert.equal((await app.ask('DELETE', place)).statusCode, 204)
    assert.equal((await app.ask('GET', place)).statusCode, 404)
  })

  it('keep a secret that is masked, unless it would be sent to somebody else', async () => {
    await using app = await openApp(makePlace)
    const { provider } = await add(app)
    const place = `${url}/${provider.id}`
    const same = await app.ask('PATCH', place, { settings: { ...provider.settings, scopes: ['openid'] } })
    assert.equal(same.statusCode, 200, same.body)
    const discoveryUrl = 'https://evil.test/.well-known/openid-configuration'
    const moved = await app.ask('PATCH', place, { settings: { ...provider.settings, discoveryUrl } })
    assert.equal(moved.statusCode, 400)
    assert.equal(moved.json().errors[0].field, 'settings.clientSecret')
  })

  it('are refused with what is wrong about them', async () => {
    await using app = await openApp(makePlace)
    const fieldOf = async (more: object) => {
      const answer = await app.ask('POST', url, { ...order, ...more })
      assert.equal(answer.statusCode, 400, answer.body)
      return answer.json().errors[0].field
    }
    assert.equal(await fieldOf({ kind: 'telepathy' }), 'kind')
    assert.equal(
      await fieldOf({ settings: { ...settings, discoveryUrl: 'ftp://x' } }),
      'settings.discoveryUrl',
    )
    assert.equal(await fieldOf({ settings: { ...settings, scopes: ['email'] } }), 'settings.scopes')
    assert.equal(await fieldOf({ settings: { ...settings, token: 'x' } }), 'settings.token')
    const roleId = builtInRoleId(app.organizationId, 'viewer')
    const mappings = [{ value: 'ops', organizationId: 'other', roleId }]
    assert.equal(await fieldOf({ mappings }), 'mappings.0.roleId')
    const defaultMembership = { organizationId: app.organizationId, roleId: 'gone' }
    assert.equal(await fieldOf({ defaultMembership }), 'defaultMembership.roleId')
  })

  it('stay where passwords are switched off and nobody could sign in otherwise', async () => {
    await using app = await openApp(makePlace)
    const { provider } = await add(app)
    const settings = '/api/v1/instance-settings'
    const place = `${url}/${provider.id}`
    assert.equal((await app.ask('PATCH', settings, { passwordSignIn: false })).statusCode, 200)
    assert.equal((await app.ask('PATCH', place, { isEnabled: false })).json().code, 'in_use')
    assert.equal((await app.ask('DELETE', place)).json().code, 'in_use')
    assert.equal((await app.ask('GET', place)).json().isEnabled, true)
    await add(app, { name: 'Another' })
    assert.equal((await app.ask('DELETE', place)).statusCode, 204)
  })

  it('are a matter of who administers the instance', async () => {
    await using app = await openApp(makePlace)
    const { provider } = await add(app)
    const person = await app.people.add({ role: 'admin' })
    for (const path of [url, `${url}/${provider.id}`, '/api/v1/identity-provider-kinds']) {
      assert.equal((await person.request('GET', path)).statusCode, 403, path)
    }
  })

  it('of each kind have what is known of it', async () => {
    await using app = await openApp(makePlace)
    const { items } = (await app.ask('GET', '/api/v1/identity-provider-kinds')).json()
    const kinds = items.map((item: unknown) => identityProviderKind.parse(item))
    assert.deepEqual(kinds.map(({ name }: { name: string }) => name).sort(), [
      'authelia',
      'authentik',
      'entra',
      'github',
      'gitlab',
      'google',
      'keycloak',
      'oidc',
    ])
    const { discoveryUrl: _, ...client } = settings
    const google = await add(app, { name: 'Google', kind: 'google', settings: client })
    assert.equal(
      google.provider.settings['discoveryUrl'],
      'https://accounts.google.com/.well-known/openid-configuration',
    )
    assert.equal((await app.ask('POST', url, { ...order, kind: 'entra', settings: client })).statusCode, 400)
  })

  it('are asked without TLS only on this machine, unless that is allowed', async () => {
    await using app = await openApp(makePlace)
    const discoveryUrl = 'http://sso.example.com/.well-known/openid-configuration'
    const { provider } = await add(app, { settings: { ...settings, discoveryUrl } })
    const report = await app.ask('POST', `${url}/${provider.id}/test`)
    const { passed, steps } = report.json()
    assert.equal(passed, false)
    assert.match(steps[0].detail, /not encrypted/)
  })
})

/** As much of GitHub as is asked. */
async function startGithub(emails: { email: string; primary: boolean; verified: boolean }[]) {
  const json = (body: unknown) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return await startHttpReceiver(({ path, headers, body }) => {
    if (path === '/login/oauth/access_token') {
      const isRight = new URLSearchParams(body).get('code') === 'right'
      return isRight ? json({ access_token: 'gho_x', token_type: 'bearer' }) : { status: 400 }
    }
    if (headers['authorization'] !== 'Bearer gho_x') return { status: 401 }
    if (path === '/api/v3/user') return json({ id: 583231, login: 'octocat', name: null })
    if (path === '/api/v3/user/emails') return json(emails)
    if (path.startsWith('/api/v3/user/orgs')) return json([{ login: 'acme' }])
    if (path.startsWith('/api/v3/user/teams')) {
      return json([{ slug: 'dbas', organization: { login: 'acme' } }])
    }
    return { status: 404 }
  })
}

describeStores('GitHub', (makePlace) => {
  it('says who somebody is by its API: the first address, if it is verified, and teams', async () => {
    const emails = [
      { email: 'spare@example.com', primary: false, verified: true },
      { email: 'Octo@example.com', primary: true, verified: true },
    ]
    await using github = await startGithub(emails)
    await using app = await openApp(makePlace)
    const { provider } = await add(app, {
      name: 'GitHub',
      kind: 'github',
      settings: { url: github.origin, clientId: 'x', clientSecret: 'canary-of-mine' },
      autoCreate: true,
      claim: 'groups',
      mappings: [
        {
          value: 'acme/dbas',
          organizationId: app.organizationId,
          roleId: builtInRoleId(app.organizationId, 'operator'),
        },
      ],
      isStrict: true,
    })
    const finish = async (code: string) => {
      const browser = app.people.browser()
      const begun = await browser.request('GET', `/api/v1/sign-in/providers/${provider.id}`)
      const at = new URL(String(begun.headers['location']))
      assert.equal(at.origin + at.pathname, `${github.origin}/login/oauth/authorize`)
      assert.equal(at.searchParams.get('code_challenge_method'), 'S256')
      const query = new URLSearchParams({ code, state: at.searchParams.get('state') ?? '' })
      const path = `/api/v1/sign-in/providers/${provider.id}/callback?${query.toString()}`
      return (await browser.request('GET', path)).headers['location']
    }
    assert.equal(await finish('right'), '/')
    const users = await app.store.db.selectFrom('users').select(['name', 'email', 'emailVerified']).execute()
    assert.deepEqual(users, [{ name: 'octocat', email: 'octo@example.com', emailVerified: 1 }])
    const accounts = await app.store.db.selectFrom('accounts').select(['accountId', 'accessToken']).execute()
    assert.deepEqual(accounts, [{ accountId: '583231', accessToken: null }])
    assert.equal(await finish('wrong'), '/sign-in?error=provider_refused')
  })
})

const ofEnvironment: OidcOfEnvironment = {
  name: 'Single sign-on',
  ...settings,
  scopes: undefined,
  allowHttp: false,
  autoCreate: true,
  emailDomains: [],
  claim: 'groups',
  mappings: [{ value: 'admins', role: 'admin', organization: undefined }],
  defaultRole: { role: 'Viewer', organization: 'Default' },
  isStrict: false,
}

async function openWith(makePlace: () => Promise<StorePlace>, oidc: OidcOfEnvironment) {
  const app = await openApp(makePlace)
  app.context.oidc = oidc
  assert.deepEqual(await keepProviderOfEnvironment(app.context), [])
  return app
}

describeStores('the identity provider of the environment', (makePlace) => {
  it('is there, is what the environment says, and is changed nowhere else', async () => {
    await using app = await openWith(makePlace, ofEnvironment)
    const shown = identityProvider.parse((await app.ask('GET', `${url}/environment`)).json())
    const { organizationId } = app
    assert.equal(shown.isFromEnvironment, true)
    assert.deepEqual(shown.mappings, [
      { value: 'admins', organizationId, roleId: builtInRoleId(organizationId, 'admin') },
    ])
    assert.equal(shown.defaultMembership?.roleId, builtInRoleId(organizationId, 'viewer'))
    assert.equal((await app.ask('PATCH', `${url}/environment`, { name: 'x' })).statusCode, 400)
    assert.equal((await app.ask('DELETE', `${url}/environment`)).statusCode, 400)
    const revision = async () =>
      (await app.store.db.selectFrom('identityProviders').select('revision').executeTakeFirstOrThrow())
        .revision
    await keepProviderOfEnvironment(app.context)
    assert.equal(await revision(), 1, 'nothing has changed')
    app.context.oidc = { ...ofEnvironment, clientSecret: 'another-secret' }
    await keepProviderOfEnvironment(app.context)
    assert.equal(await revision(), 2)
    const renewed = (await app.ask('GET', `${url}/environment`)).json()
    assert.equal(renewed.settings.clientSecret, 'anot****')
  })

  it('signs nobody in when the environment has none any more, and can be deleted then', async () => {
    await using app = await openWith(makePlace, ofEnvironment)
    app.context.oidc = undefined
    assert.match((await keepProviderOfEnvironment(app.context)).join(), /Nobody signs in by “Single sign-on”/)
    assert.deepEqual(await keepProviderOfEnvironment(app.context), [])
    const shown = (await app.ask('GET', `${url}/environment`)).json()
    assert.deepEqual([shown.isEnabled, shown.isFromEnvironment], [false, false])
    assert.equal((await app.ask('DELETE', `${url}/environment`)).statusCode, 204)
  })

  it('goes without roles that are not there, and says so', async () => {
    await using app = await openApp(makePlace)
    const defaultRole = { role: 'Owner', organization: undefined }
    app.context.oidc = { ...ofEnvironment, defaultRole }
    const [warning] = await keepProviderOfEnvironment(app.context)
    assert.match(warning ?? '', /OIDC_DEFAULT_ROLE names the role “Owner” of the first organization/)
  })
})
