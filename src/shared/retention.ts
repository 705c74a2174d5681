import { z } from 'zod'
import { clockIn, english, momentOf, type Speech, unitsOf } from './words.ts'

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

const until = z.iso.datetime()
const counted = z.int()
const tierName = z.enum(tiers)
/** `2026-11-22T03+01:00`, `2026-11-22`, `2026-W47`, `2026-11`, `2026`. */
const period = z.string()

/** Why a snapshot is kept. `until` is when this reason ends by itself; without it, never or nobody knows when. */
const keptReason = z.discriminatedUnion('rule', [
  /** The newest good one of its database, which retention never takes. */
  z.object({ rule: z.literal('newest') }),
  /** The newest that a drill has proven. */
  z.object({ rule: z.literal('proven') }),
  z.object({ rule: z.literal('minimum'), count: counted }),
  z.object({ rule: z.literal('locked'), until: until.optional() }),
  z.object({ rule: z.literal('inUse') }),
  z.object({ rule: z.literal('objectLock'), until }),
  /** Its time lies in the future: a clock is or was wrong, and nobody knows how old it is. */
  z.object({ rule: z.literal('future'), until }),
  z.object({ rule: z.literal('last'), count: counted }),
  z.object({ rule: z.literal('days'), days: counted, until }),
  z.object({ rule: tierName, period }),
  z.object({ rule: z.literal('forever') }),
  /** Nothing is ever removed from its volume. */
  z.object({ rule: z.literal('readOnly') }),
])
export type KeptReason = z.output<typeof keptReason>

/** Why none of the rules keeps a snapshot; one for each rule of the policy. */
const prunedReason = z.discriminatedUnion('rule', [
  /** A run that failed is not a snapshot. */
  z.object({ rule: z.literal('failed') }),
  z.object({ rule: z.literal('notLast'), count: counted }),
  z.object({ rule: z.literal('tooOld'), days: counted }),
  /** A newer snapshot stands for its period. */
  z.object({ rule: z.literal('replaced'), tier: tierName, period }),
  /** Its period is not among the last that count. */
  z.object({ rule: z.literal('outlived'), tier: tierName, period, count: counted }),
])
export type PrunedReason = z.output<typeof prunedReason>

export const retentionReason = z.union([keptReason, prunedReason]).meta({ id: 'RetentionReason' })
export type RetentionReason = z.output<typeof retentionReason>

const units = {
  hourly: 'hour',
  daily: 'day',
  weekly: 'week',
  monthly: 'month',
  yearly: 'year',
} as const satisfies Record<Tier, string>

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
  if (keepDays) parts.push(`those younger than ${unitsOf(keepDays, 'day', english)}`)
  for (const tier of tiers) {
    const count = policy[tier]
    if (count) parts.push(`${count} ${tier}`)
  }
  return [...parts, `at least ${minimumKept}`].join('; ')
}

/** The reason in words that go on after “kept:” or “pruned:”, such as `newest of Sunday, 22 November 2026`. */
export function describeReason(reason: RetentionReason, timeZone: string, speech: Speech = english): string {
  const { t } = speech
  const time = (at: string) => momentOf(at, { timeZone, timeZoneName: 'short' }, speech)
  switch (reason.rule) {
    case 'newest':
      return t('the newest good one of this database')
    case 'proven':
      return t('the newest that is proven to restore')
    case 'minimum':
      return t('among the {{number}} newest, which always stay', { number: reason.count })
    case 'locked':
      return reason.until === undefined
        ? t('locked')
        : t('locked until {{time}}', { time: time(reason.until) })
    case 'inUse':
      return t('a running job reads it')
    case 'objectLock':
      return t('locked by the volume until {{time}}', { time: time(reason.until) })
    case 'future':
      return t('its time, {{time}}, lies in the future', { time: time(reason.until) })
    case 'last':
      return reason.count === 1 ? t('the newest') : t('among the newest {{number}}', { number: reason.count })
    case 'days':
      return t('younger than {{days}}, until {{time}}', {
        days: unitsOf(reason.days, 'day', speech),
        time: time(reason.until),
      })
    case 'daily':
      return t('newest of {{day}}', { day: describePeriod('daily', reason.period, speech) })
    case 'hourly':
    case 'weekly':
    case 'monthly':
    case 'yearly':
      return t('newest of {{period}}', { period: describePeriod(reason.rule, reason.period, speech) })
    case 'forever':
      return t('everything is kept')
    case 'readOnly':
      return t('the volume is only read')
    case 'failed':
      return t('its run failed')
    case 'notLast':
      return reason.count === 1
        ? t('not the newest')
        : t('not among the newest {{number}}', { number: reason.count })
    case 'tooOld':
      return t('{{days}} old or older', { days: unitsOf(reason.days, 'day', speech) })
    case 'replaced': {
      const period = describePeriod(reason.tier, reason.period, speech)
      return reason.tier === 'daily'
        ? t('a newer one stands for {{day}}', { day: period })
        : t('a newer one stands for {{period}}', { period })
    }
    case 'outlived': {
      const period = describePeriod(reason.tier, reason.period, speech)
      const periods = unitsOf(reason.count, units[reason.tier], speech)
      return reason.tier === 'daily'
        ? t('{{day}} is not among the last {{days}}', { day: period, days: periods })
        : t('{{period}} is not among the last {{periods}}', { period, periods })
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

/** `Sunday, 22 November 2026`; the period is a calendar's, so no time zone is asked. */
function describePeriod(tier: Tier, period: string, speech: Speech): string {
  const { t, language } = speech
  const date = (day: string, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }).format(new Date(`${day}Z`))
  switch (tier) {
    case 'hourly':
      return t('the hour from {{time}} (UTC{{offset}}) on {{day}}', {
        time: date(`${period.slice(0, 13)}:00`, clockIn(language)),
        offset: period.slice(13),
        day: describePeriod('daily', period, speech),
      })
    case 'daily':
      return date(`${period.slice(0, 10)}T00:00`, {
        weekday: 'long',
        day: 'numeric',
        month: 'long',
        year: 'numeric',
      })
    case 'weekly':
      return t('week {{week}} of {{year}}', { week: Number(period.slice(6)), year: period.slice(0, 4) })
    case 'monthly':
      return date(`${period}-01T00:00`, { month: 'long', year: 'numeric' })
    case 'yearly':
      return date(`${period}-01-01T00:00`, { year: 'numeric' })
    default: {
      const never: never = tier
      return never
    }
  }
}
