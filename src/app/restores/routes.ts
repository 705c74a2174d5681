import { z } from 'zod'
import { jobStates } from '../../shared/jobs.ts'
import { newRestore, restore, restoreCheck, startedRestore, undoRestore } from '../../shared/restores.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { organizationOf } from '../identity/tokens.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import {
  describeRestore,
  listRestores,
  presentRestores,
  restoreJobOf,
  startRestore,
  undo,
} from './restores.ts'

const tags = ['restores']
const params = z.object({ id: z.string() })

export function restoreRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/restores',
      {
        schema: {
          tags,
          summary: 'Restores, the newest first',
          querystring: pageQuery.extend({
            server: z.string().optional(),
            database: z.string().optional(),
            snapshot: z.string().optional(),
            state: z.enum(jobStates).optional(),
          }),
          response: { 200: pageOf(restore) },
        },
      },
      async ({ query: { limit, cursor, server, database, snapshot, state }, caller }) => {
        const filter = { serverId: server, database, snapshotId: snapshot, states: state && [state] }
        const after = readCursor(cursor, 'number')
        const rows = await listRestores(context, organizationOf(caller), filter, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ createdAt, id }) => [createdAt, id])
        return { items: await presentRestores(context, items), nextCursor }
      },
    )
    app.post(
      '/api/v1/restores',
      {
        schema: {
          tags,
          summary: 'Restore a snapshot, after a look at all that it would meet',
          body: newRestore,
          response: { 201: startedRestore },
        },
      },
      async (request, reply) => {
        const started = await startRestore(
          context,
          organizationOf(request.caller),
          request.body,
          request.signal,
        )
        return await reply.code(201).header('location', `/api/v1/restores/${started.jobId}`).send(started)
      },
    )
    app.post(
      '/api/v1/restores/check',
      {
        schema: {
          tags,
          summary: 'Look at all that a restore would meet, step by step, and change nothing',
          body: newRestore,
          response: { 200: restoreCheck },
        },
      },
      async (request) =>
        await describeRestore(context, organizationOf(request.caller), request.body, request.signal),
    )
    app.get(
      '/api/v1/restores/:id',
      { schema: { tags, summary: 'One restore, by the id of its job', params, response: { 200: restore } } },
      async ({ params: { id }, caller }) => {
        const [shown] = await presentRestores(context, [
          await restoreJobOf(context, organizationOf(caller), id),
        ])
        if (!shown) throw new Error('presentRestores has lost a restore')
        return shown
      },
    )
    app.post(
      '/api/v1/restores/:id/undo',
      {
        schema: {
          tags,
          summary: 'Put back what a restore has replaced: its safety snapshot',
          params,
          body: undoRestore.nullish(),
          response: { 201: startedRestore },
        },
      },
      async (request, reply) => {
        const order = request.body ?? undoRestore.parse({})
        const organizationId = organizationOf(request.caller)
        const started = await undo(context, organizationId, request.params.id, order, request.signal)
        return await reply.code(201).header('location', `/api/v1/restores/${started.jobId}`).send(started)
      },
    )
  }
}
