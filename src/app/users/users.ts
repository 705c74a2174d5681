import type { Transaction } from 'kysely'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { NewUser, UserChanges } from '../../shared/users.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { holdOrganization } from '../hold.ts'
import { forgetAnswers } from '../idempotency/idempotency.ts'
import type { OwnContext } from '../identity/callers.ts'
import { withdrawInvitations } from '../invitations/withdraw.ts'
import { keepingAdministrator, powersOf, refuseBeyond } from '../roles/powers.ts'
import { roleToGive } from '../roles/roles.ts'
import {
  deleteMembership,
  findMember,
  findUserByEmail,
  insertMembership,
  type MemberRow,
  updateMembership,
  type UserRow,
} from './store.ts'

/** Throws `not_found`. */
export async function userOf({ store, organizationId }: OwnContext, id: string): Promise<MemberRow> {
  return (await findMember(store.db, organizationId, id)) ?? throwNow(noUser())
}

/**
 * Makes somebody a member who has an account already, without asking them: so only who administers the instance may do
 * that, and nobody else learns who has an account. Throws `forbidden` for all others, and for a role that the caller may
 * not give, `not_found` if nobody has an account with the address, and `name_taken` for a member.
 */
export async function addUser(own: OwnContext, { email, roleId }: NewUser): Promise<MemberRow> {
  const { store, organizationId, caller } = own
  if (!caller.isInstanceAdministrator) {
    throw new AppError('forbidden', 'Nobody is made a member without being asked.', {
      hint: 'Invite them: who has an account accepts with that. Only instance administrators add somebody at once.',
    })
  }
  const id = await store.db.transaction().execute(async (trx) => {
    await roleToGive(caller, trx, organizationId, roleId)
    const found = await findUserByEmail(trx, email)
    if (!found) {
      throw new AppError('not_found', `Nobody has an account with the address ${email}.`, {
        hint: 'Invite them instead.',
        fields: [{ field: 'email', message: 'Nobody has an account with it.' }],
      })
    }
    const userId = found.id
    if (!(await insertMembership(store, trx, { organizationId, userId, roleId }))) {
      throw isMember(email)
    }
    return userId
  })
  return await userOf(own, id)
}

/**
 * Gives a user another role; open invitations that they could not send any more go. Throws `not_found`,
 * `last_administrator`, and `forbidden` where the one that they have, or would get, allows more than the caller may.
 */
export async function changeUser(own: OwnContext, id: string, { roleId }: UserChanges): Promise<MemberRow> {
  const { store, organizationId, caller } = own
  await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    const found = (await findMember(trx, organizationId, id)) ?? throwNow(noUser())
    if (roleId === undefined) return
    refuseBeyond(caller, found.roleName, powersOfMember(found))
    await roleToGive(caller, trx, organizationId, roleId)
    await keepingAdministrator(trx, caller, () =>
      updateMembership(trx, { organizationId, userId: id, roleId }),
    )
    await withdrawInvitations(trx, { organizationId })
  })
  return await userOf(own, id)
}

/**
 * Takes a user out of the organization, with their tokens there, and the invitations that they have sent and nobody has
 * accepted. Throws `not_found`, `last_administrator`, and `forbidden` for whoever may do more than the caller.
 */
export async function removeUser({ store, organizationId, caller }: OwnContext, id: string): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    const found = (await findMember(trx, organizationId, id)) ?? throwNow(noUser())
    refuseBeyond(caller, found.roleName, powersOfMember(found))
    await keepingAdministrator(trx, caller, () => leaveOrganization(trx, { organizationId, userId: id }))
  })
}

/** What a removal does, by whomever: with the membership goes what would still act for the user there. */
export async function leaveOrganization(
  trx: Transaction<Tables>,
  membership: { organizationId: string; userId: string },
): Promise<void> {
  for (const token of await deleteMembership(trx, membership)) await forgetAnswers(trx, token)
}

/** Whoever has an account with this address, which is in lower case. */
export async function userWith({ db }: Store, email: string): Promise<UserRow | undefined> {
  return await findUserByEmail(db, email)
}

/** Whether somebody with this address is a member already. */
export async function memberWith(
  trx: Transaction<Tables>,
  organizationId: string,
  email: string,
): Promise<boolean> {
  const found = await findUserByEmail(trx, email)
  return found !== undefined && (await findMember(trx, organizationId, found.id)) !== undefined
}

/** Makes somebody a member; who is one already, keeps their role. */
export async function joinOrganization(
  store: Store,
  trx: Transaction<Tables>,
  membership: { organizationId: string; userId: string; roleId: string },
): Promise<void> {
  await insertMembership(store, trx, membership)
}

export function isMember(email: string): AppError {
  return new AppError('name_taken', `${email} is a member of the organization already.`, {
    hint: 'Change their role, if it is to be another one.',
    fields: [{ field: 'email', message: 'Is a member already.' }],
  })
}

function powersOfMember({ roleAbilities, roleServers }: MemberRow) {
  return powersOf({ abilities: roleAbilities, servers: roleServers })
}

function noUser(): AppError {
  return new AppError('not_found', 'There is no such user in the organization.')
}
