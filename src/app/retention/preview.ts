import { describeReason, type RetentionReason } from '../../shared/retention.ts'
import type { DatabaseRetention } from '../../shared/retention-preview.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import type { Place } from '../pages.ts'
import { bytesThere, judgeCopies, type Policies } from './judge.ts'
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
  /** Only what does not go anyway, as the plan says it. */
  onlyMore?: boolean | undefined
}

/** What retention does with the copies of each database, by plan and name; one more than `limit`. */
export async function previewPruning(
  { store, ...context }: AppContext,
  organizationId: string,
  scope: PruneScope,
  { until, after, limit, policies = (own) => own, onlyMore = false }: PreviewOptions,
): Promise<DatabaseRetention[]> {
  const now = new Date(await nowOf(store))
  const behind = after && { planId: String(after[0]), database: after[1] }
  const databases: DatabaseRetention[] = []
  for await (const subject of subjects({ store, ...context }, organizationId, scope, behind)) {
    const copies = await copyFacts(store.db, organizationId, subject.plan.id, subject.database)
    if (copies.length === 0) continue
    const end = until && until > now ? until : now
    const own = policies(subject.policies)
    const verdict = judgeCopies(copies, own, now, end)
    if (onlyMore) {
      const anyway = new Set(judgeCopies(copies, subject.policies, now, end).goes.map(({ copy }) => copy))
      verdict.goes = verdict.goes.filter(({ copy }) => !anyway.has(copy))
      if (verdict.goes.length === 0) continue
    }
    databases.push(describe({ ...subject, policies: own }, verdict))
    if (databases.length > limit) break
  }
  return databases
}

function describe(
  { plan, database, policies }: Subject,
  { goes, stays }: ReturnType<typeof judgeCopies>,
): DatabaseRetention {
  const staying = new Set(stays.map(({ copy }) => copy.snapshotId))
  const { timeZone } = policies
  const inWords = (reasons: RetentionReason[]) => ({
    reasons: reasons.map((reason) => describeReason(reason, timeZone)),
    why: reasons,
  })
  return {
    planId: plan.id,
    database,
    timeZone,
    goes: goes.map(({ copy, goesAt, reasons }) => ({
      ...describeCopy(copy),
      ...inWords(reasons),
      goesAt: goesAt.toISOString(),
      isLast: !staying.has(copy.snapshotId),
    })),
    stays: stays.map(({ copy, reasons }) => ({
      ...describeCopy(copy),
      ...inWords(reasons),
    })),
    bytes: goes.reduce((sum, { copy }) => sum + bytesThere(copy), 0),
  }
}

function describeCopy({ snapshotId, takenAt, volumeId, volumeName, key, bytes }: CopyFacts) {
  return { snapshotId, takenAt: new Date(takenAt).toISOString(), volumeId, volumeName, key, bytes }
}
