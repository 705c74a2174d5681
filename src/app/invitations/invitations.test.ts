import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { it } from 'node:test'
import { makeCertificates } from '../../../test/servers/certificates.ts'
import { readMail, startSmtpReceiver } from '../../../test/servers/smtp-receiver.ts'
import {
  type CreatedInvitation,
  createdInvitation,
  type Invitation,
  shownInvitation,
} from '../../shared/invitations.ts'
import { problem } from '../../shared/problems.ts'
import type { Smtp } from '../../shared/instance-settings.ts'
import { describeBothStores, describeStores } from '../../store/test-bed.ts'
import { openTeam } from '../users/test-bed.ts'

const url = '/api/v1/invitations'
const email = 'new@example.com'
const password = 'Nacre-tiled 7 harbours'
const answer = { name: 'New One', password }

type Answer = { statusCode: number; body: string; json(): unknown }

function codeOf(response: Answer): string {
  return response.statusCode < 400 ? String(response.statusCode) : problem.parse(response.json()).code
}

function tokenIn({ link }: CreatedInvitation): string {
  return /#token=(.+)$/.exec(link)?.[1] ?? assert.fail(link)
}

async function openInvited(makePlace: Parameters<typeof openTeam>[0]) {
  const app = await openTeam(makePlace)
  /** As the administrator. */
  const invite = async (fields: object = {}): Promise<CreatedInvitation> => {
    const added = await app.ask('POST', url, { email, roleId: app.roleId('member'), ...fields })
    assert.equal(added.statusCode, 201, added.body)
    return createdInvitation.parse(added.json())
  }
  const post = (path: string, payload: object) =>
    app.app.inject({ method: 'POST', url: `${url}/${path}`, payload })
  return {
    ...app,
    invite,
    /** As nobody. */
    look: (token: string) => post('look', { token }),
    accept: (token: string, fields: object = answer) => post('accept', { token, ...fields }),
    list: async () => (await app.ask('GET', url)).json<{ items: Invitation[] }>().items,
    expire: () => app.store.db.updateTable('invitations').set({ expiresAt: 1 }).execute(),
  }
}

describeBothStores('an invitation', (makePlace) => {
  it('is shown once, and only its hash is kept', async () => {
    await using app = await openInvited(makePlace)
    const made = await app.ask('POST', url, { email: ' New@Example.COM ', roleId: app.roleId('member') })
    assert.equal(made.headers['cache-control'], 'no-store')
    const invitation = createdInvitation.parse(made.json())
    assert.deepEqual(
      [invitation.email, invitation.role.name, invitation.state, invitation.mailed, invitation.mailError],
      [email, 'Member', 'open', false, null],
    )
    assert.match(invitation.link, /^http:\/\/localhost(:\d+)?\/invitation#token=[\w-]{43}$/)
    const token = tokenIn(invitation)
    const stored = await app.store.db.selectFrom('invitations').selectAll().executeTakeFirstOrThrow()
    assert.equal(stored.hash, createHash('sha256').update(token).digest('hex'))
    assert.ok(Math.abs(stored.expiresAt - stored.createdAt - 7 * 86_400_000) < 2)
    for (const path of [url, `${url}/${invitation.id}`]) {
      assert.ok(!(await app.ask('GET', path)).body.includes(token))
    }
  })

  it('leads to the address of the app, if that is set', async () => {
    await using app = await openInvited(makePlace)
    app.context.appUrl = 'https://backups.example.com/holdfast'
    assert.match((await app.invite()).link, /^https:\/\/backups\.example\.com\/holdfast\/invitation#token=/)
  })

  it('says what it is for, makes an account, and works once', async () => {
    await using app = await openInvited(makePlace)
    const token = tokenIn(await app.invite())
    const shown = shownInvitation.parse((await app.look(token)).json())
    assert.deepEqual(
      [shown.organization, shown.email, shown.role, shown.hasAccount],
      ['Default', email, 'Member', false],
    )
    const accepted = await app.accept(token)
    assert.equal(accepted.statusCode, 200, accepted.body)
    assert.equal(accepted.json().isNewAccount, true)
    const browser = app.people.browser()
    const signedIn = await browser.request('POST', '/api/v1/sign-in', { email, password })
    assert.equal(signedIn.statusCode, 200, signedIn.body)
    assert.equal((await browser.request('GET', '/api/v1/servers')).statusCode, 200)
    assert.equal((await browser.request('GET', '/api/v1/users')).statusCode, 403)
    assert.deepEqual(
      (await app.list()).map(({ state }) => state),
      ['accepted'],
    )
    assert.equal(codeOf(await app.accept(token)), 'not_found')
    assert.equal(codeOf(await app.look(token)), 'not_found')
    const entries = await app.store.db.selectFrom('auditEntries').selectAll().orderBy('number').execute()
    assert.deepEqual(
      entries
        .filter(({ action }) => action.startsWith('invitation.'))
        .map(({ action, organizationId, actor }) => [action, organizationId, JSON.parse(actor).name]),
      [
        ['invitation.add', app.organizationId, 'administrator'],
        ['invitation.accept', app.organizationId, email],
      ],
    )
    assert.ok(!JSON.stringify(entries).includes(token))
  })

  it('is accepted by one of several at once', async () => {
    await using app = await openInvited(makePlace)
    const token = tokenIn(await app.invite())
    const codes = await Promise.all(
      Array.from({ length: 4 }, async (_, n) =>
        codeOf(await app.accept(token, { ...answer, name: `N${n}` })),
      ),
    )
    assert.equal(codes.filter((code) => code === '200').length, 1, codes.join())
    const { items } = (await app.ask('GET', '/api/v1/users')).json()
    assert.equal(items.length, 1)

    const eve = await app.people.add({ name: 'Eve', role: null })
    const other = tokenIn(await app.invite({ email: eve.email }))
    const known = await Promise.all(
      Array.from({ length: 4 }, async () => codeOf(await app.accept(other, { password: eve.password }))),
    )
    assert.deepEqual(known.sort(), ['200', 'not_found', 'not_found', 'not_found'])
  })

  it('asks for what a new account needs, and is still open then', async () => {
    await using app = await openInvited(makePlace)
    const token = tokenIn(await app.invite())
    for (const fields of [{}, { name: 'x' }, { password }, { name: 'x', password: 'password1234' }]) {
      assert.equal(codeOf(await app.accept(token, fields)), 'invalid_input', JSON.stringify(fields))
    }
    assert.equal(codeOf(await app.accept(token)), '200')
  })

  it('is worth nothing when its time is over, until it is renewed', async () => {
    await using app = await openInvited(makePlace)
    const first = await app.invite()
    await app.expire()
    for (const response of [await app.look(tokenIn(first)), await app.accept(tokenIn(first))]) {
      assert.equal(codeOf(response), 'not_found')
    }
    assert.deepEqual(
      (await app.list()).map(({ state }) => state),
      ['expired'],
    )
    const renewed = createdInvitation.parse((await app.ask('POST', `${url}/${first.id}/renew`)).json())
    assert.equal(renewed.id, first.id)
    assert.equal(codeOf(await app.look(tokenIn(first))), 'not_found')
    assert.equal(codeOf(await app.accept(tokenIn(renewed))), '200')
    assert.equal(codeOf(await app.ask('POST', `${url}/${first.id}/renew`)), 'in_use')
  })

  it('is worth nothing when it was taken back, or whoever sent it is taken out', async () => {
    await using app = await openInvited(makePlace)
    const first = await app.invite()
    assert.equal(codeOf(await app.ask('DELETE', `${url}/${first.id}`)), '204')
    assert.equal(codeOf(await app.accept(tokenIn(first))), 'not_found')
    const ada = await app.person('ada')
    const second = await ada.ask('POST', url, { email, roleId: app.roleId('admin') })
    assert.equal((await app.ask('DELETE', `/api/v1/users/${ada.id}`)).statusCode, 204)
    assert.equal(codeOf(await app.accept(tokenIn(second.json()))), 'not_found')
  })

  it('goes when whoever sent it may not give that role any more', async () => {
    await using app = await openInvited(makePlace)
    const manager = await app.addRole('Manager', ['view', 'restore', 'manage-users'])
    const small = await app.addRole('Small', ['view', 'restore'])
    const ada = await app.person('ada', { role: manager })
    const inviting = async (address: string, roleId: string) => {
      const made = await ada.ask('POST', url, { email: address, roleId })
      assert.equal(made.statusCode, 201, made.body)
      return tokenIn(made.json())
    }
    const setRole = (roleId: string) => app.ask('PATCH', `/api/v1/users/${ada.id}`, { roleId })
    const great = await inviting('great@example.com', small)
    const viewer = await inviting('viewer@example.com', app.roleId('viewer'))
    const managers = { abilities: ['view', 'manage-users'] }
    assert.equal(codeOf(await app.ask('PATCH', `/api/v1/roles/${manager}`, managers)), '200')
    assert.equal(codeOf(await app.accept(great)), 'not_found')
    assert.deepEqual(
      (await app.list()).map((one) => one.email),
      ['viewer@example.com'],
    )
    await app.invite({ email: 'third@example.com', roleId: app.roleId('admin') })
    assert.equal(codeOf(await setRole(app.roleId('member'))), '200')
    assert.equal(codeOf(await app.accept(viewer)), 'not_found')
    assert.deepEqual(
      (await app.list()).map((one) => one.email),
      ['third@example.com'],
      'that of others stays',
    )
  })

  it('is looked at again when it is accepted', async () => {
    await using app = await openInvited(makePlace)
    const ada = await app.person('ada')
    const made = await ada.ask('POST', url, { email, roleId: app.roleId('admin') })
    const token = tokenIn(made.json())
    const set = (roleId: string) => app.store.db.updateTable('memberships').set({ roleId }).execute()
    await set(app.roleId('viewer'))
    for (const response of [await app.look(token), await app.accept(token)]) {
      assert.equal(codeOf(response), 'forbidden')
      assert.match(response.body, /ada may not give the role “Admin” any more\./)
    }
    await set(app.roleId('admin'))
    assert.equal(codeOf(await app.accept(token)), '200')
  })

  it('of somebody who administers the instance no more is worth nothing', async () => {
    await using app = await openInvited(makePlace)
    await app.person('other', { isInstanceAdministrator: true })
    const root = await app.person('root', { role: null, isInstanceAdministrator: true })
    const made = await root.ask('POST', url, { email, roleId: app.roleId('viewer') })
    const demoted = await app.ask('PATCH', `/api/v1/accounts/${root.id}`, { isInstanceAdministrator: false })
    assert.equal(codeOf(demoted), '200')
    assert.equal(codeOf(await app.accept(tokenIn(made.json()))), 'not_found')
  })

  it('is for one who is neither a member nor invited', async () => {
    await using app = await openInvited(makePlace)
    await app.person('ada')
    const again = (address: string) => app.ask('POST', url, { email: address, roleId: app.roleId('viewer') })
    await app.invite()
    assert.equal(codeOf(await again('NEW@example.com')), 'name_taken')
    assert.equal(codeOf(await again('Ada@example.com')), 'name_taken')
    await app.expire()
    assert.equal(codeOf(await again(email)), '201')
    assert.equal((await app.list()).length, 1)
  })

  it('to somebody with an account is accepted by who has signed in to it, or knows its password', async () => {
    await using app = await openInvited(makePlace)
    const second = await app.addOrganization('Second')
    const bob = await app.people.add({ name: 'Bob', organizationId: second })
    const eve = await app.people.add({ name: 'Eve', organizationId: second })
    const invitation = await app.invite({ email: bob.email.toUpperCase() })
    const token = tokenIn(invitation)
    assert.equal(shownInvitation.parse((await app.look(token)).json()).hasAccount, true)
    assert.equal(codeOf(await app.accept(token, {})), 'not_signed_in')
    assert.equal(codeOf(await app.accept(token, { password: 'not the one of Bob' })), 'sign_in_failed')
    assert.equal(
      codeOf(await app.accept(token, { name: 'x', password: 'not the one of Bob' })),
      'sign_in_failed',
    )
    assert.equal(codeOf(await eve.request('POST', `${url}/accept`, { token })), 'forbidden')
    const elsewhere = { 'sec-fetch-site': 'cross-site' }
    assert.equal(codeOf(await bob.request('POST', `${url}/accept`, { token }, elsewhere)), 'forbidden')
    assert.equal(codeOf(await bob.request('POST', `${url}/accept`, { token })), '200')

    const other = tokenIn(await app.invite({ email: eve.email }))
    assert.equal(codeOf(await app.accept(other, { password: eve.password })), '200')
    const { items } = (await app.ask('GET', '/api/v1/users')).json()
    assert.deepEqual(
      items.map(({ name }: { name: string }) => name),
      ['Bob', 'Eve'],
    )
  })

  it('to somebody whose account has a second factor, or is disabled, asks for more than a password', async () => {
    await using app = await openInvited(makePlace)
    const second = await app.addOrganization('Second')
    const bob = await app.people.add({ name: 'Bob', organizationId: second })
    const token = tokenIn(await app.invite({ email: bob.email }))
    await app.store.db.updateTable('users').set({ twoFactorEnabled: 1 }).where('id', '=', bob.id).execute()
    assert.equal(codeOf(await app.accept(token, { password: bob.password })), 'not_signed_in')
    await app.ask('PATCH', `/api/v1/accounts/${bob.id}`, { isDisabled: true })
    assert.equal(codeOf(await app.accept(token, { password: bob.password })), 'forbidden')
  })

  it('is not found by guessing', async () => {
    await using app = await openInvited(makePlace)
    const token = tokenIn(await app.invite())
    const codes = new Set<string>()
    for (let n = 0; n < 40; n++) codes.add(codeOf(await app.look(`guess-${n}`)))
    assert.deepEqual([...codes], ['not_found', 'too_many_requests'])
    assert.equal(codeOf(await app.accept(token)), 'too_many_requests')
    const elsewhere = await app.people.browser('203.0.113.7').request('POST', `${url}/look`, { token })
    assert.equal(elsewhere.statusCode, 200)
  })
})

describeStores('an invitation by mail', (makePlace) => {
  it('has the link, and says so; who it could not reach, too', async () => {
    const certificate = (await makeCertificates()).server
    const user = 'holdfast'
    await using server = await startSmtpReceiver({ certificate, tls: 'none', user, password })
    await using app = await openInvited(makePlace)
    const smtp: Smtp = {
      host: '127.0.0.1',
      port: server.port,
      tls: 'none',
      user,
      password,
      from: 'Holdfast <h@example.com>',
    }
    app.context.smtp = smtp
    const sent = await app.invite()
    assert.deepEqual([sent.mailed, sent.mailError], [true, null])
    const [mail] = server.received
    assert.deepEqual(mail?.to, [email])
    const { headers, text } = readMail(mail?.source ?? '')
    assert.match(headers.get('subject') ?? '', /Invitation to “Default”/)
    assert.ok(text.includes(new URL(sent.link).href), text)

    server.refuse({ recipient: () => ({ code: 550, text: '5.1.1 No such user here' }) })
    const unsent = await app.invite({ email: 'nobody@example.com' })
    assert.equal(unsent.mailed, false)
    assert.equal(unsent.mailError?.code, 'channel_refused')
    assert.ok(!JSON.stringify(unsent.mailError).includes(tokenIn(unsent)))
    assert.equal(codeOf(await app.accept(tokenIn(unsent))), '200')
  })
})
