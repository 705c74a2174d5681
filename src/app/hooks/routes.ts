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
import type { RouteContext } from '../context.ts'
import { formOf } from '../driver-settings.ts'
import { type Caller, refuseUnless } from '../identity/callers.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { maskSettings } from '../secrets.ts'
import { addHook, changeHook, hookOf, openedSettings, removeHook, schemaOf } from './hooks.ts'
import { type HookRow, listHooks } from './store.ts'

const tags = ['hooks']
const params = z.object({ id: z.string() })

export function hookRoutes(context: RouteContext): AppRoutes {
  const show = (row: HookRow) => present(context, row)
  return async (app) => {
    app.get(
      '/api/v1/hook-kinds',
      {
        config: { requires: 'view' },
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
        config: { requires: 'view' },
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
        config: { requires: 'view' },
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
      async ({ query: { limit, cursor, plan, around, kind }, own }) => {
        const filter = { planId: plan, around, kind, after: readCursor(cursor), limit }
        const rows = await listHooks(own.store, own.organizationId, filter)
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(show), nextCursor }
      },
    )
    app.post(
      '/api/v1/hooks',
      {
        config: { requires: 'manage-settings', audit: 'hook.add' },
        schema: { tags, summary: 'Add a hook', body: newHook, response: { 201: hook } },
      },
      async ({ body, own }, reply) => {
        refuseScript(own.caller, body.kind)
        const row = await addHook(own, own.organizationId, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/hooks/${row.id}` })
          .send(show(row))
      },
    )
    app.get(
      '/api/v1/hooks/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One hook', params, response: { 200: hook } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await hookOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.patch(
      '/api/v1/hooks/:id',
      {
        config: { requires: 'manage-settings', audit: 'hook.change' },
        schema: {
          tags,
          summary: 'Change a hook; with If-Match only what was read',
          params,
          body: hookChanges,
          response: { 200: hook },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const revision = revisionOf(headers['if-match'])
        refuseScript(own.caller, (await hookOf(own, own.organizationId, id)).kind)
        const row = await changeHook(own, own.organizationId, id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.delete(
      '/api/v1/hooks/:id',
      {
        config: { requires: 'manage-settings', audit: 'hook.delete' },
        schema: { tags, summary: 'Delete a hook', params, response: { 204: z.null() } },
      },
      async ({ params: { id }, own }, reply) => {
        refuseScript(own.caller, (await hookOf(own, own.organizationId, id)).kind)
        await removeHook(own, own.organizationId, id)
        return await reply.code(204).send(null)
      },
    )
  }
}

/** A script may do on the machine whatever the app may. */
function refuseScript(caller: Caller, kind: string): void {
  if (kind === 'script') refuseUnless(caller, 'administer-instance')
}

function present(context: RouteContext, row: HookRow): Hook {
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
