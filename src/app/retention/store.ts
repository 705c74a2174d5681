import { sql, type Transaction } from 'kysely'
import type { CopyState } from '../../shared/snapshots-api.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { unindexed } from '../../store/unindexed.ts'
import { isRead } from '../snapshots/marking.ts'

type Db = Store['db'] | Transaction<Tables>

/** What retention has to know of a copy, and of its snapshot. */
export interface CopyFacts {
  snapshotId: string
  takenAt: number
  isLocked: number
  lockedUntil: number | null
  provenAt: number | null
  /** 1: a job reads it. */
  isRead: number
  volumeId: string
  volumeName: string
  /** 1: nothing goes from its volume. */
  isReadOnly: number
  key: string
  bytes: number
  state: CopyState
}

/** The copies of one database of a plan, without those that are to go anyway; those of the oldest snapshot first. */
export async function copyFacts(
  db: Db,
  organizationId: string,
  planId: string,
  database: string,
): Promise<CopyFacts[]> {
  return await db
    .selectFrom('snapshots')
    .innerJoin('copies', 'copies.snapshotId', 'snapshots.id')
    .innerJoin('volumes', 'volumes.id', 'copies.volumeId')
    .select(['snapshots.id as snapshotId', 'takenAt', 'isLocked', 'lockedUntil', 'provenAt'])
    .select(sql<number>`case when ${isRead('snapshots.id')} then 1 else 0 end`.as('isRead'))
    .select(['volumeId', 'volumes.name as volumeName', 'isReadOnly', 'copies.key', 'bytes', 'state'])
    .where(unindexed('snapshots.organizationId'), '=', organizationId)
    .where('planId', '=', planId)
    .where('database', '=', database)
    .where('state', '<>', 'delete_pending')
    .orderBy('takenAt')
    .orderBy('snapshots.id')
    .orderBy('volumes.name')
    .execute()
}

/** The next database, by name, of which a plan has snapshots. */
export async function nextDatabase(
  db: Db,
  organizationId: string,
  planId: string,
  after: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('snapshots')
    .select('database')
    .where(unindexed('organizationId'), '=', organizationId)
    .where('planId', '=', planId)
    .where('database', '>', after)
    .orderBy('database')
    .limit(1)
    .executeTakeFirst()
  return row?.database
}

/** The next plan, by id, of which there are snapshots. */
export async function nextPlan(db: Db, organizationId: string, after: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('snapshots')
    .select('planId')
    .where('organizationId', '=', organizationId)
    .where('planId', '>', after)
    .orderBy('planId')
    .limit(1)
    .executeTakeFirst()
  return row?.planId ?? undefined
}
