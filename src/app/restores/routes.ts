import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import { jobStates } from '../../shared/jobs.ts'
import { newRestore, restore, restoreCheck, startedRestore, undoRestore } from '../../shared/restores.ts'
import type { AppRoutes } from '../app.ts'
import { refuseFileElsewhere } from '../this-machine.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import {
  describeRestore,
  listRestores,
  presentRestores,
  type RestoreFilter,
  restoreJobOf,
  type RestoreState,
  startRestore,
  undo,
} from './restores.ts'

const tags = ['restores']
const params = z.object({ id: z.string() })

export function restoreRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/restores',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Restores, the newest first',
          querystring: pageQuery.extend({
            server: z.string().optional(),
            database: z.string().optional(),
            snapshot: z.string().optional(),
            state: z.enum(jobStates).optional(),
            sourcePlan: z
              .string()
              .optional()
              .meta({ description: 'Of a snapshot of this plan; with sourceDatabase' }),
            sourceDatabase: z.string().optional().meta({ description: 'Of a snapshot of this database' }),
          }),
          response: { 200: pageOf(restore) },
        },
      },
      async ({ query: { limit, cursor, ...query }, own }) => {
        const filter = filterOf(query)
        const after = readCursor(cursor, 'number')
        const rows = await listRestores(own, own.organizationId, filter, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ createdAt, id }) => [createdAt, id])
        return { items: await presentRestores(own, items), nextCursor }
      },
    )
    app.post(
      '/api/v1/restores',
      {
        config: { requires: 'restore', audit: 'restore.start' },
        schema: {
          tags,
          summary: 'Restore a snapshot, after a look at all that it would meet',
          body: newRestore,
          response: { 201: startedRestore },
        },
      },
      async (request, reply) => {
        await refuseFileElsewhere(request.own, request.body.serverId, request.body.database)
        const started = await startRestore(
          request.own,
          request.own.organizationId,
          request.body,
          request.signal,
        )
        return await reply.code(201).header('location', `/api/v1/restores/${started.jobId}`).send(started)
      },
    )
    app.post(
      '/api/v1/restores/check',
      {
        config: { requires: 'restore', audit: null },
        schema: {
          tags,
          summary: 'Look at all that a restore would meet, step by step, and change nothing',
          body: newRestore,
          response: { 200: restoreCheck },
        },
      },
      async (request) => {
        await refuseFileElsewhere(request.own, request.body.serverId, request.body.database)
        return await describeRestore(request.own, request.own.organizationId, request.body, request.signal)
      },
    )
    app.get(
      '/api/v1/restores/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One restore, by the id of its job', params, response: { 200: restore } },
      },
      async ({ params: { id }, own }) => {
        const [shown] = await presentRestores(own, [await restoreJobOf(own, own.organizationId, id)])
        if (!shown) throw new Error('presentRestores has lost a restore')
        return shown
      },
    )
    app.post(
      '/api/v1/restores/:id/undo',
      {
        config: { requires: 'restore', audit: 'restore.undo' },
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
        const organizationId = request.own.organizationId
        const started = await undo(request.own, organizationId, request.params.id, order, request.signal)
        return await reply.code(201).header('location', `/api/v1/restores/${started.jobId}`).send(started)
      },
    )
  }
}

interface RestoreQuery {
  server?: string | undefined
  database?: string | undefined
  snapshot?: string | undefined
  state?: RestoreState | undefined
  sourcePlan?: string | undefined
  sourceDatabase?: string | undefined
}

function filterOf({
  server,
  database,
  snapshot,
  state,
  sourcePlan,
  sourceDatabase,
}: RestoreQuery): RestoreFilter {
  if ((sourcePlan === undefined) !== (sourceDatabase === undefined)) {
    const field = sourcePlan === undefined ? 'sourcePlan' : 'sourceDatabase'
    const message = 'is missing: both are needed to say which database'
    throw new AppError('invalid_input', `${field}: ${message}`, { fields: [{ field, message }] })
  }
  return {
    serverId: server,
    database,
    snapshotId: snapshot,
    states: state && [state],
    ...(sourcePlan !== undefined &&
      sourceDatabase !== undefined && { source: { planId: sourcePlan, database: sourceDatabase } }),
  }
}
