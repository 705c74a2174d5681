import type { Selectable, Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

export type PasskeyRow = Selectable<Tables['passkeys']>
type Db = Store['db'] | Transaction<Tables>

/** The oldest first. */
export async function listPasskeys(db: Db, userId: string): Promise<PasskeyRow[]> {
  return await db.selectFrom('passkeys').selectAll().where('userId', '=', userId).orderBy('id').execute()
}

/** With the user whose it is. */
export async function findByCredential(
  db: Db,
  credentialId: string,
): Promise<(PasskeyRow & { email: string; credentialsVersion: number }) | undefined> {
  return await db
    .selectFrom('passkeys')
    .innerJoin('users', 'users.id', 'passkeys.userId')
    .selectAll('passkeys')
    .select(['users.email', 'users.credentialsVersion'])
    .where('passkeys.credentialId', '=', credentialId)
    .executeTakeFirst()
}

export async function insertPasskey(
  store: Store,
  db: Db,
  passkey: Omit<PasskeyRow, 'id' | 'createdAt' | 'lastUsedAt'>,
): Promise<PasskeyRow> {
  return await db
    .insertInto('passkeys')
    .values({ id: uuidv7(), ...passkey, createdAt: store.now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

export async function renamePasskey(
  db: Db,
  userId: string,
  id: string,
  name: string,
): Promise<PasskeyRow | undefined> {
  return await db
    .updateTable('passkeys')
    .set({ name })
    .where('userId', '=', userId)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

export async function deletePasskey(trx: Transaction<Tables>, userId: string, id: string): Promise<boolean> {
  const deleted = await trx
    .deleteFrom('passkeys')
    .where('userId', '=', userId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
}

/** False if it has been used meanwhile, with a counter that is not lower. */
export async function noteUse(
  store: Store,
  { id, counter }: Pick<PasskeyRow, 'id' | 'counter'>,
  now: { counter: number; isBackedUp: boolean },
): Promise<boolean> {
  const updated = await store.db
    .updateTable('passkeys')
    .set({ counter: now.counter, isBackedUp: Number(now.isBackedUp), lastUsedAt: store.now })
    .where('id', '=', id)
    .where('counter', '=', counter)
    .returning('id')
    .executeTakeFirst()
  return updated !== undefined
}
