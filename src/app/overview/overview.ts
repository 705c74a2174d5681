import { z } from 'zod'
import type { jobProgress } from '../../shared/jobs.ts'
import {
  type DatabaseStanding,
  overdueAt,
  type Overview,
  type Standing,
  standingOf,
} from '../../shared/overview.ts'
import { planSettings } from '../../shared/plans.ts'
import { schedule, type Schedule } from '../../shared/schedules.ts'
import { nowOf } from '../clock.ts'
import { ANY_DATABASE } from '../backups/backups.ts'
import type { AppContext } from '../context.ts'
import type { Place } from '../pages.ts'
import { matchingDatabases } from '../plans/plans.ts'
import { overdueAfterOf } from './overdue.ts'
import {
  allSchedules,
  comingRuns,
  type KnownDatabase,
  knownDatabases,
  recentSizes,
  type OverviewFilter,
  type RunningJob,
  runningJobs,
  schedulesOfPlans,
  type WatchedPlan,
  watchedPlans,
} from './store.ts'

const NEXT_RUNS = 10
const RUNNING_JOBS = 20
/** As many as a small chart shows. */
const RECENT_SIZES = 12

const { databases, excludedDatabases, overdueMinutes } = planSettings.shape
/** Of a plan's settings, what is asked here. */
const watchedSettings = z.object({ databases, excludedDatabases, overdueMinutes })
type WatchedSettings = z.output<typeof watchedSettings>
const ALL_DATABASES = { databases: { mode: 'all' }, excludedDatabases: [] }

/** A database of an enabled plan, and how it fares; times in milliseconds since 1970. */
export interface WatchedDatabase {
  plan: WatchedPlan
  facts: Facts
  standing: Standing
  /** When a missing backup is an alarm. */
  overdueAt: number | undefined
  /** When the plan runs next by itself. */
  nextRunAt: number | undefined
}

/**
 * How every database of every enabled plan fares, by database, then plan. A database that was selected counts also if it
 * was never seen; one that is excluded by now does not. A plan of which no database is known stands for itself.
 */
export async function watchDatabases(
  { store }: AppContext,
  organizationId: string,
  filter: OverviewFilter = {},
): Promise<WatchedDatabase[]> {
  const now = await nowOf(store)
  const plans = await watchedPlans(store, organizationId, filter)
  const known = Map.groupBy(await knownDatabases(store, organizationId, filter), ({ planId }) => planId)
  const timing = await timingOf(store, organizationId)
  const watched = plans.flatMap((plan) => {
    const settings = readSettings(plan)
    const { overdueAfter, nextRunAt } = timing(plan.id, settings.overdueMinutes)
    return databasesOf(settings, known.get(plan.id) ?? []).map((facts): WatchedDatabase => {
      // What was never asked for is missed since the plan came to be.
      const firstSeenAt = facts.firstSeenAt ?? plan.createdAt
      const after = overdueAfter(facts.lastSuccessAt ?? firstSeenAt)
      return {
        plan,
        facts,
        standing: standingOf(facts, after, now),
        overdueAt: overdueAt({ ...facts, firstSeenAt }, after),
        nextRunAt,
      }
    })
  })
  return watched.sort((a, b) => comparePlaces(placeOf(a), placeOf(b)))
}

/** What cannot be read is told by the plan's own runs: here, nothing may go out of sight for it. */
function readSettings({ settings }: WatchedPlan): WatchedSettings {
  return watchedSettings.safeParse(JSON.parse(settings)).data ?? watchedSettings.parse(ALL_DATABASES)
}

/** Where it stands in their list. */
export function placeOf({ plan, facts }: WatchedDatabase): [database: string, planId: string] {
  return [facts.database ?? '', plan.id]
}

/** Less than 0 if the first one stands before the second. */
export function comparePlaces(a: Place, b: Place): number {
  return compare(String(a[0]), String(b[0])) || compare(a[1], b[1])
}

export async function presentAll(
  { store }: AppContext,
  items: readonly WatchedDatabase[],
): Promise<DatabaseStanding[]> {
  const named = items.flatMap(({ plan, facts: { database } }) =>
    database === null ? [] : [{ planId: plan.id, database }],
  )
  const sizes = Map.groupBy(await recentSizes(store, named, RECENT_SIZES), placeOfSize)
  return items.map((item) => {
    const place = placeOfSize({ planId: item.plan.id, database: item.facts.database })
    return present(item, sizes.get(place)?.map(({ rawBytes }) => rawBytes) ?? [])
  })
}

function placeOfSize({ planId, database }: { planId: string; database: string | null }): string {
  return JSON.stringify([planId, database])
}

function present(
  { plan, facts, standing, overdueAt, nextRunAt }: WatchedDatabase,
  recentRawBytes: number[],
): DatabaseStanding {
  const { lastError } = facts
  return {
    planId: plan.id,
    planName: plan.name,
    serverId: plan.serverId,
    serverName: plan.serverName,
    database: facts.database,
    standing,
    firstSeenAt: iso(facts.firstSeenAt),
    lastSeenAt: iso(facts.lastSeenAt),
    lastSuccessAt: iso(facts.lastSuccessAt),
    lastFailureAt: iso(facts.lastFailureAt),
    overdueAt: iso(overdueAt),
    nextRunAt: iso(nextRunAt),
    lastSnapshotId: facts.lastSnapshotId,
    lastRawBytes: facts.lastRawBytes,
    lastStoredBytes: facts.lastStoredBytes,
    lastFailedJobId: facts.lastFailedJobId,
    lastError: lastError === null ? null : (JSON.parse(lastError) as DatabaseStanding['lastError']),
    recentRawBytes,
  }
}

export async function nextRunsOf(
  { store }: AppContext,
  organizationId: string,
): Promise<Overview['nextRuns']> {
  const runs = await comingRuns(store, organizationId, NEXT_RUNS)
  return runs.map((run) => ({ ...run, at: new Date(run.at).toISOString() }))
}

export async function runningJobsOf(
  { store }: AppContext,
  organizationId: string,
): Promise<Overview['running']> {
  const { jobs, count } = await runningJobs(store, organizationId, RUNNING_JOBS)
  return { count, jobs: jobs.map(presentJob) }
}

type Facts = Omit<KnownDatabase, 'planId' | 'database' | 'firstSeenAt' | 'lastSeenAt'> & {
  database: string | null
  firstSeenAt: number | null
  lastSeenAt: number | null
}

const UNSEEN = {
  firstSeenAt: null,
  lastSeenAt: null,
  lastSuccessAt: null,
  lastSnapshotId: null,
  lastRawBytes: null,
  lastStoredBytes: null,
  lastFailureAt: null,
  lastFailedJobId: null,
  lastError: null,
}

function databasesOf(settings: WatchedSettings, known: readonly KnownDatabase[]): Facts[] {
  const seen = known.filter(({ database }) => database !== ANY_DATABASE)
  const names = new Set(seen.map(({ database }) => database))
  const unseen =
    settings.databases.mode === 'selected'
      ? [...new Set(settings.databases.names)].filter((name) => !name.includes('*') && !names.has(name))
      : []
  const matching = new Set(matchingOrAll(settings, [...names, ...unseen]))
  const watched = [...seen, ...unseen.map((database) => ({ ...UNSEEN, database }))].filter(({ database }) =>
    matching.has(database),
  )
  if (watched.length > 0) return watched
  const itself = known.find(({ database }) => database === ANY_DATABASE) ?? UNSEEN
  return [{ ...itself, database: null }]
}

/** A pattern that takes too long fails the plan's own runs, which say so: nothing may go out of sight for it. */
function matchingOrAll(settings: WatchedSettings, names: string[]): string[] {
  try {
    return matchingDatabases(settings, names)
  } catch {
    return names
  }
}

/** For each plan, when a backup of it is missing, and when it runs next. */
async function timingOf(store: AppContext['store'], organizationId: string) {
  const rows = await allSchedules(store, organizationId)
  const schedules = new Map(rows.map((row) => [row.id, row]))
  const ofPlans = Map.groupBy(await schedulesOfPlans(store, organizationId), ({ planId }) => planId)
  // Many plans share their schedules, and then what is known of the intervals.
  const shared = new Map<string, ReturnType<typeof overdueAfterOf>>()
  return (planId: string, overdueMinutes: number | undefined) => {
    const own = (ofPlans.get(planId) ?? []).flatMap(({ scheduleId }) => schedules.get(scheduleId) ?? [])
    const nextAts = own.flatMap(({ nextAt }) => nextAt ?? [])
    const key = `${overdueMinutes} ${own.map(({ id }) => id).join(' ')}`
    const overdueAfter = shared.get(key) ?? overdueAfterOf(overdueMinutes, own.map(ruleOf))
    shared.set(key, overdueAfter)
    return { overdueAfter, nextRunAt: nextAts.length > 0 ? Math.min(...nextAts) : undefined }
  }
}

/** One that cannot be read stands for each day: nothing may go out of sight for it. */
function ruleOf({ rule }: { rule: string }): Schedule {
  return schedule.safeParse(JSON.parse(rule)).data ?? { type: 'daily', times: ['00:00'], timeZone: 'UTC' }
}

function presentJob({ startedAt, progress, ...job }: RunningJob): Overview['running']['jobs'][number] {
  return {
    ...job,
    startedAt: iso(startedAt),
    progress: progress === null ? null : (JSON.parse(progress) as z.output<typeof jobProgress>),
  }
}

function iso(time: number | null | undefined): string | null {
  return time === null || time === undefined ? null : new Date(time).toISOString()
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
