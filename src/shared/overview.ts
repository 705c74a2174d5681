import { z } from 'zod'
import { jobError, jobProgress } from './jobs.ts'

/** How a database of a plan fares, the best first. */
export const standings = ['protected', 'overdue', 'failing', 'never'] as const
export type Standing = (typeof standings)[number]

/** What is known of a database of a plan; times in milliseconds since 1970. */
export interface BackupHistory {
  lastSuccessAt: number | null
  lastFailureAt: number | null
  /** When the plan asked for it first; null if it never has. */
  firstSeenAt: number | null
}

/**
 * How a database fares. The page, the API, the metrics and the notifications all ask this one function.
 *
 * - `failing`: the last backup failed, however young the one before it is.
 * - `never`: no backup has succeeded yet, and none has failed.
 * - `overdue`: the last backup succeeded, more than `overdueAfter` milliseconds ago. Never where that is undefined, for
 *   what is only backed up by hand.
 * - `protected`: the last backup succeeded, and is young enough.
 */
export function standingOf(
  { lastSuccessAt, lastFailureAt }: BackupHistory,
  overdueAfter: number | undefined,
  now: number,
): Standing {
  if (lastFailureAt !== null && (lastSuccessAt === null || lastFailureAt > lastSuccessAt)) return 'failing'
  if (lastSuccessAt === null) return 'never'
  return overdueAfter !== undefined && now - lastSuccessAt > overdueAfter ? 'overdue' : 'protected'
}

/**
 * From when on the silence is an alarm: `overdueAfter` behind the last success or, where there is none, behind the moment
 * in which the database came to be known. Undefined where it never is.
 */
export function overdueAt(
  { lastSuccessAt, firstSeenAt }: BackupHistory,
  overdueAfter: number | undefined,
): number | undefined {
  const from = lastSuccessAt ?? firstSeenAt
  return from === null || overdueAfter === undefined ? undefined : from + overdueAfter
}

const time = z.iso.datetime().nullable()

/** A database of a plan, and how it fares. */
export const databaseStanding = z
  .object({
    planId: z.uuid(),
    planName: z.string(),
    serverId: z.uuid(),
    serverName: z.string(),
    database: z
      .string()
      .nullable()
      .meta({ description: 'Null: the plan itself, while none of its databases is known' }),
    standing: z.enum(standings),
    firstSeenAt: time.meta({ description: 'When the plan asked for it first' }),
    lastSeenAt: time.meta({ description: 'When the plan asked for it last' }),
    lastSuccessAt: time,
    lastFailureAt: time,
    overdueAt: time.meta({ description: 'When a missing backup is an alarm; null: never' }),
    nextRunAt: time.meta({ description: 'When the plan runs next by itself' }),
    lastSnapshotId: z.string().nullable(),
    lastRawBytes: z.number().nullable(),
    lastStoredBytes: z.number().nullable(),
    lastFailedJobId: z.string().nullable(),
    lastError: jobError.nullable(),
    recentRawBytes: z.array(z.number()).meta({
      description: 'Sizes of its dumps in this plan: of the newest twelve snapshots, the oldest first',
    }),
  })
  .meta({ id: 'DatabaseStanding' })
export type DatabaseStanding = z.output<typeof databaseStanding>

const count = z.int()

/** What else may need attention, the worst first. */
export const troubleKinds = [
  'loop-stopped',
  'volume-unreachable',
  'copies-corrupt',
  'copies-missing',
  'copies-not-stored',
  'key-missing',
  'volume-nearly-full',
  'deletion-failed',
  'app-backup-failed',
  'app-backup-overdue',
  'scheduled-restore-failed',
  'channel-failing',
] as const
export type TroubleKind = (typeof troubleKinds)[number]

/** Something besides the databases that needs attention, as far as it is known without trying it. */
export const trouble = z
  .object({
    kind: z.enum(troubleKinds),
    id: z.string().meta({
      description: 'Of the volume, key, registration, scheduled restore or channel; the name of a loop',
    }),
    name: z.string().meta({ description: 'Of the same; the fingerprint of a key that only snapshots know' }),
    since: time.meta({ description: 'Null where nobody knows' }),
    count: count
      .nullable()
      .meta({ description: 'Of the copies; of the snapshots that need the key; null for the others' }),
    message: z.string().nullable().meta({ description: 'What was said when it went wrong last' }),
    jobId: z.string().nullable().meta({ description: 'The job in which it went wrong last' }),
  })
  .meta({ id: 'Trouble' })
export type Trouble = z.output<typeof trouble>

/** As the command line and notices say it: `copies missing (3)`. */
export function describeTrouble({ kind, count }: Pick<Trouble, 'kind' | 'count'>): string {
  return `${kind.replaceAll('-', ' ')}${count === null ? '' : ` (${count})`}`
}

export const overview = z
  .object({
    counts: z
      .object({ protected: count, overdue: count, failing: count, never: count })
      .meta({ description: 'Of the chosen server or plan; whatever standing is asked for' }),
    items: z.array(databaseStanding),
    nextCursor: z.string().nullable().meta({ description: 'Null on the last page' }),
    troubles: z.array(trouble).meta({
      description:
        'What else needs attention, the worst first, whichever databases are asked for; what is of the whole instance only for its administrators',
    }),
    nextRuns: z
      .array(z.object({ at: z.iso.datetime(), scheduleId: z.uuid(), scheduleName: z.string(), plans: count }))
      .meta({ description: 'The schedules of enabled plans that run next' }),
    running: z
      .object({
        count,
        jobs: z.array(
          z.object({
            id: z.uuid(),
            kind: z.string(),
            serverId: z.string().nullable(),
            planId: z.string().nullable(),
            database: z.string().nullable(),
            startedAt: time,
            progress: jobProgress.nullable(),
          }),
        ),
      })
      .meta({ description: 'Jobs that run now: how many, and the newest' }),
  })
  .meta({ id: 'Overview' })
export type Overview = z.output<typeof overview>

/** How backups went on the last days, and what volumes held then. */
export const overviewHistory = z
  .object({
    days: z
      .array(
        z.object({
          date: z.iso.date(),
          startsAt: z.iso.datetime().meta({ description: 'It ends where the next day starts' }),
          succeeded: count,
          partial: count,
          failed: count,
        }),
      )
      .meta({
        description:
          'Every day in the display time zone, the oldest first, with the backups of databases that ended on it; those that were cancelled, or left out by a hook, are not counted; a run that failed before it knew its databases counts as one',
      }),
    successRate: z
      .number()
      .nullable()
      .meta({ description: 'The share of them all that succeeded, from 0 to 1; null: there was none' }),
    storedBytes: z
      .array(
        z.object({
          volumeId: z.uuid(),
          name: z.string(),
          bytes: z.array(z.number()).meta({ description: 'At the end of each of the days' }),
        }),
      )
      .meta({
        description:
          'Bytes of the copies that each volume holds now, from the day on from which the catalogue knows them. What was deleted since is not known any more, and missing on the days before, too',
      }),
  })
  .meta({ id: 'OverviewHistory' })
export type OverviewHistory = z.output<typeof overviewHistory>
