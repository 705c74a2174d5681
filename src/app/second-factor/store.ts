import type { Kysely, Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

/** Also one of which no code has been entered yet: then it is not enabled. */
export async function findTotp(
  db: Kysely<Tables>,
  userId: string,
): Promise<{ isEnabled: number } | undefined> {
  return await db
    .selectFrom('twoFactors')
    .innerJoin('users', 'users.id', 'twoFactors.userId')
    .select('users.twoFactorEnabled as isEnabled')
    .where('twoFactors.userId', '=', userId)
    .executeTakeFirst()
}

export async function deleteTotp(store: Store, trx: Transaction<Tables>, userId: string): Promise<void> {
  await trx.deleteFrom('twoFactors').where('userId', '=', userId).execute()
  await trx
    .updateTable('users')
    .set({ twoFactorEnabled: 0, updatedAt: store.now })
    .where('id', '=', userId)
    .execute()
}

/** As it is kept. */
export async function findPassword(db: Kysely<Tables>, userId: string): Promise<string | undefined> {
  const found = await db
    .selectFrom('accounts')
    .select('password')
    .where('userId', '=', userId)
    .where('providerId', '=', 'credential')
    .executeTakeFirst()
  return found?.password ?? undefined
}

export async function findUser(
  db: Kysely<Tables>,
  id: string,
): Promise<{ id: string; email: string; credentialsVersion: number } | undefined> {
  return await db
    .selectFrom('users')
    .select(['id', 'email', 'credentialsVersion'])
    .where('id', '=', id)
    .executeTakeFirst()
}
