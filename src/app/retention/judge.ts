import { type RetentionPolicy, type RetentionReason } from '../../shared/retention.ts'
import { applyRetention, previewRetention, type RetentionFacts } from './retention.ts'
import type { CopyFacts } from './store.ts'

/** What a plan says of how long its snapshots are kept. */
export interface Policies {
  plan: RetentionPolicy
  /** Of volumes that have one of their own. */
  volumes: ReadonlyMap<string, RetentionPolicy>
  /** In which days, weeks and months are counted. */
  timeZone: string
}

export interface GoingCopy {
  copy: CopyFacts
  goesAt: Date
  reasons: RetentionReason[]
}

export interface StayingCopy {
  copy: CopyFacts
  reasons: RetentionReason[]
}

/**
 * Which copies of one database of a plan go from now until a later moment, if nothing new comes, and which stay.
 *
 * Volumes without a policy of their own share the plan's: there, snapshots are judged, each with all its copies on
 * them. A volume with its own policy is judged by itself, by the copies that are good there: if it takes nothing for a
 * month, what it has is not pushed out by what others got.
 *
 * A snapshot of which no copy is good takes nobody's place. It stays as long as the policy would keep it if one were:
 * so long it may be repaired, or its volume be mounted again.
 */
export function judgeCopies(
  copies: readonly CopyFacts[],
  policies: Policies,
  now: Date,
  until = now,
): { goes: GoingCopy[]; stays: StayingCopy[] } {
  const groups = Map.groupBy(copies, ({ volumeId }) => (policies.volumes.has(volumeId) ? volumeId : ''))
  const goes: GoingCopy[] = []
  const stays: StayingCopy[] = []
  for (const [volumeId, group] of groups) {
    const policy = policies.volumes.get(volumeId) ?? policies.plan
    for (const { snapshot, ...verdict } of judgeSnapshots(group, policy, policies.timeZone, now, until)) {
      for (const copy of snapshot.copies) {
        if (verdict.goesAt === undefined) stays.push({ copy, reasons: verdict.reasons })
        else if (copy.isReadOnly === 1) stays.push({ copy, reasons: [{ rule: 'readOnly' }] })
        else goes.push({ copy, goesAt: verdict.goesAt, reasons: verdict.reasons })
      }
    }
  }
  return { goes, stays }
}

/** What is freed when the copy goes: of one that was never stored, nothing. */
export function bytesThere({ state, bytes }: CopyFacts): number {
  return state === 'failed' ? 0 : bytes
}

interface Snapshot extends RetentionFacts {
  copies: CopyFacts[]
  isBroken: boolean
}

interface Verdict {
  snapshot: Snapshot
  /** Undefined if it stays. */
  goesAt?: Date
  reasons: RetentionReason[]
}

function judgeSnapshots(
  copies: readonly CopyFacts[],
  policy: RetentionPolicy,
  timeZone: string,
  now: Date,
  until: Date,
): Verdict[] {
  const snapshots = [...Map.groupBy(copies, ({ snapshotId }) => snapshotId).values()].map(snapshotOf)
  const judgeAs = (broken: RetentionFacts['state']) => {
    const facts = snapshots.map((snapshot) => (snapshot.isBroken ? { ...snapshot, state: broken } : snapshot))
    const going = new Map(
      previewRetention(facts, policy, now, timeZone, until).map(({ snapshot, goesAt, reasons }) => [
        snapshot.id,
        { goesAt, reasons },
      ]),
    )
    return applyRetention(facts, policy, now, timeZone).map(({ snapshot, reasons }): Verdict => ({
      snapshot,
      reasons,
      ...going.get(snapshot.id),
    }))
  }
  const verdicts = judgeAs('failed')
  if (!snapshots.some(({ isBroken }) => isBroken)) return verdicts
  const asIfGood = judgeAs('partial')
  return verdicts.map((verdict, i) => (verdict.snapshot.isBroken ? (asIfGood[i] ?? verdict) : verdict))
}

function snapshotOf(copies: CopyFacts[]): Snapshot {
  const [first] = copies
  if (!first) throw new Error('a snapshot without copies')
  const good = copies.filter(({ state }) => state === 'stored').length
  return {
    id: first.snapshotId,
    takenAt: new Date(first.takenAt),
    state: good === copies.length ? 'succeeded' : 'partial',
    isProven: first.provenAt !== null,
    lockedUntil: first.isLocked === 1 ? 'forever' : lockedUntil(first),
    inUse: first.isRead === 1,
    copies,
    isBroken: good === 0,
  }
}

function lockedUntil({ lockedUntil }: CopyFacts): Date | undefined {
  return lockedUntil === null ? undefined : new Date(lockedUntil)
}
