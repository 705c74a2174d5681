import type { Transaction } from 'kysely'
import { z } from 'zod'
import { engineNamed } from '../../engines/index.ts'
import { dropLeftovers } from '../../runner/unfinished-restores.ts'
import type { Store } from '../../store/database.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { defineJob } from '../jobs/job-kind.ts'
import { connectionOf, serverOf, serverResource } from '../servers/servers.ts'
import { restoreKey } from './order.ts'
import { oweTidying } from './store.ts'

const ATTEMPTS = 5

/** Drops what a restore has left whose runner was killed. */
export const tidyRestore = defineJob({
  payload: z.object({ serverId: z.string(), database: z.string() }),
  async run(work) {
    const { context, organizationId, payload } = work
    const server = await serverOf(context, organizationId, payload.serverId)
    const engine = engineNamed(server.engine)
    const connection = connectionOf(context, server)
    await dropLeftovers({ engine, connection, database: payload.database }, work)
  },
  // It is not tried again if a restore waits behind it.
  async endedBadly({ store }, trx, { key }) {
    await oweTidying(store, trx, key)
  },
})

/** One restore into a database, or the tidying behind it, at a time; who restores into it next tidies up, too. */
export async function enqueueTidying(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  { serverId, database }: { serverId: string; database: string },
): Promise<void> {
  const key = restoreKey(serverId, database)
  const { joined } = await enqueueJob(store, trx, {
    organizationId,
    kind: 'tidy-restore',
    key,
    payload: { serverId, database },
    subject: { serverId, database },
    resources: [serverResource(serverId)],
    maxAttempts: ATTEMPTS,
  })
  if (joined) await oweTidying(store, trx, key)
}
