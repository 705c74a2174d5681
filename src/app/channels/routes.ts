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
import type { RouteContext } from '../context.ts'
import { formOf } from '../driver-settings.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { maskSettings } from '../secrets.ts'
import {
  addChannel,
  changeChannel,
  channelOf,
  isFailing,
  removeChannel,
  schemaOf,
  settingsOf,
} from './channels.ts'
import { testStoredChannel, testTrial } from './deliver.ts'
import { type ChannelRow, listChannels, sharedWith } from './store.ts'

const tags = ['channels']
const params = z.object({ id: z.string() })

export function channelRoutes(context: RouteContext): AppRoutes {
  const show = (row: ChannelRow) => present(context, row)
  return async (app) => {
    app.get(
      '/api/v1/channel-kinds',
      {
        config: { requires: 'view' },
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
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Channels, by name',
          querystring: pageQuery.extend({ kind: z.string().optional() }),
          response: { 200: pageOf(channel) },
        },
      },
      async ({ query: { limit, cursor, kind }, own }) => {
        const after = readCursor(cursor)
        const rows = await listChannels(own.store, own.organizationId, { after, limit, kind })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(show), nextCursor }
      },
    )
    app.post(
      '/api/v1/channels',
      {
        config: { requires: 'manage-channels', audit: 'channel.add' },
        schema: { tags, summary: 'Add a channel', body: newChannel, response: { 201: channel } },
      },
      async ({ body, own }, reply) => {
        const row = await addChannel(own, own.organizationId, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/channels/${row.id}` })
          .send(show(row))
      },
    )
    app.get(
      '/api/v1/shared-channels',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Channels of other organizations that rules may name',
          response: { 200: z.object({ items: z.array(sharedChannel) }) },
        },
      },
      async ({ own }) => {
        const rows = await sharedWith(own.store, own.organizationId)
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
        config: { requires: 'manage-channels', audit: null },
        schema: {
          tags,
          summary: 'Send a message with settings before they are saved; nothing is stored',
          body: channelTrial,
          response: { 200: testReport },
        },
      },
      async ({ body, own, signal }) => asReport(await testTrial(own, own.organizationId, body, signal)),
    )
    app.get(
      '/api/v1/channels/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One channel', params, response: { 200: channel } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await channelOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.patch(
      '/api/v1/channels/:id',
      {
        config: { requires: 'manage-channels', audit: 'channel.change' },
        schema: {
          tags,
          summary: 'Change a channel; with If-Match only what was read',
          params,
          body: channelChanges,
          response: { 200: channel },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changeChannel(own, own.organizationId, id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.delete(
      '/api/v1/channels/:id',
      {
        config: { requires: 'manage-channels', audit: 'channel.delete' },
        schema: {
          tags,
          summary: 'Delete a channel that no rule names; what waits to be delivered there is not',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, own }, reply) => {
        await removeChannel(own, own.organizationId, id)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/channels/:id/test',
      {
        config: { requires: 'manage-channels', audit: null },
        schema: {
          tags,
          summary: 'Send a message, also where it is disabled, and say what the receiver answers',
          params,
          response: { 200: testReport },
        },
      },
      async ({ params: { id }, own, signal }) => {
        const row = await channelOf(own, own.organizationId, id)
        return asReport(await testStoredChannel(own, row, signal))
      },
    )
  }
}

function present(context: RouteContext, row: ChannelRow): Channel {
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
    isFailing: isFailing(row),
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
