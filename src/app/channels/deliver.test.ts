import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Socket, type AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { it } from 'node:test'
import type { EventName } from '../../shared/notifications.ts'
import { isOver, type Job } from '../../shared/jobs.ts'
import { describeStores } from '../../store/test-bed.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { startWorkers } from '../jobs/workers.ts'
import { announce } from '../notifications/announce.ts'
import { openPlans } from '../plans/test-bed.ts'
import type { AppContext } from '../context.ts'
import { type ChannelApp, openChannelApp, SECRET, startReceiver } from './test-bed.ts'

/** Something that the default rule tells of. */
async function tell(context: AppContext, organizationId: string, title = 'A copy is missing'): Promise<void> {
  await context.store.db.transaction().execute((trx) =>
    announce(context, trx, {
      organizationId,
      event: 'copy.missing',
      title,
      text: 'It is not there.',
      facts: [{ label: 'Volume', value: 'nas' }],
      data: { n: 1 },
      path: '/volumes/nas',
    }),
  )
}

async function onlyDelivery(app: ChannelApp): Promise<Job> {
  const [job, ...others] = await app.deliveries()
  assert.ok(job && others.length === 0)
  return job
}

/** A server that takes connections, and never answers. */
async function startBlackHole() {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    sockets,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Takes pings, and answers the first ones with these statuses. */
async function startPings(pings: string[], ...answers: number[]) {
  const server = createHttpServer((request, response) => {
    pings.push(request.url ?? '')
    request.resume().on('end', () => response.writeHead(answers[pings.length - 1] ?? 200).end('OK'))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describeStores('a notice', (makePlace) => {
  it('is delivered as it was told, with a link where the app knows its address', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver()
    const { id } = await app.addChannel('ops', receiver.url)
    app.context.appUrl = 'https://backups.example.com'
    await tell(app.context, app.organizationId)
    assert.equal(receiver.received.length, 0, 'nothing is sent by who tells')
    assert.equal(await runJobs(app.context), 1)
    const job = await onlyDelivery(app)
    assert.deepEqual([job.state, job.attempt], ['succeeded', 1])
    assert.deepEqual(job.result, {
      delivered: true,
      answer: 'The webhook answered with status 200: “answer 1”.',
    })
    const { body } = receiver.received[0] ?? assert.fail('nothing came')
    const { id: noticeId, at, ...rest } = body
    assert.ok(noticeId && at)
    assert.deepEqual(rest, {
      event: 'copy.missing',
      severity: 'failure',
      title: 'A copy is missing',
      text: 'It is not there.',
      facts: [{ label: 'Volume', value: 'nas' }],
      data: { n: 1 },
      url: 'https://backups.example.com/volumes/nas',
    })
    const { lastDeliveredAt, lastFailedAt, isFailing } = await app.channel(id)
    assert.notEqual(lastDeliveredAt, null)
    assert.deepEqual([lastFailedAt, isFailing], [null, false])
  })

  it('is sent again when the receiver has trouble of its own, and no more often than that', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver(503, 200)
    const { id } = await app.addChannel('ops', receiver.url)
    await tell(app.context, app.organizationId)
    assert.equal(await runJobs(app.context), 1)
    assert.equal((await onlyDelivery(app)).state, 'queued')
    const failing = await app.channel(id)
    assert.deepEqual([failing.isFailing, failing.lastError?.code], [true, 'channel_unreachable'])
    assert.equal(await runJobs(app.context), 0, 'not before a while')
    assert.equal(await runJobs(app.context, { evenLater: true }), 1)
    const job = await onlyDelivery(app)
    assert.deepEqual([job.state, job.attempt, receiver.received.length], ['succeeded', 2, 2])
    const [first, second] = receiver.received.map(({ body }) => body['id'])
    assert.equal(first, second)
    assert.equal((await app.channel(id)).isFailing, false)
  })

  it('that the receiver refuses is not sent again, and that is seen', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver(400)
    const { id } = await app.addChannel('ops', receiver.url)
    await tell(app.context, app.organizationId)
    await runJobs(app.context, { evenLater: true })
    const job = await onlyDelivery(app)
    assert.deepEqual([job.state, job.attempt, receiver.received.length], ['failed', 1, 1])
    assert.match(job.error?.message ?? '', /status 400: “answer 1”/)
    const { isFailing, lastError } = await app.channel(id)
    assert.deepEqual([isFailing, lastError], [true, job.error])
    const log = await app.ask('GET', `/api/v1/jobs/${job.id}/log?as=text`)
    assert.ok(!log.body.includes(SECRET))
  })

  it('is given up at last, and nobody is told of that', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver(...Array.from({ length: 20 }, () => 503))
    const { id } = await app.addChannel('ops', receiver.url)
    await tell(app.context, app.organizationId)
    await runJobs(app.context, { evenLater: true })
    const job = await onlyDelivery(app)
    assert.deepEqual([job.state, job.attempt, job.maxAttempts], ['failed', 8, 8])
    assert.equal(receiver.received.length, 8)
    assert.equal((await app.channel(id)).lastError?.code, 'channel_unreachable')
  })

  it('is not sent to a channel that is disabled, deleted or shared no more by then', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver()
    const disabled = await app.addChannel('disabled', receiver.url)
    const deleted = await app.addChannel('deleted', receiver.url)
    const theirs = await app.addChannel('theirs', receiver.url)
    await tell(app.context, app.organizationId)
    assert.equal((await app.deliveries()).length, 3)
    await app.ask('PATCH', `/api/v1/channels/${disabled.id}`, { isEnabled: false })
    await app.ask('DELETE', `/api/v1/channels/${deleted.id}`)
    await app.addOrganization('theirs', theirs.id)
    await runJobs(app.context)
    const jobs = await app.deliveries()
    assert.deepEqual(new Set(jobs.map(({ state }) => state)), new Set(['succeeded']))
    assert.deepEqual(jobs.map(({ result }) => (result as { answer: string }).answer).sort(), [
      'The channel is not there any more.',
      'The channel is not there any more.',
      'The channel “disabled” was disabled meanwhile.',
    ])
    assert.equal(receiver.received.length, 0)
    assert.equal((await app.channel(disabled.id)).lastDeliveredAt, null)
  })

  it('that did not reach its channel makes the next one of its story be told there', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver(400, 200)
    await using other = await startReceiver()
    await app.addChannel('ops', receiver.url)
    await app.addChannel('chat', other.url)
    const failed = () =>
      app.store.db.transaction().execute((trx) =>
        announce(app.context, trx, {
          organizationId: app.organizationId,
          event: 'backup.failed',
          title: 'It failed',
          text: '',
          facts: [],
          data: {},
          thread: { key: 'backup:p:d', is: 'going-on' },
        }),
      )
    for (let n = 0; n < 3; n++) await failed().then(() => runJobs(app.context))
    assert.deepEqual(
      [receiver, other].map(({ received }) =>
        received.map(({ body }) => (body['data'] as { count: number }).count),
      ),
      [[1, 2], [1]],
    )
  })

  it('to a shared channel does not tell its organization’s address to another one', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver(400)
    const { id } = await app.addChannel('pager', receiver.url, { isShared: true })
    await app.addOrganization('theirs', id)
    await app.ask('POST', '/api/v1/notification-rules', {
      name: 'page',
      events: ['copy.missing'],
      channels: [id],
    })
    for (let n = 0; n < 2; n++) {
      await tell(app.context, app.organizationId)
      await runJobs(app.context)
    }
    const jobs = await app.deliveries()
    assert.deepEqual(jobs.map(({ state }) => state).sort(), ['failed', 'succeeded'])
    assert.ok(jobs.some(({ error }) => error?.message === 'The shared channel “pager” could not be told.'))
    assert.doesNotMatch(JSON.stringify(jobs), /127\.0\.0\.1|answer \d/)
  })

  it('waits with the others of its channel where the receiver asks for patience', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver(429)
    await app.addChannel('ops', receiver.url)
    for (const title of ['one', 'two', 'three']) await tell(app.context, app.organizationId, title)
    assert.equal(await runJobs(app.context), 1)
    assert.equal(receiver.received.length, 1)
    await runJobs(app.context, { evenLater: true })
    assert.equal(receiver.received.length, 4)
  })

  it('to a health check is a ping, that of a test too, and none that comes behind a later one', async () => {
    await using app = await openChannelApp(makePlace)
    const pings: string[] = []
    await using server = await startPings(pings, 503)
    const added = await app.ask('POST', '/api/v1/channels', {
      name: 'check',
      kind: 'healthcheck',
      settings: { pingUrl: `${server.url}/ping` },
    })
    const { id } = added.json<{ id: string }>()
    const backup = (event: EventName) =>
      app.store.db.transaction().execute((trx) =>
        announce(app.context, trx, {
          organizationId: app.organizationId,
          event,
          title: event,
          text: '',
          facts: [],
          data: {},
          ...(event === 'backup.failed' && { thread: { key: 'backup:p:d', is: 'going-on' } }),
        }),
      )
    await backup('backup.succeeded')
    await runJobs(app.context)
    await backup('backup.failed')
    await backup('backup.failed')
    await runJobs(app.context)
    assert.deepEqual(pings, ['/ping', '/ping/fail', '/ping/fail'], 'each failure, whatever others hear')
    await runJobs(app.context, { evenLater: true })
    assert.equal(pings.length, 3, 'the success is old by now')
    await backup('restore.succeeded')
    await backup('backup.partial')
    await runJobs(app.context)
    assert.equal(pings.length, 3, 'what is of no backup, or neither good nor bad, is nothing to it')
    const tested = (await app.ask('POST', `/api/v1/channels/${id}/test`)).json<{ passed: boolean }>()
    assert.deepEqual([tested.passed, pings.at(-1), pings.length], [true, '/ping', 4])
  })

  it('ends with a killed process as one that was not delivered', async () => {
    await using app = await openChannelApp(makePlace)
    const { id } = await app.addChannel('ops', 'http://127.0.0.1:1/')
    await tell(app.context, app.organizationId)
    const { claimJob } = await import('../../store/queue.ts')
    const runner = { name: 'killed', node: 'killed', capacity: 1, kinds: ['deliver-notice'], lease: 1 }
    await app.store.db.updateTable('jobs').set({ maxAttempts: 1 }).execute()
    await claimJob(app.store, runner)
    await sleep(5)
    const { reap } = await import('../jobs/worker.ts')
    const { jobKinds } = await import('../jobs/kinds.ts')
    await reap(app.context, jobKinds)
    assert.equal((await onlyDelivery(app)).state, 'failed')
    assert.equal((await app.channel(id)).lastError?.code, 'runner_lost')
  })
})

describeStores('receivers that never answer', (makePlace) => {
  const LANE = 4
  const start = (context: AppContext) =>
    startWorkers(context, {
      concurrency: availableParallelism(),
      onTrouble: (message) => assert.fail(message),
    })

  it('delay no backup, however many notices wait for them', async () => {
    await using hole = await startBlackHole()
    await using app = await openPlans(makePlace)
    const settings = { url: `http://127.0.0.1:${hole.port}/`, secret: SECRET }
    app.context.smtp = { host: '127.0.0.1', port: hole.port, tls: 'none', from: 'holdfast@example.com' }
    for (let n = 0; n < availableParallelism() + LANE; n++) {
      const channel =
        n === 0 ? { kind: 'email', settings: { to: ['ops@example.com'] } } : { kind: 'webhook', settings }
      const added = await app.ask('POST', '/api/v1/channels', { name: `channel ${n}`, ...channel })
      assert.equal(added.statusCode, 201, added.body)
    }
    await tell(app.context, await app.organizationId())
    await using _workers = start(app.context)
    while (hole.sockets.size < LANE) await sleep(20)

    const { id } = await app.addPlan()
    await app.ask('POST', `/api/v1/plans/${id}/run`, {})
    let backup: Job | undefined
    while (!backup || !isOver(backup.state)) {
      assert.equal(hole.sockets.size, LANE, 'they hang, and only in their lane')
      await sleep(50)
      backup = (await app.ask('GET', '/api/v1/jobs?kind=backup')).json<{ items: Job[] }>().items[0]
    }
    assert.equal(backup.state, 'succeeded')
    const { heartbeats } = app.context
    assert.deepEqual(new Set(heartbeats.keys()), new Set(['worker', 'delivery lane']))
  })

  it('delay no other receiver, which gets all in their order', async () => {
    await using hole = await startBlackHole()
    await using receiver = await startReceiver()
    await using app = await openChannelApp(makePlace)
    await app.addChannel('dead', `http://127.0.0.1:${hole.port}/`)
    await app.addChannel('alive', receiver.url)
    const titles = Array.from({ length: LANE + 2 }, (_, n) => `Notice ${n}`)
    for (const title of titles) await tell(app.context, app.organizationId, title)
    await using _workers = start(app.context)
    while (receiver.received.length < titles.length) {
      assert.ok(hole.sockets.size <= 1)
      await sleep(20)
    }
    assert.deepEqual(
      receiver.received.map(({ body }) => body.title),
      titles,
    )
  })
})
