import { z } from 'zod'
import { engines } from '../../engines/index.ts'
import { engineDescription, newServer, server, type Server, serverChanges } from '../../shared/servers.ts'
import { testReport } from '../../shared/test-report.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { formOf } from '../driver-settings.ts'
import { organizationOf } from '../identity/tokens.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { maskSettings } from '../secrets.ts'
import {
  addServer,
  changeServer,
  connectionOf,
  databasesOf,
  removeServer,
  schemaOf,
  serverOf,
  testServer,
} from './servers.ts'
import { listServers, type ServerRow } from './store.ts'

const tags = ['servers']
const params = z.object({ id: z.string() })

export function serverRoutes(context: AppContext): AppRoutes {
  const show = (row: ServerRow) => present(context, row)
  return async (app) => {
    app.get(
      '/api/v1/engines',
      {
        schema: {
          tags,
          summary: 'The kinds of servers, and their settings',
          response: { 200: z.object({ items: z.array(engineDescription) }) },
        },
      },
      async () => ({ items: describeEngines() }),
    )
    app.get(
      '/api/v1/servers',
      {
        schema: {
          tags,
          summary: 'Servers, by name',
          querystring: pageQuery.extend({ engine: z.string().optional() }),
          response: { 200: pageOf(server) },
        },
      },
      async ({ query: { limit, cursor, engine }, caller }) => {
        const after = readCursor(cursor)
        const rows = await listServers(context.store, organizationOf(caller), { after, limit, engine })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(show), nextCursor }
      },
    )
    app.post(
      '/api/v1/servers',
      { schema: { tags, summary: 'Add a server', body: newServer, response: { 201: server } } },
      async ({ body, caller }, reply) => {
        const row = await addServer(context, organizationOf(caller), body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/servers/${row.id}` })
          .send(show(row))
      },
    )
    app.get(
      '/api/v1/servers/:id',
      { schema: { tags, summary: 'One server', params, response: { 200: server } } },
      async ({ params: { id }, caller }, reply) => {
        const row = await serverOf(context, organizationOf(caller), id)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.patch(
      '/api/v1/servers/:id',
      {
        schema: {
          tags,
          summary: 'Change a server; with If-Match only what was read',
          params,
          body: serverChanges,
          response: { 200: server },
        },
      },
      async ({ params: { id }, body, headers, caller }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changeServer(context, organizationOf(caller), id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.delete(
      '/api/v1/servers/:id',
      { schema: { tags, summary: 'Forget a server', params, response: { 204: z.null() } } },
      async ({ params: { id }, caller }, reply) => {
        await removeServer(context, organizationOf(caller), id)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/servers/:id/test',
      {
        schema: {
          tags,
          summary: 'Reach the server, and say step by step what a backup would meet',
          params,
          response: { 200: testReport },
        },
      },
      async (request) => {
        const row = await serverOf(context, organizationOf(request.caller), request.params.id)
        const steps = await testServer(context, row, request.signal)
        return { passed: steps.every(({ outcome }) => outcome !== 'failed'), steps }
      },
    )
    app.get(
      '/api/v1/servers/:id/databases',
      {
        schema: {
          tags,
          summary: 'The databases that can be backed up, as the server lists them now',
          params,
          response: { 200: z.object({ items: z.array(z.string()) }) },
        },
      },
      async (request) => {
        const row = await serverOf(context, organizationOf(request.caller), request.params.id)
        return { items: await databasesOf(context, row, request.signal) }
      },
    )
  }
}

function present(context: AppContext, row: ServerRow): Server {
  const { id, name, engine, labels, isProduction, isProtected, maxRunning, createdAt, updatedAt } = row
  return {
    id,
    name,
    engine,
    connection: maskSettings(schemaOf(engine), connectionOf(context, row)),
    labels: JSON.parse(labels) as Record<string, string>,
    isProduction: isProduction === 1,
    isProtected: isProtected === 1,
    maxRunning,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}

function describeEngines() {
  return Object.entries(engines).map(([name, { label, connection, dumpOptions, restoreOptions }]) => ({
    name,
    label,
    connection: formOf(connection),
    dumpOptions: formOf(dumpOptions),
    restoreOptions: formOf(restoreOptions),
  }))
}
