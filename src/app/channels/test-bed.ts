import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { startHttpReceiver } from '../../../test/servers/http-receiver.ts'
import type { Channel } from '../../shared/channels.ts'
import type { Job } from '../../shared/jobs.ts'
import { openApp } from '../test-bed.ts'

/** What a webhook has got. */
export interface Received {
  headers: IncomingHttpHeaders
  /** As it was sent. */
  text: string
  body: Record<string, unknown> & { title: string; text: string }
}

/** Takes what webhooks send. `statuses` are those of the first answers; 200 behind them. */
export async function startReceiver(...statuses: number[]) {
  let count = 0
  const server = await startHttpReceiver(() => {
    count += 1
    return { status: statuses[count - 1] ?? 200, body: `answer ${count}` }
  })
  return {
    url: `${server.origin}/hook`,
    get received(): Received[] {
      return server.received.map(({ headers, body: text }) => {
        return { headers, text, body: JSON.parse(text) as Received['body'] }
      })
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export const SECRET = 'canary-of-the-webhook'

/** An app, and ways to its channels. */
export async function openChannelApp(makePlace: Parameters<typeof openApp>[0]) {
  const app = await openApp(makePlace)
  const { store } = app
  const { id: organizationId } = await store.db
    .selectFrom('organizations')
    .select('id')
    .executeTakeFirstOrThrow()
  return {
    ...app,
    organizationId,
    /** A webhook. */
    async addChannel(name: string, url: string, more: object = {}): Promise<Channel> {
      const body = { name, kind: 'webhook', settings: { url, secret: SECRET }, ...more }
      const added = await app.ask('POST', '/api/v1/channels', body)
      assert.equal(added.statusCode, 201, added.body)
      return added.json<Channel>()
    },
    async channel(id: string): Promise<Channel> {
      return (await app.ask('GET', `/api/v1/channels/${id}`)).json<Channel>()
    },
    async deliveries(): Promise<Job[]> {
      return (await app.ask('GET', '/api/v1/jobs?kind=deliver-notice')).json<{ items: Job[] }>().items
    },
    /** Another organization, in which a channel, or nothing, is put. */
    async addOrganization(id: string, channelId?: string): Promise<void> {
      await store.db.insertInto('organizations').values({ id, name: id, createdAt: store.now }).execute()
      if (channelId === undefined) return
      await store.db.updateTable('channels').set({ organizationId: id }).where('id', '=', channelId).execute()
    },
  }
}

export type ChannelApp = Awaited<ReturnType<typeof openChannelApp>>
