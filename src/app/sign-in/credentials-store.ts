import type { Kysely, Transaction } from 'kysely'
import type { Tables } from '../../store/tables.ts'

/** What may be done with what a user proves: undefined for one who is gone. */
export async function findCredentials(
  db: Kysely<Tables>,
  userId: string,
): Promise<{ credentialsVersion: number } | undefined> {
  return await db
    .selectFrom('users')
    .select('credentialsVersion')
    .where('id', '=', userId)
    .executeTakeFirst()
}

/** The same; until the transaction ends, nobody changes it. */
export async function holdCredentials(
  trx: Transaction<Tables>,
  userId: string,
): Promise<{ credentialsVersion: number; isDisabled: number } | undefined> {
  return await trx
    .updateTable('users')
    .set((eb) => ({ updatedAt: eb.ref('updatedAt') }))
    .where('id', '=', userId)
    .returning(['credentialsVersion', 'isDisabled'])
    .executeTakeFirst()
}

export async function raiseCredentialsVersion(trx: Transaction<Tables>, userId: string): Promise<void> {
  await trx
    .updateTable('users')
    .set((eb) => ({ credentialsVersion: eb('credentialsVersion', '+', 1) }))
    .where('id', '=', userId)
    .execute()
}

/** Links, and first halves of sign-ins. */
export async function deleteVerificationsOf(trx: Transaction<Tables>, userId: string): Promise<void> {
  await trx.deleteFrom('verifications').where('value', '=', userId).execute()
}

/** All but so many that were used last. */
export async function deleteOldestSessions(
  trx: Transaction<Tables>,
  userId: string,
  kept: number,
): Promise<void> {
  await trx
    .deleteFrom('sessions')
    .where('userId', '=', userId)
    .where('id', 'not in', (eb) =>
      eb
        .selectFrom('sessions')
        .select('id')
        .where('userId', '=', userId)
        .orderBy('updatedAt', 'desc')
        .orderBy('id', 'desc')
        .limit(kept),
    )
    .execute()
}
