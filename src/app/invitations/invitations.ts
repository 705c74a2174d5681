import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { AppError, throwNow } from '../../shared/errors.ts'
import { type CreatedInvitation, INVITATION_DAYS } from '../../shared/invitations.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { holdOrganization } from '../hold.ts'
import { type Caller, hashOf, type OwnContext } from '../identity/callers.ts'
import { powersOf, refuseBeyond } from '../roles/powers.ts'
import { roleToGive } from '../roles/roles.ts'
import { isMember, memberWith } from '../users/users.ts'
import { invitationLink, makeLinkToken } from './links.ts'
import { mailInvitation } from './mail.ts'
import {
  deleteInvitation,
  findInvitation,
  insertInvitation,
  type InvitationRow,
  isInvited,
  renewInvitation,
} from './store.ts'

const LIFETIME = INVITATION_DAYS * 86_400_000

/** What is shown this once. */
export type Invited = Pick<CreatedInvitation, 'link' | 'mailed' | 'mailError'> & { row: InvitationRow }

/** Throws `not_found`. */
export async function invitationOf(
  { store, organizationId }: OwnContext,
  id: string,
): Promise<InvitationRow> {
  return (await findInvitation(store, store.db, organizationId, id)) ?? throwNow(noInvitation())
}

/**
 * Invites somebody, also by mail where that is set up. Throws `name_taken` for whoever is a member, or invited already,
 * `not_found` for a role that is not there, and `forbidden` for one that the caller may not give.
 */
export async function invite(
  context: AppContext,
  caller: Caller,
  order: { organizationId: string; email: string; roleId: string },
  origin: string,
): Promise<Invited> {
  const { store } = context
  const { organizationId, email, roleId } = order
  const id = uuidv7()
  const token = makeLinkToken()
  await store.db.transaction().execute(async (trx) => {
    await roleToGive(caller, trx, organizationId, roleId)
    if (await memberWith(trx, organizationId, email)) throw isMember(email)
    if (await isInvited(store, trx, organizationId, email)) throw isInvitedAlready(email)
    const values = { id, organizationId, email, roleId, hash: hashOf(token), invitedBy: inviterOf(caller) }
    await insertInvitation(store, trx, values, LIFETIME)
  })
  return await handOver(context, organizationId, id, token, origin)
}

/**
 * Another link in the place of the one before, with all its time. Throws `not_found`, `in_use` for one that was accepted,
 * and `forbidden` for a role that the caller may not give.
 */
export async function renew(own: OwnContext, id: string, origin: string): Promise<Invited> {
  const { store, organizationId, caller } = own
  const token = makeLinkToken()
  await store.db.transaction().execute(async (trx) => {
    await invitationToChange(own, trx, id)
    const values = { hash: hashOf(token), invitedBy: inviterOf(caller) }
    if (!(await renewInvitation(store, trx, id, values, LIFETIME))) {
      throw new AppError('in_use', 'The invitation has been accepted.', {
        hint: 'What the user may do is changed under Users.',
      })
    }
  })
  return await handOver(own, organizationId, id, token, origin)
}

/** From now on nobody can accept it. Throws `not_found`, and `forbidden` for a role that the caller may not give. */
export async function removeInvitation(own: OwnContext, id: string): Promise<void> {
  await own.store.db.transaction().execute(async (trx) => {
    await invitationToChange(own, trx, id)
    await deleteInvitation(trx, id)
  })
}

function noInvitation(): AppError {
  return new AppError('not_found', 'There is no such invitation.')
}

async function invitationToChange(
  { store, organizationId, caller }: OwnContext,
  trx: Transaction<Tables>,
  id: string,
): Promise<void> {
  await holdOrganization(trx, organizationId)
  const found = (await findInvitation(store, trx, organizationId, id)) ?? throwNow(noInvitation())
  const { roleName, roleAbilities, roleServers } = found
  refuseBeyond(caller, roleName, powersOf({ abilities: roleAbilities, servers: roleServers }))
}

async function handOver(
  context: AppContext,
  organizationId: string,
  id: string,
  token: string,
  origin: string,
): Promise<Invited> {
  const { store } = context
  const row = (await findInvitation(store, store.db, organizationId, id)) ?? throwNow(noInvitation())
  const link = invitationLink(origin, token)
  return { row, link, ...(await mailInvitation(context, row, { link, token })) }
}

function inviterOf({ user }: Caller): string | null {
  return user?.id ?? null
}

function isInvitedAlready(email: string): AppError {
  return new AppError('name_taken', `${email} is invited already.`, {
    hint: 'Renew that invitation for another link, or delete it first.',
    fields: [{ field: 'email', message: 'Is invited already.' }],
  })
}
