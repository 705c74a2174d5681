import { randomBytes } from 'node:crypto'
import type { Transaction } from 'kysely'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { hashOf } from '../identity/callers.ts'
import { changedMeanwhile } from '../revisions.ts'
import { findLink, findUser, saveLink, takeLink } from './store.ts'
import { holdUser } from './ways-store.ts'

/*
 * A link carries a token that is good for one thing, once, for a while; the store has only its hash. It stands behind
 * the “#” of the address, which no browser sends to a server, and the page sends it in a body: no log of addresses has it.
 */

const MINUTE = 60_000

/** What links are for, and for how long, in milliseconds. */
const purposes = {
  'reset-password': 60 * MINUTE,
  'sign-in-link': 10 * MINUTE,
} as const
export type LinkPurpose = keyof typeof purposes

export function makeLinkToken(): string {
  return randomBytes(32).toString('base64url')
}

/**
 * Makes what a link carries that is mailed to a user. It is void as soon as the user has another address; others that are on
 * their way are not, so that nobody voids them who only asks for one more. Throws `changed_meanwhile`.
 */
export async function makeLink(
  store: Store,
  purpose: LinkPurpose,
  { id, email }: { id: string; email: string },
): Promise<string> {
  return await store.db.transaction().execute(async (trx) => {
    await holdUser(trx, id)
    const user = await findUser(trx, { id })
    if (user?.email !== email) throw changedMeanwhile('The account')
    return await makeLinkFor(store, trx, purpose, id)
  })
}

export async function makeLinkFor(
  store: Store,
  trx: Transaction<Tables>,
  purpose: LinkPurpose,
  userId: string,
): Promise<string> {
  const token = makeLinkToken()
  await saveLink(store, trx, { purpose, hash: hashOf(token), userId, lasts: purposes[purpose] })
  return token
}

/** Whose it is, without using it up. Throws `not_found`. */
export async function userOfLink(store: Store, purpose: LinkPurpose, token: string): Promise<string> {
  return (await findLink(store, store.db, purpose, hashOf(token))) ?? throwNow(linkIsOver())
}

/** Uses it up: of all who come with it, one does not get `not_found`. */
export async function useLink(
  store: Store,
  trx: Transaction<Tables>,
  purpose: LinkPurpose,
  token: string,
): Promise<string> {
  return (await takeLink(store, trx, purpose, hashOf(token))) ?? throwNow(linkIsOver())
}

function linkIsOver(): AppError {
  return new AppError('not_found', 'The link is not valid: it was used, or its time is over.', {
    hint: 'Ask for another one.',
  })
}
