import type { DatabaseRetention } from '../../shared/retention-preview.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import type { Place } from '../pages.ts'
import { bytesThere, describeReasons, judgeCopies, type Policies } from './judge.ts'
import { type PruneScope, type Subject, subjects } from './prune.ts'
import { type CopyFacts, copyFacts } from './store.ts'

export interface PreviewOptions {
  /** What goes until then; absent: what goes now. */
  until?: Date | undefined
  after?: Place | undefined
  /** So many databases. */
  limit: number
  /** Instead of what the plan says. */
  policies?: (policies: Policies) => Policies
}

/** What retention does with the copies of each database, by plan and name; one more than `limit`. */
export async function previewPruning(
  { store, ...context }: AppContext,
  organizationId: string,
  scope: PruneScope,
  { until, after, limit, policies = (own) => own }: PreviewOptions,
): Promise<DatabaseRetention[]> {
  const now = new Date(await nowOf(store))
  const behind = after && { planId: String(after[0]), database: after[1] }
  const databases: DatabaseRetention[] = []
  for await (const subject of subjects({ store, ...context }, organizationId, scope, behind)) {
    const copies = await copyFacts(store.db, organizationId, subject.plan.id, subject.database)
    if (copies.length === 0) continue
    const judged = { ...subject, policies: policies(subject.policies) }
    databases.push(describe(judged, copies, now, until && until > now ? until : now))
    if (databases.length > limit) break
  }
  return databases
}

function describe(
  { plan, database, policies }: Subject,
  copies: readonly CopyFacts[],
  now: Date,
  until: Date,
): DatabaseRetention {
  const { goes, stays } = judgeCopies(copies, policies, now, until)
  const staying = new Set(stays.map(({ copy }) => copy.snapshotId))
  const { timeZone } = policies
  return {
    planId: plan.id,
    database,
    timeZone,
    goes: goes.map(({ copy, goesAt, reasons }) => ({
      ...describeCopy(copy),
      reasons: describeReasons(reasons, timeZone),
      goesAt: goesAt.toISOString(),
      isLast: !staying.has(copy.snapshotId),
    })),
    stays: stays.map(({ copy, reasons }) => ({
      ...describeCopy(copy),
      reasons: describeReasons(reasons, timeZone),
    })),
    bytes: goes.reduce((sum, { copy }) => sum + bytesThere(copy), 0),
  }
}

function describeCopy({ snapshotId, takenAt, volumeId, volumeName, key, bytes }: CopyFacts) {
  return { snapshotId, takenAt: new Date(takenAt).toISOString(), volumeId, volumeName, key, bytes }
}
