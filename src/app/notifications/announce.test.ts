import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { EventName } from '../../shared/notifications.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { openChannelApp, type ChannelApp } from '../channels/test-bed.ts'
import { announce, type Occasion } from './announce.ts'
import { forgetTold } from './threads.ts'

const hook = 'https://hooks.example.com/holdfast'

interface Told {
  channel: string
  event: string
  text: string
  thread: string | undefined
  count: unknown
}

async function openTold(makePlace: Parameters<typeof openChannelApp>[0]) {
  const app = await openChannelApp(makePlace)
  const { context, store, organizationId } = app
  const tell = (event: EventName, more: Partial<Occasion> = {}) =>
    store.db.transaction().execute((trx) =>
      announce(context, trx, {
        organizationId,
        event,
        title: event,
        text: 'So it is.',
        facts: [],
        data: {},
        ...more,
      }),
    )
  /** What was ordered since this was asked last. */
  const told = async (): Promise<Told[]> => {
    const names = new Map(
      (await store.db.selectFrom('channels').select(['id', 'name']).execute()).map(({ id, name }) => [
        id,
        name,
      ]),
    )
    const jobs = await store.db
      .selectFrom('jobs')
      .select('payload')
      .orderBy('createdAt')
      .orderBy('id')
      .execute()
    await store.db.deleteFrom('jobs').execute()
    return jobs.map(({ payload }) => {
      const { channelId, notice } = JSON.parse(payload)
      return {
        channel: names.get(channelId) ?? '?',
        event: notice.event,
        text: notice.text,
        thread: notice.thread,
        count: notice.data.count,
      }
    })
  }
  const channels = async () => (await told()).map(({ channel }) => channel).sort()
  const addRule = async (body: object): Promise<string> => {
    const added = await app.ask('POST', '/api/v1/notification-rules', body)
    assert.equal(added.statusCode, 201, added.body)
    return added.json().id
  }
  return { ...app, tell, told, channels, addRule }
}

async function addServer(app: ChannelApp, name: string, labels: object): Promise<string> {
  const body = { name, engine: 'sqlite', connection: { path: `/tmp/${name}.db` }, labels }
  const added = await app.ask('POST', '/api/v1/servers', body)
  assert.equal(added.statusCode, 201, added.body)
  return added.json().id
}

describeBothStores('what happens is told', (makePlace) => {
  it('to the channels that rules name for the event, once each', async () => {
    await using app = await openTold(makePlace)
    await app.tell('backup.failed')
    assert.deepEqual(await app.told(), [], 'there is nobody')
    const ops = await app.addChannel('ops', hook)
    await app.addChannel('chat', hook)
    await app.addChannel('off', hook, { isEnabled: false })
    await app.tell('backup.failed')
    assert.deepEqual(await app.channels(), ['chat', 'ops'])
    await app.tell('backup.succeeded')
    assert.deepEqual(await app.channels(), [])

    const id = await app.addRule({
      name: 'good news',
      events: ['backup.succeeded', 'backup.failed'],
      channels: [ops.id],
    })
    await app.tell('backup.succeeded')
    assert.deepEqual(await app.channels(), ['ops'])
    await app.tell('backup.failed')
    assert.deepEqual(await app.channels(), ['chat', 'ops'])
    await app.ask('PATCH', `/api/v1/notification-rules/${id}`, { isEnabled: false })
    await app.tell('backup.succeeded')
    assert.deepEqual(await app.channels(), [])
  })

  it('only of the servers that rules choose; what is of no server in any case', async () => {
    await using app = await openTold(makePlace)
    await app.store.db.deleteFrom('notificationRules').execute()
    const [one, two, three] = await Promise.all([
      addServer(app, 'one', { team: 'a', stage: 'prod' }),
      addServer(app, 'two', { team: 'a' }),
      addServer(app, 'three', {}),
    ])
    const add = async (name: string, servers: object) => {
      const { id } = await app.addChannel(name, hook)
      await app.addRule({ name, events: ['backup.failed', 'volume.unreachable'], channels: [id], servers })
    }
    await add('all', { all: true })
    await add('by id', { ids: [two] })
    await add('by label', { labels: { team: 'a' } })
    await add('by labels', { labels: { team: 'a', stage: 'prod' } })
    for (const [serverId, expected] of [
      [one, ['all', 'by label', 'by labels']],
      [two, ['all', 'by id', 'by label']],
      [three, ['all']],
      ['gone', ['all']],
    ] as const) {
      await app.tell('backup.failed', { serverId })
      assert.deepEqual(await app.channels(), expected)
    }
    await app.tell('volume.unreachable')
    assert.deepEqual(await app.channels(), ['all', 'by id', 'by label', 'by labels'])
  })

  it('to a shared channel of another organization that a rule names, as long as it is shared', async () => {
    await using app = await openTold(makePlace)
    const pager = await app.addChannel('pager', hook, { isShared: true })
    await app.addOrganization('theirs', pager.id)
    await app.tell('backup.failed')
    assert.deepEqual(await app.channels(), [], 'no rule names it')
    await app.addRule({ name: 'page', events: ['backup.failed'], channels: [pager.id] })
    await app.tell('backup.failed')
    assert.deepEqual(await app.channels(), ['pager'])
    await app.store.db.updateTable('channels').set({ isShared: 0 }).execute()
    await app.tell('backup.failed')
    assert.deepEqual(await app.channels(), [])
  })

  it('of whatever kind, to a health check that no rule names', async () => {
    await using app = await openTold(makePlace)
    const settings = { pingUrl: 'https://hc.example.com/ping' }
    const body = { name: 'check', kind: 'healthcheck', settings }
    const { id } = (await app.ask('POST', '/api/v1/channels', body)).json()
    const other = await app.ask('POST', '/api/v1/channels', { ...body, name: 'named' })
    await app.addRule({ name: 'r', events: ['digest.weekly'], channels: [other.json().id], isEnabled: false })
    for (const event of ['backup.started', 'backup.succeeded', 'backup.failed'] as const)
      await app.tell(event)
    assert.deepEqual((await app.told()).map(({ channel, event }) => `${channel}: ${event}`).sort(), [
      'check: backup.failed',
      'check: backup.started',
      'check: backup.succeeded',
      'named: backup.failed',
    ])
    await app.ask('PATCH', `/api/v1/channels/${id}`, { isEnabled: false })
    await app.tell('backup.started')
    assert.deepEqual(await app.told(), [])
  })

  it('with what happened, or not at all', async () => {
    await using app = await openTold(makePlace)
    await app.addChannel('ops', hook)
    const { context, store, organizationId } = app
    const failing = store.db.transaction().execute(async (trx) => {
      const occasion = { organizationId, title: 'x', text: 'x', facts: [], data: {} }
      const thread = { key: 'k', is: 'going-on' as const }
      await announce(context, trx, { ...occasion, event: 'backup.failed', thread })
      throw new Error('It did not happen.')
    })
    await assert.rejects(failing, /It did not happen/)
    assert.deepEqual(await app.told(), [])
    await app.tell('backup.recovered', { thread: { key: 'k', is: 'over' } })
    assert.deepEqual(await app.told(), [])
  })
})

describeBothStores('what goes on', (makePlace) => {
  const key = 'backup:p:shop'
  const on = { thread: { key, is: 'going-on' as const } }
  const over = { thread: { key, is: 'over' as const } }

  it('is told first, each tenth time, and when it is over, as one story', async () => {
    await using app = await openTold(makePlace)
    await app.addChannel('ops', hook)
    const tell = async (times: number) => {
      for (let n = 0; n < times; n++) await app.tell('backup.failed', on)
      return await app.told()
    }
    const [first, ...none] = await tell(9)
    assert.deepEqual(none, [])
    assert.deepEqual([first?.text, first?.count], ['So it is.', 1])
    const [tenth] = await tell(1)
    assert.match(
      tenth?.text ?? '',
      /^So it is\. This was the 10th time since \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/,
    )
    assert.deepEqual(await tell(9), [])
    await app.ask('PATCH', '/api/v1/settings', { noticeEvery: 21, displayTimeZone: 'Asia/Tokyo' })
    assert.deepEqual(await tell(1), [])
    const [again] = await tell(1)
    assert.match(again?.text ?? '', /This was the 21st time since .* Asia\/Tokyo\./)
    await app.ask('PATCH', '/api/v1/settings', { noticeEvery: 0 })
    assert.deepEqual(await tell(25), [])

    await app.tell('backup.recovered', over)
    const [end, ...more] = await app.told()
    assert.deepEqual(more, [])
    assert.deepEqual([end?.event, end?.count], ['backup.recovered', 46])
    assert.match(end?.text ?? '', /It had gone wrong 46 times since /)
    assert.deepEqual(new Set([first, tenth, again, end].map((told) => told?.thread)).size, 1)
    await app.tell('backup.recovered', over)
    assert.deepEqual(await app.told(), [], 'that was told')

    const [next] = await tell(1)
    assert.equal(next?.count, 1)
    assert.notEqual(next?.thread, first?.thread)
    await app.tell('backup.recovered', over)
    assert.match((await app.told())[0]?.text ?? '', /It had gone wrong once, at /)
  })

  it('is told to whoever has not heard of it yet, also later than others', async () => {
    await using app = await openTold(makePlace)
    await app.addOrganization('theirs')
    await app.tell('backup.failed', on)
    await app.tell('backup.failed', { ...on, organizationId: 'theirs' })
    await app.addChannel('ops', hook)
    await app.tell('backup.failed', on)
    assert.deepEqual(
      (await app.told()).map(({ count }) => count),
      [2],
    )
    await app.tell('backup.failed', on)
    assert.deepEqual(await app.told(), [])
    await app.addChannel('chat', hook)
    await app.tell('backup.failed', on)
    assert.deepEqual(await app.channels(), ['chat'])
    await app.tell('backup.recovered', over)
    assert.deepEqual(await app.channels(), ['chat', 'ops'])
  })

  it('is no news when it is over where nobody has heard of it', async () => {
    await using app = await openTold(makePlace)
    await app.tell('backup.failed', on)
    await app.addChannel('ops', hook)
    await app.tell('backup.recovered', over)
    assert.deepEqual(await app.told(), [])
  })

  it('is told anew to a channel that the notice did not reach', async () => {
    await using app = await openTold(makePlace)
    const { store } = app
    const { id: opsId } = await app.addChannel('ops', hook)
    await app.addChannel('chat', hook)
    await app.tell('backup.failed', on)
    const [first] = await app.told()
    await store.db
      .transaction()
      .execute((trx) => forgetTold(trx, app.organizationId, first?.thread ?? '', opsId))
    await app.tell('backup.failed', on)
    assert.deepEqual(await app.channels(), ['ops'])
  })

  it('begins anew when nothing was noted of it for longer than a month', async () => {
    await using app = await openTold(makePlace)
    await app.addChannel('ops', hook)
    await app.tell('backup.failed', on)
    await app.told()
    const lastAt = Date.now() - 50 * 86_400_000
    await app.store.db.updateTable('notificationThreads').set({ lastAt }).execute()
    await app.tell('backup.failed', on)
    assert.deepEqual(
      (await app.told()).map(({ count }) => count),
      [1],
    )
  })

  it('is no reason for what has happened not to be stored', async () => {
    await using app = await openTold(makePlace)
    const { context, store, organizationId } = app
    await app.addChannel('ops', hook)
    const content = '{"noticeEvery": "of another release"}'
    await store.db
      .insertInto('settings')
      .values({ organizationId, content, revision: 1, updatedAt: 1 })
      .execute()
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
    await store.db.transaction().execute(async (trx) => {
      await announce(context, trx, {
        organizationId,
        event: 'backup.failed',
        title: 'It failed',
        text: '',
        facts: [],
        data: {},
        ...on,
      })
      await trx.insertInto('firings').values({ schedule: 'kept', fireAt: 1, firedAt: 1 }).execute()
    })
    assert.match((await warned).message, /“It failed” could not be told/)
    const kept = await store.db.selectFrom('firings').select('schedule').execute()
    assert.deepEqual(kept, [{ schedule: 'kept' }])
    assert.deepEqual(await store.db.selectFrom('notificationThreads').select('key').execute(), [])
  })

  it('is told once where it happens, or ends, several times at once', async () => {
    await using app = await openTold(makePlace)
    await app.addChannel('ops', hook)
    await Promise.all(Array.from({ length: 20 }, () => app.tell('backup.failed', on)))
    const counts = (await app.told()).map(({ count }) => count)
    assert.deepEqual(
      counts.sort((a, b) => Number(a) - Number(b)),
      [1, 10, 20],
    )
    await Promise.all(Array.from({ length: 5 }, () => app.tell('backup.recovered', over)))
    assert.deepEqual(
      (await app.told()).map(({ event, count }) => [event, count]),
      [['backup.recovered', 20]],
    )
  })
})
