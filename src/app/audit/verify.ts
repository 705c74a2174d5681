import { setImmediate as breathe } from 'node:timers/promises'
import type { AuditVerification } from '../../shared/audit.ts'
import type { Store } from '../../store/database.ts'
import { BEGINNING, hashOfEntry } from './chain.ts'
import { PRUNING } from './prune.ts'
import { type AuditRow, entriesBehind, readEnds } from './store.ts'

const PIECE = 200

/** An entry that was noted elsewhere, when it was the last one. */
export interface NotedHead {
  number: number
  hash: string
}

/**
 * Goes through the whole chain, and says how many entries fit, or which is the first that does not. Entries may be added,
 * and old ones go, meanwhile. With a noted head it fails unless that is a part of the chain, too.
 */
export async function verifyChain(
  store: Store,
  { expected, signal }: { expected?: NotedHead | undefined; signal?: AbortSignal | undefined } = {},
): Promise<AuditVerification> {
  for (;;) {
    const verified = await walk(store, expected, signal)
    if (verified.isIntact) return verified
    const { chain } = await readEnds(store)
    // Those whose time is over have gone while they were looked at.
    if ((chain?.goneNumber ?? 0) === verified.pruned) return verified
  }
}

async function walk(
  store: Store,
  expected: NotedHead | undefined,
  signal: AbortSignal | undefined,
): Promise<AuditVerification> {
  const { chain, first, last } = await readEnds(store)
  const { number, hash, goneNumber, goneHash } = chain ?? {
    number: 0,
    hash: BEGINNING,
    goneNumber: 0,
    goneHash: BEGINNING,
  }
  let at = { number: goneNumber, hash: goneHash }
  let from: number | null = null
  let to: number | null = null
  const told = (fault: AuditVerification['fault']): AuditVerification => ({
    isIntact: fault === null,
    entries: at.number - goneNumber,
    first,
    from: from === null ? null : new Date(from).toISOString(),
    to: to === null ? null : new Date(to).toISOString(),
    pruned: goneNumber,
    head: chain && number > 0 ? { number, hash } : null,
    fault,
  })
  if (first !== null && first <= goneNumber) {
    return told({ number: first, reason: 'It is there, though it was said to have gone.' })
  }
  // Whoever lets entries go says so in the same transaction.
  let isPruneSeen = goneNumber === 0
  let isExpectedSeen = expected === undefined || isSame(expected, at)
  while (at.number < number) {
    signal?.throwIfAborted()
    const rows = await entriesBehind(store, at.number, Math.min(PIECE, number - at.number))
    if (rows.length === 0) return told({ number: at.number + 1, reason: missing(at.number + 1, number) })
    for (const row of rows) {
      if (row.number !== at.number + 1) {
        return told({ number: at.number + 1, reason: missing(at.number + 1, row.number - 1) })
      }
      if (hashOfRow(at.hash, row) !== row.hash) {
        return told({ number: row.number, reason: 'It, or the one before it, is not what was recorded.' })
      }
      at = { number: row.number, hash: row.hash }
      isPruneSeen ||= row.action === PRUNING && lastPruned(row) === goneNumber
      from ??= row.at
      to = row.at
      isExpectedSeen ||= expected !== undefined && isSame(expected, at)
    }
    await breathe() // SQLite's queries are made in this process, which has other things to do
  }
  if (at.number !== number || at.hash !== hash) {
    return told({ number, reason: 'The chain is said to end otherwise than it does.' })
  }
  if (last !== null && last > number) {
    return told({ number: number + 1, reason: 'It is there, though the chain is said to end before it.' })
  }
  if (!isPruneSeen) {
    return told({ number: goneNumber, reason: 'It has gone, and no entry says that its time was over.' })
  }
  if (isExpectedSeen || expected === undefined) return told(null)
  if (expected.number < goneNumber) {
    return told({
      number: expected.number,
      reason: 'The noted entry has gone, as its time was over: nothing can be said of it.',
    })
  }
  const reason =
    expected.number > number
      ? `It was noted, but the chain ends at ${number}.`
      : 'It has another hash than was noted: it, or something before it, was written anew.'
  return told({ number: expected.number, reason })
}

/** Undefined for JSON that is none any more. */
function hashOfRow(former: string, row: AuditRow): string | undefined {
  try {
    const { hash: _, actor, target, details, ...plain } = row
    const parsed = {
      ...plain,
      actor: JSON.parse(actor) as unknown,
      target: target === null ? null : (JSON.parse(target) as unknown),
      details: JSON.parse(details) as unknown,
    }
    return hashOfEntry(former, parsed)
  } catch {
    return undefined
  }
}

function lastPruned({ details }: AuditRow): unknown {
  return (JSON.parse(details) as { last?: unknown }).last
}

function isSame(expected: NotedHead, at: NotedHead): boolean {
  return expected.number === at.number && expected.hash === at.hash
}

function missing(first: number, last: number): string {
  return first === last ? 'It is missing.' : `It is missing, and all up to ${last} with it.`
}
