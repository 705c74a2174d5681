import { z } from 'zod'
import { databaseRetention, retentionTrial } from '../../shared/retention-preview.ts'
import type { AppRoutes } from '../app.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { planOf } from '../plans/plans.ts'
import { previewPruning } from './preview.ts'
import { countingZoneOf } from './prune.ts'

const tags = ['retention']

export function retentionRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/retention/preview',
      {
        config: { requires: 'view' },
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
      async ({ query: { limit, cursor, plan, database, until }, own }) => {
        const organizationId = own.organizationId
        if (plan !== undefined) await planOf(own, organizationId, plan)
        const scope = { planId: plan, database }
        const after = readCursor(cursor)
        const found = await previewPruning(own, organizationId, scope, {
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
        config: { requires: 'view', audit: null },
        schema: {
          tags,
          summary: 'The same for a plan with another policy, before it is saved',
          params: z.object({ id: z.string() }),
          querystring: pageQuery,
          body: retentionTrial,
          response: { 200: pageOf(databaseRetention) },
        },
      },
      async ({ params: { id }, query: { limit, cursor }, body, own }) => {
        const organizationId = own.organizationId
        await planOf(own, organizationId, id)
        const { retention, volumes, schedules, database, until, onlyMore } = body
        const byVolume = volumes && new Map(volumes.map((volume) => [volume.id, volume.retention]))
        const timeZone = schedules && (await countingZoneOf(own, organizationId, schedules))
        const found = await previewPruning(
          own,
          organizationId,
          { planId: id, database },
          {
            until: dateOf(until),
            after: readCursor(cursor),
            limit,
            policies: (saved) => ({
              plan: retention,
              volumes: byVolume ?? saved.volumes,
              timeZone: timeZone ?? saved.timeZone,
            }),
            onlyMore,
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
