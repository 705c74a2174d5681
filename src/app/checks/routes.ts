import { z } from 'zod'
import { checkOrder, startedCheck } from '../../shared/checks.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { organizationOf } from '../identity/tokens.ts'
import { startCheck } from './checks.ts'

export function checkRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.post(
      '/api/v1/volumes/:id/check',
      {
        schema: {
          tags: ['volumes'],
          summary:
            'Look for every copy that should be on the volume; with contents also read a share of them',
          params: z.object({ id: z.string() }),
          body: checkOrder.nullish(),
          response: { 202: startedCheck },
        },
      },
      async ({ params: { id }, body, caller }, reply) => {
        const order = checkOrder.parse(body ?? {})
        const started = await startCheck(context, organizationOf(caller), id, order)
        return await reply.code(202).header('location', `/api/v1/jobs/${started.jobIds[0]}`).send(started)
      },
    )
  }
}
