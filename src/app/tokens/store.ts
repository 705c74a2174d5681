import type { Selectable, Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

export type TokenRow = Omit<Selectable<Tables['tokens']>, 'organizationId' | 'hash'> & {
  ownerName: string | null
  ownerEmail: string | null
}

export type TokenValues = Pick<
  TokenRow,
  'name' | 'ownerId' | 'scopes' | 'isInstanceAdministrator' | 'networks' | 'expiresAt'
>

type Db = Store['db'] | Transaction<Tables>

const columns = [
  'tokens.id',
  'tokens.name',
  'tokens.ownerId',
  'tokens.scopes',
  'tokens.isInstanceAdministrator',
  'tokens.networks',
  'tokens.expiresAt',
  'tokens.createdAt',
  'tokens.lastUsedAt',
  'users.name as ownerName',
  'users.email as ownerEmail',
] as const

/** Returns its id. */
export async function insertToken(
  store: Store,
  db: Db,
  token: TokenValues & { organizationId: string; hash: string },
): Promise<string> {
  const id = uuidv7()
  await db
    .insertInto('tokens')
    .values({ id, ...token, createdAt: store.now })
    .execute()
  return id
}

export async function hasToken(db: Db, hash: string): Promise<boolean> {
  const found = await db.selectFrom('tokens').select('id').where('hash', '=', hash).executeTakeFirst()
  return found !== undefined
}

/** Of those of one owner, if one is given. */
export async function findToken(
  { db }: Store,
  organizationId: string,
  ownerId: string | undefined,
  id: string,
): Promise<TokenRow | undefined> {
  let query = db
    .selectFrom('tokens')
    .leftJoin('users', 'users.id', 'tokens.ownerId')
    .select(columns)
    .where('tokens.organizationId', '=', organizationId)
    .where('tokens.id', '=', id)
  if (ownerId !== undefined) query = query.where('tokens.ownerId', '=', ownerId)
  return await query.executeTakeFirst()
}

/** By name, then id, behind the given place; one more than `limit`. Those of one owner, if one is given. */
export async function listTokens(
  { db }: Store,
  organizationId: string,
  ownerId: string | undefined,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<TokenRow[]> {
  let query = db
    .selectFrom('tokens')
    .leftJoin('users', 'users.id', 'tokens.ownerId')
    .select(columns)
    .where('tokens.organizationId', '=', organizationId)
  if (ownerId !== undefined) query = query.where('tokens.ownerId', '=', ownerId)
  if (after) query = query.where(isBehind('tokens.name', after, 'tokens.id'))
  return await query
    .orderBy('tokens.name')
    .orderBy('tokens.id')
    .limit(limit + 1)
    .execute()
}

export async function deleteToken(
  trx: Transaction<Tables>,
  organizationId: string,
  id: string,
): Promise<boolean> {
  const deleted = await trx
    .deleteFrom('tokens')
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst()
  return deleted !== undefined
}

/** Returns their ids. */
export async function deleteTokensNamed(
  trx: Transaction<Tables>,
  organizationId: string,
  name: string,
): Promise<string[]> {
  const deleted = await trx
    .deleteFrom('tokens')
    .where('organizationId', '=', organizationId)
    .where('name', '=', name)
    .returning('id')
    .execute()
  return deleted.map(({ id }) => id)
}
