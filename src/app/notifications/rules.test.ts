import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DEFAULT_RULE_NAME, defaultEvents, type NotificationRule } from '../../shared/notifications.ts'
import { problem } from '../../shared/problems.ts'
import { migrate, readMigrations } from '../../store/migrate.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openChannelApp } from '../channels/test-bed.ts'

const url = '/api/v1/notification-rules'
const hook = 'https://hooks.example.com/holdfast'

describeStores('notification rules', (makePlace) => {
  it('are added, changed and deleted', async () => {
    await using app = await openChannelApp(makePlace)
    const channel = await app.addChannel('ops', hook)
    const added = await app.ask('POST', url, { name: 'all', events: ['backup.failed', 'backup.failed'] })
    assert.equal(added.statusCode, 201, added.body)
    const rule = added.json<NotificationRule>()
    assert.deepEqual(rule, {
      ...rule,
      name: 'all',
      isEnabled: true,
      events: ['backup.failed'],
      servers: { all: true },
      channels: null,
    })
    const path = `${url}/${rule.id}`
    const etag = String((await app.ask('GET', path)).headers['etag'])
    const change = (body: object, ifMatch = etag) => app.ask('PATCH', path, body, { 'if-match': ifMatch })
    const body = { isEnabled: false, channels: [channel.id], servers: { labels: { team: 'a' } } }
    const changed = await change(body)
    assert.equal(changed.statusCode, 200, changed.body)
    assert.deepEqual(changed.json(), { ...rule, ...body, updatedAt: changed.json().updatedAt })
    assert.equal((await change({ name: 'late' })).statusCode, 412)
    assert.equal(problem.parse((await change({ name: DEFAULT_RULE_NAME }, '*')).json()).code, 'name_taken')
    const { items } = (await app.ask('GET', url)).json<{ items: NotificationRule[] }>()
    assert.deepEqual(
      items.map(({ name }) => name),
      [DEFAULT_RULE_NAME, 'all'],
    )
    assert.equal((await app.ask('DELETE', path)).statusCode, 204)
    assert.equal((await app.ask('DELETE', path)).statusCode, 404)
    assert.equal((await app.ask('GET', path)).statusCode, 404)
  })

  it('name only what is there, and each field that is wrong is told', async () => {
    await using app = await openChannelApp(makePlace)
    const theirs = await app.addChannel('theirs', hook)
    const shared = await app.addChannel('shared', hook, { isShared: true })
    await app.addOrganization('theirs')
    await app.store.db.updateTable('channels').set({ organizationId: 'theirs' }).execute()
    const add = (body: object) => app.ask('POST', url, { name: 'x', events: ['backup.failed'], ...body })
    for (const [body, field] of [
      [{ events: [] }, 'events'],
      [{ events: ['backup.exploded'] }, 'events.0'],
      [{ channels: [] }, 'channels'],
      [{ channels: [shared.id, theirs.id] }, 'channels.1'],
      [{ servers: { ids: ['none'] } }, 'servers.ids.0'],
    ] as const) {
      const refused = await add(body)
      assert.equal(refused.statusCode, 400, refused.body)
      assert.equal(problem.parse(refused.json()).errors?.[0]?.field, field)
    }
    assert.equal((await add({ channels: [shared.id] })).statusCode, 201)
  })

  it('choose from events, each of which is explained', async () => {
    await using app = await openChannelApp(makePlace)
    const { items } = (await app.ask('GET', '/api/v1/notification-events')).json()
    assert.deepEqual(
      items.find(({ name }: { name: string }) => name === 'backup.recovered'),
      {
        name: 'backup.recovered',
        description: 'A database that could not be backed up is backed up again.',
        severity: 'recovery',
        isDefault: true,
      },
    )
  })

  it('are told apart from a channel that is deleted at the same moment', async () => {
    await using app = await openChannelApp(makePlace)
    for (let n = 0; n < 5; n++) {
      const { id } = await app.addChannel(`channel ${n}`, hook)
      const [added, deleted] = await Promise.all([
        app.ask('POST', url, { name: `rule ${n}`, events: ['backup.failed'], channels: [id] }),
        app.ask('DELETE', `/api/v1/channels/${id}`),
      ])
      const statuses = [added.statusCode, deleted.statusCode]
      assert.ok(['201,409', '400,204'].includes(statuses.join()), statuses.join())
    }
  })
})

describeStores('the rule that an organization begins with', (makePlace) => {
  it('tells all channels of failures and overdue backups, and does not come back', async () => {
    await using app = await openChannelApp(makePlace)
    const [rule, ...others] = (await app.ask('GET', url)).json<{ items: NotificationRule[] }>().items
    assert.deepEqual(others, [])
    const { name, isEnabled, events, servers, channels } = rule ?? assert.fail('there is none')
    assert.deepEqual(
      { name, isEnabled, events, servers, channels },
      {
        name: DEFAULT_RULE_NAME,
        isEnabled: true,
        events: defaultEvents,
        servers: { all: true },
        channels: null,
      },
    )
    const alarms = ['backup.failed', 'backup.partial', 'backup.overdue', 'restore.failed', 'copy.missing']
    alarms.push('copy.corrupt', 'retention.failed', 'volume.unreachable', 'volume.nearly-full')
    alarms.push('app-backup.failed', 'backup.recovered', 'volume.recovered')
    assert.deepEqual(
      alarms.filter((event) => !events.some((name) => name === event)),
      [],
    )
    assert.ok(!events.includes('backup.succeeded'))
    await app.ask('DELETE', `${url}/${rule?.id}`)
    const { firstOrganization } = await import('../organizations/organizations.ts')
    await firstOrganization(app.store)
    await migrate(app.store)
    assert.deepEqual((await app.ask('GET', url)).json().items, [])
  })

  it('is there in those of older releases, too', async () => {
    await using store = await (await makePlace()).open()
    const all = await readMigrations()
    await migrate(store, { migrations: all.filter(({ number }) => number <= 7) })
    await store.db.insertInto('organizations').values({ id: 'old', name: 'Old', createdAt: 5 }).execute()
    // Once that is released, a new event for all reaches them by a migration of its own.
    await migrate(store)
    const [rule, ...others] = await store.db.selectFrom('notificationRules').selectAll().execute()
    assert.deepEqual(others, [])
    assert.deepEqual(
      { ...rule, events: JSON.parse(rule?.events ?? ''), servers: JSON.parse(rule?.servers ?? '') },
      {
        id: 'old',
        organizationId: 'old',
        name: DEFAULT_RULE_NAME,
        isEnabled: 1,
        events: defaultEvents,
        servers: { all: true },
        channels: null,
        revision: 1,
        createdAt: 5,
        updatedAt: 5,
      },
    )
  })
})
