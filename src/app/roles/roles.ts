import { v7 as uuidv7 } from 'uuid'
import type { Transaction } from 'kysely'
import type { Ability } from '../../shared/abilities.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import { type NewRole, notForLimited, type RoleChanges, type ServerLimit } from '../../shared/roles.ts'
import type { Tables } from '../../store/tables.ts'
import { holdOrganization } from '../hold.ts'
import type { Caller, OwnContext } from '../identity/callers.ts'
import { withdrawInvitations } from '../invitations/withdraw.ts'
import { nameTaken, savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { usersInWords } from '../users.ts'
import { keepingAdministrator, type Powers, powersOf, refuseBeyond } from './powers.ts'
import {
  type CountedRole,
  deleteRole,
  findCountedRole,
  findRole,
  holdersOf,
  insertRole,
  providersGiving,
  roleIdOf,
  roleNames,
  type RoleRow,
  updateRole,
} from './store.ts'

/** Throws `not_found`. */
export async function roleOf({ store, organizationId }: OwnContext, id: string): Promise<CountedRole> {
  return (await findCountedRole(store, organizationId, id)) ?? throwNow(noRole())
}

/** A role that somebody is to get; it stays until the end of the transaction. Throws `not_found`. */
export async function givenRole(
  trx: Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<RoleRow> {
  await holdOrganization(trx, organizationId)
  const found = await findRole(trx, organizationId, id)
  if (found) return found
  const message = 'There is no such role.'
  throw new AppError('not_found', message, { fields: [{ field: 'roleId', message }] })
}

/** The same, which the caller may give: throws `forbidden` otherwise. */
export async function roleToGive(
  caller: Caller,
  trx: Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<RoleRow> {
  const found = await givenRole(trx, organizationId, id)
  refuseBeyond(caller, found.name, powersOf(found))
  return found
}

/** Throws `invalid_input` for what a limited role cannot have, `forbidden` beyond the caller’s own, and `name_taken`. */
export async function addRole(own: OwnContext, { name, ...powers }: NewRole): Promise<CountedRole> {
  const { store, organizationId, caller } = own
  refuseForLimited(powers)
  refuseBeyond(caller, name, powers)
  const id = uuidv7()
  await savingName(store, 'role', name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdOrganization(trx, organizationId)
      await refuseLikeNamed(trx, organizationId, { id, name })
      await insertRole(store, trx, { id, organizationId, name, ...valuesOf(powers) })
    }),
  )
  return await roleOf(own, id)
}

/**
 * Changes what is given; open invitations that their senders could not send any more go. Nobody but instance
 * administrators changes what their own role allows: a slip would lock them out. Throws `not_found`, `changed_meanwhile`, `last_administrator`, and what adding throws.
 */
export async function changeRole(
  own: OwnContext,
  id: string,
  changes: RoleChanges,
  revision: number | undefined,
): Promise<CountedRole> {
  const { store, organizationId, caller } = own
  await savingName(store, 'role', changes.name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdOrganization(trx, organizationId)
      const found = (await findRole(trx, organizationId, id)) ?? throwNow(noRole())
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The role')
      const before = powersOf(found)
      const after = {
        abilities: changes.abilities ?? before.abilities,
        servers: changes.servers === undefined ? before.servers : changes.servers,
      }
      const name = changes.name ?? found.name
      if (name !== found.name) await refuseLikeNamed(trx, organizationId, { id, name })
      refuseForLimited(after)
      refuseBeyond(caller, found.name, before)
      refuseBeyond(caller, name, after)
      const values = valuesOf(after)
      if (JSON.stringify(values) !== JSON.stringify(valuesOf(before))) await refuseOwn(own, trx, found)
      await keepingAdministrator(trx, caller, async () => {
        if (!(await updateRole(store, trx, found, { name, ...values }))) throw changedMeanwhile('The role')
      })
      await withdrawInvitations(trx, { organizationId })
    }),
  )
  return await roleOf(own, id)
}

/** Two that differ in upper and lower case alone nobody tells apart. Throws `name_taken`, with the name of the other. */
async function refuseLikeNamed(
  trx: Transaction<Tables>,
  organizationId: string,
  { id, name }: Pick<RoleRow, 'id' | 'name'>,
): Promise<void> {
  const folded = (text: string) => text.normalize().toLowerCase()
  const others = (await roleNames(trx, organizationId)).filter((role) => role.id !== id)
  const like = others.find((role) => folded(role.name) === folded(name))
  if (like) throw nameTaken('role', like.name)
}

/** Throws `not_found`, `forbidden`, and `in_use` for a built-in one, and for one that somebody has or is to get. */
export async function removeRole({ store, organizationId, caller }: OwnContext, id: string): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    const found = (await findRole(trx, organizationId, id)) ?? throwNow(noRole())
    refuseBeyond(caller, found.name, powersOf(found))
    if (found.isBuiltIn === 1) {
      throw new AppError('in_use', `The role “${found.name}” came with the organization, and stays.`, {
        hint: 'It can be changed, also its name.',
      })
    }
    const { members, invitations } = await holdersOf(store, trx, id)
    const providers = usersInWords([{ what: 'identity provider', names: await providersGiving(trx, id) }])
    const users = [
      counted(members, 'user'),
      counted(invitations, 'open invitation'),
      ...(providers === undefined ? [] : [providers]),
    ].filter((part) => part !== '')
    if (users.length > 0) {
      throw new AppError('in_use', `The role “${found.name}” is used by ${users.join(', and by ')}.`, {
        hint: 'Give them another role first.',
      })
    }
    await deleteRole(trx, id)
  })
}

function refuseForLimited({ abilities, servers }: Powers): void {
  const wrong = servers === null ? [] : notForLimited(abilities)
  if (wrong.length === 0) return
  const message = `A role that is limited to some servers cannot have ${wrong.join(', ')}.`
  throw new AppError('invalid_input', `abilities: ${message}`, {
    hint: 'These are about what the whole organization shares.',
    fields: [{ field: 'abilities', message }],
  })
}

async function refuseOwn(
  { organizationId, caller }: OwnContext,
  trx: Transaction<Tables>,
  { id, name }: RoleRow,
): Promise<void> {
  if (caller.isInstanceAdministrator || !caller.user) return
  if ((await roleIdOf(trx, organizationId, caller.user.id)) !== id) return
  throw new AppError('forbidden', `“${name}” is your own role: what it allows is changed by others.`, {
    hint: 'Ask another administrator, or one of the instance.',
  })
}

function valuesOf({ abilities, servers }: { abilities: readonly Ability[]; servers: ServerLimit | null }) {
  return {
    abilities: JSON.stringify(abilities),
    servers: servers === null ? null : JSON.stringify(servers),
  }
}

function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`
}

function noRole(): AppError {
  return new AppError('not_found', 'There is no such role.')
}
