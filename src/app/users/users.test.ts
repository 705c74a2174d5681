import assert from 'node:assert/strict'
import { it } from 'node:test'
import { problem } from '../../shared/problems.ts'
import { type Account, type AccountLosses, createdAccount, user as userSchema } from '../../shared/users.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openTeam } from './test-bed.ts'

const password = 'Nacre-tiled 7 harbours'

function codeOf(answer: { statusCode: number; body: string; json(): unknown }): string {
  return answer.statusCode < 400 ? String(answer.statusCode) : problem.parse(answer.json()).code
}

describeStores('users', (makePlace) => {
  const url = '/api/v1/users'

  it('are listed to those who manage them, page by page', async () => {
    await using app = await openTeam(makePlace)
    const ada = await app.person('ada')
    await app.person('bob', { role: 'viewer' })
    await app.person('outsider', { role: null })
    const first = (await ada.ask('GET', `${url}?limit=1`)).json()
    const second = (await ada.ask('GET', `${url}?limit=1&cursor=${first.nextCursor}`)).json()
    const users = [...first.items, ...second.items].map((item) => userSchema.parse(item))
    assert.deepEqual(
      users.map(({ name, email, role, hasSecondFactor, lastSignInAt }) => [
        name,
        email,
        role.name,
        hasSecondFactor,
        lastSignInAt,
      ]),
      [
        ['ada', 'ada@example.com', 'Admin', false, null],
        ['bob', 'bob@example.com', 'Viewer', false, null],
      ],
    )
    assert.equal(second.nextCursor, null)
    const member = await app.people.add({ name: 'Cem', role: 'member' })
    assert.equal((await member.request('GET', url)).statusCode, 403)
    const cem = userSchema.parse((await ada.ask('GET', `${url}/${member.id}`)).json())
    assert.ok(cem.lastSignInAt)
    assert.equal((await ada.ask('GET', `${url}/outsider`)).statusCode, 404)
  })

  it('with an account are added, get another role, and are taken out with all that acts for them', async () => {
    await using app = await openTeam(makePlace)
    const second = await app.addOrganization('Second')
    const bob = await app.people.add({ name: 'Bob', organizationId: second })
    const roleId = app.roleId('viewer')
    const unknown = await app.ask('POST', url, { email: 'who@example.com', roleId })
    assert.equal(codeOf(unknown), 'not_found')
    const added = await app.ask('POST', url, { email: 'BOB@example.com', roleId })
    assert.equal(added.statusCode, 201, added.body)
    assert.equal(codeOf(await app.ask('POST', url, { email: bob.email, roleId })), 'name_taken')
    assert.equal(codeOf(await app.ask('PATCH', `${url}/${bob.id}`, { roleId: 'none' })), 'not_found')
    const theirs = app.roleId('admin', second)
    assert.equal(codeOf(await app.ask('PATCH', `${url}/${bob.id}`, { roleId: theirs })), 'not_found')
    const changed = await app.ask('PATCH', `${url}/${bob.id}`, { roleId: app.roleId('member') })
    assert.equal(changed.json().role.name, 'Member')

    const { db } = app.store
    await db.updateTable('sessions').set({ organizationId: app.organizationId }).execute()
    const made = await bob.request('POST', '/api/v1/tokens', { name: 'bobs' })
    assert.equal(made.statusCode, 201, made.body)
    const ask = () => app.get('/api/v1/servers', `Bearer ${made.json().token}`)
    assert.equal((await ask()).statusCode, 200)
    assert.equal(codeOf(await app.ask('DELETE', `${url}/${bob.id}`)), '204')
    assert.equal((await ask()).statusCode, 401)
    const elsewhere = await bob.request('POST', '/api/v1/tokens', { name: 'another' })
    assert.equal(codeOf(elsewhere), 'organization_changed', 'nothing is done where he is not known to be')
    // What he has elsewhere, he keeps.
    assert.equal((await bob.request('GET', '/api/v1/users')).json().items.length, 1)
    assert.equal(codeOf(await app.ask('DELETE', `${url}/${bob.id}`)), 'not_found')
  })

  it('are added without being asked by instance administrators alone, and nobody else learns who has an account', async () => {
    await using app = await openTeam(makePlace)
    const second = await app.addOrganization('Second')
    const bob = await app.people.add({ name: 'Bob', organizationId: second })
    const ada = await app.person('ada')
    const roleId = app.roleId('viewer')
    const known = await ada.ask('POST', url, { email: bob.email, roleId })
    const unknown = await ada.ask('POST', url, { email: 'who@example.com', roleId })
    assert.equal(codeOf(known), 'forbidden')
    assert.deepEqual(known.json(), unknown.json())
    const invited = await Promise.all(
      [bob.email, 'who@example.com'].map((email) =>
        ada.ask('POST', '/api/v1/invitations', { email, roleId }),
      ),
    )
    assert.deepEqual(invited.map(codeOf), ['201', '201'])
    const { items } = (await ada.ask('GET', url)).json()
    assert.deepEqual(
      items.map(({ name }: { name: string }) => name),
      ['ada'],
    )
  })

  it('show only to instance administrators what an account is beyond the organization', async () => {
    await using app = await openTeam(makePlace)
    const ada = await app.person('ada')
    await app.person('root', { isInstanceAdministrator: true })
    await app.store.db.updateTable('users').set({ twoFactorEnabled: 1 }).where('id', '=', 'root').execute()
    const seen = async (ask: typeof app.ask) => {
      const { isInstanceAdministrator, isDisabled, hasSecondFactor } = userSchema.parse(
        (await ask('GET', `${url}/root`)).json(),
      )
      return [isInstanceAdministrator, isDisabled, hasSecondFactor]
    }
    assert.deepEqual(await seen(app.ask), [true, false, true])
    assert.deepEqual(await seen(ada.ask), [null, null, true])
  })

  it('whom a provider made members are a person’s when a person gives them a role', async () => {
    await using app = await openTeam(makePlace)
    await app.person('bob', { role: 'viewer' })
    const values = { id: 'ip', name: 'company', kind: 'oidc', settings: '{}', rules: '{}', isEnabled: 1 }
    const { db, now } = app.store
    await db
      .insertInto('identityProviders')
      .values({ ...values, revision: 1, createdAt: now, updatedAt: now })
      .execute()
    await db.updateTable('memberships').set({ providerId: 'ip' }).execute()
    const before = userSchema.parse((await app.ask('GET', `${url}/bob`)).json())
    assert.deepEqual(before.identityProvider, { id: 'ip', name: 'company' })
    const after = await app.ask('PATCH', `${url}/bob`, { roleId: app.roleId('member') })
    assert.equal(after.json().identityProvider, null)
  })
})

describeStores('accounts', (makePlace) => {
  const url = '/api/v1/accounts'

  it('are for those who administer the instance', async () => {
    await using app = await openTeam(makePlace)
    const admin = await app.person('admin')
    for (const [method, path] of [
      ['GET', url],
      ['POST', url],
      ['GET', `${url}/admin`],
      ['PATCH', `${url}/admin`],
      ['GET', `${url}/admin/losses`],
      ['DELETE', `${url}/admin`],
      ['POST', `${url}/admin/sign-out`],
      ['DELETE', `${url}/admin/second-factor`],
    ] as const) {
      assert.equal((await admin.ask(method, path)).statusCode, 403, `${method} ${path}`)
    }
  })

  it('are made with a password, with what they are a member of', async () => {
    await using app = await openTeam(makePlace)
    const membership = { organizationId: app.organizationId, roleId: app.roleId('operator') }
    const body = { email: 'Bob@Example.com', name: 'Bob', password, ...membership }
    const made = await app.ask('POST', url, body)
    assert.equal(made.statusCode, 201, made.body)
    assert.ok(!made.body.includes(password))
    const { account, invitation } = createdAccount.parse(made.json())
    assert.equal(invitation, null)
    assert.deepEqual(
      [account?.email, account?.hasPassword, account?.organizations.map(({ role }) => role.name)],
      ['bob@example.com', true, ['Operator']],
    )
    const signedIn = await app.people.browser().request('POST', '/api/v1/sign-in', {
      email: 'bob@example.com',
      password,
    })
    assert.equal(signedIn.statusCode, 200, signedIn.body)
    const root = { email: 'root@example.com', name: 'Root', password, isInstanceAdministrator: true }
    assert.equal((await app.ask('POST', url, root)).statusCode, 201)
    const outsider = { email: 'out@example.com', name: 'Outsider', password }
    assert.equal((await app.ask('POST', url, outsider)).statusCode, 201)
    for (const [who, expected] of [
      [root, 200],
      [outsider, 401],
    ] as const) {
      const browser = app.people.browser()
      await browser.request('POST', '/api/v1/sign-in', { email: who.email, password })
      assert.equal((await browser.request('GET', '/api/v1/servers')).statusCode, expected, who.name)
    }
    assert.equal(codeOf(await app.ask('POST', url, body)), 'name_taken')
    for (const wrong of [
      { password: 'password1234' },
      { name: undefined },
      { roleId: undefined },
      { organizationId: undefined },
      { email: 'bob' },
    ]) {
      const refused = await app.ask('POST', url, { ...body, email: 'c@example.com', ...wrong })
      assert.equal(codeOf(refused), 'invalid_input', JSON.stringify(wrong))
    }
    const nowhere = await app.ask('POST', url, { ...body, email: 'c@example.com', roleId: 'none' })
    assert.equal(codeOf(nowhere), 'not_found')
    const { items } = (await app.ask('GET', url)).json<{ items: Account[] }>()
    assert.equal(items.length, 3, 'nothing of what was refused is there')
  })

  it('are made by an invitation, without a password', async () => {
    await using app = await openTeam(makePlace)
    const membership = { organizationId: app.organizationId, roleId: app.roleId('viewer') }
    const made = await app.ask('POST', url, { email: 'bob@example.com', ...membership })
    assert.equal(made.statusCode, 201, made.body)
    const { account, invitation } = createdAccount.parse(made.json())
    assert.equal(account, null)
    assert.match(invitation?.link ?? '', /\/invitation#token=/)
    assert.equal(codeOf(await app.ask('POST', url, { email: 'c@example.com' })), 'invalid_input')
    const great = { email: 'c@example.com', isInstanceAdministrator: true, ...membership }
    assert.equal(codeOf(await app.ask('POST', url, great)), 'invalid_input')
  })

  it('are renamed, disabled at once, and enabled again', async () => {
    await using app = await openTeam(makePlace)
    const bob = await app.people.add({ name: 'Bob' })
    await app.people.add({ name: 'Ada' })
    const change = (body: object) => app.ask('PATCH', `${url}/${bob.id}`, body)
    assert.equal(codeOf(await change({ email: 'ADA@example.com' })), 'name_taken')
    const changed = (await change({ name: 'Robert', email: 'Robert@example.com' })).json<Account>()
    assert.deepEqual([changed.name, changed.email], ['Robert', 'robert@example.com'])
    const { token } = (await bob.request('POST', '/api/v1/tokens', { name: 'bobs' })).json()
    assert.equal((await change({ isDisabled: true })).json<Account>().sessions, 0)
    assert.equal((await bob.request('GET', '/api/v1/servers')).statusCode, 401)
    assert.equal((await app.get('/api/v1/servers', `Bearer ${token}`)).statusCode, 401)
    assert.equal(codeOf(await change({ isDisabled: false })), '200')
    assert.equal((await bob.request('GET', '/api/v1/servers')).statusCode, 401, 'signed out for good')
    assert.equal((await app.get('/api/v1/servers', `Bearer ${token}`)).statusCode, 200)
  })

  it('leave one who administers the instance, who is nobody’s own victim', async () => {
    await using app = await openTeam(makePlace)
    const root = await app.person('root', { isInstanceAdministrator: true })
    const own = `${url}/${root.id}`
    assert.equal(codeOf(await root.ask('PATCH', own, { isDisabled: true })), 'in_use')
    assert.equal(codeOf(await root.ask('DELETE', own)), 'in_use')
    for (const answer of [
      await root.ask('PATCH', own, { isInstanceAdministrator: false }),
      await app.ask('PATCH', own, { isDisabled: true }),
      await app.ask('DELETE', own),
    ]) {
      assert.equal(codeOf(answer), 'last_administrator', answer.body)
    }
    const ada = await app.person('ada')
    await root.ask('PATCH', `${url}/${ada.id}`, { isInstanceAdministrator: true })
    assert.equal(codeOf(await root.ask('PATCH', own, { isInstanceAdministrator: false })), '200')
    assert.equal((await root.ask('GET', url)).statusCode, 403)
  })

  it('are deleted with all that they are said to lose', async () => {
    await using app = await openTeam(makePlace)
    const second = await app.addOrganization('Second')
    const bob = await app.people.add({ name: 'Bob' })
    await app.ask('POST', '/api/v1/accounts', { email: 'x@example.com', name: 'x', password })
    await bob.signInAgain()
    await bob.request('POST', '/api/v1/tokens', { name: 'bobs' })
    await bob.request('POST', '/api/v1/invitations', { email: 'y@example.com', roleId: app.roleId('viewer') })
    const expected: AccountLosses = {
      organizations: ['Default'],
      tokens: [{ name: 'bobs', organization: 'Default' }],
      invitations: ['y@example.com'],
      sessions: 2,
      passkeys: 0,
    }
    assert.deepEqual((await app.ask('GET', `${url}/${bob.id}/losses`)).json(), expected)
    const deleted = await app.ask('DELETE', `${url}/${bob.id}`)
    assert.deepEqual(deleted.json(), expected)
    const { db } = app.store
    for (const table of ['sessions', 'memberships', 'invitations'] as const) {
      assert.deepEqual(await db.selectFrom(table).selectAll().execute(), [], table)
    }
    assert.equal((await db.selectFrom('accounts').selectAll().execute()).length, 1)
    assert.equal((await app.ask('GET', `${url}/${bob.id}`)).statusCode, 404)
    assert.ok(second)
  })

  it('are signed out everywhere, and lose a second factor that is lost', async () => {
    await using app = await openTeam(makePlace)
    const bob = await app.people.add({ name: 'Bob' })
    const other = await bob.signInAgain()
    const signedOut = await app.ask('POST', `${url}/${bob.id}/sign-out`)
    assert.deepEqual(signedOut.json(), { sessions: 2 })
    for (const browser of [bob, other]) {
      assert.equal((await browser.request('GET', '/api/v1/servers')).statusCode, 401)
    }
    const factor = `${url}/${bob.id}/second-factor`
    assert.equal(codeOf(await app.ask('DELETE', factor)), 'not_found')
    const { db } = app.store
    await db.updateTable('users').set({ twoFactorEnabled: 1 }).execute()
    await db
      .insertInto('twoFactors')
      .values({ id: 'f', userId: bob.id, secret: 'x', backupCodes: 'y' })
      .execute()
    assert.equal((await app.ask('GET', `${url}/${bob.id}`)).json<Account>().hasSecondFactor, true)
    assert.equal(codeOf(await app.ask('DELETE', factor)), '204')
    assert.deepEqual(await db.selectFrom('twoFactors').selectAll().execute(), [])
    assert.equal((await app.ask('GET', `${url}/${bob.id}`)).json<Account>().hasSecondFactor, false)
  })
})
