import { z } from 'zod'
import { databaseRetention, retentionTrial } from '../../shared/retention-preview.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { organizationOf } from '../identity/tokens.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { planOf } from '../plans/plans.ts'
import { previewPruning } from './preview.ts'

const tags = ['retention']

export function retentionRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/retention/preview',
      {
        schema: {
          tags,
          summary:
            'Which copies retention deletes, and why, now or until a later moment; and why others stay',
          description: 'A page of databases, by plan and name; limit counts databases.',
          querystring: pageQuery.extend({
            plan: z.string().optional(),
            database: z.string().min(1).max(1000).optional(),
            until: z.iso.datetime().optional(),
          }),
          response: { 200: pageOf(databaseRetention) },
        },
      },
      async ({ query: { limit, cursor, plan, database, until }, caller }) => {
        const organizationId = organizationOf(caller)
        if (plan !== undefined) await planOf(context, organizationId, plan)
        const scope = { planId: plan, database }
        const after = readCursor(cursor)
        const found = await previewPruning(context, organizationId, scope, {
          until: dateOf(until),
          after,
          limit,
        })
        return page(found, limit, ({ planId, database }) => [planId, database])
      },
    )
    app.post(
      '/api/v1/plans/:id/retention/preview',
      {
        schema: {
          tags,
          summary: 'The same for a plan with another policy, before it is saved',
          params: z.object({ id: z.string() }),
          querystring: pageQuery,
          body: retentionTrial,
          response: { 200: pageOf(databaseRetention) },
        },
      },
      async ({ params: { id }, query: { limit, cursor }, body, caller }) => {
        const organizationId = organizationOf(caller)
        await planOf(context, organizationId, id)
        const { retention, volumes, database, until } = body
        const own = volumes && new Map(volumes.map((volume) => [volume.id, volume.retention]))
        const found = await previewPruning(
          context,
          organizationId,
          { planId: id, database },
          {
            until: dateOf(until),
            after: readCursor(cursor),
            limit,
            policies: (saved) => ({ ...saved, plan: retention, volumes: own ?? saved.volumes }),
          },
        )
        return page(found, limit, ({ planId, database }) => [planId, database])
      },
    )
  }
}

function dateOf(time: string | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time)
}
