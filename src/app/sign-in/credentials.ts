import { AsyncLocalStorage } from 'node:async_hooks'
import type { Kysely, Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { forgetAnswers } from '../idempotency/idempotency.ts'
import {
  deleteOldestSessions,
  deleteOtherWays,
  deleteVerificationsOf,
  findCredentials,
  hasSession,
  holdCredentials,
  isUnproven,
  raiseCredentialsVersion,
} from './credentials-store.ts'
import { updateUser } from './store.ts'

/*
 * Between the moment when a password is read and the one when there is a session, somebody may change it, to keep out
 * whoever knows it. So what a user signs in with has a version: it is read before anything is proven, and compared while
 * the user’s row is held in which it would be raised.
 */

/** What somebody has proven: to be this user, with what counted at that version. */
export interface Proof {
  userId: string
  credentialsVersion: number
}

/** A browser that is used has one. */
const MOST_SESSIONS = 50

const proofs = new AsyncLocalStorage<Proof | undefined>()

/** To be read before what is proven with it is looked at. */
export async function proofOf(db: Kysely<Tables>, userId: string): Promise<Proof | undefined> {
  const found = await findCredentials(db, userId)
  return found && { userId, credentialsVersion: found.credentialsVersion }
}

export function proofBy({ id, credentialsVersion }: { id: string; credentialsVersion: number }): Proof {
  return { userId: id, credentialsVersion }
}

/** Whatever better-auth makes within `work` of sessions, and of first halves of sign-ins, is made by this proof. */
export async function withProof<T>(proof: Proof | undefined, work: () => Promise<T>): Promise<T> {
  return await proofs.run(proof, work)
}

/**
 * Until the transaction ends, the session goes on in which something was begun that adds a way to sign in, and what it was
 * begun with counts. Throws `sign_in_expired`, and `forbidden` for a disabled account.
 */
export async function holdSession(
  store: Store,
  trx: Transaction<Tables>,
  { sessionId, ...proof }: Proof & { sessionId: string },
): Promise<void> {
  await proofs.run(proof, () => holdProof(trx, proof.userId))
  if (!(await hasSession(store, trx, { userId: proof.userId, sessionId }))) throw changed()
}

export function isProven(userId: unknown): boolean {
  return typeof userId === 'string' && proofs.getStore()?.userId === userId
}

/**
 * Until the transaction ends, the user’s proof counts. Throws `sign_in_expired` if it does not any more, and `forbidden`
 * for a disabled account.
 */
export async function holdProof(trx: Transaction<Tables>, userId: string): Promise<void> {
  const proof = proofs.getStore()
  const found = await holdCredentials(trx, userId)
  if (found?.isDisabled === 1) throw disabled()
  if (proof?.userId === userId && proof.credentialsVersion === found?.credentialsVersion) return
  throw changed()
}

/** Before another session is made: there are no more than so many, and those that were used last stay. */
export async function makeRoomForSession(trx: Transaction<Tables>, userId: string): Promise<void> {
  await deleteOldestSessions(trx, userId, MOST_SESSIONS - 1)
}

/** Whoever is about to sign in has to begin again: no first half counts any more, no link, and no password that was read before. */
export async function voidProofs(trx: Transaction<Tables>, userId: string): Promise<void> {
  await raiseCredentialsVersion(trx, userId)
  await deleteVerificationsOf(trx, userId)
}

/**
 * From now on the user’s address is proven. If it was not before, somebody else may have made the account with it, and
 * waited: then whatever they could come back with goes, too.
 */
export async function proveEmail(store: Store, trx: Transaction<Tables>, userId: string): Promise<void> {
  if (!(await isUnproven(trx, userId))) return
  for (const token of await deleteOtherWays(trx, userId)) await forgetAnswers(trx, token)
  await updateUser(store, trx, userId, { emailVerified: 1 })
}

function changed(): AppError {
  return new AppError('sign_in_expired', 'The account was changed, or signed out, in the meantime.', {
    hint: 'Begin again.',
  })
}

export function disabled(): AppError {
  return new AppError('forbidden', 'The account is disabled.', { hint: 'Ask an administrator.' })
}
