import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { AppBackupCause } from '../../shared/app-backups.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { isBefore, isBehind, type Place } from '../pages.ts'

/*
 * A release asks these tables before it changes the schema, when they may lack columns that it knows: none but those of
 * migration 6 is named here. What comes later is read from whole rows, where it may be absent.
 */

/** The schema from which on a store has registrations, and knows its backups. */
export const SINCE = 6

export type RegistrationRow = Selectable<Tables['appBackupRegistrations']>
export type BackupRow = Selectable<Tables['appBackups']>
type Db = Kysely<Tables>

/** By name, then id, behind the given place; one more than `limit`. */
export async function listRegistrations(
  { db }: Store,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<RegistrationRow[]> {
  let query = db.selectFrom('appBackupRegistrations').selectAll().where('deletedAt', 'is', null)
  if (after) query = query.where(isBehind('name', after))
  return await query
    .orderBy('name')
    .orderBy('id')
    .limit(limit + 1)
    .execute()
}

/** All that are not deleted: there are never many. */
export async function allRegistrations(db: Db): Promise<RegistrationRow[]> {
  return await db
    .selectFrom('appBackupRegistrations')
    .selectAll()
    .where('deletedAt', 'is', null)
    .orderBy('name')
    .execute()
}

/** Also one that is deleted. */
export async function findAnyRegistration(db: Db, id: string): Promise<RegistrationRow | undefined> {
  return await db.selectFrom('appBackupRegistrations').selectAll().where('id', '=', id).executeTakeFirst()
}

/** Whether there is one, or was once. */
export async function wereRegistrations(db: Db): Promise<boolean> {
  const found = await db.selectFrom('appBackupRegistrations').select('id').limit(1).executeTakeFirst()
  return found !== undefined
}

export type RegistrationValues = Pick<
  RegistrationRow,
  'name' | 'kind' | 'settings' | 'volumeId' | 'schedules' | 'isEnabled' | 'isManaged'
>

/** Undefined if the id is there already. */
export async function insertRegistration(
  store: Store,
  db: Db,
  id: string,
  values: RegistrationValues,
): Promise<RegistrationRow | undefined> {
  return await db
    .insertInto('appBackupRegistrations')
    .values({
      ...values,
      id,
      scheduledSince: store.now,
      revision: 1,
      createdAt: store.now,
      updatedAt: store.now,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returningAll()
    .executeTakeFirst()
}

/** With `isRescheduled`, nothing is due that its schedules would have had until now. */
export async function updateRegistration(
  store: Store,
  db: Db,
  { id, revision }: Pick<RegistrationRow, 'id' | 'revision'>,
  values: RegistrationValues,
  { isRescheduled }: { isRescheduled: boolean },
): Promise<RegistrationRow | undefined> {
  return await db
    .updateTable('appBackupRegistrations')
    .set({
      ...values,
      ...(isRescheduled && { scheduledSince: store.now }),
      deletedAt: null,
      revision: revision + 1,
      updatedAt: store.now,
    })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .returningAll()
    .executeTakeFirst()
}

/** Leaves of it no more than an id for its backups: neither a secret nor the use of a volume. */
export async function deleteRegistration(store: Store, db: Db, id: string): Promise<void> {
  await db
    .updateTable('appBackupRegistrations')
    .set(({ eb }) => ({
      name: sql<string>`name || ' (' || id || ')'`,
      kind: 'deleted',
      settings: '{}',
      volumeId: null,
      schedules: '[]',
      isEnabled: 0,
      isManaged: 0,
      deletedAt: store.now,
      revision: eb('revision', '+', 1),
      updatedAt: store.now,
    }))
    .where('id', '=', id)
    .execute()
}

export interface ListedBackup extends BackupRow {
  registrationName: string
}

/** The newest first, behind the given place; one more than `limit`. */
export async function listBackups(
  { db }: Store,
  registrationId: string | undefined,
  { after, limit }: { after: Place | undefined; limit: number },
): Promise<ListedBackup[]> {
  let query = db
    .selectFrom('appBackups')
    .innerJoin('appBackupRegistrations as registration', 'registration.id', 'appBackups.registrationId')
    .selectAll('appBackups')
    .select('registration.name as registrationName')
  if (registrationId !== undefined) query = query.where('registrationId', '=', registrationId)
  if (after) query = query.where(isBefore('startedAt', after, 'appBackups.id'))
  return await query
    .orderBy('startedAt', 'desc')
    .orderBy('appBackups.id', 'desc')
    .limit(limit + 1)
    .execute()
}

/** All of these registrations, the newest first. */
export async function backupsOf(db: Db, registrationIds: readonly string[]): Promise<BackupRow[]> {
  if (registrationIds.length === 0) return []
  return await db
    .selectFrom('appBackups')
    .selectAll()
    .where('registrationId', 'in', registrationIds)
    .orderBy('startedAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

export interface NewBackup {
  id: string
  registrationId: string
  key: string
  location: string
  place: string
  cause: AppBackupCause
  schemaVersion: number
  maker: string
}

/** Says that something may soon be at that place. Breaks a unique constraint if the key is taken there. */
export async function insertRunning(store: Store, db: Db, backup: NewBackup): Promise<BackupRow> {
  return await db
    .insertInto('appBackups')
    .values({ ...backup, state: 'running', isStored: 1, startedAt: store.now })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Whether the registry knows what lies under the key at the place. */
export async function isKnown(db: Db, place: string, key: string): Promise<boolean> {
  return (await findAt(db, place, key)) !== undefined
}

async function findAt(db: Db, place: string, key: string): Promise<string | undefined> {
  const found = await db
    .selectFrom('appBackups')
    .select('id')
    .where('place', '=', place)
    .where('key', '=', key)
    .executeTakeFirst()
  return found?.id
}

/** One that was found where it lies. Nothing happens if it is known. */
export async function insertFound(
  db: Db,
  backup: NewBackup & { bytes: number; sha256: string; startedAt: number },
): Promise<boolean> {
  const added = await db
    .insertInto('appBackups')
    .values({ ...backup, state: 'succeeded', isStored: 1, finishedAt: backup.startedAt })
    .onConflict((conflict) => conflict.columns(['place', 'key']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return added !== undefined
}

export async function noteSuccess(
  store: Store,
  db: Db | Transaction<Tables>,
  id: string,
  { bytes, sha256 }: { bytes: number; sha256: string },
): Promise<void> {
  await db
    .updateTable('appBackups')
    .set({ state: 'succeeded', bytes, sha256, error: null, finishedAt: store.now })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .execute()
}

/** False if it has succeeded meanwhile. Something of it may still be where it was put. */
export async function noteFailure(store: Store, db: Db, id: string, error: string): Promise<boolean> {
  const noted = await db
    .updateTable('appBackups')
    .set({ state: 'failed', error, finishedAt: store.now })
    .where('id', '=', id)
    .where('state', '<>', 'succeeded')
    .returning('id')
    .executeTakeFirst()
  return noted !== undefined
}

/** Nothing of it is there any more. */
export async function noteGone(db: Db, id: string): Promise<void> {
  await db.updateTable('appBackups').set({ isStored: 0 }).where('id', '=', id).execute()
}

/** Why it could not be removed. */
export async function noteStuck(db: Db, id: string, error: string): Promise<void> {
  await db.updateTable('appBackups').set({ error }).where('id', '=', id).execute()
}

export async function deleteBackup(db: Db, id: string): Promise<void> {
  await db.deleteFrom('appBackups').where('id', '=', id).execute()
}

/** Also of those that are deleted. */
export async function registrationIds(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('appBackupRegistrations').select('id').execute()
  return rows.map(({ id }) => id)
}

/** Adds it, or makes it be as it is here. Nothing happens if it is known under another id. */
export async function insertCarried(db: Db, row: BackupRow): Promise<void> {
  const { id, registrationId, key, location, place, cause, schemaVersion, state, isStored } = row
  const { maker, bytes, sha256, error, startedAt, finishedAt } = row
  const end = { state, isStored, bytes, sha256, error, finishedAt }
  const other = await findAt(db, place, key)
  if (other !== undefined && other !== id) return
  await db
    .insertInto('appBackups')
    .values({ ...end, id, registrationId, key, location, place, cause, schemaVersion, maker, startedAt })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(end))
    .execute()
}

/** Those that are being made, as far as they are forgotten. */
export async function deleteRunning(db: Db, isForgotten: (id: string) => boolean): Promise<void> {
  const rows = await db.selectFrom('appBackups').select('id').where('state', '=', 'running').execute()
  for (const { id } of rows) if (isForgotten(id)) await deleteBackup(db, id)
}

/** One of which nothing was stored: it failed before. */
export async function insertFailed(
  store: Store,
  backup: Omit<NewBackup, 'place'> & { error: string },
): Promise<void> {
  await store.db
    .insertInto('appBackups')
    .values({
      ...backup,
      place: `nowhere ${backup.id}`,
      state: 'failed',
      isStored: 0,
      startedAt: store.now,
      finishedAt: store.now,
    })
    .execute()
}
