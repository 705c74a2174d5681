import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { it } from 'node:test'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { detailsOf, skipUnless } from '../../../test/servers/needs.ts'
import { makeKey, sealer, writeKey } from '../../lib/sealing.ts'
import { takeSnapshot } from '../../runner/take-snapshot.ts'
import { engineRunning, job, newVolume, order } from '../../runner/test-bed.ts'
import { verifyCopy } from '../../runner/verify-copy.ts'
import { addedEncryptionKey, encryptionKey, keyCheck } from '../../shared/encryption-keys.ts'
import { problem } from '../../shared/problems.ts'
import type { ManifestEncryption } from '../../shared/snapshots.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { manifestOf, organizationOf, planOn, record, refusal } from '../volumes/test-bed.ts'
import { encryptionOf, keyRingOf } from './keys.ts'

const URL = '/api/v1/keys'
const CANARY = 'canary-password-1234'

type App = Awaited<ReturnType<typeof openApp>>

const password = { kind: 'password', name: 'vault', password: CANARY }
const passphrase = { kind: 'passphrase', name: 'phrase', passphrase: CANARY }
const newRecipient = async () => await identityToRecipient(await generateX25519Identity())

const add = async (app: App, body: object) => {
  const added = await app.ask('POST', URL, body)
  assert.equal(added.statusCode, 201, added.body)
  return addedEncryptionKey.parse(added.json())
}
const check = async (app: App) => {
  const { items } = (await app.ask('GET', `${URL}/check`)).json()
  return keyCheck.array().parse(items)
}
/** A snapshot in the catalogue that is encrypted so. */
const recordWith = async (
  app: App,
  encryption: ManifestEncryption,
  startedAt = '2026-01-01T00:00:00.000Z',
) => {
  const { store } = app
  const organizationId = await organizationOf(app)
  const volume = {
    id: 'volume',
    organizationId,
    name: 'volume',
    kind: 'local',
    settings: '{}',
    maxRunning: 1,
    quotaAction: 'warn' as const,
    isReadOnly: 0,
    revision: 1,
    createdAt: store.now,
    updatedAt: store.now,
  }
  await store.db
    .insertInto('volumes')
    .values(volume)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const manifest = manifestOf(1, { encryption, startedAt })
  await record(app, manifest.snapshot, manifest, ['volume'])
}
const sevenzip = (keyId: string, fingerprint: string): ManifestEncryption => ({
  method: '7z',
  keyId,
  fingerprint,
})

describeStores('encryption keys', (makePlace) => {
  it('are added, read, listed by name, renamed, retired and forgotten', async () => {
    await using app = await openApp(makePlace)
    const recipients = [await newRecipient(), await newRecipient()]
    const vault = await add(app, password)
    await add(app, { kind: 'recipients', name: 'offline', recipients })
    const phrase = await add(app, passphrase)
    const listed = (await app.ask('GET', `${URL}?limit=2`)).json()
    const rest = (await app.ask('GET', `${URL}?limit=2&cursor=${listed.nextCursor}`)).json()
    const keys = encryptionKey.array().parse([...listed.items, ...rest.items])
    assert.deepEqual(
      keys.map(({ name, kind, state, snapshots, recipients }) => ({
        name,
        kind,
        state,
        snapshots,
        recipients,
      })),
      [
        { name: 'offline', kind: 'recipients', state: 'active', snapshots: 0, recipients },
        { name: 'phrase', kind: 'passphrase', state: 'active', snapshots: 0, recipients: undefined },
        { name: 'vault', kind: 'password', state: 'active', snapshots: 0, recipients: undefined },
      ],
    )
    assert.match(vault.fingerprint ?? '', /^[0-9a-f]{16}$/)
    assert.equal(phrase.fingerprint, null)

    const url = `${URL}/${vault.id}`
    const read = await app.ask('GET', url)
    assert.deepEqual(read.json(), vault)
    const etag = String(read.headers['etag'])
    const change = (body: object, ifMatch = '*') => app.ask('PATCH', url, body, { 'if-match': ifMatch })
    const changed = await change({ name: 'old vault', state: 'retired' }, etag)
    assert.deepEqual(encryptionKey.parse(changed.json()), {
      ...vault,
      name: 'old vault',
      state: 'retired',
      updatedAt: changed.json().updatedAt,
    })
    refusal(await change({ state: 'active' }, etag), 'changed_meanwhile')
    assert.equal((await change({ state: 'active' })).json().state, 'active')
    refusal(await app.ask('POST', URL, { ...password, name: 'phrase' }), 'name_taken')
    assert.equal((await app.ask('DELETE', url)).statusCode, 204)
    assert.equal((await app.ask('GET', url)).statusCode, 404)
    assert.equal((await app.ask('DELETE', url)).statusCode, 404)
  })

  it('are never shown, but for what was made up, once; and only sealed in the store', async () => {
    await using app = await openApp(makePlace)
    const answers: string[] = []
    for (const body of [password, passphrase]) {
      const added = await app.ask('POST', URL, body)
      assert.equal(added.headers['cache-control'], 'no-store')
      answers.push(added.body)
    }
    const made = await add(app, { kind: 'password', name: 'made', generate: true })
    const other = await add(app, { kind: 'passphrase', name: 'other', generate: true })
    assert.match(made.secret ?? '', /^([a-z2-9]{5}-){5}[a-z2-9]{5}$/)
    assert.notEqual(made.secret, other.secret)
    answers.push((await app.ask('GET', URL)).body, (await app.ask('GET', `${URL}/check`)).body)
    answers.push((await app.ask('GET', `${URL}/${made.id}`)).body)
    answers.push((await app.ask('PATCH', `${URL}/${made.id}`, { name: 'renamed' })).body)
    answers.push(JSON.stringify(await app.store.db.selectFrom('encryptionKeys').selectAll().execute()))
    for (const text of answers) {
      for (const secret of [CANARY, made.secret ?? '', other.secret ?? ''])
        assert.ok(!text.includes(secret), text)
    }
    const { namedKeys = [] } = await keyRingOf(app.context, await organizationOf(app))
    const secrets = namedKeys.map(({ secret }) => secret)
    assert.equal(secrets.length, 4)
    assert.deepEqual(new Set(secrets), new Set([CANARY, made.secret, other.secret]))
  })

  it('with anything wrong are refused, and every field is named', async () => {
    await using app = await openApp(makePlace)
    const recipient = await newRecipient()
    const identity = await generateX25519Identity()
    const recipients = { kind: 'recipients', name: 'r' }
    const wrong: [body: object, field: string][] = [
      [{}, 'kind'],
      [{ ...password, kind: 'rot13' }, 'kind'],
      [{ ...password, name: '' }, 'name'],
      [{ ...password, password: 'eleven char' }, 'password'],
      [{ ...password, password: `${CANARY}\n` }, 'password'],
      [{ ...password, password: 'base64:not base 64' }, 'password'],
      [{ ...password, generate: true }, 'password'],
      [{ kind: 'password', name: 'x' }, 'password'],
      [{ kind: 'passphrase', name: 'x', password: CANARY }, ''],
      [{ ...passphrase, passphrase: 'short' }, 'passphrase'],
      [{ ...recipients, recipients: [] }, 'recipients'],
      [{ ...recipients, recipients: [recipient, 'ssh-ed25519 AAAA'] }, 'recipients.1'],
      [{ ...recipients, recipients: [recipient, `${recipient.slice(0, -1)}x`] }, 'recipients.1'],
      [{ ...recipients, recipients: [identity] }, 'recipients.0'],
    ]
    for (const [body, field] of wrong) {
      const response = await app.ask('POST', URL, body)
      assert.equal(response.statusCode, 400, JSON.stringify(body))
      const { errors = [] } = problem.parse(response.json())
      assert.ok(
        errors.some((error) => error.field === field),
        `${field}: ${response.body}`,
      )
      assert.ok(!response.body.includes(CANARY) && !response.body.includes(identity), response.body)
    }
    assert.deepEqual((await app.ask('GET', URL)).json().items, [])
  })

  it('of another organization are not seen, and encrypt nothing', async () => {
    await using app = await openApp(makePlace)
    const mine = await organizationOf(app)
    const { id } = await add(app, password)
    const { store } = app
    await store.db.insertInto('organizations').values({ id: 'x', name: 'X', createdAt: store.now }).execute()
    await store.db.updateTable('encryptionKeys').set({ organizationId: 'x' }).execute()
    assert.deepEqual((await app.ask('GET', URL)).json().items, [])
    for (const response of [
      await app.ask('GET', `${URL}/${id}`),
      await app.ask('PATCH', `${URL}/${id}`, { name: 'mine' }),
      await app.ask('DELETE', `${URL}/${id}`),
    ]) {
      refusal(response, 'not_found')
    }
    await assert.rejects(encryptionOf(app.context, mine, { method: '7z', keyId: id }), {
      code: 'invalid_input',
    })
    assert.deepEqual((await keyRingOf(app.context, mine)).namedKeys, [])
    assert.ok((await check(app)).every(({ keyId }) => keyId !== id))
  })

  it('encrypt what their kind is for, while they are active', async () => {
    await using app = await openApp(makePlace)
    const organizationId = await organizationOf(app)
    const recipient = await newRecipient()
    const [vault, offline, phrase] = [
      await add(app, password),
      await add(app, { kind: 'recipients', name: 'offline', recipients: [recipient] }),
      await add(app, passphrase),
    ]
    const chosen = (method: '7z' | 'age', keyId: string) =>
      encryptionOf(app.context, organizationId, { method, keyId })
    assert.equal(await encryptionOf(app.context, organizationId, { method: 'none' }), undefined)
    assert.deepEqual(await chosen('7z', 'instance'), { method: '7z' })
    assert.deepEqual(await chosen('7z', vault.id), {
      method: '7z',
      key: { id: vault.id, password: CANARY },
    })
    assert.deepEqual(await chosen('age', offline.id), {
      method: 'age',
      recipients: [recipient],
      keyId: offline.id,
    })
    assert.deepEqual(await chosen('age', phrase.id), {
      method: 'age',
      passphrase: CANARY,
      keyId: phrase.id,
    })
    await app.ask('PATCH', `${URL}/${vault.id}`, { state: 'retired' })
    for (const [method, keyId, why] of [
      ['7z', vault.id, /retired/],
      ['7z', offline.id, /for age/],
      ['7z', phrase.id, /for age/],
      ['age', 'instance', /7z/],
      ['age', 'nonsense', /no such key/],
    ] as const) {
      await assert.rejects(chosen(method, keyId), ({ code, message, fields }) => {
        assert.equal(code, 'invalid_input')
        assert.match(message, why)
        return fields[0].field === 'encryption.keyId'
      })
    }
  })

  it('are named by the snapshots that they encrypt, and open them also when they are retired', async () => {
    await using app = await openApp(makePlace)
    const organizationId = await organizationOf(app)
    const engine = engineRunning('warns-and-succeeds')
    const { volume } = newVolume()
    const identity = await generateX25519Identity()
    const recipients = [await identityToRecipient(identity)]
    for (const [method, body] of [
      ['7z', password],
      ['age', { kind: 'recipients', name: 'offline', recipients }],
    ] as const) {
      const { id, fingerprint } = await add(app, body)
      const keys = await keyRingOf(app.context, organizationId)
      const encryption = await encryptionOf(app.context, organizationId, { method, keyId: id })
      const { key, manifest } = await takeSnapshot(order(engine, [volume], { encryption, keys }), job())
      assert.equal(manifest.encryption?.keyId, id)
      assert.equal(manifest.encryption?.fingerprint, fingerprint)
      assert.ok(!JSON.stringify(manifest).includes(CANARY))
      assert.equal((await app.ask('PATCH', `${URL}/${id}`, { state: 'retired' })).statusCode, 200)
      const later = await keyRingOf(app.context, organizationId)
      const ring = method === 'age' ? { ...later, ageIdentities: [identity] } : later
      await verifyCopy(engine, volume, key, manifest, ring, job())
    }
  })

  it('are not forgotten while snapshots, plans or running backups need them', async () => {
    await using app = await openApp(makePlace)
    const { id, fingerprint } = await add(app, password)
    const url = `${URL}/${id}`
    await recordWith(app, sevenzip(id, fingerprint ?? ''))
    await recordWith(app, sevenzip('of-an-app-that-was-lost', fingerprint ?? ''))
    const refused = await app.ask('DELETE', url)
    assert.equal(refused.statusCode, 409)
    assert.match(refusal(refused, 'in_use').title, /2 snapshots/)
    assert.equal((await app.ask('GET', url)).json().snapshots, 2)
    await app.store.db.deleteFrom('snapshots').execute()

    const encryption = { method: '7z', keyId: id }
    const planId = await planOn(app, undefined, 'nightly', { encryption })
    await planOn(app, undefined, 'other', { encryption: { method: '7z', keyId: 'instance' } })
    await planOn(app, undefined, 'none', {})
    assert.match(refusal(await app.ask('DELETE', url), 'in_use').title, /the plan “nightly”/)
    const retiring = refusal(await app.ask('PATCH', url, { state: 'retired' }), 'in_use')
    assert.match(retiring.title, /“nightly”/)
    assert.equal((await app.ask('PATCH', url, { name: 'still renamed' })).statusCode, 200)

    // The plan gets another key while its backup runs with this one.
    const { store } = app
    await store.db
      .insertInto('jobs')
      .values({
        id: 'job',
        organizationId: await organizationOf(app),
        kind: 'backup',
        key: 'x',
        planId,
        state: 'running',
        payload: '{}',
        runAt: store.now,
        startedAt: store.now,
        createdAt: store.now,
        updatedAt: store.now,
      })
      .execute()
    await store.db
      .updateTable('plans')
      .set({ settings: '{}', updatedAt: store.now })
      .where('id', '=', planId)
      .execute()
    assert.match(refusal(await app.ask('DELETE', url), 'in_use').title, /running/)
    await store.db.updateTable('jobs').set({ state: 'succeeded' }).execute()
    assert.equal((await app.ask('DELETE', url)).statusCode, 204)
  })

  it('are checked: which snapshots each protects, and which are missing', async () => {
    await using app = await openApp(makePlace)
    const former = writeKey(makeKey())
    app.context.instanceKeys = [...app.context.instanceKeys, former]
    const vault = await add(app, password)
    const offline = await add(app, {
      kind: 'recipients',
      name: 'offline',
      recipients: [await newRecipient()],
    })
    const phrase = await add(app, passphrase)
    const [current, previous] = await check(app)
    const [may, june] = ['2026-05-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z']
    await recordWith(app, sevenzip('instance', current?.fingerprint ?? ''), june)
    await recordWith(app, sevenzip('instance', current?.fingerprint ?? ''), may)
    await recordWith(app, sevenzip('instance', previous?.fingerprint ?? ''), may)
    await recordWith(app, sevenzip('instance', '0123456789abcdef'), may)
    await recordWith(app, sevenzip(vault.id, vault.fingerprint ?? ''), may)
    const age = { method: 'age' as const, recipients: [] }
    await recordWith(app, { ...age, keyId: 'recipients', fingerprint: offline.fingerprint }, may)
    await recordWith(app, { ...age, keyId: phrase.id, fingerprint: null }, june)
    await recordWith(app, { ...age, keyId: 'passphrase', fingerprint: null }, june)
    const found = await check(app)
    assert.deepEqual(
      found.map(({ name, kind, state, isAtHand, snapshots, oldest, newest }) => [
        name,
        kind,
        state,
        isAtHand,
        snapshots,
        oldest,
        newest,
      ]),
      [
        ['Instance key', 'instance', 'active', true, 2, may, june],
        ['Former instance key', 'instance', 'retired', true, 1, may, may],
        ['offline', 'recipients', 'active', false, 1, may, may],
        ['phrase', 'passphrase', 'active', true, 1, june, june],
        ['vault', 'password', 'active', true, 1, may, may],
        [null, 'unknown', 'missing', false, 1, may, may],
        [null, 'unknown', 'missing', false, 1, june, june],
      ],
    )
    assert.deepEqual(
      found.slice(5).map(({ keyId, fingerprint }) => [keyId, fingerprint]),
      [
        ['instance', '0123456789abcdef'],
        ['passphrase', null],
      ],
    )
  })

  it('that APP_KEY does not open any more are not at hand; the others are', async () => {
    await using app = await openApp(makePlace)
    const organizationId = await organizationOf(app)
    await add(app, { ...password, name: 'lost' })
    app.context.sealer = sealer({ current: makeKey() })
    const { id } = await add(app, { ...passphrase, name: 'new' })
    const { namedKeys, instanceKeys } = await keyRingOf(app.context, organizationId)
    assert.deepEqual(namedKeys, [{ id, kind: 'passphrase', secret: CANARY }])
    assert.deepEqual(instanceKeys, app.context.instanceKeys)
    const found = (await check(app)).map(({ name, isAtHand }) => [name, isAtHand])
    assert.deepEqual(found.slice(1), [
      ['lost', false],
      ['new', true],
    ])
    assert.equal((await app.ask('GET', URL)).json().items.length, 2)
  })

  it('that were made up are what the 7-Zip program asks for', { skip: skipUnless('7zip') }, async () => {
    await using app = await openApp(makePlace)
    const organizationId = await organizationOf(app)
    const { id, secret = '' } = await add(app, { kind: 'password', name: 'made', generate: true })
    const { volume, path } = newVolume()
    const encryption = await encryptionOf(app.context, organizationId, { method: '7z', keyId: id })
    const { key } = await takeSnapshot(
      order(engineRunning('warns-and-succeeds'), [volume], { encryption }),
      job(),
    )
    const [program = ''] = detailsOf('7zip').programs
    const test = (answer: string) =>
      spawnSync(program, ['t', `${path}/${key}`], { input: `${answer}\n` }).status
    assert.equal(test(secret), 0)
    assert.notEqual(test(`${secret}x`), 0)
  })
})
