import type { Store } from '../../store/database.ts'
import { type NewAuditEntry, recordAuditNow } from './record.ts'

/*
 * Whoever is refused may try again a thousand times a second, and each entry stays for a year. So of the same refusals one
 * in a while is recorded, with how many there were since the last one, and of all together so many in an hour.
 */

const WHILE = 10 * 60_000
const HOUR = 3_600_000
const MOST_PER_HOUR = 1_000
/** Of so many it is known when they were recorded last. */
const MOST_KNOWN = 10_000

interface Recorded {
  at: number
  /** How many came since, and were not recorded. */
  since: number
}

interface Refusals {
  known: Map<string, Recorded>
  hour: { since: number; count: number; unrecorded: number }
}

/** Of each store, by what is the same in all that was made of it. */
const refusalsOf = new WeakMap<Store['place'], Refusals>()

/** Records what was refused, if not too much of it was recorded already. `now` is a time of this process. */
export async function recordRefusal(
  store: Store,
  entry: NewAuditEntry,
  now = performance.now(),
): Promise<void> {
  const refusals = refusalsOf.get(store.place) ?? { known: new Map(), hour: beginning(now) }
  refusalsOf.set(store.place, refusals)
  const { organizationId, action, outcome, actor, address, target } = entry
  const key = JSON.stringify([organizationId, action, outcome, actor.id, actor.name, address, target?.id])
  const last = refusals.known.get(key)
  if (last && now - last.at < WHILE) {
    last.since += 1
    return
  }
  if (now - refusals.hour.since >= HOUR) {
    refusals.hour = { ...beginning(now), unrecorded: refusals.hour.unrecorded }
  }
  if (refusals.hour.count >= MOST_PER_HOUR) {
    refusals.hour.unrecorded += 1
    return
  }
  const { unrecorded } = refusals.hour
  refusals.hour.count += 1
  refusals.hour.unrecorded = 0
  refusals.known.delete(key) // so that the oldest stands first
  refusals.known.set(key, { at: now, since: 0 })
  const [oldest] = refusals.known.keys()
  if (refusals.known.size > MOST_KNOWN && oldest !== undefined) refusals.known.delete(oldest)
  await recordAuditNow(store, {
    ...entry,
    details: {
      ...entry.details,
      ...(last && last.since > 0 && { sameBefore: last.since }),
      ...(unrecorded > 0 && { othersBefore: unrecorded }),
    },
  })
}

function beginning(now: number) {
  return { since: now, count: 0, unrecorded: 0 }
}
