import assert from 'node:assert/strict'
import { it } from 'node:test'
import { abilityNames } from '../../shared/abilities.ts'
import { problem } from '../../shared/problems.ts'
import { builtInRoles, role as roleSchema, type Role } from '../../shared/roles.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openTeam } from '../users/test-bed.ts'

const url = '/api/v1/roles'

function codeOf(answer: { statusCode: number; body: string; json(): unknown }): string {
  return answer.statusCode < 400 ? String(answer.statusCode) : problem.parse(answer.json()).code
}

describeStores('roles', (makePlace) => {
  it('are there from the start, and say how many have them', async () => {
    await using app = await openTeam(makePlace)
    const viewer = await app.person('vera', { role: 'viewer' })
    await app.person('ada')
    const { items } = (await viewer.ask('GET', url)).json<{ items: Role[] }>()
    assert.deepEqual(
      items.map(({ name, isBuiltIn, members }) => [name, isBuiltIn, members]),
      [
        ['Admin', true, 1],
        ['Member', true, 0],
        ['Operator', true, 0],
        ['Viewer', true, 1],
      ],
    )
    for (const { name, abilities } of builtInRoles) {
      assert.deepEqual(items.find((item) => item.name === name)?.abilities, abilities)
    }
    const described = (await viewer.ask('GET', '/api/v1/abilities')).json()
    assert.deepEqual(
      described.items.map(({ name }: { name: string }) => name),
      abilityNames,
    )
  })

  it('are added, changed by those who have read them, and deleted', async () => {
    await using app = await openTeam(makePlace)
    const added = await app.ask('POST', url, { name: 'night shift', abilities: ['restore', 'view'] })
    assert.equal(added.statusCode, 201, added.body)
    const { id, abilities, servers, isBuiltIn } = roleSchema.parse(added.json())
    assert.deepEqual([abilities, servers, isBuiltIn], [['view', 'restore'], null, false])
    const etag = String(added.headers['etag'])
    const change = (body: object) => app.ask('PATCH', `${url}/${id}`, body, { 'if-match': etag })
    const limited = { servers: { names: ['a-*'] } }
    assert.deepEqual((await change(limited)).json().servers, limited.servers)
    assert.equal(codeOf(await change({ name: 'late' })), 'changed_meanwhile')
    assert.equal(codeOf(await app.ask('POST', url, { name: 'Admin', abilities: ['view'] })), 'name_taken')
    assert.equal(codeOf(await app.ask('PATCH', `${url}/${id}`, { name: 'Admin' })), 'name_taken')
    assert.equal(codeOf(await app.ask('DELETE', `${url}/${id}`)), '204')
    assert.equal(codeOf(await app.ask('DELETE', `${url}/${id}`)), 'not_found')
  })

  it('that are limited to some servers are only about servers', async () => {
    await using app = await openTeam(makePlace)
    const abilities = ['view', 'manage-plans', 'manage-volumes', 'manage-users']
    const body = { name: 'team a', abilities, servers: { labels: { team: 'a' } } }
    const refused = await app.ask('POST', url, body)
    assert.equal(codeOf(refused), 'invalid_input')
    assert.match(refused.body, /cannot have manage-volumes, manage-users\./)
    const id = await app.addRole('team b', ['view', 'manage-volumes'])
    const narrowed = await app.ask('PATCH', `${url}/${id}`, { servers: { names: ['b-*'] } })
    assert.equal(codeOf(narrowed), 'invalid_input')
    assert.equal(
      codeOf(await app.ask('POST', url, { name: 'blind', abilities: ['restore'] })),
      'invalid_input',
    )
  })

  it('have names that differ in more than upper and lower case', async () => {
    await using app = await openTeam(makePlace)
    const add = async (name: string) => await app.ask('POST', url, { name, abilities: ['view'] })
    for (const name of ['operator', 'OPERATOR']) {
      const refused = await add(name)
      assert.equal(codeOf(refused), 'name_taken')
      assert.match(refused.body, /There is a role “Operator” already\./)
    }
    const added = await add('Über')
    assert.equal(codeOf(await add('ÜBER')), 'name_taken')
    const own = `${url}/${added.json().id}`
    assert.equal(codeOf(await app.ask('PATCH', own, { name: 'vieweR' })), 'name_taken')
    assert.equal((await app.ask('PATCH', own, { name: 'über' })).json().name, 'über')
    const both = await Promise.all([add('night'), add('Night')])
    assert.deepEqual(both.map(codeOf).filter((code) => code === 'name_taken').length, 1)
  })

  it('that came with the organization can be changed, and stay', async () => {
    await using app = await openTeam(makePlace)
    const id = app.roleId('viewer')
    const changed = await app.ask('PATCH', `${url}/${id}`, { name: 'Guest', abilities: ['view', 'restore'] })
    assert.deepEqual([changed.json().name, changed.json().isBuiltIn], ['Guest', true])
    assert.equal(codeOf(await app.ask('DELETE', `${url}/${id}`)), 'in_use')
  })

  it('are not deleted while somebody has them, is invited to them, or is given them by a provider', async () => {
    await using app = await openTeam(makePlace)
    const id = await app.addRole('night shift', ['view'])
    const ada = await app.person('ada', { role: id })
    assert.match((await app.ask('DELETE', `${url}/${id}`)).body, /is used by 1 user\./)
    await app.ask('PATCH', `/api/v1/users/${ada.id}`, { roleId: app.roleId('viewer') })
    const invitation = await app.ask('POST', '/api/v1/invitations', { email: 'x@example.com', roleId: id })
    assert.equal(invitation.statusCode, 201, invitation.body)
    assert.match((await app.ask('DELETE', `${url}/${id}`)).body, /is used by 1 open invitation\./)
    // One whose time is over is none any more.
    await app.store.db.updateTable('invitations').set({ expiresAt: 1 }).execute()
    const provider = {
      id: 'ip',
      name: 'company',
      kind: 'oidc',
      settings: '{}',
      rules: JSON.stringify({ mappings: [{ value: 'x', organizationId: app.organizationId, roleId: id }] }),
      isEnabled: 1,
      revision: 1,
      createdAt: 1,
      updatedAt: 1,
    }
    await app.store.db.insertInto('identityProviders').values(provider).execute()
    assert.match((await app.ask('DELETE', `${url}/${id}`)).body, /the identity provider “company”/)
    await app.store.db.deleteFrom('identityProviders').execute()
    assert.equal(codeOf(await app.ask('DELETE', `${url}/${id}`)), '204')
  })
})

describeStores('nobody reaches above themselves', (makePlace) => {
  /** Somebody who gives out roles, but may not do all themselves. */
  const openClerk = async () => {
    const app = await openTeam(makePlace)
    const clerkRole = await app.addRole('clerk', ['view', 'run-backups', 'manage-users', 'manage-roles'])
    const smallRole = await app.addRole('small', ['view', 'run-backups'])
    const clerk = await app.person('clerk', { role: clerkRole })
    const admin = await app.person('admin')
    const vera = await app.person('vera', { role: 'viewer' })
    return { ...app, clerkRole, smallRole, clerk, admin, vera }
  }

  it('by making or changing a role', async () => {
    await using app = await openClerk()
    const { clerk, smallRole, clerkRole } = app
    const refused = await clerk.ask('POST', url, { name: 'big', abilities: ['view', 'restore'] })
    assert.equal(codeOf(refused), 'forbidden')
    assert.match(refused.body, /may do more than this token: restore\./)
    for (const [id, body] of [
      [smallRole, { abilities: ['view', 'restore'] }],
      [smallRole, { abilities: [...abilityNames] }],
      [clerkRole, { abilities: [...abilityNames] }],
      [clerkRole, { abilities: ['view', 'manage-roles'] }],
      [app.roleId('admin'), { abilities: ['view'] }],
      [app.roleId('admin'), { name: 'x' }],
      [app.roleId('operator'), { abilities: ['view', 'run-backups'] }],
    ] as const) {
      assert.equal(codeOf(await clerk.ask('PATCH', `${url}/${id}`, body)), 'forbidden', JSON.stringify(body))
    }
    assert.equal(codeOf(await clerk.ask('PATCH', `${url}/${smallRole}`, { abilities: ['view'] })), '200')
    assert.equal(codeOf(await clerk.ask('PATCH', `${url}/${clerkRole}`, { name: 'clerks' })), '200')
    const big = await app.addRole('big', ['view', 'restore'])
    assert.equal(codeOf(await clerk.ask('DELETE', `${url}/${big}`)), 'forbidden')
  })

  it('by giving a role, or an invitation', async () => {
    await using app = await openClerk()
    const { clerk, vera, admin } = app
    const email = 'new@example.com'
    await app.person('outsider', { role: null })
    for (const role of ['admin', 'operator']) {
      const roleId = app.roleId(role)
      for (const answer of [
        await clerk.ask('PATCH', `/api/v1/users/${vera.id}`, { roleId }),
        await clerk.ask('PATCH', `/api/v1/users/${clerk.id}`, { roleId }),
        await clerk.ask('POST', '/api/v1/users', { email: 'outsider@example.com', roleId }),
        await clerk.ask('POST', '/api/v1/invitations', { email, roleId }),
      ]) {
        assert.equal(codeOf(answer), 'forbidden', answer.body)
      }
    }
    const invited = await admin.ask('POST', '/api/v1/invitations', { email, roleId: app.roleId('admin') })
    const invitation = `/api/v1/invitations/${invited.json().id}`
    assert.equal(
      codeOf(await clerk.ask('POST', `${invitation}/renew`)),
      'forbidden',
      'its link would be shown',
    )
    assert.equal(codeOf(await clerk.ask('DELETE', invitation)), 'forbidden')
    const roleId = app.smallRole
    assert.equal(codeOf(await clerk.ask('PATCH', `/api/v1/users/${vera.id}`, { roleId })), '200')
    assert.equal(
      codeOf(await clerk.ask('POST', '/api/v1/invitations', { email: 'y@example.com', roleId })),
      '201',
    )
  })

  it('by taking the role of who has more, or taking them out', async () => {
    await using app = await openClerk()
    const { clerk, admin } = app
    const demoted = await clerk.ask('PATCH', `/api/v1/users/${admin.id}`, { roleId: app.smallRole })
    assert.equal(codeOf(demoted), 'forbidden')
    assert.equal(codeOf(await clerk.ask('DELETE', `/api/v1/users/${admin.id}`)), 'forbidden')
  })

  it('by a token that may do less than its owner', async () => {
    await using app = await openClerk()
    const scopes = ['view', 'manage-users', 'manage-roles'] as const
    const limited = await app.person('limited', { scopes })
    assert.equal(
      codeOf(await limited.ask('POST', url, { name: 'x', abilities: ['view', 'restore'] })),
      'forbidden',
    )
    const roleId = app.roleId('admin')
    const invited = await limited.ask('POST', '/api/v1/invitations', { email: 'x@example.com', roleId })
    assert.equal(codeOf(invited), 'forbidden')
    assert.equal(codeOf(await limited.ask('POST', url, { name: 'x', abilities: ['view'] })), '201')
  })

  it('by accounts, organizations or the settings of the instance', async () => {
    await using app = await openClerk()
    const { admin } = app
    const password = 'correct horse battery staple'
    for (const answer of [
      await admin.ask('PATCH', `/api/v1/accounts/${admin.id}`, { isInstanceAdministrator: true }),
      await admin.ask('POST', '/api/v1/accounts', { email: 'x@example.com', name: 'x', password }),
      await admin.ask('POST', '/api/v1/organizations', { name: 'x' }),
      await admin.ask('DELETE', `/api/v1/organizations/${app.organizationId}`),
    ]) {
      assert.equal(codeOf(answer), 'forbidden', answer.body)
    }
    const scopes = ['view'] as const
    const root = await app.person('root', { isInstanceAdministrator: true, scopes })
    const reader = await root.ask('PATCH', `/api/v1/accounts/${admin.id}`, { isInstanceAdministrator: true })
    assert.equal(codeOf(reader), 'forbidden', 'a token that only reads')
  })

  it('and nobody changes what their own role allows, but for instance administrators', async () => {
    await using app = await openClerk()
    const id = app.roleId('admin')
    const body = { abilities: abilityNames.filter((name) => name !== 'view-audit') }
    const own = await app.admin.ask('PATCH', `${url}/${id}`, body)
    assert.equal(codeOf(own), 'forbidden')
    assert.match(own.body, /your own role/)
    const root = await app.person('root', { isInstanceAdministrator: true })
    assert.equal(codeOf(await root.ask('PATCH', `${url}/${id}`, body)), '200')
  })
})

describeStores('an organization', (makePlace) => {
  it('keeps somebody who may give out roles', async () => {
    await using app = await openTeam(makePlace)
    const ada = await app.person('ada')
    const scopes = [...abilityNames]
    // A token that is nobody’s, and does not administer the instance.
    const { addToken, unrestricted } = await import('../tokens/tokens.ts')
    const order = { ...unrestricted, name: 'robot', scopes, isInstanceAdministrator: false }
    const { token } = await addToken(app.store, app.organizationId, order)
    const robot: typeof app.ask = (method, path, payload) =>
      app.ask(method, path, payload, { authorization: `Bearer ${token}` })
    const asked = () => [
      () => ada.ask('PATCH', `/api/v1/users/${ada.id}`, { roleId: app.roleId('member') }),
      () => ada.ask('DELETE', `/api/v1/users/${ada.id}`),
      () => robot('PATCH', `${url}/${app.roleId('admin')}`, { abilities: ['view', 'manage-users'] }),
    ]
    for (const ask of asked()) assert.equal(codeOf(await ask()), 'last_administrator')
    // Who cannot sign in is nobody to rely on.
    const bob = await app.person('bob')
    await app.ask('PATCH', `/api/v1/accounts/${bob.id}`, { isDisabled: true })
    assert.equal(codeOf(await ada.ask('DELETE', `/api/v1/users/${ada.id}`)), 'last_administrator')
    await app.ask('PATCH', `/api/v1/accounts/${bob.id}`, { isDisabled: false })
    assert.equal(codeOf(await ada.ask('DELETE', `/api/v1/users/${ada.id}`)), '204')
    // Who administers the instance can mend it, and may.
    assert.equal(codeOf(await app.ask('DELETE', `/api/v1/users/${bob.id}`)), '204')
  })
})
