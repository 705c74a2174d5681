import { hostname, userInfo } from 'node:os'
import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { AuditActor, AuditTarget } from '../../shared/audit.ts'
import type { ErrorCode } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import type { Caller } from '../identity/callers.ts'
import { boundedDetails, boundedText } from './bounded.ts'
import { canonical, hashOfEntry } from './chain.ts'
import { insertEntry, lockChain } from './store.ts'

/** What somebody has done, or was refused. */
export interface NewAuditEntry {
  /** Null: it is about the instance. */
  organizationId: string | null
  /** thing.verb */
  action: string
  outcome: 'succeeded' | ErrorCode
  actor: AuditActor
  /** Where the request came from; null: from no request. */
  address: string | null
  target: AuditTarget | null
  /** Without any secret: what is here is shown to all who may read the log. */
  details?: Record<string, unknown>
}

const LONGEST_NAME = 200

/**
 * Adds an entry to the audit log, within the transaction that does what it says: either both are there or neither. Until
 * the transaction ends, all other entries wait for it: let it be the last that the transaction does.
 */
export async function recordAudit(
  store: Store,
  trx: Transaction<Tables>,
  { organizationId, action, outcome, actor, address, target, details = {} }: NewAuditEntry,
): Promise<void> {
  const { number, hash } = await lockChain(store, trx)
  const entry = {
    number: number + 1,
    id: uuidv7(),
    organizationId,
    at: await nowOf(store, trx),
    action,
    outcome,
    actor: { ...actor, name: boundedText(actor.name, LONGEST_NAME) },
    // Whoever looks for what somebody has done looks for their tokens, too.
    actorId: actor.owner?.id ?? actor.id,
    address: address && plainAddress(address),
    target: target && { ...target, name: target.name && boundedText(target.name, LONGEST_NAME) },
    targetId: target?.id ?? null,
    details: boundedDetails(details),
  }
  await insertEntry(trx, {
    ...entry,
    actor: canonical(entry.actor),
    target: entry.target && canonical(entry.target),
    details: canonical(entry.details),
    hash: hashOfEntry(hash, entry),
  })
}

/** The same in a transaction of its own: never within another one, which it would wait for. */
export async function recordAuditNow(store: Store, entry: NewAuditEntry): Promise<void> {
  await store.db.transaction().execute((trx) => recordAudit(store, trx, entry))
}

/** Who sends a request, as the log calls them. */
export function actorOf({ credential, user }: Caller): AuditActor {
  if (credential.kind === 'session' && user) return { kind: 'user', id: user.id, name: user.email }
  return {
    kind: 'token',
    id: credential.id,
    name: credential.name,
    ...(user && { owner: { id: user.id, name: user.email } }),
  }
}

/** Somebody who is known by an account, without having signed in: who signs in, or accepts an invitation. */
export function actorOfUser({ id, email }: { id: string; email: string }): AuditActor {
  return { kind: 'user', id, name: email }
}

/** Whoever sits at the machine of the app. */
export function actorAtCommandLine(): AuditActor {
  return { kind: 'command-line', id: null, name: `${nameOfAccount()} on ${hostname()}` }
}

/** Of whom nothing is known. */
export const nobody: AuditActor = { kind: 'user', id: null, name: 'somebody who had not signed in' }

/** The app, by itself. */
export const systemActor: AuditActor = { kind: 'system', id: null, name: 'Holdfast' }

/** Containers run as users whom nobody has named. */
function nameOfAccount(): string {
  try {
    return userInfo().username
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`
  }
}

/** An IPv4 address that comes in IPv6 is written as what it is. */
function plainAddress(address: string): string {
  return boundedText(address.replace(/^::ffff:(?=\d+\.)/i, ''), 100)
}
