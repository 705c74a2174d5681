import { type Selectable, sql, type SqlBool, type Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBehind, type Place } from '../pages.ts'

export type KeyRow = Omit<Selectable<Tables['encryptionKeys']>, 'organizationId'>
type Db = Store['db'] | Transaction<Tables>

const columns = [
  'id',
  'name',
  'kind',
  'state',
  'material',
  'fingerprint',
  'revision',
  'createdAt',
  'updatedAt',
] as const

/** By name, then id, behind the given place; one more than `limit`. */
export async function listKeys(
  { db }: Store,
  organizationId: string,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<KeyRow[]> {
  let query = db.selectFrom('encryptionKeys').select(columns).where('organizationId', '=', organizationId)
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

/** All of the organization, by name. */
export async function allKeys({ db }: Store, organizationId: string): Promise<KeyRow[]> {
  return await db
    .selectFrom('encryptionKeys')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .orderBy('name')
    .execute()
}

export async function findKey(db: Db, organizationId: string, id: string): Promise<KeyRow | undefined> {
  return await db
    .selectFrom('encryptionKeys')
    .select(columns)
    .where('organizationId', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst()
}

export async function insertKey(
  store: Store,
  organizationId: string,
  key: Pick<KeyRow, 'id' | 'name' | 'kind' | 'material' | 'fingerprint'>,
): Promise<KeyRow> {
  return await store.db
    .insertInto('encryptionKeys')
    .values({
      ...key,
      organizationId,
      state: 'active',
      revision: 1,
      createdAt: store.now,
      updatedAt: store.now,
    })
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/** Undefined if it has another revision by now, or is gone. */
export async function updateKey(
  store: Store,
  trx: Transaction<Tables>,
  { id, revision }: Pick<KeyRow, 'id' | 'revision'>,
  values: Pick<KeyRow, 'name' | 'state'>,
): Promise<KeyRow | undefined> {
  return await trx
    .updateTable('encryptionKeys')
    .set({ ...values, revision: revision + 1, updatedAt: store.now })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returning(columns)
    .executeTakeFirst()
}

export async function deleteKey(trx: Transaction<Tables>, id: string): Promise<void> {
  await trx.deleteFrom('encryptionKeys').where('id', '=', id).execute()
}

/** The names of the plans whose new snapshots are encrypted with it. */
export async function plansWith(
  trx: Transaction<Tables>,
  organizationId: string,
  keyId: string,
): Promise<string[]> {
  const plans = await trx
    .selectFrom('plans')
    .select('name')
    .where('organizationId', '=', organizationId)
    .where(sql<SqlBool>`settings -> 'encryption' ->> 'keyId' = ${keyId}`)
    .orderBy('name')
    .execute()
  return plans.map(({ name }) => name)
}

/** How many backups run that began before their plan was changed, or forgotten: with what it said then. */
export async function backupsOfFormerPlans(
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<number> {
  const { count } = await trx
    .selectFrom('jobs')
    .leftJoin('plans', 'plans.id', 'jobs.planId')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('jobs.organizationId', '=', organizationId)
    .where('jobs.state', '=', 'running')
    .where('jobs.kind', '=', 'backup')
    .where((eb) => eb.or([eb('plans.id', 'is', null), eb('plans.updatedAt', '>=', eb.ref('jobs.startedAt'))]))
    .executeTakeFirstOrThrow()
  return count
}

/** What manifests say of a key. */
export interface NamedInSnapshots {
  keyId: string
  fingerprint: string | null
}

/** Snapshots whose manifests name the same key. */
export interface Protected extends NamedInSnapshots {
  snapshots: number
  /** When the first and the last of them were taken, in milliseconds. */
  oldest: number
  newest: number
}

/** The encrypted snapshots of the organization, by what their manifests say of the key. */
export async function protectedSnapshots(db: Db, organizationId: string): Promise<Protected[]> {
  const rows = await db
    .selectFrom('snapshots')
    .select((eb) => [
      'keyId',
      'keyFingerprint as fingerprint',
      eb.fn.countAll<number>().as('snapshots'),
      eb.fn.min('takenAt').as('oldest'),
      eb.fn.max('takenAt').as('newest'),
    ])
    .where('organizationId', '=', organizationId)
    .where('keyId', 'is not', null)
    .groupBy(['keyId', 'keyFingerprint'])
    .orderBy('keyId')
    .orderBy('keyFingerprint')
    .execute()
  return rows.map((row) => ({ ...row, keyId: row.keyId ?? '' }))
}

/**
 * What the manifests of the organization's snapshots say of keys, each once. The index is walked from one to the next: it
 * does not matter how many snapshots name the same.
 */
export async function namedInSnapshots(db: Db, organizationId: string): Promise<NamedInSnapshots[]> {
  const first = db
    .selectFrom('snapshots')
    .select((eb) => [eb.ref('keyId').$notNull().as('keyId'), 'keyFingerprint as fingerprint'])
    .where('organizationId', '=', organizationId)
    .where('keyId', 'is not', null)
    .orderBy('keyId')
    .orderBy('keyFingerprint')
    .limit(1)
  const found: NamedInSnapshots[] = []
  for (let next = await first.executeTakeFirst(); next;) {
    const { keyId, fingerprint } = next
    found.push(next)
    // A passphrase has no fingerprint, and is the only one of its id.
    const other =
      fingerprint === null
        ? undefined
        : await first.where('keyId', '=', keyId).where('keyFingerprint', '>', fingerprint).executeTakeFirst()
    next = other ?? (await first.where('keyId', '>', keyId).executeTakeFirst())
  }
  return found
}

/** How many snapshots name exactly this. */
export async function countNaming(
  db: Db,
  organizationId: string,
  { keyId, fingerprint }: NamedInSnapshots,
): Promise<number> {
  const { count } = await db
    .selectFrom('snapshots')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('organizationId', '=', organizationId)
    .where('keyId', '=', keyId)
    .where('keyFingerprint', fingerprint === null ? 'is' : '=', fingerprint)
    .executeTakeFirstOrThrow()
  return count
}
