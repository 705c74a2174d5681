import { z } from 'zod'
import type { Ability } from './abilities.ts'
import { type JobState, jobStates } from './job-states.ts'
import { english, type Speech } from './words.ts'

export { isOver, type JobState, jobStates } from './job-states.ts'

export const jobError = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() })

export const jobProgress = z
  .object({
    at: z.iso.datetime().meta({ description: 'When it was so' }),
    phase: z
      .string()
      .meta({ description: 'connecting, dumping, checking, downloading, restoring, counting, hooks' }),
    rawBytes: z.number().optional().meta({ description: 'Of the raw dump so far' }),
    storedBytes: z.number().optional().meta({ description: 'Of the object so far' }),
    expectedRawBytes: z.number().optional().meta({ description: 'Of the raw dump in all; an estimate' }),
  })
  .meta({ id: 'JobProgress' })

/**
 * The kinds of jobs that somebody can have done again, and what that asks for beside `run-backups`. A restore is ordered
 * anew with its form; what the others do comes again by itself, or has had its time.
 */
export const retriedKinds = {
  'app-backup': 'administer-instance',
  backup: 'run-backups',
  'content-check': 'run-backups',
  'delete-snapshots': 'delete-snapshots',
  'file-check': 'run-backups',
  prune: 'run-backups',
  'repair-copy': 'run-backups',
  'run-plan': 'run-backups',
  'scan-volume': 'manage-volumes',
  verify: 'run-backups',
} as const satisfies Record<string, Ability | 'administer-instance'>
export type RetriedKind = keyof typeof retriedKinds

export function isRetried(kind: string): kind is RetriedKind {
  return Object.hasOwn(retriedKinds, kind)
}

/** What as many jobs use as may at once. */
export const fullResource = z
  .object({
    kind: z.enum(['server', 'volume', 'channel', 'app-backups']),
    name: z
      .string()
      .nullable()
      .meta({ description: 'Null if it is gone, and of app backups, which are made one at a time' }),
    capacity: z.int().meta({ description: 'So many jobs use it' }),
  })
  .meta({ id: 'FullResource' })
export type FullResource = z.output<typeof fullResource>

/** `server prod-1: 2 of 2 running` */
export function describeWait({ kind, name, capacity }: FullResource, { t }: Speech = english): string {
  const values = { name: name ?? t('(gone)'), running: capacity, capacity }
  switch (kind) {
    case 'server':
      return t('server {{name}}: {{running}} of {{capacity}} running', values)
    case 'volume':
      return t('volume {{name}}: {{running}} of {{capacity}} running', values)
    case 'channel':
      return t('channel {{name}}: {{running}} of {{capacity}} running', values)
    case 'app-backups':
      return t('app backups: {{running}} of {{capacity}} running', values)
    default: {
      const never: never = kind
      return never
    }
  }
}

/** A job as the API shows it. */
export const job = z
  .object({
    id: z.uuid(),
    kind: z.string().meta({ description: 'run-plan, backup, restore, verify, prune, …' }),
    state: z.enum(jobStates),
    parentId: z.string().nullable().meta({ description: 'The run of a plan that ordered it' }),
    serverId: z.string().nullable(),
    planId: z.string().nullable(),
    database: z.string().nullable(),
    snapshotId: z.string().nullable(),
    volumeId: z.string().nullable(),
    attempt: z.int().meta({ description: 'How often it was begun' }),
    maxAttempts: z.int(),
    isCancelRequested: z.boolean(),
    waitsFor: z
      .array(z.string())
      .meta({ description: 'In words, what a queued job waits for: server prod-1: 2 of 2 running' }),
    waitsForResources: z.array(fullResource).meta({ description: 'The same, which the words are made from' }),
    progress: jobProgress.nullable(),
    result: z.unknown().meta({ description: 'What came of it; depends on its kind' }),
    error: jobError
      .nullable()
      .meta({ description: 'Why it failed, or its last attempt; or why a hook has left it out' }),
    createdAt: z.iso.datetime(),
    runAt: z.iso.datetime().meta({ description: 'Not before' }),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Job' })
export type Job = z.output<typeof job>

/**
 * How a plan's run ended, as a whole: as the worst of it and of all that it has ordered. One that has made no backup at all
 * has proven nothing, and is no success.
 */
export function stateOfRun(run: Pick<Job, 'state'>, backups: readonly Pick<Job, 'state'>[]): JobState {
  const worst: readonly JobState[] = ['failed', 'cancelled', 'partial', 'running', 'queued']
  const states = [run, ...backups].map(({ state }) => state)
  return worst.find((state) => states.includes(state)) ?? (backups.length > 0 ? 'succeeded' : 'failed')
}

/** A line of a job's log. */
export const logLine = z
  .object({
    at: z.iso.datetime(),
    level: z.enum(['info', 'warning', 'error']),
    message: z.string(),
    fields: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'LogLine' })

/** How a plan's run ended, as a whole: `partial` if any copy is missing, `failed` if any database is. */
export const planRun = z
  .object({ state: z.enum(jobStates), run: job, backups: z.array(job) })
  .meta({ id: 'PlanRun' })
export type PlanRun = z.output<typeof planRun>
