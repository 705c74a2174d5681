import type { Ability } from '../../shared/abilities.ts'
import { AppError } from '../../shared/errors.ts'
import { isNoWider, type ServerLimit } from '../../shared/roles.ts'
import type { Tables } from '../../store/tables.ts'
import type { Transaction } from 'kysely'
import type { Caller } from '../identity/callers.ts'
import { type RoleRow, rolesOfMembers } from './store.ts'

/*
 * Nobody reaches above themselves. Whoever gives a role, to a user or by an invitation, makes one, changes one, or takes
 * one away from somebody, must have everything that it allows: so there is no way to more than one has, neither for
 * oneself nor by way of somebody else, and no way to shut out those who have more.
 */

/** What a role allows, and where. */
export interface Powers {
  abilities: readonly Ability[]
  /** Null: all servers. */
  servers: ServerLimit | null
}

export function powersOf({ abilities, servers }: Pick<RoleRow, 'abilities' | 'servers'>): Powers {
  return {
    abilities: JSON.parse(abilities) as Ability[],
    servers: servers === null ? null : (JSON.parse(servers) as ServerLimit),
  }
}

/** Throws `forbidden` where a role allows what the caller may not do. */
export function refuseBeyond(caller: Caller, name: string, { abilities, servers }: Powers): void {
  const beyond = abilities.filter((ability) => !caller.abilities.has(ability))
  const who = caller.credential.kind === 'token' ? 'this token' : 'your role'
  if (beyond.length > 0) {
    throw new AppError('forbidden', `The role “${name}” may do more than ${who}: ${beyond.join(', ')}.`, {
      hint: 'Nobody gives, changes or takes away what they have not themselves. Ask somebody who has it.',
    })
  }
  if (isNoWider(servers, caller.servers)) return
  throw new AppError('forbidden', `The role “${name}” reaches more servers than ${who}.`, {
    hint: 'Limit it to servers that you see yourself.',
  })
}

/** The same of somebody who is not asking at this moment: whether they could give the role to others. */
export function mayGive(own: Powers, { abilities, servers }: Powers): boolean {
  const has = (ability: Ability) => own.abilities.includes(ability)
  return has('manage-users') && abilities.every(has) && isNoWider(servers, own.servers)
}

/**
 * Does what may take users or abilities away. Throws `last_administrator` if nobody would be left who can give out roles,
 * unless who asks administers the instance, and can always mend that. Whoever calls it holds the organization.
 */
export async function keepingAdministrator<T>(
  trx: Transaction<Tables>,
  { organizationId, isInstanceAdministrator }: Pick<Caller, 'organizationId' | 'isInstanceAdministrator'>,
  change: () => Promise<T>,
): Promise<T> {
  const had = await hasAdministrator(trx, organizationId)
  const result = await change()
  if (isInstanceAdministrator || !had || (await hasAdministrator(trx, organizationId))) return result
  throw new AppError('last_administrator', 'Nobody would be left who may give out roles.', {
    hint: 'Give somebody else a role with “manage-users” and “manage-roles” first.',
  })
}

/** Whether somebody can sign in who may give out roles. */
async function hasAdministrator(trx: Transaction<Tables>, organizationId: string): Promise<boolean> {
  const roles = await rolesOfMembers(trx, organizationId)
  return roles.map(powersOf).some(isAdministrators)
}

export function isAdministrators({ abilities, servers }: Powers): boolean {
  return servers === null && abilities.includes('manage-users') && abilities.includes('manage-roles')
}
