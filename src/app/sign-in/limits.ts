import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import { countTry, deleteTries, isKnownAddress, takeBackTry } from './limits-store.ts'

/*
 * A try is counted before it is made, in the statement that looks whether it may be made: so of many at once no more pass
 * than of many in a row. Who succeeds takes it back.
 */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

export interface Limit {
  /** So many tries, none of them longer after the one before than `window`, are free. */
  free: number
  window: number
  /** From then on each makes the next one wait, twice as long each time, until `longest`. */
  wait: number
  longest: number
  /** After so long without a try, all is forgotten. */
  memory: number
}

/** Somebody who does not remember a password, and somebody who guesses one. */
const perAccountAndAddress: Limit = {
  free: 5,
  window: MINUTE,
  wait: MINUTE,
  longest: HOUR,
  memory: 24 * HOUR,
}
/** One who tries many accounts. An office behind one address has as many people. */
const perAddress: Limit = { free: 30, window: 10 * MINUTE, wait: MINUTE, longest: 15 * MINUTE, memory: HOUR }
/** Many who try one account. It only slows them down, and never keeps an owner out for long. */
const perAccount: Limit = { free: 50, window: HOUR, wait: SECOND, longest: 30 * SECOND, memory: 24 * HOUR }
/** Somebody who has the password, and guesses codes: of a million, three are right at any time. */
const perSecondFactorAndAddress: Limit = {
  free: 10,
  window: 15 * MINUTE,
  wait: 15 * MINUTE,
  longest: HOUR,
  memory: 24 * HOUR,
}
/** The same, from many addresses. */
const perSecondFactor: Limit = { ...perSecondFactorAndAddress, free: 20 }
/** Mails that nobody has asked for. Whoever has asked, and for the sake of whom it is, waits no longer because of others. */
const perMailbox: Limit = {
  free: 3,
  window: HOUR,
  wait: 15 * MINUTE,
  longest: 15 * MINUTE,
  memory: 24 * HOUR,
}

/** What is counted, in the order in which all count: otherwise two could wait for each other. */
export type Try = readonly { key: string; limit: Limit }[]

/**
 * Counts a try to sign in to an account from an address. Throws `too_many_requests` for one too many, which is then not
 * made. The address of a session that the account has is not slowed down by what others try.
 */
export async function startTry(
  store: Store,
  { email, address }: { email: string; address: string },
): Promise<Try> {
  const network = networkOf(address)
  const all = [
    { key: keyOf('account and address', email, network), limit: perAccountAndAddress },
    { key: keyOf('address', network), limit: perAddress },
  ]
  if (!(await isKnownAddress(store, email, address))) {
    all.push({ key: keyOf('account', email), limit: perAccount })
  }
  await count(store, all)
  return all
}

/** Counts a code, or a recovery code, behind the password of a user. Throws `too_many_requests`. */
export async function startSecondFactor(
  store: Store,
  { userId, address }: { userId: string; address: string },
): Promise<Try> {
  const all = [
    { key: keyOf('second factor and address', userId, networkOf(address)), limit: perSecondFactorAndAddress },
    { key: keyOf('second factor', userId), limit: perSecondFactor },
  ]
  await count(store, all)
  return all
}

/** Counts a mail that somebody asks for. Throws `too_many_requests`. */
export async function startMail(
  store: Store,
  { email, address }: { email: string; address: string },
): Promise<void> {
  await count(store, [
    { key: keyOf('mail from address', networkOf(address)), limit: perAddress },
    { key: keyOf('mail', email), limit: perMailbox },
  ])
}

/** Counts a try to guess what a link carries. Throws `too_many_requests`. */
export async function startGuess(store: Store, address: string): Promise<Try> {
  const all = [{ key: keyOf('link from address', networkOf(address)), limit: perAddress }]
  await count(store, all)
  return all
}

/** It was no guess: whoever knows the password may fail as often again, and nothing else counts it. */
export async function forgetTries(store: Store, aTry: Try): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    for (const { key, limit } of aTry) {
      if (limit === perAccountAndAddress || limit === perSecondFactorAndAddress) await deleteTries(trx, key)
      else await takeBackTry(trx, key)
    }
  })
}

async function count(store: Store, all: Try): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    for (const { key, limit } of all) {
      const blockedUntil = await countTry(store, trx, key, limit)
      if (blockedUntil !== undefined) throw await tooMany(store, trx, blockedUntil)
    }
  })
}

async function tooMany(store: Store, trx: Transaction<Tables>, until: number): Promise<AppError> {
  const seconds = Math.max(1, Math.ceil((until - (await nowOf(store, trx))) / SECOND))
  const time =
    seconds < 120 ? `${seconds} second${seconds === 1 ? '' : 's'}` : `${Math.ceil(seconds / 60)} minutes`
  return new AppError('too_many_requests', `There were too many tries; the next one may come in ${time}.`, {
    retryAfter: seconds,
  })
}

/** Whoever has one address of IPv6 has a whole network of them. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!isIPv6(plain)) return plain
  const { hostname } = new URL(`http://[${plain.replace(/%.*$/, '')}]`)
  const [head = '', tail] = hostname.slice(1, -1).split('::')
  const [left, right] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = tail === undefined ? 0 : 8 - (left?.length ?? 0) - (right?.length ?? 0)
  const groups = [...(left ?? []), ...Array<string>(zeros).fill('0'), ...(right ?? [])]
  return `${groups.slice(0, 4).join(':')}::/64`
}

/** Of one length, and without a name in it. */
function keyOf(kind: string, ...parts: string[]): string {
  return createHash('sha256')
    .update([kind, ...parts].join('\0'))
    .digest('hex')
}
