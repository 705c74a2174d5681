import { builtInRoleId } from '../roles/built-in.ts'
import assert from 'node:assert/strict'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { sql } from 'kysely'
import type { AuditEntry } from '../../shared/audit.ts'
import type { MergedOrganization, Organization, OrganizationLosses } from '../../shared/organizations.ts'
import { problem } from '../../shared/problems.ts'
import { type CopiedTable, copiedTables } from '../../store/copy-store.ts'
import type { Store } from '../../store/database.ts'
import { describeStores } from '../../store/test-bed.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { addToken, unrestricted } from '../tokens/tokens.ts'
import { firstOrganization } from './organizations.ts'
import { type Filled, openOrganizations } from './test-bed.ts'

const url = '/api/v1/organizations'
const order = { ...unrestricted, name: 'of a test' }

type Answer = { statusCode: number; body: string; json(): unknown }

function codeOf(answer: Answer): string {
  return answer.statusCode < 400 ? String(answer.statusCode) : problem.parse(answer.json()).code
}

const tables = Object.keys(copiedTables) as CopiedTable[]
/** Of people, who stay, and of what has happened. */
const stays: CopiedTable[] = ['users', 'sessions', 'auditEntries', 'auditChain']

/** Every row of the store, as text. */
async function allRows({ db }: Store): Promise<Map<CopiedTable, string[]>> {
  const all = new Map<CopiedTable, string[]>()
  for (const table of tables) {
    const rows = await db.selectFrom(table).selectAll().execute()
    all.set(
      table,
      rows.map((row) => JSON.stringify({ ...row, ...('lastUsedAt' in row && { lastUsedAt: null }) })).sort(),
    )
  }
  return all
}

/** The tables, by their names in SQL, whose rows say which organization they are of. */
async function ownedTables({ db, engine }: Store): Promise<string[]> {
  const { rows } = await (
    engine === 'sqlite'
      ? sql<{ name: string }>`select m.name as name from sqlite_master m join pragma_table_info(m.name) c
          where m.type = 'table' and c.name = 'organization_id'`
      : sql<{ name: string }>`select table_name as name from information_schema.columns
          where column_name = 'organization_id' and table_schema = current_schema()`
  ).execute(db)
  return rows.map(({ name }) => name)
}

/** How many rows of each of these tables are of the organization. */
async function countOwned(store: Store, organizationId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const table of await ownedTables(store)) {
    const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}
      where organization_id = ${organizationId}`.execute(store.db)
    counts[table] = Number(rows[0]?.count)
  }
  return counts
}

async function openTwo(makePlace: Parameters<typeof openOrganizations>[0]) {
  const app = await openOrganizations(makePlace)
  const secondId = await app.addOrganization('Second')
  return { ...app, secondId }
}

function idsIn(filled: Filled): string[] {
  const { serverId, volumeId, planId, scheduleId, channelId, keyId, snapshotId } = filled
  return [serverId, volumeId, planId, scheduleId, channelId, keyId, snapshotId]
}

describeStores('organizations', (makePlace) => {
  it('are added with what each begins with, renamed and listed', async () => {
    await using app = await openTwo(makePlace)
    const { items } = (await app.ask('GET', url)).json<{ items: Organization[] }>()
    assert.deepEqual(
      items.map(({ name, members }) => [name, members]),
      [
        ['Default', 0],
        ['Second', 0],
      ],
    )
    const root = await app.person('root', { isInstanceAdministrator: true, organizationId: app.secondId })
    const list = async (path: string) =>
      (await root.ask('GET', `/api/v1/${path}`)).json<{ items: { name: string; location?: string }[] }>()
        .items
    assert.equal((await list('roles')).length, 4)
    const { items: roles } = (await app.ask('GET', `${url}/${app.secondId}/roles`)).json<{
      items: { id: string; name: string }[]
    }>()
    assert.deepEqual(roles[0], { id: builtInRoleId(app.secondId, 'admin'), name: 'Admin' })
    assert.equal((await app.ask('GET', `${url}/none/roles`)).statusCode, 404)
    assert.equal((await list('notification-rules')).length, 1)
    const [volume] = await list('volumes')
    assert.equal(volume?.name, 'This machine')
    assert.notEqual(volume?.location, join(app.context.dataDirectory, 'backups'), 'a place of its own')
    assert.deepEqual((await list('jobs?kind=sweep-volume')).length, 1)
    assert.equal(codeOf(await app.ask('POST', url, { name: 'Second' })), 'name_taken')
    assert.equal(codeOf(await app.ask('PATCH', `${url}/${app.secondId}`, { name: 'Default' })), 'name_taken')
    assert.equal((await app.ask('PATCH', `${url}/${app.secondId}`, { name: 'Other' })).json().name, 'Other')
    assert.equal((await root.ask('GET', `${url}/${app.secondId}`)).json().members, 1)
    assert.equal((await app.ask('GET', `${url}/none`)).statusCode, 404)
  })

  it('that are made later are looked after at once', async () => {
    await using app = await openTwo(makePlace)
    const { fireDaily } = await import('../scheduler/scheduler.ts')
    const { watchOverdue } = await import('../overview/watch.ts')
    await fireDaily(app.context)
    await watchOverdue(app.context)
    const fired = await app.store.db.selectFrom('firings').select('schedule').execute()
    assert.ok(fired.some(({ schedule }) => schedule === `clean-up:${app.secondId}`))
  })
})

describeStores('an organization is deleted', (makePlace) => {
  it('with everything that is its own, and nothing else', async () => {
    await using app = await openOrganizations(makePlace)
    const first = await app.fill(app.organizationId, 'first')
    await runJobs(app.context)
    const before = await allRows(app.store)
    const secondId = await app.addOrganization('Second')
    const second = await app.fill(secondId, 'second')
    for (const [table, count] of Object.entries(await countOwned(app.store, secondId))) {
      assert.ok(count > 0, `${table} has nothing of the organization: fill it`)
    }
    const files = await readdir(second.folder, { recursive: true })
    assert.ok(files.length > 2)

    await encrypt(null)
    const inTheClear = (await app.ask('GET', `${url}/${secondId}/losses`)).json<OrganizationLosses>()
    assert.deepEqual(inTheClear.warnings, [])
    await encrypt(second.keyId)
    const losses = (await app.ask('GET', `${url}/${secondId}/losses`)).json<OrganizationLosses>()
    assert.deepEqual(losses, {
      ...losses,
      organization: { id: secondId, name: 'Second' },
      servers: ['second'],
      plans: ['second'],
      schedules: ['second'],
      scheduledRestores: ['second'],
      snapshots: 1,
      keys: ['second'],
      channels: ['second'],
      hooks: ['second'],
      members: 1,
      membersWithout: [{ name: 'second', email: 'second@example.com' }],
      tokens: ['second', 'second’s'],
      invitations: ['invited-second@example.com'],
      runningJobs: 0,
      warnings: [
        'One snapshot is encrypted with keys of the organization: without their passwords, or the exported keys, nobody can read the copies any more.',
      ],
      obstacles: [],
    })
    const [, volume] = losses.volumes
    assert.deepEqual([volume?.name, volume?.location, volume?.copies], ['second', second.folder, 1])
    assert.ok(Number(volume?.bytes) > 0)

    for (const confirmation of ['', '?confirmation=second', '?confirmation=Default']) {
      const refused = await app.ask('DELETE', `${url}/${secondId}${confirmation}`)
      assert.equal(codeOf(refused), 'confirmation_needed')
    }
    const deleted = await app.ask('DELETE', `${url}/${secondId}?confirmation=Second`)
    assert.equal(deleted.statusCode, 200, deleted.body)
    assert.deepEqual(deleted.json(), losses, 'what was said to be lost is what was')

    const after = await allRows(app.store)
    for (const table of tables) {
      if (!stays.includes(table)) assert.deepEqual(after.get(table), before.get(table), table)
    }
    const text = stays
      .flatMap((table) => (['auditEntries', 'sessions'].includes(table) ? [] : (after.get(table) ?? [])))
      .join('\n')
    for (const id of [secondId, ...idsIn(second)]) assert.ok(!text.includes(id), id)
    assert.deepEqual(await readdir(second.folder, { recursive: true }), files, 'nothing on it was touched')
    assert.equal((await app.ask('GET', `/api/v1/snapshots/${first.snapshotId}`)).statusCode, 200)
    const accounts = (await app.ask('GET', '/api/v1/accounts')).json<{ items: { name: string }[] }>()
    assert.deepEqual(
      accounts.items.map(({ name }) => name),
      ['first', 'second'],
    )

    async function encrypt(keyId: string | null) {
      await app.store.db.updateTable('snapshots').set({ keyId }).where('id', '=', second.snapshotId).execute()
    }
  })

  it('and that is recorded with it, or neither happens; what follows does not undo it', async () => {
    await using app = await openTwo(makePlace)
    const remove = (id: string, name: string) => app.ask('DELETE', `${url}/${id}?confirmation=${name}`)
    const recorded = async () =>
      (
        await app.store.db
          .selectFrom('auditEntries')
          .select(['targetId', 'outcome', 'organizationId'])
          .where('action', '=', 'organization.delete')
          .orderBy('number')
          .execute()
      ).map(({ targetId, outcome, organizationId }) => [targetId, outcome, organizationId])
    await sql`alter table audit_entries rename to hidden`.execute(app.store.db)
    assert.ok((await remove(app.secondId, 'Second')).statusCode >= 500)
    await sql`alter table hidden rename to audit_entries`.execute(app.store.db)
    assert.equal((await app.ask('GET', `${url}/${app.secondId}`)).statusCode, 200, 'it is still there')
    assert.deepEqual(await recorded(), [])
    // The file with the token of the command line cannot be read.
    await mkdir(join(app.context.dataDirectory, 'cli.token'))
    const deleted = await remove(app.secondId, 'Second')
    assert.equal(deleted.statusCode, 200, deleted.body)
    assert.deepEqual(await recorded(), [[app.secondId, 'succeeded', null]])
  })

  it('only when nothing of it is in use', async () => {
    await using app = await openTwo(makePlace)
    const second = await app.fill(app.secondId, 'second')
    const remove = () => app.ask('DELETE', `${url}/${app.secondId}?confirmation=Second`)
    const refusal = async (sentence: RegExp) => {
      const refused = await remove()
      assert.equal(codeOf(refused), 'in_use', refused.body)
      assert.match(refused.body, sentence)
      const { obstacles } = (await app.ask('GET', `${url}/${app.secondId}/losses`)).json<OrganizationLosses>()
      assert.equal(obstacles.length, 1, obstacles.join())
    }
    const { db } = app.store
    const setState = (state: 'running' | 'queued') =>
      db.updateTable('jobs').set({ state }).where('id', '=', 'job-second').execute()
    await setState('running')
    await refusal(/A job of it is running\./)
    await setState('queued')

    const rule = { name: 'theirs', events: ['backup.failed'], channels: [second.channelId] }
    await app.ask(
      'PATCH',
      `/api/v1/channels/${second.channelId}`,
      { isShared: true },
      {
        authorization: `Bearer ${second.token}`,
      },
    )
    const added = await app.ask('POST', '/api/v1/notification-rules', rule)
    assert.equal(added.statusCode, 201, added.body)
    await refusal(/Rules of other organizations use its channel “second”\./)
    await app.ask('DELETE', `/api/v1/notification-rules/${added.json().id}`)

    const registration = { name: 'own', volumeId: second.volumeId, schedules: [] }
    const registered = await app.ask('POST', '/api/v1/app-backup-registrations', registration, {
      authorization: `Bearer ${second.token}`,
    })
    assert.equal(registered.statusCode, 201, registered.body)
    await refusal(/The app backup registration “own” uses a volume of it\./)
    await app.ask('DELETE', `/api/v1/app-backup-registrations/${registered.json().id}`)

    const mapping = { value: 'x', organizationId: app.secondId, roleId: app.roleId('viewer', app.secondId) }
    await addProvider(app.store, { mappings: [mapping] })
    await refusal(/The identity provider “company” gives roles in it\./)
    await db.deleteFrom('identityProviders').execute()

    const own = await app.ask('DELETE', `${url}/${app.secondId}?confirmation=Second`, undefined, {
      authorization: `Bearer ${second.token}`,
    })
    assert.equal(codeOf(own), 'in_use')
    assert.equal((await remove()).statusCode, 200)
    const last = await app.ask('DELETE', `${url}/${app.organizationId}?confirmation=Default`)
    assert.equal(codeOf(last), 'in_use')
    assert.match(last.body, /It is the last organization\./)
  })

  it('also if it was the first, whose app backups another one then sees', async () => {
    await using app = await openTwo(makePlace)
    const first = await app.fill(app.organizationId, 'first')
    const { db, now } = app.store
    await db
      .insertInto('jobs')
      .values({
        id: 'app-backup',
        organizationId: app.organizationId,
        kind: 'app-backup',
        key: 'app-backup:x',
        state: 'queued',
        payload: '{}',
        runAt: 9e12,
        createdAt: now,
        updatedAt: now,
      })
      .execute()
    const { keepLocalToken } = await import('../local-token.ts')
    await keepLocalToken(app.context, app.organizationId)
    const root = await app.person('root', { isInstanceAdministrator: true, organizationId: app.secondId })
    const deleted = await root.ask('DELETE', `${url}/${app.organizationId}?confirmation=Default`)
    assert.equal(deleted.statusCode, 200, deleted.body)
    const job = await db
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', 'app-backup')
      .executeTakeFirstOrThrow()
    assert.equal(job.organizationId, app.secondId)
    const { readTokenFile } = await import('../token-file.ts')
    const token = await readTokenFile(app.context.dataDirectory)
    assert.equal(
      (await app.get('/api/v1/servers', `Bearer ${token}`)).statusCode,
      200,
      'the command line goes on',
    )
    assert.equal(await firstOrganization(app.store), undefined)
    // What is made later does not find what lies in the folder of the first.
    const third = (await root.ask('POST', url, { name: 'Third' })).json<Organization>()
    const volumes = await db
      .selectFrom('volumes')
      .select('settings')
      .where('organizationId', '=', third.id)
      .execute()
    const path = (JSON.parse(volumes[0]?.settings ?? '{}') as { path: string }).path
    assert.notEqual(path, join(app.context.dataDirectory, 'backups'))
    assert.ok(first)
  })

  it('and of the last two one stays, whoever is faster', async () => {
    await using app = await openTwo(makePlace)
    const root = await app.people.add({ isInstanceAdministrator: true })
    const answers = await Promise.all([
      root.request('DELETE', `${url}/${app.secondId}?confirmation=Second`),
      root.request('DELETE', `${url}/${app.organizationId}?confirmation=Default`),
    ])
    assert.deepEqual(answers.map(codeOf).sort(), ['200', 'in_use'])
    assert.equal((await root.request('GET', url)).statusCode, 200, 'also if they are a member of nothing now')
    assert.equal((await app.store.db.selectFrom('organizations').select('id').execute()).length, 1)
  })
})

async function addProvider({ db, now }: Store, rules: object): Promise<void> {
  const values = { id: 'ip', name: 'company', kind: 'oidc', settings: '{}', isEnabled: 1, revision: 1 }
  await db
    .insertInto('identityProviders')
    .values({ ...values, rules: JSON.stringify(rules), createdAt: now, updatedAt: now })
    .execute()
}

describeStores(
  'organizations are merged',
  (makePlace) => {
    const merge = (
      app: Awaited<ReturnType<typeof openTwo>>,
      fields: object = { confirmation: 'Second' },
    ): Promise<Answer> =>
      app.ask('POST', `${url}/${app.secondId}/merge`, { into: app.organizationId, ...fields })

    it('as a dry run has said, with everything', async () => {
      await using app = await openTwo(makePlace)
      const first = await app.fill(app.organizationId, 'first', { name: 'thing' })
      const second = await app.fill(app.secondId, 'second', { name: 'thing' })
      // Whoever is a member of both, with a greater role in the one that goes.
      const both = await app.person('both', { role: 'viewer' })
      const { db, now } = app.store
      await db
        .insertInto('memberships')
        .values({
          organizationId: app.secondId,
          userId: both.id,
          roleId: app.roleId('admin', app.secondId),
          createdAt: now,
        })
        .execute()
      // A role of the same name that allows something else.
      await db
        .updateTable('roles')
        .set({ abilities: '["view","restore"]' })
        .where('id', '=', app.roleId('viewer', app.secondId))
        .execute()
      const admins = { organizationId: app.secondId, roleId: app.roleId('admin', app.secondId) }
      const viewers = { organizationId: app.secondId, roleId: app.roleId('viewer', app.secondId) }
      const elsewhere = { organizationId: app.organizationId, roleId: app.roleId('member') }
      await addProvider(app.store, {
        claim: 'groups',
        mappings: [
          { value: 'a', ...admins },
          { value: 'b', ...elsewhere },
        ],
        defaultMembership: viewers,
      })

      const before = await allRows(app.store)
      const planned = await merge(app, { dryRun: true })
      assert.equal(planned.statusCode, 200, planned.body)
      const after = await allRows(app.store)
      for (const table of tables) {
        if (!stays.includes(table))
          assert.deepEqual(after.get(table), before.get(table), `${table}, by a dry run`)
      }
      const told = planned.json() as MergedOrganization
      assert.deepEqual(told.obstacles, [])
      assert.deepEqual(
        told.renamed.filter(({ from }) => from === 'thing').map(({ what, to }) => `${what} ${to}`),
        [
          'server thing (2)',
          'volume thing (2)',
          'key thing (2)',
          'schedule thing (2)',
          'scheduled restore thing (2)',
          'hook thing (2)',
          'channel thing (2)',
          'notification rule thing (2)',
          'token thing (2)',
        ],
      )
      assert.ok(told.renamed.some(({ what, to }) => what === 'role' && to === 'Viewer (2)'))
      assert.deepEqual(told.unitedRoles, ['Admin', 'Member', 'Operator', 'thing'])
      assert.deepEqual(told.alreadyMembers, [{ name: 'both', email: both.email }])
      assert.deepEqual([told.moved['servers'], told.moved['snapshots'], told.moved['members']], [1, 1, 1])

      for (const confirmation of [undefined, 'Default']) {
        assert.equal(codeOf(await merge(app, { confirmation })), 'confirmation_needed')
      }
      const merged = await merge(app)
      assert.equal(merged.statusCode, 200, merged.body)
      assert.deepEqual(merged.json(), { ...told, isDone: true })

      const left = await countOwned(app.store, app.secondId)
      assert.deepEqual(
        Object.entries(left).filter(([, count]) => count > 0),
        [['audit_entries', left['audit_entries']]],
      )
      assert.equal((await app.ask('GET', `${url}/${app.secondId}`)).statusCode, 404)
      for (const { serverId, volumeId, planId, scheduleId, channelId, keyId, snapshotId } of [
        first,
        second,
      ]) {
        for (const path of [
          `servers/${serverId}`,
          `volumes/${volumeId}`,
          `plans/${planId}`,
          `schedules/${scheduleId}`,
          `channels/${channelId}`,
          `keys/${keyId}`,
          `snapshots/${snapshotId}`,
        ]) {
          assert.equal((await app.ask('GET', `/api/v1/${path}`)).statusCode, 200, path)
        }
      }
      assert.equal((await app.get('/api/v1/servers', `Bearer ${second.token}`)).json().items.length, 2)
      const membership = async (userId: string) =>
        await db
          .selectFrom('memberships')
          .select(['organizationId', 'roleId'])
          .where('userId', '=', userId)
          .execute()
      assert.deepEqual(await membership('second'), [
        { organizationId: app.organizationId, roleId: app.roleId('admin') },
      ])
      assert.deepEqual(await membership('both'), [
        { organizationId: app.organizationId, roleId: app.roleId('viewer') },
      ])
      const { rules } = await db.selectFrom('identityProviders').select('rules').executeTakeFirstOrThrow()
      assert.deepEqual(JSON.parse(rules), {
        claim: 'groups',
        mappings: [
          { value: 'a', organizationId: app.organizationId, roleId: app.roleId('admin') },
          { value: 'b', ...elsewhere },
        ],
        defaultMembership: { ...viewers, organizationId: app.organizationId },
      })
      const kept = await app.ask('DELETE', `/api/v1/roles/${viewers.roleId}`)
      assert.equal(codeOf(kept), 'in_use', 'the provider gives it')
      await db.deleteFrom('identityProviders').execute()
      await db.deleteFrom('invitations').execute()
      assert.equal(
        codeOf(await app.ask('DELETE', `/api/v1/roles/${viewers.roleId}`)),
        '204',
        'it is no built-in one',
      )

      // What came over still works: a backup of its plan, with its secrets.
      const run = await app.ask('POST', `/api/v1/plans/${second.planId}/run`, {})
      assert.ok(run.statusCode < 300, run.body)
      await runJobs(app.context)
      const snapshots = await db
        .selectFrom('snapshots')
        .select('id')
        .where('planId', '=', second.planId)
        .execute()
      assert.equal(snapshots.length, 2)
    })

    it('so that limited roles reach the servers that they did, and no others', async () => {
      await using app = await openTwo(makePlace)
      const asSecond = { authorization: `Bearer ${(await addToken(app.store, app.secondId, order)).token}` }
      const add = async (path: string, body: object, headers = {}): Promise<string> => {
        const added = await app.ask('POST', `/api/v1/${path}`, body, headers)
        assert.equal(added.statusCode, 201, added.body)
        return added.json().id
      }
      const server = (name: string, labels: object, headers?: object) =>
        add('servers', { name, labels, engine: 'sqlite', connection: { path: `/x/${name}.db` } }, headers)
      const role = (name: string, servers: object, headers?: object) =>
        add('roles', { name, abilities: ['view'], servers }, headers)
      await server('shop', {})
      await server('web-1', { team: 'a' })
      await server('shop', { team: 'a' }, asSecond)
      await server('api-1', {}, asSecond)
      const roles: Record<string, [string, string]> = {
        one: [app.organizationId, await role('one', { names: ['shop*', 'web-*'] })],
        labelled: [app.organizationId, await role('labelled', { labels: { team: 'a' } })],
        same: [app.organizationId, await role('same', { names: ['web-*'] })],
        shop: [app.secondId, await role('shop', { names: ['shop'] }, asSecond)],
        both: [app.secondId, await role('both', { names: ['api-*', '????'] }, asSecond)],
        theirs: [app.secondId, await role('same', { names: ['web-*'] }, asSecond)],
      }
      const obstacle = await role('nothing', { names: ['w*'] }, asSecond)
      const told = (await merge(app, { dryRun: true })).json() as MergedOrganization
      assert.equal(told.obstacles.length, 2, told.obstacles.join())
      for (const name of ['nothing', 'same']) {
        const sentence = `The role “${name}” of “Second” would not reach the same servers as before: it would be different for web-1.`
        assert.ok(
          told.obstacles.some((one) => one.startsWith(sentence)),
          told.obstacles.join(),
        )
      }
      assert.equal(codeOf(await merge(app)), 'in_use')

      await app.ask('DELETE', `/api/v1/roles/${obstacle}`, undefined, asSecond)
      await app.ask(
        'PATCH',
        `/api/v1/roles/${roles['theirs']?.[1]}`,
        { servers: { names: ['z*'] } },
        asSecond,
      )
      const people: { ask: typeof app.ask; before: string[] }[] = []
      for (const [name, [organizationId, id]] of Object.entries(roles)) {
        const { ask } = await app.person(`${name}-person`, { role: id, organizationId })
        people.push({ ask, before: await seen(ask) })
      }
      const merged = await merge(app)
      assert.equal(merged.statusCode, 200, merged.body)
      for (const { ask, before } of people) assert.deepEqual(await seen(ask), before)
      assert.deepEqual(
        people.map(({ before }) => before.length),
        [2, 1, 1, 1, 2, 0],
      )
      const { changedRoles, renamed, unitedRoles } = merged.json() as MergedOrganization
      assert.deepEqual(
        changedRoles.map(({ name, to }) => [name, to]),
        [
          ['both', { names: ['api-*', 'shop (2)'] }],
          ['shop', { names: ['shop (2)'] }],
          ['labelled', { labels: { team: 'a' }, names: ['web-1'] }],
          ['one', { names: ['web-*', 'shop'] }],
        ],
      )
      assert.ok(renamed.some(({ what, to }) => what === 'role' && to === 'same (2)'))
      assert.ok(!unitedRoles.includes('same'))

      async function seen(ask: typeof app.ask): Promise<string[]> {
        const { items } = (await ask('GET', '/api/v1/servers')).json<{ items: { id: string }[] }>()
        return items.map(({ id }) => id).sort()
      }
    })

    it('which says what settings become, and what was recorded of the one that goes is shown then', async () => {
      await using app = await openTwo(makePlace)
      const third = await app.addOrganization('Third')
      const asSecond = { authorization: `Bearer ${(await addToken(app.store, app.secondId, order)).token}` }
      await app.ask('PATCH', '/api/v1/settings', { safetyDays: 30, historyDays: 100 })
      await app.ask(
        'PATCH',
        '/api/v1/settings',
        { safetyDays: 3, historyDays: 100, overdueMinutes: 5 },
        asSecond,
      )
      const own = async () =>
        (await app.ask('GET', '/api/v1/audit?action=settings')).json<{
          items: { organizationId: string }[]
        }>().items
      assert.deepEqual(
        (await own()).map(({ organizationId }) => organizationId),
        [app.organizationId],
      )
      const told = (await merge(app, { dryRun: true })).json() as MergedOrganization
      assert.deepEqual(told.differentSettings, [
        { name: 'overdueMinutes', from: 5, into: null },
        { name: 'safetyDays', from: 3, into: 30 },
      ])
      const first = await merge(app, { into: third, confirmation: 'Second' })
      assert.equal(first.statusCode, 200, first.body)
      const second = await app.ask('POST', `${url}/${third}/merge`, {
        into: app.organizationId,
        confirmation: 'Third',
      })
      assert.equal(second.statusCode, 200, second.body)
      assert.deepEqual(
        (await own()).map(({ organizationId }) => organizationId),
        [app.secondId, app.organizationId],
      )
      const entries = (await app.ask('GET', '/api/v1/audit?instance=true&action=organization.merge')).json()
      assert.deepEqual(
        entries.items.map(({ target, details }: AuditEntry) => [target?.name, details['answer']]),
        [
          ['Third', second.json()],
          ['Second', first.json()],
        ],
      )
    })

    it('only if no volume of both is the same place', async () => {
      await using app = await openTwo(makePlace)
      await app.fill(app.organizationId, 'first', { place: 'shared' })
      const second = await app.fill(app.secondId, 'second')
      // As another release, or a link, may have left it.
      const { db } = app.store
      const shared = { settings: JSON.stringify({ path: join(app.folder, 'shared') }) }
      await db.updateTable('volumes').set(shared).where('id', '=', second.volumeId).execute()
      const sentence = 'Its volume “second” is the same place as “first” of “Default”.'
      const told = (await merge(app, { dryRun: true })).json() as MergedOrganization
      assert.deepEqual(told.obstacles, [sentence])
      const refused = await merge(app)
      assert.equal(codeOf(refused), 'in_use')
      assert.ok(refused.body.includes(sentence))

      // If nothing of it is used, there is nothing to lose.
      const { token, planId } = second
      const removed = await app.ask('DELETE', `/api/v1/scheduled-restores/${await restoring()}`, undefined, {
        authorization: `Bearer ${token}`,
      })
      assert.equal(removed.statusCode, 204, removed.body)
      await db.deleteFrom('snapshots').where('organizationId', '=', app.secondId).execute()
      await db.deleteFrom('planVolumes').where('planId', '=', planId).execute()
      const merged = await merge(app)
      assert.equal(merged.statusCode, 200, merged.body)
      const { dropped, moved } = merged.json() as MergedOrganization
      assert.ok(
        dropped.some((one) => one.startsWith('The volume “second”, which nothing uses')),
        dropped.join(),
      )
      assert.equal(moved['volumes'], 1, '“This machine” alone')

      async function restoring(): Promise<string> {
        const { id } = await db
          .selectFrom('scheduledRestores')
          .select('id')
          .where('organizationId', '=', app.secondId)
          .executeTakeFirstOrThrow()
        return id
      }
    })

    it('not into themselves, not into nothing, and not while jobs run', async () => {
      await using app = await openTwo(makePlace)
      await app.fill(app.secondId, 'second')
      assert.equal(codeOf(await merge(app, { into: app.secondId })), 'invalid_input')
      assert.equal(codeOf(await merge(app, { into: 'none' })), 'not_found')
      const { db } = app.store
      const setState = (state: 'running' | 'queued') =>
        db.updateTable('jobs').set({ state }).where('id', '=', 'job-second').execute()
      await setState('running')
      assert.equal(codeOf(await merge(app)), 'in_use')
      await setState('queued')
      assert.equal(codeOf(await merge(app)), '200')
    })
  },
  'postgresql',
)
