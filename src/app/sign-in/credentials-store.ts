import type { Kysely, Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

/** What may be done with what a user proves: undefined for one who is gone. */
export async function findCredentials(
  db: Kysely<Tables>,
  userId: string,
): Promise<{ credentialsVersion: number } | undefined> {
  return await db.selectFrom('users').select('credentialsVersion').where('id', '=', userId).executeTakeFirst()
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

/** Whether it is there, and its time is not over. */
export async function hasSession(
  { now }: Store,
  trx: Transaction<Tables>,
  { userId, sessionId }: { userId: string; sessionId: string },
): Promise<boolean> {
  const found = await trx
    .selectFrom('sessions')
    .select('id')
    .where('id', '=', sessionId)
    .where('userId', '=', userId)
    .where('expiresAt', '>', now)
    .executeTakeFirst()
  return found !== undefined
}

/** False for one whose address somebody has proven to be theirs. */
export async function isUnproven(trx: Transaction<Tables>, userId: string): Promise<boolean> {
  const found = await trx
    .selectFrom('users')
    .select('id')
    .where('id', '=', userId)
    .where('emailVerified', '=', 0)
    .executeTakeFirst()
  return found !== undefined
}

/** All that signs in, or acts, for a user but the password. Returns the ids of the tokens. */
export async function deleteOtherWays(trx: Transaction<Tables>, userId: string): Promise<string[]> {
  await trx.deleteFrom('passkeys').where('userId', '=', userId).execute()
  await trx
    .deleteFrom('accounts')
    .where('userId', '=', userId)
    .where('providerId', '<>', 'credential')
    .execute()
  await trx.deleteFrom('twoFactors').where('userId', '=', userId).execute()
  await trx.updateTable('users').set({ twoFactorEnabled: 0 }).where('id', '=', userId).execute()
  const tokens = await trx.deleteFrom('tokens').where('ownerId', '=', userId).returning('id').execute()
  return tokens.map(({ id }) => id)
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
