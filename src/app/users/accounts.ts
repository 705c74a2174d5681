import { abilityNames } from '../../shared/abilities.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { AccountChanges, AccountLosses, NewAccount } from '../../shared/users.ts'
import type { AppContext } from '../context.ts'
import { forgetAnswers } from '../idempotency/idempotency.ts'
import type { Caller } from '../identity/callers.ts'
import { invite, type Invited } from '../invitations/invitations.ts'
import { withdrawInvitations } from '../invitations/withdraw.ts'
import { givenRole } from '../roles/roles.ts'
import { refuseBadPassword } from '../sign-in/password-policy.ts'
import { hashPassword } from '../sign-in/passwords.ts'
import { voidProofs } from '../sign-in/credentials.ts'
import { addUser, signOutEverywhere } from '../sign-in/users.ts'
import {
  type AccountRow,
  countInstanceAdministrators,
  deleteInvitationsBy,
  deleteSecondFactor,
  deleteSessions,
  deleteUser,
  findAccount,
  holdAccounts,
  insertMembership,
  invitedBy,
  membershipsOf,
  tokensOf,
  updateUser,
} from './store.ts'

/*
 * Whoever may change accounts can become anybody: so only a request does that which may do everything itself, and no token
 * that administers the instance and else only reads.
 */

/** Throws `not_found`. */
export async function accountOf({ store }: AppContext, id: string): Promise<AccountRow> {
  return (await findAccount(store, store.db, id)) ?? throwNow(noAccount())
}

/**
 * Makes an account with a password; without one, an invitation to make it. Throws `invalid_input` for what is missing, or
 * a password that is none, `not_found` for a role that is not there, and `name_taken`.
 */
export async function addAccount(
  context: AppContext,
  caller: Caller,
  { email, name, password, isInstanceAdministrator, organizationId, roleId }: NewAccount,
  origin: string,
): Promise<{ account: AccountRow; invited?: never } | { account?: never; invited: Invited }> {
  refuseRestricted(caller)
  const { store } = context
  const membership =
    organizationId === undefined || roleId === undefined ? undefined : { organizationId, roleId }
  if (!membership && (organizationId ?? roleId) !== undefined) {
    throw missing(organizationId === undefined ? 'organizationId' : 'roleId', 'Both, or neither.')
  }
  if (password === undefined) {
    if (!membership) throw missing('organizationId', 'An invitation needs an organization and a role.')
    if (isInstanceAdministrator) throw missing('password', 'An invitation does not give so much.')
    return { invited: await invite(context, caller, { ...membership, email }, origin) }
  }
  if (name === undefined) throw missing('name', 'An account has a name.')
  await refuseBadPassword(password, { email, name })
  const passwordHash = await hashPassword(password)
  const id = await store.db.transaction().execute(async (trx) => {
    const user = { name, email, passwordHash, isInstanceAdministrator, isEmailVerified: false }
    const userId = await addUser(store, trx, user)
    if (membership) {
      await givenRole(trx, membership.organizationId, membership.roleId)
      await insertMembership(store, trx, { ...membership, userId })
    }
    return userId
  })
  return { account: await accountOf(context, id) }
}

/**
 * Changes what is given. Who is disabled, is signed out. Throws `not_found`, `name_taken`, `in_use` for disabling oneself,
 * and `last_administrator`.
 */
export async function changeAccount(
  context: AppContext,
  caller: Caller,
  id: string,
  changes: AccountChanges,
): Promise<AccountRow> {
  refuseRestricted(caller)
  const { store } = context
  if (changes.isDisabled && id === caller.user?.id) throw oneself('disable')
  try {
    await store.db.transaction().execute(async (trx) => {
      await holdAccounts(trx)
      const found = (await findAccount(store, trx, id)) ?? throwNow(noAccount())
      const email = changes.email ?? found.email
      const values = {
        name: changes.name ?? found.name,
        email,
        isInstanceAdministrator: Number(changes.isInstanceAdministrator ?? found.isInstanceAdministrator),
        isDisabled: Number(changes.isDisabled ?? found.isDisabled),
        // That mail reaches them there, nobody has proven.
        ...(email !== found.email && { emailVerified: 0 }),
      }
      const before = await countInstanceAdministrators(trx)
      // Links were mailed to the former address.
      if (email !== found.email || values.isDisabled === 1) await voidProofs(trx, id)
      await updateUser(store, trx, id, values)
      if (before > 0 && (await countInstanceAdministrators(trx)) === 0) throw lastAdministrator(found.name)
      if (values.isDisabled === 1 && found.isDisabled === 0) {
        await deleteSessions(trx, id)
        await deleteInvitationsBy(trx, id)
      }
      if (values.isInstanceAdministrator < found.isInstanceAdministrator) {
        await withdrawInvitations(trx, { inviterId: id })
      }
    })
  } catch (error) {
    if (!store.isUniqueViolation(error)) throw error
    const message = 'Another account has it.'
    throw new AppError('name_taken', `There is an account with the e-mail ${changes.email} already.`, {
      fields: [{ field: 'email', message }],
      cause: error,
    })
  }
  return await accountOf(context, id)
}

/** What goes with the account. Throws `not_found`. */
export async function lossesOfAccount(context: AppContext, id: string): Promise<AccountLosses> {
  const { store } = context
  return await store.db.transaction().execute(async (trx) => {
    const { sessions, passkeys } = (await findAccount(store, trx, id)) ?? throwNow(noAccount())
    const memberships = await membershipsOf(trx, [id])
    const tokens = await tokensOf(trx, id)
    return {
      organizations: memberships.map(({ organizationName }) => organizationName),
      tokens: tokens.map(({ name, organization }) => ({ name, organization })),
      invitations: await invitedBy(store, trx, id),
      sessions,
      passkeys,
    }
  })
}

/** Returns what went with it. Throws `not_found`, `in_use` for one’s own, and `last_administrator`. */
export async function removeAccount(context: AppContext, caller: Caller, id: string): Promise<AccountLosses> {
  refuseRestricted(caller)
  const { store } = context
  if (id === caller.user?.id) throw oneself('delete')
  const losses = await lossesOfAccount(context, id)
  await store.db.transaction().execute(async (trx) => {
    await holdAccounts(trx)
    const found = (await findAccount(store, trx, id)) ?? throwNow(noAccount())
    const before = await countInstanceAdministrators(trx)
    for (const token of await tokensOf(trx, id)) await forgetAnswers(trx, token.id)
    await deleteInvitationsBy(trx, id)
    await deleteUser(trx, id)
    if (before > 0 && (await countInstanceAdministrators(trx)) === 0) throw lastAdministrator(found.name)
  })
  return losses
}

/** Ends all sessions of an account; returns how many. Its tokens stay. Throws `not_found`. */
export async function signOutAccount(context: AppContext, caller: Caller, id: string): Promise<number> {
  refuseRestricted(caller)
  await accountOf(context, id)
  return await signOutEverywhere(context.store, id)
}

/** For who has lost it: from now on the password is enough again. Throws `not_found`, also if there is none. */
export async function removeSecondFactor(context: AppContext, caller: Caller, id: string): Promise<void> {
  refuseRestricted(caller)
  const { store } = context
  const { name } = await accountOf(context, id)
  const isDone = await store.db.transaction().execute(async (trx) => {
    await voidProofs(trx, id)
    return await deleteSecondFactor(store, trx, id)
  })
  if (!isDone) throw new AppError('not_found', `The account “${name}” has no second factor.`)
}

function refuseRestricted({ abilities, servers }: Caller): void {
  if (servers === null && abilities.size === abilityNames.length) return
  throw new AppError('forbidden', 'This token may not change accounts: it may not do everything itself.', {
    hint: 'Use one that has all abilities.',
  })
}

function oneself(verb: 'disable' | 'delete'): AppError {
  return new AppError('in_use', `Nobody can ${verb} their own account.`, {
    hint: 'Let another administrator of the instance do it.',
  })
}

function lastAdministrator(name: string): AppError {
  return new AppError('last_administrator', `“${name}” is the last who administers the instance.`, {
    hint: 'Let somebody else administer it first.',
  })
}

function missing(field: string, message: string): AppError {
  return new AppError('invalid_input', `${field}: ${message}`, { fields: [{ field, message }] })
}

function noAccount(): AppError {
  return new AppError('not_found', 'There is no such account.')
}
