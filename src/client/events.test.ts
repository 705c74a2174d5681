import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AppError } from '../shared/errors.ts'
import { connect } from './client.ts'
import { eventsOf, readEvents } from './events.ts'

/** A client of an app that answers with these, one after another. */
function answering(...answers: (() => Response)[]) {
  const asked: (string | null)[] = []
  const client = connect({
    url: 'http://app.example',
    fetch: async (_url, init) => {
      asked.push(new Headers(init?.headers).get('last-event-id'))
      return answers[asked.length - 1]?.() ?? assert.fail('asked too often')
    },
  })
  return { client, asked }
}

function stream(...chunks: string[]): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
      controller.close()
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

const none = () => new Response(null, { status: 204 })
const { signal } = new AbortController()

describe('events', () => {
  it('are read however they are cut into pieces', async () => {
    const text = ':\n\nid: 1\nevent: job\ndata: {"a":\ndata: "ü"}\n\nid: 2\ndata: 5\n\nid: 3\n\n'
    const bytes = new TextEncoder().encode(text)
    const pieces = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
        controller.close()
      },
    })
    assert.deepEqual(await Array.fromAsync(readEvents(pieces, '0')), [
      { id: '0', event: 'message', data: undefined },
      { id: '1', event: 'job', data: { a: 'ü' } },
      { id: '2', event: 'message', data: 5 },
      { id: '3', event: 'message', data: undefined },
    ])
  })

  it('go on behind the last one when the line breaks, until there are no more', async () => {
    const { client, asked } = answering(
      () => stream(':\n\nid: 1\ndata: 1\n\nid: 2\nda'),
      () => {
        throw new TypeError('fetch failed')
      },
      () => stream(':\n\n:\nid: 7\n\n'),
      () => stream('id: 8\ndata: 8\n\n'),
      none,
    )
    const events = await Array.fromAsync(eventsOf(client, '/api/v1/events', { signal, pause: 1, after: '0' }))
    assert.deepEqual(
      events.map(({ data }) => data),
      [1, 8],
    )
    assert.deepEqual(asked, ['0', '1', '1', '7', '8'])
  })

  it('are not asked for again by who may not have them', async () => {
    const refusal = { type: '', title: 'No.', status: 401, code: 'not_signed_in', retryable: false }
    const { client, asked } = answering(
      () =>
        new Response(JSON.stringify(refusal), {
          status: 401,
          headers: { 'content-type': 'application/problem+json' },
        }),
    )
    const events = Array.fromAsync(eventsOf(client, '/api/v1/events', { signal, pause: 1 }))
    await assert.rejects(events, (error: AppError) => error.code === 'not_signed_in')
    assert.equal(asked.length, 1)
  })

  it('end when nobody wants them any more', async () => {
    const stop = new AbortController()
    const { client } = answering(
      () => stream('id: 1\ndata: 1\n\n'),
      () => stream('id: 2\ndata: 2\n\n'),
    )
    const events = eventsOf(client, '/api/v1/events', { signal: stop.signal, pause: 60_000 })
    await events.next()
    const more = events.next()
    stop.abort(new Error('enough'))
    await assert.rejects(more, /enough/)
  })
})
