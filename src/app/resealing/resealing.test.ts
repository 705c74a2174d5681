import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { globSync } from 'node:fs'
import { describe, it } from 'node:test'
import { makeKey, type Sealer, sealer } from '../../lib/sealing.ts'
import { identitySecret } from '../identity/secret.ts'
import { AppError } from '../../shared/errors.ts'
import { enqueueJob } from '../../store/queue.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { acceptKey, countLost, reseal } from './resealing.ts'
import { openApp } from '../test-bed.ts'

const [FIRST, SECOND, THIRD] = [makeKey(), makeKey(), makeKey()] as const

const nothing = { resealed: 0, notes: [], warnings: [] }

const shop = {
  name: 'shop',
  engine: 'postgresql',
  connection: { host: 'db.example', user: 'backup', password: 'canary-server' },
}
const bucket = {
  name: 'bucket',
  kind: 's3',
  settings: { bucket: 'backups', accessKeyId: 'me', secretAccessKey: 'canary-volume' },
}
const hook = {
  name: 'hook',
  kind: 'webhook',
  settings: { url: 'https://hooks.example.com/', secret: 'canary-channel' },
}
const call = {
  name: 'call',
  around: 'backup',
  moment: 'after',
  kind: 'http',
  settings: { url: 'https://hooks.example.com/', secret: 'canary-hook' },
}
const key = { name: 'key', kind: 'password', password: 'canary-key-1234' }
const company = {
  name: 'company',
  kind: 'oidc',
  settings: { discoveryUrl: 'https://sso.example.com/', clientId: 'us', clientSecret: 'canary-provider' },
}

/** An app in which one secret of each kind is sealed with the first key. */
async function openSealed(makePlace: Parameters<typeof openApp>[0]) {
  const opened = await openApp(makePlace)
  opened.context.sealer = sealer({ current: FIRST })
  await reseal(opened.context)
  await identitySecret(opened.context)
  const add = async (url: string, body: object, headers = {}) => {
    const answer = await opened.ask('POST', url, body, headers)
    assert.equal(answer.statusCode, 201, answer.body)
    return answer.json()
  }
  const server = await add('/api/v1/servers', shop)
  const volume = await add('/api/v1/volumes', bucket)
  const channel = await add('/api/v1/channels', hook)
  const caller = await add('/api/v1/hooks', call)
  const cloud = { name: 'cloud', kind: 's3', settings: { ...bucket.settings, secretAccessKey: 'canary-app' } }
  const registration = await add('/api/v1/app-backup-registrations', cloud)
  const provider = await add('/api/v1/identity-providers', company)
  const { id: keyId } = await add('/api/v1/keys', key)
  const smtp = { host: 'mail.example.com', user: 'u', password: 'canary-mail', from: 'a@example.com' }
  await opened.ask('PATCH', '/api/v1/instance-settings', { smtp })
  const replayed = { 'idempotency-key': 'once' }
  const made = await add('/api/v1/tokens', { name: 'ci' }, replayed)
  const { organizationId } = await opened.store.db
    .selectFrom('tokens')
    .select('organizationId')
    .executeTakeFirstOrThrow()
  const jobId = '01890000-0000-7000-8000-000000000001'
  const payload = { keys: { 'a/b': opened.context.sealer.seal('canary-job', `jobs/${jobId}/keys/a%2Fb`) } }
  await opened.store.db
    .transaction()
    .execute((trx) =>
      enqueueJob(opened.store, trx, { id: jobId, organizationId, kind: 'test', key: 'test', payload }),
    )
  /** Every secret, read in the way of its feature. */
  const check = async (sealer: Sealer) => {
    opened.context.sealer = sealer
    const { connectionOf, serverOf } = await import('../servers/servers.ts')
    const row = await serverOf(opened.context, organizationId, server.id)
    assert.equal(connectionOf(opened.context, row)['password'], 'canary-server')
    const shown = (await opened.ask('GET', `/api/v1/volumes/${volume.id}`)).json()
    assert.equal(shown.settings.secretAccessKey, 'cana****')
    const sent = (await opened.ask('GET', `/api/v1/channels/${channel.id}`)).json()
    assert.equal(sent.settings.secret, 'cana****')
    const calling = (await opened.ask('GET', `/api/v1/hooks/${caller.id}`)).json()
    assert.equal(calling.settings.secret, 'cana****')
    const place = (await opened.ask('GET', `/api/v1/app-backup-registrations/${registration.id}`)).json()
    assert.equal(place.settings.secretAccessKey, 'cana****')
    const signsIn = (await opened.ask('GET', `/api/v1/identity-providers/${provider.id}`)).json()
    assert.equal(signsIn.settings.clientSecret, 'cana****')
    const { instanceSettingsOf } = await import('../instance-settings/instance-settings.ts')
    assert.equal((await instanceSettingsOf(opened.context)).smtp?.password, 'canary-mail')
    assert.match(await identitySecret({ store: { ...opened.store }, sealer }), /^[\w-]{43}$/)
    const { keyRingOf } = await import('../keys/keys.ts')
    const ring = await keyRingOf(opened.context, organizationId)
    assert.deepEqual(ring.namedKeys, [{ id: keyId, kind: 'password', secret: 'canary-key-1234' }])
    const again = await opened.ask('POST', '/api/v1/tokens', { name: 'ci' }, replayed)
    assert.equal(again.json().token, made.token)
    const job = await opened.store.db
      .selectFrom('jobs')
      .select('payload')
      .where('id', '=', jobId)
      .executeTakeFirstOrThrow()
    const { keys } = JSON.parse(job.payload) as typeof payload
    assert.equal(sealer.open(keys['a/b'], `jobs/${jobId}/keys/a%2Fb`), 'canary-job')
  }
  return { ...opened, check }
}

/** All rows of all tables. */
async function everything({ store }: Awaited<ReturnType<typeof openApp>>): Promise<string> {
  const all: unknown[] = []
  for (const { name } of await store.db.introspection.getTables()) {
    all.push(
      await store.db
        .selectFrom(name as 'jobs')
        .selectAll()
        .execute(),
    )
  }
  return JSON.stringify(all)
}

function isWrongKey(error: unknown): boolean {
  return error instanceof AppError && error.code === 'key_wrong'
}

describeBothStores('what was sealed with a former key', (makePlace) => {
  it('is sealed anew, all of it, and the former key is not needed any more', async () => {
    await using app = await openSealed(makePlace)
    const rotated = sealer({ current: SECOND, previous: [FIRST] })
    await app.check(rotated)
    assert.deepEqual(await reseal({ store: app.store, sealer: rotated }), {
      resealed: 11,
      notes: ['11 secrets were sealed anew with this APP_KEY.'],
      warnings: [],
    })
    assert.ok(!(await everything(app)).includes(`hf1.${sealer({ current: FIRST }).keyId}`))
    await app.check(sealer({ current: SECOND }))
    assert.deepEqual(await reseal({ store: app.store, sealer: rotated }), nothing)
  })

  it('is left as it is where nothing has changed', async () => {
    await using app = await openSealed(makePlace)
    const before = await everything(app)
    assert.deepEqual(await reseal(app.context), nothing)
    assert.equal(await everything(app), before)
  })

  it('keeps no app from starting where it is a kept answer that cannot be opened', async () => {
    await using app = await openSealed(makePlace)
    const body = sealer({ current: FIRST }).seal('an answer', 'another place')
    await app.store.db.updateTable('idempotencyKeys').set({ body }).execute()
    const rotated = sealer({ current: SECOND, previous: [FIRST] })
    const { resealed } = await reseal({ store: app.store, sealer: rotated })
    assert.equal(resealed, 11)
  })

  it('is sealed anew by several nodes that start at once', async () => {
    await using app = await openSealed(makePlace)
    const rotated = () => reseal({ store: app.store, sealer: sealer({ current: SECOND, previous: [FIRST] }) })
    await Promise.all([rotated(), rotated(), rotated()])
    await app.check(sealer({ current: SECOND }))
  })

  it('stays as it is when somebody else changes it meanwhile', async () => {
    await using app = await openSealed(makePlace)
    const rotated = sealer({ current: SECOND, previous: [FIRST] })
    const { id } = await app.store.db.selectFrom('servers').select('id').executeTakeFirstOrThrow()
    const place = `servers/${id}/connection/password`
    const { db } = app.store
    const updateTable = db.updateTable.bind(db)
    const change = updateTable('servers')
      .set({ connection: JSON.stringify({ ...shop.connection, password: rotated.seal('newer', place) }) })
      .where('id', '=', id)
    let isChanged: Promise<unknown> | undefined
    Object.assign(db, {
      updateTable: (table: 'servers') => {
        if (table === 'servers') isChanged ??= change.execute()
        return updateTable(table)
      },
    })
    await reseal({ store: app.store, sealer: rotated })
    await isChanged
    const { connection } = await db.selectFrom('servers').select('connection').executeTakeFirstOrThrow()
    const { password } = JSON.parse(connection) as { password: string }
    assert.equal(rotated.open(password, place), 'newer')
  })
})

describeBothStores('the app’s key', (makePlace) => {
  it('must be that of the store, or follow it', async () => {
    await using app = await openSealed(makePlace)
    const start = (...[current, ...previous]: [typeof FIRST, ...(typeof FIRST)[]]) =>
      reseal({ store: app.store, sealer: sealer({ current, previous }) })
    await start(FIRST)
    await assert.rejects(start(SECOND), isWrongKey)
    await assert.rejects(start(SECOND, THIRD), isWrongKey)
    await start(FIRST)
    await start(SECOND, FIRST)
    await assert.rejects(start(FIRST), isWrongKey)
    await start(SECOND)
    await app.check(sealer({ current: SECOND }))
  })

  it('may be another one when it was lost, and what that costs is said', async () => {
    await using app = await openSealed(makePlace)
    const found = { store: app.store, sealer: sealer({ current: SECOND }) }
    await assert.rejects(reseal(found), isWrongKey)
    assert.equal(await countLost(found), 10)
    const both = sealer({ current: SECOND, previous: [FIRST] })
    assert.equal(await countLost({ store: app.store, sealer: both }), 0)

    const { id } = await app.people.add()
    await app.store.db.updateTable('users').set({ twoFactorEnabled: 1 }).execute()
    const factor = { id: 'factor', userId: id, secret: 'sealed', backupCodes: 'sealed' }
    await app.store.db.insertInto('twoFactors').values(factor).execute()

    const { warnings, notes } = await acceptKey(found)
    assert.match(notes.join(), /Everybody is signed out, and second factors are gone/)
    const user = await app.store.db.selectFrom('users').selectAll().executeTakeFirstOrThrow()
    assert.equal(user.twoFactorEnabled, 0)
    assert.deepEqual(await app.store.db.selectFrom('sessions').selectAll().execute(), [])
    assert.deepEqual(await app.store.db.selectFrom('twoFactors').selectAll().execute(), [])
    assert.match(
      warnings.join(),
      /^2 stored secrets cannot be opened/,
      'the encryption key and that of the job',
    )
    assert.doesNotMatch(warnings.join(), /canary/)
    app.context.sealer = found.sealer
    // All is shown, and the passwords can be entered again.
    const [server] = (await app.ask('GET', '/api/v1/servers')).json().items
    assert.equal(server.connection.password, 'lost****')
    const again = { connection: { ...server.connection, password: 'canary-server' } }
    assert.equal((await app.ask('PATCH', `/api/v1/servers/${server.id}`, again)).statusCode, 200)
    const [volume] = (await app.ask('GET', '/api/v1/volumes')).json().items
    assert.equal(volume.settings.secretAccessKey, 'lost****')
    const anew = { settings: { ...volume.settings, secretAccessKey: 'canary-volume' } }
    assert.equal((await app.ask('PATCH', `/api/v1/volumes/${volume.id}`, anew)).statusCode, 200)
    const [registration] = (await app.ask('GET', '/api/v1/app-backup-registrations')).json().items
    assert.equal(registration.settings.secretAccessKey, 'lost****')
    const secretAccessKey = 'canary-app'
    const filled = { settings: { ...registration.settings, secretAccessKey } }
    const place = `/api/v1/app-backup-registrations/${registration.id}`
    assert.equal((await app.ask('PATCH', place, filled)).statusCode, 200)
    const [channel] = (await app.ask('GET', '/api/v1/channels')).json().items
    assert.equal(channel.settings.secret, 'lost****')
    const renewed = { settings: { ...channel.settings, secret: 'canary-channel' } }
    assert.equal((await app.ask('PATCH', `/api/v1/channels/${channel.id}`, renewed)).statusCode, 200)
    const [caller] = (await app.ask('GET', '/api/v1/hooks')).json().items
    assert.equal(caller.settings.secret, 'lost****')
    const entered = { settings: { ...caller.settings, secret: 'canary-hook' } }
    assert.equal((await app.ask('PATCH', `/api/v1/hooks/${caller.id}`, entered)).statusCode, 200)
    const [provider] = (await app.ask('GET', '/api/v1/identity-providers')).json().items
    assert.equal(provider.settings.clientSecret, 'lost****')
    const restored = { settings: { ...provider.settings, clientSecret: 'canary-provider' } }
    const from = `/api/v1/identity-providers/${provider.id}`
    assert.equal((await app.ask('PATCH', from, restored)).statusCode, 200)
    assert.equal((await app.ask('GET', '/api/v1/keys')).statusCode, 200)
    const { smtp } = (await app.ask('GET', '/api/v1/instance-settings')).json()
    assert.equal(smtp.password, 'lost****')
    const mail = { smtp: { ...smtp, password: 'canary-mail' } }
    assert.equal((await app.ask('PATCH', '/api/v1/instance-settings', mail)).statusCode, 200)

    // Should the former key be found after all, the rest is opened with it.
    await reseal({ store: app.store, sealer: both })
    await app.check(found.sealer)
  })
})

describe('what is sealed', () => {
  it('is known to who seals it anew', () => {
    const folder = new URL('..', import.meta.url).pathname
    const sealing = globSync('**/*.ts', { cwd: folder }).filter((file) => {
      const source = readFileSync(`${folder}${file}`, 'utf8')
      return !/(test|test-bed)\.ts$/.test(file) && /\b(sealSettings|sealer\.seal)\(/.test(source)
    })
    // Whoever adds a file here has added what it seals to resealing.ts, and to openSealed above.
    assert.deepEqual(sealing.sort(), [
      'app-backups/registrations.ts',
      'channels/channels.ts',
      'hooks/hooks.ts',
      'idempotency/idempotency.ts',
      'identity-providers/identity-providers.ts',
      'identity/secret.ts',
      'instance-settings/instance-settings.ts',
      'keys/keys.ts',
      'resealing/resealing.ts',
      'restores/order.ts',
      'secrets.ts',
      'servers/servers.ts',
      'sign-in/pending.ts', // in cookies, for minutes
      'volumes/volumes.ts',
    ])
  })
})
