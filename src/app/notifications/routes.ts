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
import type { AppContext } from '../context.ts'
import { organizationOf } from '../identity/tokens.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { addRule, changeRule, readRule, removeRule, ruleOf } from './rules.ts'
import { listRules, type RuleRow } from './store.ts'

const tags = ['notifications']
const params = z.object({ id: z.string() })

export function notificationRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/notification-events',
      {
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
        schema: {
          tags,
          summary: 'Which events go to which channels: the rules, by name',
          querystring: pageQuery,
          response: { 200: pageOf(notificationRule) },
        },
      },
      async ({ query: { limit, cursor }, caller }) => {
        const after = readCursor(cursor)
        const rows = await listRules(context.store, organizationOf(caller), { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(present), nextCursor }
      },
    )
    app.post(
      '/api/v1/notification-rules',
      {
        schema: {
          tags,
          summary: 'Add a rule',
          body: newNotificationRule,
          response: { 201: notificationRule },
        },
      },
      async ({ body, caller }, reply) => {
        const row = await addRule(context, organizationOf(caller), body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/notification-rules/${row.id}` })
          .send(present(row))
      },
    )
    app.get(
      '/api/v1/notification-rules/:id',
      { schema: { tags, summary: 'One rule', params, response: { 200: notificationRule } } },
      async ({ params: { id }, caller }, reply) => {
        const row = await ruleOf(context, organizationOf(caller), id)
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.patch(
      '/api/v1/notification-rules/:id',
      {
        schema: {
          tags,
          summary: 'Change a rule; with If-Match only what was read',
          params,
          body: notificationRuleChanges,
          response: { 200: notificationRule },
        },
      },
      async ({ params: { id }, body, headers, caller }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changeRule(context, organizationOf(caller), id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.delete(
      '/api/v1/notification-rules/:id',
      { schema: { tags, summary: 'Delete a rule', params, response: { 204: z.null() } } },
      async ({ params: { id }, caller }, reply) => {
        await removeRule(context, organizationOf(caller), id)
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
