import { z } from 'zod'

/** The tiers of grandfather-father-son, finest first. */
export const tiers = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
export type Tier = (typeof tiers)[number]

const most = 100_000

const tier = (title: string, example: string) =>
  count(`${title} snapshots`, 1)
    .optional()
    .meta({ title, description: `The newest snapshot of each of so many ${example}; empty is off` })

/**
 * Which snapshots of a database to keep: those that any of the rules keeps. What is kept whatever the policy is said
 * by `applyRetention`.
 */
export const retentionPolicy = z
  .strictObject({
    keepLast: count('snapshots', 0)
      .optional()
      .meta({ title: 'Keep last', description: 'So many of the newest snapshots; 0 keeps everything' }),
    keepDays: z
      .int('Use a whole number of days from 1 to 3650.')
      .min(1, 'Use a whole number of days from 1 to 3650.')
      .max(3650, 'Use a whole number of days from 1 to 3650.')
      .optional()
      .meta({ title: 'Keep days', description: 'Snapshots younger than so many days of 24 hours' }),
    hourly: tier('Hourly', 'hours'),
    daily: tier('Daily', 'days'),
    weekly: tier('Weekly', 'weeks, Monday to Sunday'),
    monthly: tier('Monthly', 'months'),
    yearly: tier('Yearly', 'years'),
    forever: z.boolean().optional().meta({ title: 'Keep forever' }),
    minimumKept: count('snapshots', 1).default(1).meta({
      title: 'Minimum kept',
      description: 'So many of the newest snapshots stay whatever the rules say',
    }),
  })
  .refine(hasRule, {
    error: 'Choose at least one rule; to keep every snapshot, choose “keep forever”.',
  })
export type RetentionPolicy = z.output<typeof retentionPolicy>

/** What a plan has until somebody chooses. */
export const DEFAULT_RETENTION: RetentionPolicy = { keepLast: 7, minimumKept: 1 }

/** What the form shows when somebody chooses tiers. */
export const DEFAULT_TIERS = { daily: 7, weekly: 4, monthly: 12 } as const satisfies Partial<
  Record<Tier, number>
>

/** Why a snapshot is kept. `until` is when this reason ends by itself; without it, never or nobody knows when. */
export type KeptReason =
  /** The newest good one of its database, which retention never takes. */
  | { rule: 'newest' }
  /** The newest that a drill has proven. */
  | { rule: 'proven' }
  | { rule: 'minimum'; count: number }
  | { rule: 'locked'; until?: Date }
  | { rule: 'inUse' }
  | { rule: 'objectLock'; until: Date }
  /** Its time lies in the future: a clock is or was wrong, and nobody knows how old it is. */
  | { rule: 'future'; until: Date }
  | { rule: 'last'; count: number }
  | { rule: 'days'; days: number; until: Date }
  /** `2026-11-22T03+01:00`, `2026-11-22`, `2026-W47`, `2026-11`, `2026`. */
  | { rule: Tier; period: string }
  | { rule: 'forever' }

/** Why none of the rules keeps a snapshot; one for each rule of the policy. */
export type PrunedReason =
  /** A run that failed is not a snapshot. */
  | { rule: 'failed' }
  | { rule: 'notLast'; count: number }
  | { rule: 'tooOld'; days: number }
  /** A newer snapshot stands for its period. */
  | { rule: 'replaced'; tier: Tier; period: string }
  /** Its period is not among the last that count. */
  | { rule: 'outlived'; tier: Tier; period: string; count: number }

export type RetentionReason = KeptReason | PrunedReason

const periodNames: Record<Tier, [one: string, several: string]> = {
  hourly: ['hour', 'hours'],
  daily: ['day', 'days'],
  weekly: ['week', 'weeks'],
  monthly: ['month', 'months'],
  yearly: ['year', 'years'],
}

/** Nothing chosen is no order to delete. */
export function keepsEverything(policy: RetentionPolicy): boolean {
  const hasRule = tiers.some((tier) => policy[tier]) || policy.keepLast || policy.keepDays
  return policy.forever === true || policy.keepLast === 0 || !hasRule
}

/** The policy in words: `the newest 7; 4 weekly; at least 1`. */
export function describePolicy(policy: RetentionPolicy): string {
  if (keepsEverything(policy)) return 'everything'
  const { keepLast, keepDays, minimumKept } = policy
  const parts: string[] = []
  if (keepLast) parts.push(`the newest ${keepLast}`)
  if (keepDays) parts.push(`those younger than ${number(keepDays, 'day', 'days')}`)
  for (const tier of tiers) {
    const count = policy[tier]
    if (count) parts.push(`${count} ${tier}`)
  }
  return [...parts, `at least ${minimumKept}`].join('; ')
}

/** The reason in words that go on after “kept:” or “pruned:”, such as `newest of Sunday 22 November 2026`. */
export function describeReason(reason: RetentionReason, timeZone: string): string {
  switch (reason.rule) {
    case 'newest':
      return 'the newest good one of this database'
    case 'proven':
      return 'the newest that is proven to restore'
    case 'minimum':
      return `among the ${reason.count} newest, which always stay`
    case 'locked':
      return reason.until ? `locked until ${moment(reason.until, timeZone)}` : 'locked'
    case 'inUse':
      return 'a running job reads it'
    case 'objectLock':
      return `locked by the volume until ${moment(reason.until, timeZone)}`
    case 'future':
      return `its time, ${moment(reason.until, timeZone)}, lies in the future`
    case 'last':
      return reason.count === 1 ? 'the newest' : `among the newest ${reason.count}`
    case 'days':
      return `younger than ${number(reason.days, 'day', 'days')}, until ${moment(reason.until, timeZone)}`
    case 'hourly':
    case 'daily':
    case 'weekly':
    case 'monthly':
    case 'yearly':
      return `newest of ${describePeriod(reason.rule, reason.period)}`
    case 'forever':
      return 'everything is kept'
    case 'failed':
      return 'its run failed'
    case 'notLast':
      return reason.count === 1 ? 'not the newest' : `not among the newest ${reason.count}`
    case 'tooOld':
      return `${number(reason.days, 'day', 'days')} old or older`
    case 'replaced':
      return `a newer one stands for ${describePeriod(reason.tier, reason.period)}`
    case 'outlived': {
      const [one, several] = periodNames[reason.tier]
      return `${describePeriod(reason.tier, reason.period)} is not among the last ${number(reason.count, one, several)}`
    }
    default: {
      const never: never = reason
      return never
    }
  }
}

function hasRule(policy: object): boolean {
  return Object.entries(policy).some(
    ([rule, value]) => rule !== 'minimumKept' && value !== undefined && value !== false,
  )
}

function count(what: string, from: number) {
  const error = `Use a whole number of ${what} from ${from} to ${most}.`
  return z.int(error).min(from, error).max(most, error)
}

/** `Sunday 22 November 2026`; the period is a calendar's, so no time zone is asked. */
function describePeriod(tier: Tier, period: string): string {
  const date = (options: Intl.DateTimeFormatOptions) =>
    words(new Date(`${period.slice(0, 10)}T00:00:00Z`), { ...options, timeZone: 'UTC' })
  switch (tier) {
    case 'hourly':
      return `the hour from ${period.slice(11, 13)}:00 (UTC${period.slice(13)}) on ${describePeriod('daily', period)}`
    case 'daily':
      return date({ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
    case 'weekly':
      return `week ${Number(period.slice(6))} of ${period.slice(0, 4)}`
    case 'monthly':
      return words(new Date(`${period}-01T00:00:00Z`), { month: 'long', year: 'numeric', timeZone: 'UTC' })
    case 'yearly':
      return period
    default: {
      const never: never = tier
      return never
    }
  }
}

function moment(at: Date, timeZone: string): string {
  const day = words(at, { day: 'numeric', month: 'long', year: 'numeric', timeZone })
  return `${day}, ${words(at, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone })}`
}

/** Without the comma that en-GB may put after the weekday. */
function words(at: Date, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('en-GB', options).format(at).replaceAll(',', '')
}

function number(value: number, one: string, several: string): string {
  return `${value} ${value === 1 ? one : several}`
}
