import { DateTime, IANAZone } from 'luxon'
import {
  keepsEverything,
  tiers,
  type KeptReason,
  type PrunedReason,
  type RetentionPolicy,
  type Tier,
} from '../../shared/retention.ts'

const DAY = 86_400_000

/** What retention has to know of a snapshot. */
export interface RetentionFacts {
  /** Unique; of two snapshots of the same moment, the greater id is the newer. */
  id: string
  /** The snapshot's own time; never a file's. */
  takenAt: Date
  state: 'succeeded' | 'partial' | 'failed'
  /** Its last drill passed. */
  isProven: boolean
  /** `'forever'`: until somebody unlocks it. */
  lockedUntil?: Date | 'forever' | undefined
  /** A running job reads it. */
  inUse: boolean
  /** The volume deletes none of its copies before this moment. */
  objectLockedUntil?: Date | undefined
}

export type RetentionVerdict<Snapshot extends RetentionFacts = RetentionFacts> =
  | { snapshot: Snapshot; keep: true; reasons: KeptReason[] }
  | { snapshot: Snapshot; keep: false; reasons: PrunedReason[] }

export interface RetentionForecast<Snapshot extends RetentionFacts = RetentionFacts> {
  snapshot: Snapshot
  /** When it goes if nothing new comes. */
  goesAt: Date
  reasons: PrunedReason[]
}

/**
 * What to keep and what to prune of the snapshots of one database in one plan, in the order in which they came. Tiers
 * count the calendar periods of the time zone (weeks from Monday) in which there is a snapshot, so a pause in the
 * backups prunes nothing.
 *
 * Kept whatever the policy: the newest and the newest proven one; the `minimumKept` newest; those that are locked, that
 * a running job reads, or that their volume does not let go; and those whose time lies in the future, for nobody knows
 * how old they are. The latter take no place among the counted ones: a clock that was wrong once cannot push out what
 * is taken after it was put right, and one that is set back now makes nothing look newer than it is.
 *
 * A `partial` snapshot can be restored from the copies that it has, so it is kept wherever a succeeded one would be.
 * But it misses a copy that somebody asked for, so it takes no succeeded one's place: succeeded ones are judged among
 * themselves, partial ones among all. If one volume is broken for a month, `keepLast: 7` keeps 7 succeeded ones from
 * before and the 7 newest partial ones.
 *
 * A `failed` one is no snapshot: it takes no place and no rule keeps it, but a lock or a running job does.
 *
 * A policy without any rule, and `keepLast: 0`, keep everything. Throws RangeError for an invalid date or time zone,
 * before either is mistaken for something old.
 */
export function applyRetention<Snapshot extends RetentionFacts>(
  snapshots: readonly Snapshot[],
  policy: RetentionPolicy,
  now: Date,
  timeZone: string,
): RetentionVerdict<Snapshot>[] {
  return judge(snapshots, policy, now, timeZone).map(({ snapshot, kept, unkept }) =>
    kept.length > 0 ? { snapshot, keep: true, reasons: kept } : { snapshot, keep: false, reasons: unkept },
  )
}

/**
 * What goes from now until a later moment if nothing new comes, soonest first, with why: ages and locks run out, and
 * times that lay in the future come to pass. What `applyRetention` prunes now goes now. A job that reads a snapshot now
 * is taken to go on, since nobody knows when it ends.
 */
export function previewRetention<Snapshot extends RetentionFacts>(
  snapshots: readonly Snapshot[],
  policy: RetentionPolicy,
  now: Date,
  timeZone: string,
  until: Date,
): RetentionForecast<Snapshot>[] {
  const forecast: RetentionForecast<Snapshot>[] = []
  let left: readonly Snapshot[] = snapshots
  for (const [at, next] of stages(snapshots, now, until)) {
    const going = judge(left, policy, at, timeZone).flatMap(({ snapshot, kept, unkept }) => {
      const goesAt = lastEnd(kept, at)
      return goesAt && goesAt <= until && (!next || goesAt < next)
        ? [{ snapshot, goesAt, reasons: unkept }]
        : []
    })
    forecast.push(...going)
    const gone = new Set<Snapshot>(going.map(({ snapshot }) => snapshot))
    left = left.filter((snapshot) => !gone.has(snapshot))
  }
  return forecast.sort((a, b) => a.goesAt.getTime() - b.goesAt.getTime())
}

/**
 * Now, and each moment at which a snapshot from the future begins to count, each with the next one. In between, time
 * ends reasons but begins none.
 */
function stages(snapshots: readonly RetentionFacts[], now: Date, until: Date): [Date, Date | undefined][] {
  const times = snapshots.map(({ takenAt }) => takenAt.getTime()).filter((time) => time > now.getTime())
  const starts = [now.getTime(), ...new Set(times.filter((time) => time <= until.getTime()))].sort(
    (a, b) => a - b,
  )
  return starts.map((start, i) => {
    const next = starts[i + 1]
    return [new Date(start), next === undefined ? undefined : new Date(next)]
  })
}

/** When the last of the reasons ends; undefined if one of them does not end by itself. */
function lastEnd(reasons: KeptReason[], at: Date): Date | undefined {
  let last = at
  for (const reason of reasons) {
    if (!('until' in reason) || !reason.until) return undefined
    const end = new Date(reason.until)
    if (end > last) last = end
  }
  return last
}

interface Judgement<Snapshot> {
  snapshot: Snapshot
  kept: KeptReason[]
  /** Why no rule keeps it once nothing else does. */
  unkept: PrunedReason[]
}

function judge<Snapshot extends RetentionFacts>(
  snapshots: readonly Snapshot[],
  policy: RetentionPolicy,
  now: Date,
  timeZone: string,
): Judgement<Snapshot>[] {
  if (!IANAZone.isValidZone(timeZone)) throw new RangeError(`“${timeZone}” is not a time zone.`)
  if ([now, ...snapshots.map(({ takenAt }) => takenAt)].some((date) => Number.isNaN(date.getTime()))) {
    throw new RangeError('Retention needs a valid time for now and for every snapshot.')
  }
  const usable = snapshots
    .filter(({ state, takenAt }) => state !== 'failed' && takenAt <= now)
    .sort((a, b) => b.takenAt.getTime() - a.takenAt.getTime() || (a.id < b.id ? 1 : -1))
  const amongAll = rank(usable, policy, timeZone)
  const succeeded = usable.filter(({ state }) => state === 'succeeded')
  const amongSucceeded = succeeded.length === usable.length ? amongAll : rank(succeeded, policy, timeZone)
  return snapshots.map((snapshot) => {
    const judgement: Judgement<Snapshot> = { snapshot, kept: holds(snapshot, now), unkept: [] }
    const place = (snapshot.state === 'succeeded' ? amongSucceeded : amongAll).get(snapshot)
    if (snapshot.state === 'failed') judgement.unkept.push({ rule: 'failed' })
    else if (snapshot.takenAt > now)
      judgement.kept.push({ rule: 'future', until: snapshot.takenAt.toISOString() })
    else if (place) weigh(judgement, place, policy, now)
    return judgement
  })
}

/** What keeps a snapshot whatever it is worth. */
function holds({ lockedUntil, inUse, objectLockedUntil }: RetentionFacts, now: Date): KeptReason[] {
  const reasons: KeptReason[] = []
  if (lockedUntil === 'forever') reasons.push({ rule: 'locked' })
  else if (lockedUntil && lockedUntil > now)
    reasons.push({ rule: 'locked', until: lockedUntil.toISOString() })
  if (inUse) reasons.push({ rule: 'inUse' })
  if (objectLockedUntil && objectLockedUntil > now)
    reasons.push({ rule: 'objectLock', until: objectLockedUntil.toISOString() })
  return reasons
}

/** Where a snapshot stands among those it is judged with, newest first. */
interface Place {
  index: number
  isNewestProven: boolean
  periods: { tier: Tier; count: number; period: string; periodIndex: number; isNewest: boolean }[]
}

function rank(
  newestFirst: readonly RetentionFacts[],
  policy: RetentionPolicy,
  timeZone: string,
): Map<RetentionFacts, Place> {
  const newestProven = newestFirst.find(({ isProven }) => isProven)
  // Looked up, not compared with the neighbour: a clock put back at midnight shows the day before once more.
  const seen = new Map(tiers.map((tier) => [tier, new Map<string, number>()]))
  const places = newestFirst.map((snapshot, index): [RetentionFacts, Place] => {
    const at = DateTime.fromJSDate(snapshot.takenAt, { zone: timeZone })
    const periods = tiers.flatMap((tier) => {
      const count = policy[tier]
      if (count === undefined) return []
      const period = periodOf(tier, at)
      const indexes = seen.get(tier) ?? new Map<string, number>()
      const known = indexes.get(period)
      const periodIndex = known ?? indexes.size
      indexes.set(period, periodIndex)
      return [{ tier, count, period, periodIndex, isNewest: known === undefined }]
    })
    return [snapshot, { index, isNewestProven: snapshot === newestProven, periods }]
  })
  return new Map(places)
}

/** The calendar period that contains the moment. An hour that occurs twice in a night is two. */
function periodOf(tier: Tier, at: DateTime): string {
  switch (tier) {
    case 'hourly':
      return at.toFormat("yyyy-MM-dd'T'HHZZ")
    case 'daily':
      return at.toFormat('yyyy-MM-dd')
    case 'weekly':
      return at.toFormat("kkkk-'W'WW")
    case 'monthly':
      return at.toFormat('yyyy-MM')
    case 'yearly':
      return at.toFormat('yyyy')
    default: {
      const never: never = tier
      return never
    }
  }
}

function weigh(
  { snapshot, kept, unkept }: Judgement<RetentionFacts>,
  { index, isNewestProven, periods }: Place,
  policy: RetentionPolicy,
  now: Date,
): void {
  const { keepLast, keepDays, minimumKept } = policy
  if (index === 0) kept.push({ rule: 'newest' })
  else if (index < minimumKept) kept.push({ rule: 'minimum', count: minimumKept })
  if (isNewestProven) kept.push({ rule: 'proven' })
  if (keepsEverything(policy)) kept.push({ rule: 'forever' })

  if (keepLast) {
    if (index < keepLast) kept.push({ rule: 'last', count: keepLast })
    else unkept.push({ rule: 'notLast', count: keepLast })
  }
  if (keepDays !== undefined) {
    const until = new Date(snapshot.takenAt.getTime() + keepDays * DAY)
    if (until > now) kept.push({ rule: 'days', days: keepDays, until: until.toISOString() })
    unkept.push({ rule: 'tooOld', days: keepDays })
  }
  for (const { tier, count, period, periodIndex, isNewest } of periods) {
    if (periodIndex >= count) unkept.push({ rule: 'outlived', tier, period, count })
    else if (isNewest) kept.push({ rule: tier, period })
    else unkept.push({ rule: 'replaced', tier, period })
  }
}
