import { z } from 'zod'
import { channels } from '../../channels/index.ts'
import {
  type Channel,
  channel,
  channelChanges,
  channelKind,
  channelTrial,
  newChannel,
  sharedChannel,
} from '../../shared/channels.ts'
import { testReport, type TestStep } from '../../shared/test-report.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { formOf } from '../driver-settings.ts'
import { organizationOf } from '../identity/tokens.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { maskSettings } from '../secrets.ts'
import { addChannel, changeChannel, channelOf, removeChannel, schemaOf, settingsOf } from './channels.ts'
import { testStoredChannel, testTrial } from './deliver.ts'
import { type ChannelRow, listChannels, sharedWith } from './store.ts'

const tags = ['channels']
const params = z.object({ id: z.string() })

export function channelRoutes(context: AppContext): AppRoutes {
  const show = (row: ChannelRow) => present(context, row)
  return async (app) => {
    app.get(
      '/api/v1/channel-kinds',
      {
        schema: {
          tags,
          summary: 'The kinds of channels, and their settings',
          response: { 200: z.object({ items: z.array(channelKind) }) },
        },
      },
      async () => ({ items: describeKinds() }),
    )
    app.get(
      '/api/v1/channels',
      {
        schema: {
          tags,
          summary: 'Channels, by name',
          querystring: pageQuery.extend({ kind: z.string().optional() }),
          response: { 200: pageOf(channel) },
        },
      },
      async ({ query: { limit, cursor, kind }, caller }) => {
        const after = readCursor(cursor)
        const rows = await listChannels(context.store, organizationOf(caller), { after, limit, kind })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(show), nextCursor }
      },
    )
    app.post(
      '/api/v1/channels',
      { schema: { tags, summary: 'Add a channel', body: newChannel, response: { 201: channel } } },
      async ({ body, caller }, reply) => {
        const row = await addChannel(context, organizationOf(caller), body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/channels/${row.id}` })
          .send(show(row))
      },
    )
    app.get(
      '/api/v1/shared-channels',
      {
        schema: {
          tags,
          summary: 'Channels of other organizations that rules may name',
          response: { 200: z.object({ items: z.array(sharedChannel) }) },
        },
      },
      async ({ caller }) => {
        const rows = await sharedWith(context.store, organizationOf(caller))
        return {
          items: rows.map(({ id, name, kind, isEnabled }) => ({
            id,
            name,
            kind,
            isEnabled: isEnabled === 1,
          })),
        }
      },
    )
    app.post(
      '/api/v1/channels/test',
      {
        schema: {
          tags,
          summary: 'Send a message with settings before they are saved; nothing is stored',
          body: channelTrial,
          response: { 200: testReport },
        },
      },
      async ({ body, caller, signal }) =>
        asReport(await testTrial(context, organizationOf(caller), body, signal)),
    )
    app.get(
      '/api/v1/channels/:id',
      { schema: { tags, summary: 'One channel', params, response: { 200: channel } } },
      async ({ params: { id }, caller }, reply) => {
        const row = await channelOf(context, organizationOf(caller), id)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.patch(
      '/api/v1/channels/:id',
      {
        schema: {
          tags,
          summary: 'Change a channel; with If-Match only what was read',
          params,
          body: channelChanges,
          response: { 200: channel },
        },
      },
      async ({ params: { id }, body, headers, caller }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changeChannel(context, organizationOf(caller), id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.delete(
      '/api/v1/channels/:id',
      {
        schema: {
          tags,
          summary: 'Delete a channel that no rule names; what waits to be delivered there is not',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, caller }, reply) => {
        await removeChannel(context, organizationOf(caller), id)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/channels/:id/test',
      {
        schema: {
          tags,
          summary: 'Send a message, also where it is disabled, and say what the receiver answers',
          params,
          response: { 200: testReport },
        },
      },
      async ({ params: { id }, caller, signal }) => {
        const row = await channelOf(context, organizationOf(caller), id)
        return asReport(await testStoredChannel(context, row, signal))
      },
    )
  }
}

function present(context: AppContext, row: ChannelRow): Channel {
  const { id, name, kind, isEnabled, isShared, lastDeliveredAt, lastFailedAt, lastError } = row
  return {
    id,
    name,
    kind,
    settings: maskSettings(schemaOf(kind), settingsOf(context, row)),
    isEnabled: isEnabled === 1,
    isShared: isShared === 1,
    lastDeliveredAt: asTime(lastDeliveredAt),
    lastFailedAt: asTime(lastFailedAt),
    lastError: lastError === null ? null : (JSON.parse(lastError) as Channel['lastError']),
    isFailing: lastFailedAt !== null && lastFailedAt >= (lastDeliveredAt ?? 0),
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
  }
}

function asReport(step: TestStep) {
  return { passed: step.outcome === 'ok', steps: [step] }
}

function asTime(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString()
}

function describeKinds() {
  return Object.entries(channels).map(([name, { label, config }]) => ({
    name,
    label,
    settings: formOf(config),
  }))
}
