import type { Kysely, Transaction } from 'kysely'
import type { Ability } from '../../shared/abilities.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { addUser } from '../sign-in/users.ts'

const ROLE = 'Demo'

export async function findDemoUser(db: Kysely<Tables>, email: string): Promise<string | undefined> {
  return (await db.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst())?.id
}

/** Whether anybody may sign in to it; its sessions are refused meanwhile. */
export async function setDemoUser({ db, now }: Store, email: string, isDisabled: boolean): Promise<void> {
  await db
    .updateTable('users')
    .set({ isDisabled: Number(isDisabled), updatedAt: now })
    .where('email', '=', email)
    .where('isDisabled', '<>', Number(isDisabled))
    .execute()
}

/** With a role of its own. */
export async function insertDemoUser(
  store: Store,
  db: Transaction<Tables>,
  organizationId: string,
  {
    email,
    passwordHash,
    roleId,
    abilities,
  }: { email: string; passwordHash: string; roleId: string; abilities: readonly Ability[] },
): Promise<void> {
  const { now } = store
  const times = { createdAt: now, updatedAt: now }
  await db
    .insertInto('roles')
    .values({
      id: roleId,
      organizationId,
      name: ROLE,
      abilities: JSON.stringify(abilities),
      servers: null,
      isBuiltIn: 0,
      revision: 1,
      ...times,
    })
    .execute()
  const user = { name: ROLE, email, passwordHash, isInstanceAdministrator: false, isEmailVerified: false }
  const userId = await addUser(store, db, user)
  await db
    .insertInto('memberships')
    .values({ organizationId, userId, roleId, providerId: null, createdAt: now })
    .execute()
}

/** The one that the app has made at its start. */
export async function firstVolume({ db }: Store, organizationId: string): Promise<string | undefined> {
  const found = await db
    .selectFrom('volumes')
    .select('id')
    .where('organizationId', '=', organizationId)
    .orderBy('id')
    .executeTakeFirst()
  return found?.id
}

export async function hasPlans({ db }: Store, organizationId: string): Promise<boolean> {
  const found = await db
    .selectFrom('plans')
    .select('id')
    .where('organizationId', '=', organizationId)
    .executeTakeFirst()
  return found !== undefined
}
