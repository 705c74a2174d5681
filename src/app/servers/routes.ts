import { z } from 'zod'
import { engines } from '../../engines/index.ts'
import {
  connectionOfString,
  connectionString,
  engineDescription,
  newServer,
  server,
  type Server,
  serverChanges,
  serverConnection,
  serverTrial,
} from '../../shared/servers.ts'
import { testReport, type TestStep } from '../../shared/test-report.ts'
import type { AppRoutes } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { formOf } from '../driver-settings.ts'
import { refuseOutside } from '../identity/callers.ts'
import { refuseFile } from '../this-machine.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { maskSettings } from '../secrets.ts'
import { ConnectionLooks } from './connection-looks.ts'
import { readConnectionString } from './connection-strings.ts'
import { addSampleServer, SAMPLE_ENGINE } from './sample-server.ts'
import {
  addServer,
  changeServer,
  connectionOf,
  databasesOf,
  removeServer,
  schemaOf,
  serverOf,
} from './servers.ts'
import { listServers, type ServerRow } from './store.ts'
import { testServer, testTrial } from './test-server.ts'

const tags = ['servers']
const params = z.object({ id: z.string() })

export function serverRoutes(context: RouteContext): AppRoutes {
  const show = (row: ServerRow) => present(context, row)
  return async (app) => {
    const looks = new ConnectionLooks(app.closing)
    app.get(
      '/api/v1/engines',
      {
        config: { requires: 'view' },
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
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Servers, by name',
          querystring: pageQuery.extend({ engine: z.string().optional() }),
          response: { 200: pageOf(server) },
        },
      },
      async ({ query: { limit, cursor, engine }, own }) => {
        const after = readCursor(cursor)
        const rows = await listServers(own.store, own.organizationId, { after, limit, engine })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(show), nextCursor }
      },
    )
    app.post(
      '/api/v1/servers',
      {
        config: { requires: 'manage-servers', audit: 'server.add' },
        schema: { tags, summary: 'Add a server', body: newServer, response: { 201: server } },
      },
      async ({ body, own }, reply) => {
        refuseOutside(own.caller, body)
        await refuseFile(own, body.engine)
        const row = await addServer(own, own.organizationId, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/servers/${row.id}` })
          .send(show(row))
      },
    )
    app.post(
      '/api/v1/servers/test',
      {
        config: { requires: 'manage-servers', audit: null },
        schema: {
          tags,
          summary: 'Try settings out before they are saved; nothing is stored',
          body: serverTrial,
          response: { 200: testReport },
        },
      },
      async ({ body, own, signal }) => {
        await refuseFile(own, body.engine)
        return asReport(await testTrial(own, own.organizationId, body, signal))
      },
    )
    app.post(
      '/api/v1/connection-strings',
      {
        config: { requires: 'manage-servers', audit: null },
        schema: {
          tags,
          summary: 'What a connection string says, for a form to be filled in with; nothing is stored',
          description:
            'The secrets in it come back in the clear. No environment and no file is read for it: what names a file is refused',
          body: connectionString,
          response: { 200: connectionOfString },
        },
      },
      async ({ body }) => readConnectionString(body.url),
    )
    app.post(
      '/api/v1/sample-server',
      {
        config: { requires: 'manage-servers', audit: 'server.add-sample' },
        schema: {
          tags,
          summary: 'Add a server with a small database to try Holdfast out with',
          description:
            'An SQLite file in the data directory. If the server is there already, it is shown (200)',
          response: { 200: server, 201: server },
        },
      },
      async ({ own }, reply) => {
        await refuseFile(own, SAMPLE_ENGINE)
        const { server: row, isNew } = await addSampleServer(own, own.organizationId)
        return await reply
          .code(isNew ? 201 : 200)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/servers/${row.id}` })
          .send(show(row))
      },
    )
    app.get(
      '/api/v1/servers/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One server', params, response: { 200: server } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await serverOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.patch(
      '/api/v1/servers/:id',
      {
        config: { requires: 'manage-servers', audit: 'server.change' },
        schema: {
          tags,
          summary: 'Change a server; with If-Match only what was read',
          params,
          body: serverChanges,
          response: { 200: server },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const { name, labels, engine } = await serverOf(own, own.organizationId, id)
        if (body.connection) await refuseFile(own, engine)
        const known = { name, labels: JSON.parse(labels) as Record<string, string> }
        refuseOutside(own.caller, { ...known, ...body })
        const row = await changeServer(own, own.organizationId, id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.delete(
      '/api/v1/servers/:id',
      {
        config: { requires: 'manage-servers', audit: 'server.delete' },
        schema: { tags, summary: 'Forget a server', params, response: { 204: z.null() } },
      },
      async ({ params: { id }, own }, reply) => {
        await removeServer(own, own.organizationId, id)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/servers/:id/test',
      {
        config: { requires: 'run-backups', audit: null },
        schema: {
          tags,
          summary: 'Reach the server, and say step by step what a backup would meet',
          params,
          response: { 200: testReport },
        },
      },
      async (request) => {
        const row = await serverOf(request.own, request.own.organizationId, request.params.id)
        return asReport(await testServer(request.own, row, request.signal))
      },
    )
    app.get(
      '/api/v1/servers/:id/connection',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Whether the server answers now, as it was looked at in the last half minute',
          params,
          response: { 200: serverConnection },
        },
      },
      async ({ params: { id }, own }) => await looks.lookAt(own, await serverOf(own, own.organizationId, id)),
    )
    app.get(
      '/api/v1/servers/:id/databases',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'The databases that can be backed up, as the server lists them now',
          params,
          response: { 200: z.object({ items: z.array(z.string()) }) },
        },
      },
      async (request) => {
        const row = await serverOf(request.own, request.own.organizationId, request.params.id)
        return { items: await databasesOf(request.own, row, request.signal) }
      },
    )
  }
}

function present(context: RouteContext, row: ServerRow): Server {
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

function asReport(steps: TestStep[]) {
  return { passed: steps.every(({ outcome }) => outcome !== 'failed'), steps }
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
