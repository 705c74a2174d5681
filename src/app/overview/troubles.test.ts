import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { it } from 'node:test'
import { v7 as uuidv7 } from 'uuid'
import { overview, type Trouble } from '../../shared/overview.ts'
import type { CopyState } from '../../shared/snapshots-api.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { nowOf } from '../clock.ts'
import { openCatalogue } from '../snapshots/test-bed.ts'
import { addToken, unrestricted } from '../tokens/tokens.ts'

type App = Awaited<ReturnType<typeof openCatalogue>>

const DAY = 86_400_000
const error = JSON.stringify({ code: 'channel_unreachable', message: 'Nobody answered.' })

async function troubles(app: App): Promise<Trouble[]> {
  return overview.parse(await app.get('overview')).troubles
}

/** `copies-missing volume 0: 2` */
function inShort(troubles: readonly Trouble[]): string[] {
  return troubles.map(({ kind, name, count }) => `${kind} ${name}${count === null ? '' : `: ${count}`}`)
}

async function setCopies(app: App, snapshotId: string, state: CopyState): Promise<void> {
  await app.store.db.updateTable('copies').set({ state }).where('snapshotId', '=', snapshotId).execute()
}

async function nameKey(app: App, id: string, keyId: string, keyFingerprint: string | null): Promise<void> {
  await app.store.db.updateTable('snapshots').set({ keyId, keyFingerprint }).where('id', '=', id).execute()
}

describeBothStores('the troubles of the overview', (makePlace) => {
  it('are none where all is well', async () => {
    await using app = await openCatalogue(makePlace)
    await app.add()
    assert.deepEqual(await troubles(app), [])
  })

  it('are a volume that could not be checked, with why, until it can be again', async () => {
    await using app = await openCatalogue(makePlace)
    await app.add()
    const [place = ''] = app.places
    const check = async () => {
      const { jobIds } = await app.post<{ jobIds: string[] }>(`volumes/${app.volumeIds[0]}/check`)
      await app.run({ evenLater: true })
      return jobIds[0]
    }
    await rename(place, `${place}-unmounted`)
    const jobId = await check()
    const [trouble, ...others] = await troubles(app)
    assert.deepEqual(inShort(others), [])
    assert.deepEqual(
      [trouble?.kind, trouble?.id, trouble?.jobId],
      ['volume-unreachable', app.volumeIds[0], jobId],
    )
    assert.match(trouble?.message ?? '', /is not there/)
    assert.ok(trouble?.since)
    await rename(`${place}-unmounted`, place)
    await check()
    assert.deepEqual(await troubles(app), [])
  })

  it('are a volume that was nearly full when it was checked', async () => {
    await using app = await openCatalogue(makePlace)
    await app.add()
    const [id = ''] = app.volumeIds
    const check = async (quota: number) => {
      await app.store.db.updateTable('volumes').set({ quota }).execute()
      await app.post(`volumes/${id}/check`)
      await app.run()
    }
    await check(1)
    assert.deepEqual(inShort(await troubles(app)), ['volume-nearly-full volume 0'])
    await check(10_000_000)
    assert.deepEqual(await troubles(app), [])
  })

  it('are copies that are not what they should be, counted by volume', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    await app.add({ on: [0, 1] })
    for (let n = 0; n < 2; n++) await setCopies(app, await app.add({ on: [0] }), 'missing')
    await setCopies(app, await app.add({ on: [0, 1] }), 'corrupt')
    await setCopies(app, await app.add({ on: [0] }), 'delete_pending')
    await app.add({ on: [0], failedOn: [1] })
    assert.deepEqual(inShort(await troubles(app)), [
      'copies-corrupt volume 0: 1',
      'copies-corrupt volume 1: 1',
      'copies-missing volume 0: 2',
      'copies-not-stored volume 1: 1',
    ])
  })

  it('are keys that snapshots need and nobody has', async () => {
    await using app = await openCatalogue(makePlace)
    const key = (name: string, body: object) =>
      app.post<{ id: string; fingerprint: string }>('keys', { name, ...body })
    const vault = await key('vault', { kind: 'password', password: 'canary-password-1234' })
    const phrase = await key('phrase', { kind: 'passphrase', passphrase: 'canary-password-1234' })
    await nameKey(app, await app.add(), vault.id, vault.fingerprint)
    await nameKey(app, await app.add(), phrase.id, null)
    await nameKey(app, await app.add(), uuidv7(), vault.fingerprint) // before the app was lost
    assert.deepEqual(await troubles(app), [])
    for (let n = 0; n < 2; n++) await nameKey(app, await app.add(), 'instance', 'of-another-day')
    await nameKey(app, await app.add(), 'instance', 'of-yesterday')
    const lost = uuidv7()
    await nameKey(app, await app.add(), lost, null)
    assert.deepEqual(inShort(await troubles(app)).sort(), [
      `key-missing ${lost}: 1`,
      'key-missing of-another-day: 2',
      'key-missing of-yesterday: 1',
    ])
    const { items } = await app.get<{ items: { state: string; snapshots: number }[] }>('keys/check')
    const missing = items.filter(({ state }) => state === 'missing').map(({ snapshots }) => snapshots)
    assert.deepEqual(
      missing.sort((a, b) => a - b),
      [1, 1, 2],
      'the page of the keys says the same',
    )
  })

  it('are keys that APP_KEY does not open', async () => {
    await using app = await openCatalogue(makePlace)
    const vault = await app.post<{ id: string; fingerprint: string }>('keys', {
      name: 'vault',
      kind: 'password',
      password: 'canary-password-1234',
    })
    await nameKey(app, await app.add(), vault.id, vault.fingerprint)
    const { material } = await app.store.db
      .selectFrom('encryptionKeys')
      .select('material')
      .executeTakeFirstOrThrow()
    const { id: other } = await app.post<{ id: string }>('keys', {
      name: 'other',
      kind: 'password',
      password: 'another-password-1234',
    })
    // What was sealed for another place is not opened here.
    await app.store.db.updateTable('encryptionKeys').set({ material }).where('id', '=', other).execute()
    assert.deepEqual(await troubles(app), [], 'it is not needed')
    await nameKey(app, await app.add(), other, 'x')
    assert.deepEqual(inShort(await troubles(app)), ['key-missing other: 1'])
  })

  it('are channels that are switched on, and did not deliver the last time', async () => {
    await using app = await openCatalogue(makePlace)
    const add = async (name: string, fields: object, more: object = {}) => {
      const settings = { url: 'https://example.com/hook', secret: 'canary-secret-1234' }
      const { id } = await app.post<{ id: string }>('channels', { name, kind: 'webhook', settings, ...more })
      await app.store.db.updateTable('channels').set(fields).where('id', '=', id).execute()
    }
    await add('a', { lastDeliveredAt: 5, lastFailedAt: 6, lastError: error })
    await add('b', { lastDeliveredAt: 7, lastFailedAt: 6, lastError: error })
    await add('c', { lastFailedAt: 6 }, { isEnabled: false })
    const found = await troubles(app)
    assert.deepEqual(inShort(found), ['channel-failing a'])
    assert.deepEqual([found[0]?.message, found[0]?.since], ['Nobody answered.', '1970-01-01T00:00:00.006Z'])
  })

  it('are scheduled restores that are enabled, and failed when they ran last', async () => {
    await using app = await openCatalogue(makePlace)
    const { serverId, store, organizationId } = app
    const add = async (name: string, state: 'failed' | 'succeeded', isEnabled = 1) => {
      const lastJobId = uuidv7()
      const times = { createdAt: 1, runAt: 1, updatedAt: 1, finishedAt: 2 }
      const job = { id: lastJobId, organizationId, kind: 'restore', key: lastJobId, payload: '{}', serverId }
      await store.db
        .insertInto('jobs')
        .values({ ...job, ...times, state, error })
        .execute()
      await store.db
        .insertInto('scheduledRestores')
        .values({
          id: uuidv7(),
          organizationId,
          name,
          sourceServerId: serverId,
          sourceDatabase: 'shop',
          targetServerId: serverId,
          isEnabled,
          settings: '{}',
          lastJobId,
          revision: 1,
          createdAt: 1,
          updatedAt: 1,
        })
        .execute()
      return lastJobId
    }
    const jobId = await add('drill', 'failed')
    await add('good', 'succeeded')
    await add('resting', 'failed', 0)
    const found = await troubles(app)
    assert.deepEqual(inShort(found), ['scheduled-restore-failed drill'])
    assert.deepEqual([found[0]?.jobId, found[0]?.message], [jobId, 'Nobody answered.'])
  })

  it('are app backups that failed or are overdue, and loops that stand still: for administrators of the instance', async () => {
    await using app = await openCatalogue(makePlace)
    const { db } = app.store
    const now = await nowOf(app.store)
    const settings = (name: string) => ({ path: `${app.folder}/${name}` })
    const register = async (name: string, more: object = {}) => {
      const schedules = [{ type: 'daily', times: ['03:00'] }]
      const body = { name, kind: 'local', settings: settings(name), schedules, ...more }
      const { id } = await app.post<{ id: string }>('app-backup-registrations', body)
      await db
        .updateTable('appBackupRegistrations')
        .set({ scheduledSince: now - 9 * DAY })
        .where('id', '=', id)
        .execute()
      return id
    }
    const made = async (
      registrationId: string,
      state: 'succeeded' | 'failed' | 'running',
      startedAt: number,
    ) => {
      const id = uuidv7()
      const backup = { id, registrationId, key: id, location: id, place: id, cause: 'daily', maker: 'x' }
      await db
        .insertInto('appBackups')
        .values({
          ...backup,
          schemaVersion: 1,
          state,
          isStored: 1,
          startedAt,
          error: state === 'failed' ? error : null,
        })
        .execute()
    }
    const good = await register('good')
    await made(good, 'failed', now - 2)
    await made(good, 'succeeded', now - 1)
    const failed = await register('failed')
    await made(failed, 'succeeded', now - 3)
    await made(failed, 'failed', now - 2)
    await made(failed, 'running', now - 1)
    await made(await register('overdue'), 'succeeded', now - 2 * DAY)
    await register('by hand', { schedules: [{ type: 'migration' }] })
    await register('off', { isEnabled: false })
    app.context.heartbeats.set('watch', performance.now())
    app.context.heartbeats.set('scheduler', performance.now() - 300_000)
    const found = await troubles(app)
    assert.deepEqual(inShort(found), [
      'loop-stopped scheduler',
      'app-backup-failed failed',
      'app-backup-overdue overdue',
    ])
    assert.equal(found[1]?.message, 'Nobody answered.')
    const order = { ...unrestricted, name: 'reader', isInstanceAdministrator: false }
    const { token } = await addToken(app.store, app.organizationId, order)
    const answer = await app.app.inject({
      url: '/api/v1/overview',
      headers: { authorization: `Bearer ${token}` },
    })
    assert.deepEqual(overview.parse(answer.json()).troubles, [])
  })

  it('are only those that one may see', async () => {
    await using app = await openCatalogue(makePlace)
    const other = await app.post<{ id: string }>('servers', {
      name: 'other',
      engine: 'sqlite',
      connection: { path: `${app.folder}/other.db` },
    })
    await setCopies(app, await app.add(), 'missing')
    await setCopies(app, await app.add({ serverId: other.id, plan: null }), 'missing')
    await nameKey(app, await app.add(), uuidv7(), null)
    assert.deepEqual(
      (await troubles(app)).map(({ kind, count }) => [kind, count]),
      [
        ['copies-missing', 2],
        ['key-missing', 1],
      ],
    )
    const role = await app.post<{ id: string }>('roles', {
      name: 'other only',
      abilities: ['view'],
      servers: { names: ['other'] },
    })
    const person = await app.people.add({ role: 'viewer' })
    await app.store.db
      .updateTable('memberships')
      .set({ roleId: role.id })
      .where('userId', '=', person.id)
      .execute()
    const limited = overview.parse((await person.request('GET', '/api/v1/overview')).json())
    assert.deepEqual(inShort(limited.troubles), ['copies-missing volume 0: 1'])
    // Nothing of another organization.
    const now = await nowOf(app.store)
    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: now })
      .execute()
    for (const table of ['volumes', 'snapshots'] as const) {
      await app.store.db.updateTable(table).set({ organizationId: 'other' }).execute()
    }
    assert.deepEqual(await troubles(app), [])
  })
})
