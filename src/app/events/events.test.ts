import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as openSocket } from 'node:net'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../client/client.ts'
import { eventsOf, readEvents, type ReceivedEvent } from '../../client/events.ts'
import { isOver, job as jobSchema, type Job } from '../../shared/jobs.ts'
import { problem } from '../../shared/problems.ts'
import { cancelJob, claimJob, enqueueJob, finishJob } from '../../store/queue.ts'
import { describeStores } from '../../store/test-bed.ts'
import { nowOf } from '../clock.ts'
import { openApp } from '../test-bed.ts'
import { addToken, unrestricted } from '../tokens/tokens.ts'
import { watchJobs } from './job-changes.ts'
import { type EventStream, openStream, type StreamOptions } from './streams.ts'

type Opened = Awaited<ReturnType<typeof openListening>>

/** The app on a port, and what is needed to have jobs. */
async function openListening(makePlace: Parameters<typeof openApp>[0]) {
  const opened = await openApp(makePlace)
  const { store } = opened
  const { organizationId } = await store.db
    .selectFrom('tokens')
    .select('organizationId')
    .executeTakeFirstOrThrow()
  const stop = new AbortController()
  let count = 0
  return {
    ...opened,
    organizationId,
    /** Opens the port, after the test’s own routes. */
    listen: async () => {
      const url = await opened.app.listen({ port: 0, host: '127.0.0.1' })
      return { url, client: connect({ url, token: opened.token }) }
    },
    enqueue: async (owner = organizationId) =>
      await store.db.transaction().execute(async (trx) => {
        const key = `test:${++count}`
        return (await enqueueJob(store, trx, { organizationId: owner, kind: 'test', key, payload: {} })).id
      }),
    run: async () => {
      const runner = { name: 'tests', node: 'tests', capacity: 1, kinds: ['test'] }
      const claimed = (await claimJob(store, runner)) ?? assert.fail('there was no job')
      return () =>
        store.db
          .transaction()
          .execute((trx) => finishJob(store, trx, claimed, { state: 'succeeded', result: { rows: 1 } }))
    },
    signal: stop.signal,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await opened[Symbol.asyncDispose]()
    },
  }
}

/** Reads events until one is as asked for; those that came before it are in `seen`. */
async function next(
  events: AsyncIterator<ReceivedEvent>,
  isIt: (event: ReceivedEvent) => boolean,
  seen: ReceivedEvent[] = [],
): Promise<ReceivedEvent> {
  for (;;) {
    const { done, value } = await events.next()
    if (done) assert.fail('the stream has ended')
    seen.push(value)
    if (isIt(value)) return value
  }
}

function isJob(id: string, state: Job['state']) {
  return ({ data }: ReceivedEvent) => {
    const job = data as Job | undefined
    return job?.id === id && job.state === state
  }
}

/** Events since now: when this resolves, they come. */
async function begin({ signal }: Opened, client: ReturnType<typeof connect>, after?: string) {
  const headers: Record<string, string> = after === undefined ? {} : { 'last-event-id': after }
  const response = await client.send('GET', '/api/v1/events', { signal, headers })
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const all = readEvents(response.body ?? assert.fail())
  const first = await all.next()
  assert.equal(first.value?.data, undefined, 'a comment, so that proxies pass on the head')
  return all
}

describeStores(
  'events',
  (makePlace) => {
    it('tell each change of a job, as the API shows it', async () => {
      await using app = await openListening(makePlace)
      const { client } = await app.listen()
      const events = await begin(app, client)
      const id = await app.enqueue()
      const queued = await next(events, isJob(id, 'queued'))
      assert.equal(queued.event, 'job')
      assert.equal(jobSchema.parse(queued.data).id, id)
      const finish = await app.run()
      await next(events, isJob(id, 'running'))
      await finish()
      const { data } = await next(events, isJob(id, 'succeeded'))
      const { body } = await client.ask('GET /api/v1/jobs/{id}', { params: { id } })
      assert.deepEqual(data, body)
      assert.deepEqual(body.result, { rows: 1 })
    })

    it('go on where the client was, with what it has missed', async () => {
      await using app = await openListening(makePlace)
      const { client } = await app.listen()
      const events = await begin(app, client)
      const id = await app.enqueue()
      const { id: place } = await next(events, isJob(id, 'queued'))
      await events.return()
      const finish = await app.run()
      await finish()
      const ids = await Promise.all(Array.from({ length: 450 }, () => app.enqueue()))
      const again = await begin(app, client, place)
      const seen: ReceivedEvent[] = []
      await next(again, isJob(id, 'succeeded'), seen)
      const missing = new Set(ids)
      const idOf = ({ data }: ReceivedEvent) => (data as Job | undefined)?.id ?? ''
      for (const event of seen) missing.delete(idOf(event))
      while (missing.size > 0) await next(again, (event) => missing.delete(idOf(event)), seen)
      const places = seen.map(({ id }) => Number(id))
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
        'in the order of the changes',
      )
    })

    it('have a place before the first of them, for who is cut off early', async () => {
      await using app = await openListening(makePlace)
      const { client } = await app.listen()
      const events = await begin(app, client)
      const { id: place } = await next(events, ({ id }) => id !== '')
      await events.return()
      const id = await app.enqueue()
      const again = await begin(app, client, place)
      await next(again, isJob(id, 'queued'))
    })

    it('of another organization are not told', async () => {
      await using app = await openListening(makePlace)
      await app.store.db
        .insertInto('organizations')
        .values({ id: 'other', name: 'Other', createdAt: app.store.now })
        .execute()
      const before = await nowOf(app.store)
      const theirs = await app.enqueue('other')
      const { client } = await app.listen()
      const events = await begin(app, client, String(before))
      const more = await app.enqueue('other')
      const ours = await app.enqueue()
      const seen: ReceivedEvent[] = []
      await next(events, isJob(ours, 'queued'), seen)
      for (const { data } of seen) assert.ok(![theirs, more].includes((data as Job | undefined)?.id ?? ''))
    })

    it('of servers that a role is not limited to are not told, nor once the limit has become another', async () => {
      await using app = await openListening(makePlace)
      const connection = { host: 'db.example', user: 'x', password: 'x' }
      const add = async (name: string, env: string) => {
        const server = { name, engine: 'postgresql', connection, labels: { env } }
        return (await app.ask('POST', '/api/v1/servers', server)).json().id as string
      }
      const [staging, production] = [await add('a', 'staging'), await add('b', 'production')]
      const { store, organizationId } = app
      const now = store.now
      const stamps = { createdAt: now, updatedAt: now }
      await store.db
        .insertInto('roles')
        .values({
          id: 'staging',
          organizationId,
          name: 'staging',
          abilities: '["view"]',
          servers: JSON.stringify({ labels: { env: 'staging' } }),
          isBuiltIn: 0,
          revision: 1,
          ...stamps,
        })
        .execute()
      await store.db
        .insertInto('users')
        .values({ id: 'ada', name: 'Ada', email: 'ada@example.com', emailVerified: 1, ...stamps })
        .execute()
      await store.db
        .insertInto('memberships')
        .values({ organizationId, userId: 'ada', roleId: 'staging', createdAt: now })
        .execute()
      const order = { ...unrestricted, name: 'ada', ownerId: 'ada', isInstanceAdministrator: false }
      const { token } = await addToken(store, organizationId, order)
      const before = await nowOf(store)
      const { url } = await app.listen()
      let count = 0
      const enqueue = (serverId: string) =>
        store.db.transaction().execute(async (trx) => {
          const job = {
            organizationId,
            kind: 'test',
            key: `limited:${++count}`,
            payload: {},
            subject: { serverId },
          }
          return (await enqueueJob(store, trx, job)).id
        })
      const hidden = [await enqueue(production)]
      const events = await begin(app, connect({ url, token }), String(before))
      hidden.push(await enqueue(production))
      const seen: ReceivedEvent[] = []
      await next(events, isJob(await enqueue(staging), 'queued'), seen)
      await store.db
        .updateTable('servers')
        .set({ labels: '{"env":"staging"}' })
        .where('id', '=', production)
        .execute()
      await next(events, isJob(await enqueue(production), 'queued'), seen)
      for (const { data } of seen) assert.ok(!hidden.includes((data as Job | undefined)?.id ?? ''))
    })

    it('are not told to who has no token, nor from a place that is none', async () => {
      await using app = await openListening(makePlace)
      assert.equal((await app.get('/api/v1/events')).statusCode, 401)
      const refused = await app.ask('GET', '/api/v1/events', undefined, { 'last-event-id': 'x' })
      assert.equal(refused.statusCode, 400)
      assert.equal(problem.parse(refused.json()).errors?.[0]?.field, 'Last-Event-ID')
    })

    it('end when the app stops, also for a client that does not read', async () => {
      const app = await openListening(makePlace)
      const { url, client } = await app.listen()
      const events = await begin(app, client)
      const { hostname, port } = new URL(url)
      const socket = openSocket(Number(port), hostname)
      socket.on('error', () => {})
      socket.write(`GET /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${app.token}\r\n\r\n`)
      await once(socket, 'data')
      socket.pause()
      await app.app.close()
      const rest = await Array.fromAsync(events)
      assert.ok(rest.every(({ data }) => data === undefined))
      socket.destroy()
      await app[Symbol.asyncDispose]()
    })
  },
  'postgresql',
)

describeStores(
  'who watches jobs',
  (makePlace) => {
    it('looks once for all, and only while somebody listens', async () => {
      await using app = await openListening(makePlace)
      let looks = 0
      const { db } = app.store
      const selectFrom = db.selectFrom.bind(db)
      Object.assign(db, {
        selectFrom: (table: 'jobs') => {
          if (table === 'jobs') looks++
          return selectFrom(table)
        },
      })
      const watch = watchJobs(app.context, { pollEvery: 20 })
      const heard: string[][] = [[], [], []]
      const stops = await Promise.all(
        heard.map((ids) =>
          watch.listen(app.organizationId, (changes) => ids.push(...changes.map(({ job }) => job.id))),
        ),
      )
      const id = await app.enqueue()
      while (heard.some((ids) => ids.length === 0)) await sleep(5)
      looks = 0
      const before = watch.position
      while (watch.position === before) await sleep(2)
      // Which jobs have changed, and these jobs.
      assert.ok(looks <= 4, `${looks} looks`)
      assert.deepEqual(heard, [[id], [id], [id]], 'and tells no change twice')

      for (const stop of stops) stop()
      await sleep(50)
      looks = 0
      await app.enqueue()
      await sleep(100)
      assert.equal(looks, 0)
      assert.deepEqual(heard, [[id], [id], [id]])
    })

    it('sees a change whose transaction was slow', async () => {
      await using app = await openListening(makePlace)
      const watch = watchJobs(app.context, { pollEvery: 10 })
      const { promise: heard, resolve: hear } = Promise.withResolvers<string>()
      const stop = await watch.listen(app.organizationId, ([change]) => change && hear(change.job.id))
      const from = watch.position
      while (watch.position < from + 100) await sleep(5)
      const id = await app.enqueue()
      await app.store.db
        .updateTable('jobs')
        .set({ createdAt: from - 1000, updatedAt: from - 1000 })
        .where('id', '=', id)
        .execute()
      assert.equal(await heard, id)
      stop()
    })

    it('goes on when the store was away for a moment', async () => {
      await using app = await openListening(makePlace)
      const troubles: unknown[] = []
      const watch = watchJobs(app.context, { pollEvery: 10, onTrouble: (error) => troubles.push(error) })
      const { promise: heard, resolve: hear } = Promise.withResolvers<void>()
      const stop = await watch.listen(app.organizationId, () => hear())
      const { db } = app.store
      const selectFrom = db.selectFrom.bind(db)
      Object.assign(db, {
        selectFrom: () => {
          throw new Error('away')
        },
      })
      while (troubles.length < 2) await sleep(5)
      Object.assign(db, { selectFrom })
      await app.enqueue()
      await heard
      stop()
    })
  },
  'postgresql',
)

/** A route whose stream the test holds in its hands. */
async function openOwnStream(makePlace: Parameters<typeof openApp>[0], options: StreamOptions) {
  const app = await openListening(makePlace)
  const opened = Promise.withResolvers<EventStream>()
  app.app.get('/test/stream', { config: { requires: 'view' } }, async (request, reply) => {
    opened.resolve(openStream(app.context, request, reply, options))
    return reply
  })
  return { ...app, ...(await app.listen()), opened: opened.promise }
}

describeStores('a stream', (makePlace) => {
  it('says that it lives, and where the client would go on', async () => {
    await using app = await openOwnStream(makePlace, { heartbeat: 10, position: () => '42' })
    const response = await app.client.send('GET', '/test/stream', { signal: app.signal })
    const events = readEvents(response.body ?? assert.fail())
    const beat = await next(events, ({ id }) => id === '42')
    assert.equal(beat.data, undefined, 'it is no event')
  })

  it('is cut off when its client does not read', async () => {
    await using app = await openOwnStream(makePlace, {})
    const { hostname, port } = new URL(app.url)
    const socket = openSocket(Number(port), hostname)
    socket.on('error', () => {})
    socket.write(`GET /test/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${app.token}\r\n\r\n`)
    socket.pause()
    const stream = await app.opened
    const data = 'x'.repeat(100_000)
    // The kernel takes some megabytes, whoever reads.
    for (let sent = 0; sent < 1_000 && !stream.signal.aborted; sent++) {
      stream.send({ id: '1', event: 'job', data })
      await sleep(1)
    }
    assert.ok(stream.signal.aborted)
    socket.destroy()
  })

  it('waits for a client that reads slowly, if it is asked to', async () => {
    await using app = await openOwnStream(makePlace, {})
    const response = await app.client.send('GET', '/test/stream', { signal: app.signal })
    const stream = await app.opened
    const events = readEvents(response.body ?? assert.fail())
    const data = 'x'.repeat(100_000)
    const sending = (async () => {
      for (let id = 1; id <= 200; id++) {
        stream.send({ id: String(id), event: 'job', data })
        await stream.taken()
      }
      stream.end()
    })()
    let count = 0
    for await (const event of events) if (event.data !== undefined) count++
    await sending
    assert.equal(count, 200)
  })

  it('ends when its client goes, and when its token is deleted', async () => {
    await using app = await openOwnStream(makePlace, { heartbeat: 10 })
    const { id, token } = (await app.client.ask('POST /api/v1/tokens', { body: { name: 'short' } })).body
    const other = connect({ url: app.url, token })
    const response = await other.send('GET', '/test/stream')
    const stream = await app.opened
    await sleep(50)
    assert.equal(stream.signal.aborted, false)
    await app.client.ask('DELETE /api/v1/tokens/{id}', { params: { id } })
    await response.text()
    assert.ok(stream.signal.aborted)

    await using second = await openOwnStream(makePlace, {})
    const leave = new AbortController()
    await second.client.send('GET', '/test/stream', { signal: leave.signal })
    const { signal } = await second.opened
    const gone = once(signal, 'abort')
    leave.abort()
    await gone
  })
})

describeStores('the log of a job, as events,', (makePlace) => {
  const line = (message: string) => ({ at: new Date(0).toISOString(), level: 'info', message })

  it('comes line by line while the job runs, and ends with it', async () => {
    await using app = await openListening(makePlace)
    const { client } = await app.listen()
    const id = await app.enqueue()
    const finish = await app.run()
    const write = (number: number, ...messages: string[]) =>
      app.store.db
        .insertInto('jobLogs')
        .values({ jobId: id, number, lines: JSON.stringify(messages.map(line)) })
        .execute()
    await write(1, 'one', 'two')
    const events = eventsOf(client, `/api/v1/jobs/${id}/log`, { signal: app.signal, pause: 1 })
    const seen: ReceivedEvent[] = []
    const message = (text: string) =>
      next(events, ({ data }) => (data as { message: string }).message === text, seen)
    await message('two')
    await write(2, 'three')
    await message('three')
    await finish()
    // As if that had been a while ago: the last words are waited for.
    await app.store.db.updateTable('jobs').set({ finishedAt: 1 }).where('id', '=', id).execute()
    await next(events, ({ event }) => event === 'end', seen)
    assert.deepEqual(
      seen.map(({ event, data }) => [event, (data as { message?: string }).message]),
      [
        ['line', 'one'],
        ['line', 'two'],
        ['line', 'three'],
        ['end', undefined],
      ],
    )
    assert.deepEqual(seen.at(-1)?.data, { state: 'succeeded' })
    assert.ok((await events.next()).done, 'and it does not begin again')

    const place = seen[0]?.id
    const rest = await Array.fromAsync(
      eventsOf(client, `/api/v1/jobs/${id}/log`, { signal: app.signal, pause: 1, after: place ?? '' }),
    )
    assert.deepEqual(
      rest.map(({ data }) => (data as { message?: string }).message),
      ['two', 'three', undefined],
    )
  })

  it('comes as a whole, however long it is', async () => {
    await using app = await openListening(makePlace)
    const { client } = await app.listen()
    const id = await app.enqueue()
    await (
      await app.run()
    )()
    const lines = (piece: number, count: number) =>
      JSON.stringify(
        Array.from({ length: count }, (_, index) => line(`${piece}.${index} ${'x'.repeat(500)}`)),
      )
    const pieces = Array.from({ length: 40 }, (_, index) => index + 1)
    for (const number of pieces) {
      // The last is more than may wait for a client, all by itself.
      const count = number === pieces.length ? 5_000 : 100
      const row = { jobId: id, number, lines: lines(number, count) }
      await app.store.db.insertInto('jobLogs').values(row).execute()
    }
    await app.store.db.updateTable('jobs').set({ finishedAt: 1 }).where('id', '=', id).execute()
    let count = 0
    const { signal } = app
    for await (const { event } of eventsOf(client, `/api/v1/jobs/${id}/log`, { signal, pause: 1 })) {
      if (event === 'end') break
      count++
    }
    assert.equal(count, 39 * 100 + 5_000)
  })

  it('of a job that is none of ours is not there', async () => {
    await using app = await openListening(makePlace)
    const id = await app.enqueue()
    await app.store.db.transaction().execute((trx) => cancelJob(app.store, trx, id))
    assert.ok(isOver((await app.ask('GET', `/api/v1/jobs/${id}`)).json().state))
    const accept = { accept: 'text/event-stream' }
    assert.equal((await app.ask('GET', '/api/v1/jobs/none/log', undefined, accept)).statusCode, 404)
    const odd = { ...accept, 'last-event-id': '1.x' }
    assert.equal((await app.ask('GET', `/api/v1/jobs/${id}/log`, undefined, odd)).statusCode, 400)
    const json = await app.ask('GET', `/api/v1/jobs/${id}/log`)
    assert.equal(json.json().isOver, true, 'who does not ask for events gets none')
  })
})
