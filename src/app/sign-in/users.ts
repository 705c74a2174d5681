import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { AppError } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { voidProofs } from './credentials.ts'
import { closeSetup, deleteSessionsOf, insertUser, savePassword } from './store.ts'

export { deleteSession, findUser, updateUser } from './store.ts'

export interface NewUser {
  name: string
  /** In lower case. */
  email: string
  /** As it is kept; null: none, so that somebody else must say who it is. */
  passwordHash: string | null
  isInstanceAdministrator: boolean
  /** Whether somebody has proven that mail for the address reaches the user. */
  isEmailVerified: boolean
}

/** Adds a user, who is a member of nothing yet; returns its id. Throws `name_taken` for an e-mail that another one has. */
export async function addUser(store: Store, trx: Transaction<Tables>, user: NewUser): Promise<string> {
  const { passwordHash, ...values } = user
  const id = uuidv7()
  if (!(await insertUser(store, trx, { ...values, id }))) throw emailTaken(user.email)
  if (passwordHash !== null) await savePassword(store, trx, id, passwordHash)
  await closeSetup(trx)
  return id
}

/**
 * Gives a user another password, and ends all sessions but, where one is named, that; links that were on their way are
 * void. What the password must be is not asked.
 */
export async function setPassword(
  store: Store,
  trx: Transaction<Tables>,
  userId: string,
  passwordHash: string,
  { keptSession }: { keptSession?: string } = {},
): Promise<void> {
  await voidProofs(trx, userId)
  await savePassword(store, trx, userId, passwordHash)
  await deleteSessionsOf(trx, userId, { except: keptSession })
}

/** Ends all sessions, but for one, and whatever would become one; returns how many. */
export async function signOutEverywhere(
  { db }: Store,
  userId: string,
  { except }: { except?: string } = {},
): Promise<number> {
  return await db.transaction().execute(async (trx) => {
    await voidProofs(trx, userId)
    return await deleteSessionsOf(trx, userId, { except })
  })
}

function emailTaken(email: string): AppError {
  return new AppError('name_taken', `There is a user with the e-mail ${email} already.`)
}
