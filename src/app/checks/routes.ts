import { z } from 'zod'
import { checkOrder, startedCheck } from '../../shared/checks.ts'
import type { AppRoutes } from '../app.ts'
import { refuseLimited } from '../identity/callers.ts'
import { startCheck } from './checks.ts'

export function checkRoutes(): AppRoutes {
  return async (app) => {
    app.post(
      '/api/v1/volumes/:id/check',
      {
        config: { requires: 'run-backups', audit: 'volume.check' },
        schema: {
          tags: ['volumes'],
          summary:
            'Look for every copy that should be on the volume; with contents also read a share of them',
          params: z.object({ id: z.string() }),
          body: checkOrder.nullish(),
          response: { 202: startedCheck },
        },
      },
      async ({ params: { id }, body, own }, reply) => {
        refuseLimited(own.caller)
        const order = checkOrder.parse(body ?? {})
        const started = await startCheck(own, own.organizationId, id, order)
        return await reply.code(202).header('location', `/api/v1/jobs/${started.jobIds[0]}`).send(started)
      },
    )
  }
}
