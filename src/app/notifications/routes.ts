import { z } from 'zod'
import {
  eventNames,
  events,
  newNotificationRule,
  notificationEvent,
  type NotificationRule,
  notificationRule,
  notificationRuleChanges,
} from '../../shared/notifications.ts'
import type { AppRoutes } from '../app.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { addRule, changeRule, readRule, removeRule, ruleOf } from './rules.ts'
import { listRules, type RuleRow } from './store.ts'

const tags = ['notifications']
const params = z.object({ id: z.string() })

export function notificationRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/notification-events',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'What people may want to hear of',
          response: { 200: z.object({ items: z.array(notificationEvent) }) },
        },
      },
      async () => ({ items: eventNames.map((name) => ({ name, ...events[name] })) }),
    )
    app.get(
      '/api/v1/notification-rules',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Which events go to which channels: the rules, by name',
          querystring: pageQuery,
          response: { 200: pageOf(notificationRule) },
        },
      },
      async ({ query: { limit, cursor }, own }) => {
        const after = readCursor(cursor)
        const rows = await listRules(own.store, own.organizationId, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(present), nextCursor }
      },
    )
    app.post(
      '/api/v1/notification-rules',
      {
        config: { requires: 'manage-channels', audit: 'notification-rule.add' },
        schema: {
          tags,
          summary: 'Add a rule',
          body: newNotificationRule,
          response: { 201: notificationRule },
        },
      },
      async ({ body, own }, reply) => {
        const row = await addRule(own, own.organizationId, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/notification-rules/${row.id}` })
          .send(present(row))
      },
    )
    app.get(
      '/api/v1/notification-rules/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One rule', params, response: { 200: notificationRule } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await ruleOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.patch(
      '/api/v1/notification-rules/:id',
      {
        config: { requires: 'manage-channels', audit: 'notification-rule.change' },
        schema: {
          tags,
          summary: 'Change a rule; with If-Match only what was read',
          params,
          body: notificationRuleChanges,
          response: { 200: notificationRule },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changeRule(own, own.organizationId, id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.delete(
      '/api/v1/notification-rules/:id',
      {
        config: { requires: 'manage-channels', audit: 'notification-rule.delete' },
        schema: { tags, summary: 'Delete a rule', params, response: { 204: z.null() } },
      },
      async ({ params: { id }, own }, reply) => {
        await removeRule(own, own.organizationId, id)
        return await reply.code(204).send(null)
      },
    )
  }
}

function present(row: RuleRow): NotificationRule {
  return {
    id: row.id,
    ...readRule(row),
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
  }
}
