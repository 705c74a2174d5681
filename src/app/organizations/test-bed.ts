import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import type { StorePlace } from '../../store/test-bed.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { addToken, unrestricted } from '../tokens/tokens.ts'
import { openTeam } from '../users/test-bed.ts'

/** One of everything that an organization owns. */
export interface Filled {
  organizationId: string
  token: string
  serverId: string
  volumeId: string
  planId: string
  scheduleId: string
  channelId: string
  keyId: string
  snapshotId: string
  /** Of this machine. */
  folder: string
}

interface FillOptions {
  /** What all is called; the word if absent. */
  name?: string
  /** Where its volume is, below the folder of the test; the word if absent. */
  place?: string
}

/** The app with organizations in which there is one of everything. */
export async function openOrganizations(makePlace: () => Promise<StorePlace>) {
  const app = await openTeam(makePlace)
  const folder = await tempFolder('organizations')
  const { db, now } = app.store
  /** `word` tells its people and files from others. */
  const fill = async (
    organizationId: string,
    word: string,
    { name = word, place = word }: FillOptions = {},
  ): Promise<Filled> => {
    const order = { ...unrestricted, name }
    const { token, id: tokenId } = await addToken(app.store, organizationId, order)
    const ask: typeof app.ask = (method, url, payload, headers) =>
      app.ask(method, url, payload, { authorization: `Bearer ${token}`, ...headers })
    const add = async (path: string, body: object): Promise<string> => {
      const answer = await ask('POST', `/api/v1/${path}`, body, { 'idempotency-key': `${word}-${path}` })
      assert.ok(answer.statusCode < 300, `${path}: ${answer.body}`)
      return answer.json().id
    }
    const file = join(folder.path, `${word}.db`)
    const database = new DatabaseSync(file)
    database.exec('create table things (id integer primary key); insert into things values (1), (2)')
    database.close()
    const kept = join(folder.path, place)
    const volumeId = await add('volumes', { name, kind: 'local', settings: { path: kept } })
    const serverId = await add('servers', { name, engine: 'sqlite', connection: { path: file } })
    const scheduleId = await add('schedules', { name, rule: { type: 'daily', times: ['02:00'] } })
    const keyId = await add('keys', { name, kind: 'password', password: `${word}-password-1234` })
    const planId = await add('plans', {
      name,
      serverId,
      volumes: [{ id: volumeId }],
      schedules: [scheduleId],
    })
    const settings = { url: 'https://hooks.example.com/' }
    const channelId = await add('channels', {
      name,
      kind: 'webhook',
      settings: { ...settings, secret: `${word}-secret-1234` },
    })
    const hook = { planId, around: 'backup', moment: 'after', kind: 'http', isEnabled: false }
    await add('hooks', { name, ...hook, settings })
    await add('notification-rules', { name, events: ['backup.failed'], channels: [channelId] })
    await add('scheduled-restores', {
      name,
      sourceServerId: serverId,
      sourceDatabase: file,
      targetServerId: serverId,
      targetDatabase: join(folder.path, `${word}-restored.db`),
      mode: 'new',
      scheduleId,
    })
    await add('roles', { name, abilities: ['view', 'restore'] })
    await add('invitations', {
      email: `invited-${word}@example.com`,
      roleId: app.roleId('viewer', organizationId),
    })
    await ask('PATCH', '/api/v1/settings', { noticeEvery: 3 })
    const person = await app.person(word, { organizationId })
    await db
      .insertInto('sessions')
      .values({
        id: `session-${word}`,
        userId: person.id,
        token: word,
        organizationId,
        expiresAt: 9e12,
        createdAt: now,
        updatedAt: now,
      })
      .execute()
    await ask('POST', `/api/v1/plans/${planId}/run`, {})
    await runJobs(app.context)
    const snapshot = await db
      .selectFrom('snapshots')
      .select('id')
      .where('planId', '=', planId)
      .executeTakeFirstOrThrow()
    await db
      .insertInto('notificationThreads')
      .values({ organizationId, key: `backup:${planId}:x`, count: 1, firstAt: now, lastAt: now, told: '[]' })
      .execute()
    const names = [scheduleId, `clean-up:${organizationId}`, `file-check:${organizationId}`]
    for (const schedule of names) {
      await db.insertInto('firings').values({ schedule, fireAt: 1, firedAt: 1 }).execute()
    }
    await db
      .insertInto('auditEntries')
      .values({
        number: (await count('auditEntries')) + 1_000_000,
        id: `audit-${word}`,
        organizationId,
        at: now,
        action: 'server.add',
        outcome: 'succeeded',
        actor: '{}',
        details: '{}',
        hash: word,
      })
      .execute()
    await db
      .insertInto('jobResources')
      .values({ jobId: await waitingJob(word, organizationId, planId), resource: `volume:${volumeId}` })
      .execute()
    assert.ok(tokenId)
    return {
      organizationId,
      token,
      serverId,
      volumeId,
      planId,
      scheduleId,
      channelId,
      keyId,
      snapshotId: snapshot.id,
      folder: kept,
    }
  }
  const count = async (table: 'auditEntries' | 'jobs'): Promise<number> =>
    (await db.selectFrom(table).select('id').execute()).length
  /** One that no worker takes. */
  const waitingJob = async (word: string, organizationId: string, planId: string): Promise<string> => {
    const id = `job-${word}`
    await db
      .insertInto('jobs')
      .values({
        id,
        organizationId,
        kind: 'run-plan',
        key: `waiting:${word}`,
        planId,
        state: 'queued',
        payload: '{}',
        runAt: 9e12,
        createdAt: now,
        updatedAt: now,
      })
      .execute()
    return id
  }
  return {
    ...app,
    folder: folder.path,
    fill,
    async [Symbol.asyncDispose]() {
      await app[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}
