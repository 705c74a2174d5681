import type { Store } from '../../store/database.ts'
import { isBehind } from '../pages.ts'

export interface ChangedJob {
  id: string
  organizationId: string
  updatedAt: number
}

/**
 * The jobs of these organizations that have changed since then, in the order of their last change, behind the given
 * one; so many at most.
 */
export async function listChangedJobs(
  { db }: Store,
  organizationIds: readonly string[],
  { since, after, limit }: { since: number; after: ChangedJob | undefined; limit: number },
): Promise<ChangedJob[]> {
  let query = db
    .selectFrom('jobs')
    .select(['id', 'organizationId', 'updatedAt'])
    .where('organizationId', 'in', organizationIds)
    .where('updatedAt', '>=', since)
  if (after) query = query.where(isBehind('updatedAt', [after.updatedAt, after.id]))
  return await query.orderBy('updatedAt').orderBy('id').limit(limit).execute()
}

/** Those of the jobs that are there. */
export async function whichJobs({ db }: Store, ids: readonly string[]): Promise<string[]> {
  const rows = await db.selectFrom('jobs').select('id').where('id', 'in', ids).execute()
  return rows.map(({ id }) => id)
}
