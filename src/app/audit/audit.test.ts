import assert from 'node:assert/strict'
import { it, test } from 'node:test'
import { sql } from 'kysely'
import type { Ability } from '../../shared/abilities.ts'
import type { AuditEntry } from '../../shared/audit.ts'
import { auditVerification } from '../../shared/audit.ts'
import { AppError } from '../../shared/errors.ts'
import { problem } from '../../shared/problems.ts'
import type { Store } from '../../store/database.ts'
import { describeStores } from '../../store/test-bed.ts'
import { nowOf } from '../clock.ts'
import { openApp } from '../test-bed.ts'
import { addToken, unrestricted } from '../tokens/tokens.ts'
import { pruneAudit } from './prune.ts'
import { actorOfUser, type NewAuditEntry, recordAuditNow, systemActor } from './record.ts'
import { recordRefusal } from './refusals.ts'
import { verifyChain } from './verify.ts'
import { withoutSecrets } from './without-secrets.ts'

const CANARY = 'canary-password-1234'
const shop = {
  name: 'shop',
  engine: 'postgresql',
  connection: { host: 'db.example', user: 'backup', password: CANARY },
}
const url = '/api/v1/audit'

type App = Awaited<ReturnType<typeof openApp>>

async function entriesOf(app: App, query = ''): Promise<AuditEntry[]> {
  const answer = await app.ask('GET', `${url}?${query}`)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json().items
}

async function addServer(app: App, name = 'shop'): Promise<string> {
  const answer = await app.ask('POST', '/api/v1/servers', { ...shop, name })
  assert.equal(answer.statusCode, 201, answer.body)
  return answer.json().id
}

/** A request with a token that may do only this. */
async function tokenFor(app: App, name: string, ...scopes: Ability[]): Promise<string> {
  const order = { name, ...unrestricted, scopes, isInstanceAdministrator: false }
  return `Bearer ${(await addToken(app.store, app.organizationId, order)).token}`
}

describeStores('the audit log', (makePlace) => {
  it('says who has added, changed and deleted what, and how it was before', async () => {
    await using app = await openApp(makePlace)
    const id = await addServer(app)
    await app.ask('PATCH', `/api/v1/servers/${id}`, { name: 'store', labels: { team: 'blue' } })
    await app.ask('DELETE', `/api/v1/servers/${id}?force=true`)
    const [deleted, changed, added] = await entriesOf(app)
    assert.ok(deleted && changed && added)
    assert.deepEqual(
      [added, changed, deleted].map(({ number, action, outcome, target }) => [
        number,
        action,
        outcome,
        target,
      ]),
      [
        [1, 'server.add', 'succeeded', { kind: 'server', id, name: 'shop' }],
        [2, 'server.change', 'succeeded', { kind: 'server', id, name: 'store' }],
        [3, 'server.delete', 'succeeded', { kind: 'server', id, name: 'store' }],
      ],
    )
    assert.deepEqual([added.actor.kind, added.actor.name], ['token', 'administrator'])
    assert.equal(added.address, '127.0.0.1')
    assert.equal(added.organizationId, app.organizationId)
    assert.equal((added.details['after'] as { name: string }).name, 'shop')
    assert.deepEqual(changed.details, {
      given: ['name', 'labels'],
      before: { name: 'shop', labels: {} },
      after: { name: 'store', labels: { team: 'blue' } },
    })
    assert.equal((deleted.details['before'] as { name: string }).name, 'store')
  })

  it('has no secret, neither of settings nor one that is shown once', async () => {
    await using app = await openApp(makePlace)
    const id = await addServer(app)
    const connection = { ...shop.connection, password: 'other-secret-5678' }
    await app.ask('PATCH', `/api/v1/servers/${id}`, { connection })
    const made = await app.ask('POST', '/api/v1/tokens', { name: 'ci' })
    const key = await app.ask('POST', '/api/v1/keys', { name: 'key', kind: 'password', generate: true })
    assert.equal(key.statusCode, 201, key.body)
    const rows = JSON.stringify(await app.store.db.selectFrom('auditEntries').selectAll().execute())
    for (const secret of [CANARY, 'other-secret-5678', made.json().token, key.json().secret]) {
      assert.ok(secret)
      assert.ok(!rows.includes(secret), secret)
    }
    const [, , changed] = await entriesOf(app)
    assert.deepEqual(changed?.details['before'], { connection: { password: 'cana****' } })
    assert.deepEqual(changed?.details['after'], { connection: { password: 'othe****' } })
  })

  it('shows the text of scripts before and after, as an entry of the instance', async () => {
    await using app = await openApp(makePlace)
    await app.ask('PATCH', '/api/v1/instance-settings', { postBackupScript: 'echo 1' })
    await app.ask('PATCH', '/api/v1/instance-settings', { postBackupScript: 'echo 2' })
    assert.deepEqual(await entriesOf(app), [])
    const [entry] = await entriesOf(app, 'instance=true')
    assert.deepEqual(
      [entry?.action, entry?.organizationId, entry?.details],
      [
        'instance-settings.change',
        null,
        {
          given: ['postBackupScript'],
          before: { postBackupScript: 'echo 1' },
          after: { postBackupScript: 'echo 2' },
        },
      ],
    )
  })

  it('has the entry before the answer is there, and none of what failed or was answered again', async () => {
    await using app = await openApp(makePlace)
    const headers = { 'idempotency-key': 'one' }
    const first = await app.ask('POST', '/api/v1/servers', shop, headers)
    const again = await app.ask('POST', '/api/v1/servers', shop, headers)
    assert.deepEqual([again.statusCode, again.json()], [201, first.json()])
    assert.equal((await app.ask('POST', '/api/v1/servers', shop)).statusCode, 409)
    assert.equal((await app.ask('PATCH', '/api/v1/servers/none', { name: 'x' })).statusCode, 404)
    await app.ask('POST', '/api/v1/servers/test', shop)
    assert.deepEqual(
      (await entriesOf(app)).map(({ action }) => action),
      ['server.add'],
    )
  })

  it('refuses to answer as if nothing were amiss when it cannot be written', async () => {
    await using app = await openApp(makePlace)
    const id = await addServer(app)
    await sql`alter table audit_entries rename to hidden_entries`.execute(app.store.db)
    const headers = { 'idempotency-key': 'two' }
    const answer = await app.ask('PATCH', `/api/v1/servers/${id}`, { name: 'store' })
    assert.equal(answer.statusCode, 503)
    assert.deepEqual(
      [problem.parse(answer.json()).code, problem.parse(answer.json()).retryable],
      ['audit_failed', false],
    )
    assert.match(problem.parse(answer.json()).title, /is done, but could not be recorded/)
    const added = await app.ask('POST', '/api/v1/servers', { ...shop, name: 'two' }, headers)
    assert.equal(added.statusCode, 503)
    assert.equal(added.headers['location'], undefined)
    assert.ok(added.headers['content-security-policy'])
    const exported = await app.ask('GET', `${url}/export`)
    assert.equal(exported.statusCode, 503)
    assert.match(problem.parse(exported.json()).title, /nothing is handed out/)
    await sql`alter table hidden_entries rename to audit_entries`.execute(app.store.db)
    const again = await app.ask('POST', '/api/v1/servers', { ...shop, name: 'two' }, headers)
    assert.equal(again.statusCode, 409)
  })

  it('says who was refused, but not a thousand times', async () => {
    await using app = await openApp(makePlace)
    const id = await addServer(app)
    const reader = await tokenFor(app, 'reader', 'view')
    for (let n = 0; n < 5; n++) {
      const refused = await app.ask('DELETE', `/api/v1/servers/${id}`, undefined, { authorization: reader })
      assert.equal(refused.statusCode, 403)
    }
    await app.ask('GET', url, undefined, { authorization: reader })
    const [refusal, ...others] = await entriesOf(app)
    assert.equal(others.length, 1)
    assert.deepEqual(
      [refusal?.action, refusal?.outcome, refusal?.actor.name, refusal?.target],
      ['server.delete', 'forbidden', 'reader', { kind: 'server', id, name: null }],
    )
  })

  it('shows only what the caller may see: of the organization, and with view-audit', async () => {
    await using app = await openApp(makePlace)
    await addServer(app)
    await recordAuditNow(app.store, { ...bare, organizationId: 'other' })
    const auditor = { authorization: await tokenFor(app, 'auditor', 'view', 'view-audit') }
    const reader = { authorization: await tokenFor(app, 'reader', 'view') }
    const seen = await app.ask('GET', url, undefined, auditor)
    assert.deepEqual(
      seen.json().items.map(({ number }: AuditEntry) => number),
      [1],
    )
    for (const [path, headers] of [
      [url, reader],
      [`${url}/export`, reader],
      [`${url}?instance=true`, auditor],
      [`${url}/export?instance=true`, auditor],
      [`${url}/verify`, auditor],
    ] as const) {
      assert.equal((await app.ask('GET', path, undefined, headers)).statusCode, 403, path)
    }
    const all = await entriesOf(app, 'instance=true')
    assert.ok(all.some(({ organizationId }) => organizationId === 'other'))
    assert.ok(all.some(({ action, outcome }) => action === 'audit.export' && outcome === 'forbidden'))
  })

  it('is read page by page, and filtered', async () => {
    await using app = await openApp(makePlace)
    const { organizationId } = app
    for (let n = 0; n < 7; n++) await recordAuditNow(app.store, { ...bare, organizationId })
    await recordAuditNow(app.store, {
      organizationId,
      action: 'plan_x.change',
      outcome: 'forbidden',
      actor: { kind: 'token', id: 'token-1', name: 'ci', owner: { id: 'user-1', name: 'Ann@example.com' } },
      address: '::ffff:192.0.2.7',
      target: { kind: 'plan', id: 'plan-1', name: 'Every “night” 100%' },
      details: { before: { note: 'say "hi"' } },
    })
    const numbers: number[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const answer = await app.ask('GET', `${url}?limit=3${cursor && `&cursor=${cursor}`}`)
      numbers.push(...answer.json().items.map(({ number }: AuditEntry) => number))
      cursor = answer.json().nextCursor
    }
    assert.deepEqual(numbers, [8, 7, 6, 5, 4, 3, 2, 1])

    const at = (await entriesOf(app, 'limit=1'))[0]?.at ?? ''
    const later = new Date(Date.parse(at) + 1).toISOString()
    for (const [query, count] of [
      ['action=plan_', 1],
      ['action=planx', 0],
      ['action=server', 7],
      ['actor=user-1', 1],
      ['actor=ann@', 1],
      ['actor=ci', 1],
      ['actor=bob', 0],
      ['target=plan-1', 1],
      [`target=${encodeURIComponent('100%')}`, 1],
      ['target=1000', 0],
      ['outcome=forbidden', 1],
      ['outcome=failed', 1],
      ['outcome=succeeded', 7],
      ['address=192.0.2.7', 1],
      [`search=${encodeURIComponent('say "hi"')}`, 1],
      ['search=nothing', 0],
      [`from=${later}`, 0],
      [`to=${later}`, 8],
      [`from=${at}&outcome=failed`, 1],
    ] as const) {
      assert.equal((await entriesOf(app, query)).length, count, query)
    }
    for (const wrong of [
      'from=yesterday',
      `from=${later}&to=${at}`,
      'cursor=x',
      `search=${'x'.repeat(201)}`,
    ]) {
      assert.equal((await app.ask('GET', `${url}?${wrong}`)).statusCode, 400, wrong)
    }
  })

  it('finds what is rare however far back it is', async () => {
    await using app = await openApp(makePlace)
    const { organizationId, store } = app
    await recordAuditNow(store, { ...bare, organizationId, action: 'rare.thing' })
    await addMany(store, organizationId, 3_500)
    const first = (await app.ask('GET', `${url}?action=rare`)).json()
    assert.deepEqual(first.items, [])
    const second = (await app.ask('GET', `${url}?action=rare&cursor=${first.nextCursor}`)).json()
    assert.deepEqual([second.items.length, second.nextCursor], [1, null])
    const lines = (await app.ask('GET', `${url}/export?action=rare`)).body.trim().split('\n')
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).number),
      [1],
    )
  })

  it('is exported as JSON lines and as CSV, which no spreadsheet takes for formulas', async () => {
    await using app = await openApp(makePlace)
    const { organizationId } = app
    const evil = { kind: 'server', id: '+1', name: '=HYPERLINK("x","y"),\nz' }
    for (let n = 0; n < 250; n++) await recordAuditNow(app.store, { ...bare, organizationId, target: evil })
    const lines = await app.ask('GET', `${url}/export`)
    assert.match(String(lines.headers['content-type']), /^application\/jsonl/)
    assert.match(String(lines.headers['content-disposition']), /filename="audit-\d{4}-\d\d-\d\d\.jsonl"/)
    assert.match(lines.body, /^\{/)
    const parsed = lines.body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEntry)
    // The export itself is recorded before its first line.
    assert.deepEqual(
      parsed.filter(({ action }) => action === 'server.change').map(({ number }) => number),
      Array.from({ length: 250 }, (_, n) => 250 - n),
    )
    const csv = await app.ask('GET', `${url}/export?as=csv&action=server`)
    const day = new Date(await nowOf(app.store)).toISOString().slice(0, 10)
    assert.match(String(csv.headers['content-disposition']), new RegExp(`filename="audit-${day}\\.csv"`))
    const [head, first] = csv.body.split('\r\n')
    assert.match(head ?? '', /^\uFEFFnumber,id,at,organizationId,action,outcome,actorKind,/)
    assert.ok(first?.includes(`,server,'+1,"'=HYPERLINK(""x"",""y""),\nz",`), first)
    assert.equal((await entriesOf(app))[0]?.action, 'audit.export')
    assert.deepEqual((await entriesOf(app))[0]?.details, {
      query: { as: 'csv', action: 'server', instance: false },
    })
  })

  it('has changes that have failed in the app, too, which may have come too late', async () => {
    await using app = await openApp(makePlace)
    const config = { requires: 'manage-servers', audit: 'server.change' } as const
    app.app.patch('/api/v1/broken/:id', { config }, async () => {
      throw new Error('A disk is full.')
    })
    app.app.post('/api/v1/unreachable', { config }, async () => {
      throw new AppError('database_unreachable', 'Nobody is there.')
    })
    app.app.post('/api/v1/mistaken', { config }, async () => {
      throw new AppError('not_found', 'There is none.')
    })
    const id = await addServer(app)
    await app.ask('PATCH', `/api/v1/broken/${id}`, { name: 'x' })
    for (const path of ['unreachable', 'unreachable', 'mistaken'])
      await app.ask('POST', `/api/v1/${path}`, {})
    const found = await entriesOf(app, 'outcome=failed')
    assert.deepEqual(
      found.map(({ outcome, target, details }) => [outcome, target?.id, details]),
      [
        ['database_unreachable', undefined, {}],
        ['database_unreachable', undefined, {}],
        ['internal', id, { given: ['name'] }],
      ],
    )
  })

  it('looks at so many entries for a time as for anything else', async () => {
    await using app = await openApp(makePlace)
    const { store, organizationId } = app
    await recordAuditNow(store, { ...bare, organizationId, action: 'server.add' })
    await addMany(store, organizationId, 3_500)
    await store.db.updateTable('auditEntries').set({ at: 1_000 }).where('number', '=', 1).execute()
    const to = new Date(2_000).toISOString()
    const first = (await app.ask('GET', `${url}?to=${to}`)).json()
    assert.deepEqual(first.items, [])
    assert.ok(first.nextCursor, 'there is more to be looked through')
    const second = (await app.ask('GET', `${url}?to=${to}&cursor=${first.nextCursor}`)).json()
    assert.deepEqual(
      second.items.map(({ action }: AuditEntry) => action),
      ['server.add'],
    )
    assert.equal(second.nextCursor, null)
  })

  it('is verified by who administers the instance', async () => {
    await using app = await openApp(makePlace)
    await addServer(app)
    const intact = auditVerification.parse((await app.ask('GET', `${url}/verify`)).json())
    assert.deepEqual([intact.isIntact, intact.entries, intact.head?.number], [true, 1, 1])
    const expect = `1:${'0'.repeat(64)}`
    const other = auditVerification.parse((await app.ask('GET', `${url}/verify?expect=${expect}`)).json())
    assert.equal(other.fault?.number, 1)
    assert.equal((await app.ask('GET', `${url}/verify?expect=1`)).statusCode, 400)
    await app.store.db.updateTable('auditEntries').set({ address: '192.0.2.1' }).execute()
    const broken = auditVerification.parse((await app.ask('GET', `${url}/verify`)).json())
    assert.deepEqual([broken.isIntact, broken.fault?.number], [false, 1])
  })

  it('lets the oldest go when their time is over, says so, and is intact behind that', async () => {
    await using app = await openApp(makePlace)
    const { context, store, organizationId } = app
    for (let n = 0; n < 5; n++) await recordAuditNow(store, { ...bare, organizationId })
    const { head } = await verifyChain(store)
    const now = await nowOf(store)
    const { signal } = new AbortController()
    const in364Days = now + 364 * DAY
    assert.equal(await pruneAudit(context, in364Days, signal), 0)
    assert.equal((await app.ask('PATCH', '/api/v1/instance-settings', { auditDays: 0 })).statusCode, 200)
    assert.equal(await pruneAudit(context, now + 10_000 * DAY, signal), 0)
    for (const wrong of [29, 1, -1, 36_501]) {
      const refused = await app.ask('PATCH', '/api/v1/instance-settings', { auditDays: wrong })
      assert.equal(refused.statusCode, 400, String(wrong))
    }
    assert.equal((await app.ask('PATCH', '/api/v1/instance-settings', { auditDays: 30 })).statusCode, 200)
    assert.equal(await pruneAudit(context, now + 31 * DAY, signal), 7)
    const verified = await verifyChain(store)
    assert.deepEqual([verified.isIntact, verified.first, verified.pruned, verified.entries], [true, 8, 7, 1])
    const [entry] = await entriesOf(app, 'instance=true')
    assert.deepEqual([entry?.action, entry?.actor.kind, entry?.details['last']], ['audit.prune', 'system', 7])
    assert.ok(head)
    assert.match((await verifyChain(store, { expected: head })).fault?.reason ?? '', /its time was over/)
    await addServer(app)
    assert.equal((await verifyChain(store)).isIntact, true)
  })

  it('says of whoever has not signed in what the route knows of them', async () => {
    await using app = await openApp(makePlace)
    const { organizationId } = app
    const config = { isPublic: true, audit: 'invitation.accept' } as const
    const ann = { id: 'user-1', email: 'ann@example.com' }
    app.app.post('/known', { config }, async (request) => {
      request.auditNote = { actor: actorOfUser(ann), organizationId, details: { role: 'Viewer' } }
      return { id: 'x', token: 'canary' }
    })
    app.app.post('/refused', { config }, async (request) => {
      request.auditNote = { actor: actorOfUser(ann), organizationId }
      throw new AppError('too_many_requests', 'Later.')
    })
    app.app.post('/unknown', { config }, async () => ({ email: 'bob@example.com' }))
    app.app.post('/mistaken', { config }, async () => {
      throw new AppError('not_found', 'No.')
    })
    app.app.post('/unfinished', { config }, async (request) => {
      request.auditNote = { isUnfinished: true }
      return {}
    })
    for (const path of ['/known', '/refused', '/unknown', '/mistaken', '/unfinished']) {
      await app.app.inject({ method: 'POST', url: path, remoteAddress: '192.0.2.9' })
    }
    const found = await entriesOf(app, 'instance=true')
    assert.deepEqual(
      found.map(({ outcome, actor, organizationId, address, target, details }) => [
        outcome,
        actor.name,
        organizationId,
        address,
        target?.name ?? target?.id,
        details,
      ]),
      [
        [
          'succeeded',
          'somebody who had not signed in',
          null,
          '192.0.2.9',
          'bob@example.com',
          { answer: { email: 'bob@example.com' } },
        ],
        ['too_many_requests', ann.email, organizationId, '192.0.2.9', undefined, {}],
        ['succeeded', ann.email, organizationId, '192.0.2.9', 'x', { answer: { id: 'x' }, role: 'Viewer' }],
      ],
    )
  })

  it('looks at a thing before it changes without counting that as a request', async () => {
    await using app = await openApp(makePlace, { rateLimit: 3 })
    const id = await addServer(app)
    for (const name of ['one', 'two']) {
      const changed = await app.ask('PATCH', `/api/v1/servers/${id}`, { name })
      assert.equal(changed.statusCode, 200, changed.body)
    }
    assert.equal((await app.ask('GET', url)).statusCode, 429)
  })

  it('counts refusals that are not recorded, and tells their number with the next one', async () => {
    await using app = await openApp(makePlace)
    const { store } = app
    const entry = { ...bare, outcome: 'sign_in_failed' as const }
    for (let n = 0; n < 100; n++) await recordRefusal(store, entry, n)
    await recordRefusal(store, entry, 700_000)
    for (let n = 0; n < 1_100; n++) {
      await recordRefusal(store, { ...entry, address: `address ${n}` }, 700_001)
    }
    await recordRefusal(store, entry, 5_000_000)
    const found = await entriesOf(app, 'instance=true&limit=200')
    assert.equal(found[0]?.details['othersBefore'], 102)
    const rows = await store.db.selectFrom('auditEntries').select('details').orderBy('number').execute()
    assert.equal(rows.length, 1_001)
    assert.deepEqual(
      rows.slice(0, 2).map(({ details }) => JSON.parse(details)),
      [{}, { sameBefore: 99 }],
    )
  })
})

const DAY = 86_400_000

const bare: NewAuditEntry = {
  organizationId: null,
  action: 'server.change',
  outcome: 'succeeded',
  actor: systemActor,
  address: null,
  target: null,
}

/** Rows that fit into no chain, which nobody asks for here. */
async function addMany(store: Store, organizationId: string, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, n) => ({
    number: n + 2,
    id: `id-${n}`,
    organizationId,
    at: store.now,
    action: 'server.change',
    outcome: 'succeeded',
    actor: JSON.stringify(systemActor),
    actorId: null,
    address: null,
    target: null,
    targetId: null,
    details: '{}',
    hash: '',
  }))
  for (let n = 0; n < count; n += 500) {
    await store.db
      .insertInto('auditEntries')
      .values(rows.slice(n, n + 500))
      .execute()
  }
  await store.db
    .updateTable('auditChain')
    .set({ number: count + 1 })
    .execute()
}

test('what is shown once is left out of the log by its name, and tokens wherever they are', () => {
  const token = `hf_${'a'.repeat(43)}`
  const shown = {
    id: '1',
    token,
    resetLink: 'x',
    link: 'https://x/invitation#abc',
    recoveryCodes: ['a', 'b'],
    uri: 'otpauth://totp/x?secret=ABC',
    clientSecret: 'goog****',
    password: '********',
    tokens: [{ id: '2', name: 'ci' }],
    hasPassword: true,
    note: `use ${token}`,
    nested: { newPassword: 'hunter22', secret: null },
    special: 'yes',
  }
  assert.deepEqual(withoutSecrets(shown, ['special']), {
    id: '1',
    clientSecret: 'goog****',
    password: '********',
    tokens: [{ id: '2', name: 'ci' }],
    hasPassword: true,
    note: 'use ****',
    nested: { secret: null },
  })
})
