import { z } from 'zod'
import { overview, type Overview, overviewHistory, standings } from '../../shared/overview.ts'
import type { AppRoutes } from '../app.ts'
import { may } from '../identity/callers.ts'
import { page, pageQuery, readCursor } from '../pages.ts'
import { historyOf } from './history.ts'
import {
  comparePlaces,
  nextRunsOf,
  placeOf,
  presentAll,
  runningJobsOf,
  watchDatabases,
  type WatchedDatabase,
} from './overview.ts'
import { troublesOf } from './troubles.ts'

const tags = ['overview']
const several = z
  .preprocess(
    (given) => (typeof given === 'string' ? given.split(',') : given),
    z.array(z.enum(standings)).optional(),
  )
  .meta({ description: 'One, or several with commas' })

export function overviewRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/overview',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary:
            'How every database of every enabled plan fares, what else needs attention, what runs now, and what runs next',
          querystring: pageQuery.extend({
            standing: several,
            server: z.string().optional(),
            plan: z.string().optional(),
            search: z.string().trim().min(1).max(200).optional().meta({
              description: 'Words that are in the name of the database, its plan or its server',
            }),
          }),
          response: { 200: overview },
        },
      },
      async ({ query: { limit, cursor, standing, server, plan, search }, own }) => {
        const organizationId = own.organizationId
        const after = readCursor(cursor)
        const all = await watchDatabases(own, organizationId, { serverId: server, planId: plan })
        const chosen = all.filter(
          (item) => (standing ?? standings).includes(item.standing) && isCalled(item, search),
        )
        const behind = chosen.filter((item) => !after || comparePlaces(placeOf(item), after) > 0)
        const { items, nextCursor } = page(behind, limit, placeOf)
        return {
          counts: countByStanding(all),
          items: await presentAll(own, items),
          nextCursor,
          troubles: await troublesOf(own, organizationId, {
            isAdministrator: may(own.caller, 'administer-instance'),
          }),
          nextRuns: await nextRunsOf(own, organizationId),
          running: await runningJobsOf(own, organizationId),
        }
      },
    )
    app.get(
      '/api/v1/overview/history',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'How backups went on the last days, and how many bytes the volumes held then',
          querystring: z.object({
            days: z.coerce
              .number()
              .int()
              .min(1)
              .max(366)
              .default(30)
              .meta({ description: 'How many, today included' }),
          }),
          response: { 200: overviewHistory },
        },
      },
      async ({ query: { days }, own }) => await historyOf(own, own.organizationId, days),
    )
  }
}

/** Whether each word stands in one of its names, wherever. */
function isCalled({ plan, facts: { database } }: WatchedDatabase, search = ''): boolean {
  const names = [database ?? '', plan.name, plan.serverName].join('\n').toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => names.includes(word))
}

function countByStanding(all: readonly WatchedDatabase[]): Overview['counts'] {
  const counts = { protected: 0, overdue: 0, failing: 0, never: 0 }
  for (const { standing } of all) counts[standing]++
  return counts
}
