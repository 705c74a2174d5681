import { statfs } from 'node:fs/promises'
import { sql } from 'kysely'
import { z } from 'zod'
import { formatBytes } from '../../shared/units.ts'
import type { AppContext } from '../context.ts'
import type { AppRoutes } from '../app.ts'
import { stoppedLoops } from './loops.ts'

const health = z.object({ status: z.enum(['ok', 'unavailable']) }).meta({ id: 'Health' })

/** The store must be able to write that a job has ended. */
const LEAST_ROOM = 32 * 1_048_576

/** For load balancers and orchestrators: public, and without details, which are in the log. */
export function healthRoutes(context: AppContext): AppRoutes {
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
          summary: 'The process can work: its store answers, its loops go round, its disk has room',
          response: { 200: health, 503: health },
        },
      },
      async (request, reply) => {
        const trouble = await troubleOf(context)
        if (trouble === undefined) return { status: 'ok' as const }
        request.log.warn({ err: trouble.error }, trouble.sentence)
        return await reply.code(503).send({ status: 'unavailable' as const })
      },
    )
  }
}

async function troubleOf({
  store,
  dataDirectory,
  heartbeats,
}: AppContext): Promise<{ sentence: string; error?: unknown } | undefined> {
  try {
    await sql`select 1`.execute(store.db)
  } catch (error) {
    return { sentence: 'The store cannot be reached.', error }
  }
  const [stopped] = stoppedLoops(heartbeats)
  if (stopped) return { sentence: `The ${stopped.name} has stopped going round.` }
  try {
    const { bavail, bsize } = await statfs(dataDirectory)
    if (bavail * bsize >= LEAST_ROOM) return undefined
    return { sentence: `${dataDirectory} has ${formatBytes(bavail * bsize)} left.` }
  } catch (error) {
    return { sentence: `${dataDirectory} cannot be reached.`, error }
  }
}
