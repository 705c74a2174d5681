import type { AppContext } from '../context.ts'
import { auditDaysOf } from '../instance-settings/instance-settings.ts'
import { recordAudit, systemActor } from './record.ts'
import { deleteUpTo, lockChain, oldEntries } from './store.ts'

/** The action of the entry that says which have gone. */
export const PRUNING = 'audit.prune'

const DAY = 86_400_000
const PIECE = 10_000

/** Lets the entries go whose time is over, the oldest first, and records that. Returns how many. */
export async function pruneAudit(context: AppContext, now: number, signal: AbortSignal): Promise<number> {
  const auditDays = await auditDaysOf(context)
  if (auditDays === 0) return 0
  let pruned = 0
  for (;;) {
    signal.throwIfAborted()
    const count = await pruneBefore(context, now - auditDays * DAY)
    pruned += count
    if (count < PIECE) return pruned
  }
}

async function pruneBefore({ store }: AppContext, before: number): Promise<number> {
  return await store.db.transaction().execute(async (trx) => {
    await lockChain(store, trx)
    const old = await oldEntries(trx, before, PIECE)
    const [first, last] = [old[0], old.at(-1)]
    if (!first || !last) return 0
    await deleteUpTo(trx, last)
    await recordAudit(store, trx, {
      organizationId: null,
      action: PRUNING,
      outcome: 'succeeded',
      actor: systemActor,
      address: null,
      target: null,
      details: {
        first: first.number,
        last: last.number,
        hash: last.hash,
        before: new Date(before).toISOString(),
      },
    })
    return old.length
  })
}
