import { z } from 'zod'
import { planRun } from '../../shared/jobs.ts'
import {
  databaseMatches,
  deletedPlan,
  newPlan,
  plan,
  type Plan,
  planChanges,
  planLosses,
  planPreview,
  runOrder,
  startedRun,
} from '../../shared/plans.ts'
import { problem } from '../../shared/problems.ts'
import type { AppRoutes } from '../app.ts'
import { noteStartedJob } from '../idempotency/idempotency.ts'
import { refuseUnless } from '../identity/callers.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { problemOf } from '../problems.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { addPlan, changePlan, planOf, type PlanRow, previewDatabases } from './plans.ts'
import { lossesOfPlan, removePlan } from './remove-plan.ts'
import { runNow, shortcoming, waitUntilOver } from './run-now.ts'
import { listPlans } from './store.ts'

const tags = ['plans']
const params = z.object({ id: z.string() })

/** A problem that also says what became of the run, if there was one. */
const unfinishedRun = problem.extend(planRun.partial().shape).meta({ id: 'UnfinishedRun' })

export function planRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/plans',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Plans, by name',
          querystring: pageQuery.extend({
            server: z.string().optional(),
            schedule: z.string().optional(),
            volume: z.string().optional(),
            search: z.string().max(100).optional().meta({ description: 'A part of the name' }),
          }),
          response: { 200: pageOf(plan) },
        },
      },
      async ({ query: { limit, cursor, server, schedule, volume, search }, own }) => {
        const filter = { serverId: server, scheduleId: schedule, volumeId: volume, search }
        const after = readCursor(cursor)
        const rows = await listPlans(own.store, own.organizationId, filter, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(present), nextCursor }
      },
    )
    app.post(
      '/api/v1/plans',
      {
        config: { requires: 'manage-plans', audit: 'plan.add' },
        schema: { tags, summary: 'Add a plan', body: newPlan, response: { 201: plan } },
      },
      async ({ body, own }, reply) => {
        const row = await addPlan(own, own.organizationId, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/plans/${row.id}` })
          .send(present(row))
      },
    )
    app.post(
      '/api/v1/plans/preview',
      {
        config: { requires: 'view', audit: null },
        schema: {
          tags,
          summary: 'Which databases a choice means now, before it is saved',
          body: planPreview,
          response: { 200: databaseMatches },
        },
      },
      async (request) =>
        await previewDatabases(request.own, request.own.organizationId, request.body, request.signal),
    )
    app.get(
      '/api/v1/plans/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One plan', params, response: { 200: plan } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await planOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.patch(
      '/api/v1/plans/:id',
      {
        config: { requires: 'manage-plans', audit: 'plan.change' },
        schema: {
          tags,
          summary: 'Change a plan; with If-Match only what was read',
          params,
          body: planChanges,
          response: { 200: plan },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changePlan(own, own.organizationId, id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.delete(
      '/api/v1/plans/:id',
      {
        config: { requires: 'manage-plans', audit: 'plan.delete' },
        schema: {
          tags,
          summary: 'Delete a plan; if it has snapshots, only with a word on them',
          description:
            'With snapshots=delete, those stay that are locked, that a job reads, or that have a copy on a volume which is only read: the answer names them. 202: jobs delete the others; 200: there is nothing that could be deleted; 204: it had no snapshots, or keeps them all.',
          params,
          querystring: z.object({
            snapshots: z.enum(['keep', 'delete']).optional().meta({
              description:
                'keep: they stay, under no plan; delete: with all their copies, but for those that must stay',
            }),
          }),
          response: { 200: deletedPlan, 202: deletedPlan, 204: z.null() },
        },
      },
      async ({ params: { id }, query: { snapshots }, own }, reply) => {
        if (snapshots === 'delete') refuseUnless(own.caller, 'delete-snapshots')
        const deleted = await removePlan(own, own.organizationId, id, snapshots)
        if (!deleted) return await reply.code(204).send(null)
        return await reply.code(deleted.jobIds.length > 0 ? 202 : 200).send(deleted)
      },
    )
    app.get(
      '/api/v1/plans/:id/losses',
      {
        config: { requires: 'manage-plans' },
        schema: {
          tags,
          summary: 'Exactly what would be lost with a plan if its snapshots are deleted with it',
          params,
          response: { 200: planLosses },
        },
      },
      async ({ params: { id }, own }) => await lossesOfPlan(own, own.organizationId, id),
    )
    app.get(
      '/api/v1/plans/:id/databases',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Which databases the plan is about now, as the server lists them',
          params,
          response: { 200: databaseMatches },
        },
      },
      async (request) => {
        const organizationId = request.own.organizationId
        const { serverId, settings } = await planOf(request.own, organizationId, request.params.id)
        return await previewDatabases(request.own, organizationId, { ...settings, serverId }, request.signal)
      },
    )
    app.post(
      '/api/v1/plans/:id/run',
      {
        config: { requires: 'run-backups', audit: 'plan.run' },
        schema: {
          tags,
          summary: 'Back up now; with wait, answer 200 only when all is complete on all volumes',
          params,
          body: runOrder.nullish(),
          response: { 200: planRun, 202: startedRun, 409: unfinishedRun, 502: unfinishedRun },
        },
      },
      async (request, reply) => {
        const organizationId = request.own.organizationId
        const order = request.body ?? runOrder.parse({})
        const { startedJob } = request
        const started =
          startedJob === null
            ? await runNow(request.own, organizationId, request.params.id, order, (trx, jobId) =>
                noteStartedJob(trx, request, jobId),
              )
            : { jobId: startedJob, joined: true }
        reply.header('location', `/api/v1/jobs/${started.jobId}`)
        if (!order.wait) return await reply.code(202).send(started)
        const run = await waitUntilOver(request.own, organizationId, started.jobId, {
          left: request.signal,
          closing: app.closing,
        })
        const error = shortcoming(run)
        if (!error) return await reply.code(200).send(run)
        return await reply
          .code(error.status === 409 ? 409 : 502)
          .type('application/problem+json')
          .send({ ...problemOf(error), ...run })
      },
    )
  }
}

function present(row: PlanRow): Plan {
  const { id, serverId, name, schedules, volumes } = row
  return {
    id,
    serverId,
    name,
    isEnabled: row.isEnabled === 1,
    ...row.settings,
    schedules,
    volumes,
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
  }
}
