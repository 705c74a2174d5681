import { sql } from 'kysely'
import { z } from 'zod'
import type { AppContext } from '../context.ts'
import type { AppRoutes } from '../app.ts'

const health = z.object({ status: z.enum(['ok', 'unavailable']) }).meta({ id: 'Health' })

/** For load balancers and orchestrators: public, and without details. */
export function healthRoutes({ store }: AppContext): AppRoutes {
  return async (app) => {
    app.get(
      '/health/live',
      {
        config: { isPublic: true },
        schema: { tags: ['health'], summary: 'The process answers', response: { 200: health } },
      },
      async () => ({ status: 'ok' as const }),
    )
    app.get(
      '/health/ready',
      {
        config: { isPublic: true },
        schema: {
          tags: ['health'],
          summary: 'The process can work: its store can be reached',
          response: { 200: health, 503: health },
        },
      },
      async (request, reply) => {
        try {
          await sql`select 1`.execute(store.db)
          return { status: 'ok' as const }
        } catch (error) {
          request.log.warn({ err: error }, 'The store cannot be reached.')
          return await reply.code(503).send({ status: 'unavailable' as const })
        }
      },
    )
  }
}
