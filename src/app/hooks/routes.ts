import { z } from 'zod'
import { hookKinds } from '../../runner/hooks/index.ts'
import {
  hook,
  type Hook,
  hookArounds,
  hookChanges,
  hookKind,
  hookVariable,
  hookVariables,
  newHook,
} from '../../shared/hooks.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { formOf } from '../driver-settings.ts'
import { organizationOf } from '../identity/tokens.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { maskSettings } from '../secrets.ts'
import { addHook, changeHook, hookOf, openedSettings, removeHook, schemaOf } from './hooks.ts'
import { type HookRow, listHooks } from './store.ts'

const tags = ['hooks']
const params = z.object({ id: z.string() })

export function hookRoutes(context: AppContext): AppRoutes {
  const show = (row: HookRow) => present(context, row)
  return async (app) => {
    app.get(
      '/api/v1/hook-kinds',
      {
        schema: {
          tags,
          summary: 'The kinds of hooks, and their settings',
          response: { 200: z.object({ items: z.array(hookKind) }) },
        },
      },
      async () => ({ items: describeKinds() }),
    )
    app.get(
      '/api/v1/hook-variables',
      {
        schema: {
          tags,
          summary: 'What hooks, and the scripts of the installation, get to know',
          response: { 200: z.object({ items: z.array(hookVariable) }) },
        },
      },
      async () => ({ items: [...hookVariables] }),
    )
    app.get(
      '/api/v1/hooks',
      {
        schema: {
          tags,
          summary: 'Hooks, by name',
          querystring: pageQuery.extend({
            plan: z.string().optional(),
            around: z.enum(hookArounds).optional(),
            kind: z.string().optional(),
          }),
          response: { 200: pageOf(hook) },
        },
      },
      async ({ query: { limit, cursor, plan, around, kind }, caller }) => {
        const filter = { planId: plan, around, kind, after: readCursor(cursor), limit }
        const rows = await listHooks(context.store, organizationOf(caller), filter)
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(show), nextCursor }
      },
    )
    app.post(
      '/api/v1/hooks',
      { schema: { tags, summary: 'Add a hook', body: newHook, response: { 201: hook } } },
      async ({ body, caller }, reply) => {
        const row = await addHook(context, organizationOf(caller), body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/hooks/${row.id}` })
          .send(show(row))
      },
    )
    app.get(
      '/api/v1/hooks/:id',
      { schema: { tags, summary: 'One hook', params, response: { 200: hook } } },
      async ({ params: { id }, caller }, reply) => {
        const row = await hookOf(context, organizationOf(caller), id)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.patch(
      '/api/v1/hooks/:id',
      {
        schema: {
          tags,
          summary: 'Change a hook; with If-Match only what was read',
          params,
          body: hookChanges,
          response: { 200: hook },
        },
      },
      async ({ params: { id }, body, headers, caller }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changeHook(context, organizationOf(caller), id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.delete(
      '/api/v1/hooks/:id',
      { schema: { tags, summary: 'Delete a hook', params, response: { 204: z.null() } } },
      async ({ params: { id }, caller }, reply) => {
        await removeHook(context, organizationOf(caller), id)
        return await reply.code(204).send(null)
      },
    )
  }
}

function present(context: AppContext, row: HookRow): Hook {
  const { revision: _, settings: __, isEnabled, createdAt, updatedAt, ...rest } = row
  return {
    ...rest,
    settings: maskSettings(schemaOf(row.kind), openedSettings(context, row)),
    isEnabled: isEnabled === 1,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}

function describeKinds() {
  return Object.entries(hookKinds).map(([name, { label, config }]) => ({
    name,
    label,
    settings: formOf(config),
  }))
}
