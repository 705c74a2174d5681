import { z } from 'zod'
import { name } from './fields.ts'
import { restoreFields } from './restores.ts'
import { english, momentOf, type Speech, unitsOf } from './words.ts'

const MOST_HOURS = 366 * 24

const fields = {
  name,
  sourceServerId: z.string(),
  sourceDatabase: z.string().min(1).max(1000),
  targetServerId: z.string(),
  targetDatabase: z.string().min(1).max(1000),
  isEnabled: z.boolean().meta({ description: 'A disabled one still runs by hand' }),
  mode: restoreFields.mode,
  options: restoreFields.options,
  endSessions: restoreFields.endSessions,
  safetySnapshot: restoreFields.safetySnapshot,
  newestWithinHours: z
    .int()
    .min(1)
    .max(MOST_HOURS)
    .meta({ description: 'A snapshot that is older is not restored' }),
  skipUnchanged: z
    .boolean()
    .meta({ description: 'The snapshot that was restored last is not restored again' }),
}

const planId = z.string().meta({ description: 'Only snapshots of this plan' })
const scheduleId = z.string().meta({ description: 'Absent: by hand only' })

/** What is kept of it besides what it refers to, with all defaults. */
export const scheduledRestoreSettings = z.object({
  targetDatabase: fields.targetDatabase,
  planId: planId.nullable().default(null),
  mode: fields.mode.default('replace'),
  options: fields.options.default({}),
  endSessions: fields.endSessions.default(false),
  safetySnapshot: fields.safetySnapshot.default(true),
  runAfter: restoreFields.runAfter.nullable().default(null),
  newestWithinHours: fields.newestWithinHours.default(48),
  skipUnchanged: fields.skipUnchanged.default(true),
  /** Somebody has typed the name of the target. */
  isConfirmed: z.boolean().default(false),
})
export type ScheduledRestoreSettings = z.output<typeof scheduledRestoreSettings>

/** Why nothing was restored. */
export const skip = z
  .discriminatedUnion('why', [
    z.object({ why: z.literal('deleted') }),
    z.object({ why: z.literal('disabled') }),
    /** A restore into the same database. */
    z.object({ why: z.literal('underWay'), database: z.string() }),
    z.object({ why: z.literal('noSnapshot'), database: z.string(), isOfPlan: z.boolean() }),
    z.object({ why: z.literal('tooOld'), takenAt: z.iso.datetime(), hours: z.int() }),
    z.object({ why: z.literal('restoredBefore'), takenAt: z.iso.datetime() }),
    /** With what the app has said. */
    z.object({ why: z.literal('refused'), message: z.string() }),
  ])
  .meta({ id: 'ScheduledRestoreSkip' })
export type Skip = z.output<typeof skip>

/** As a sentence; its times are those of the time zone, or of the viewer's if there is none. */
export function describeSkip(skip: Skip, timeZone?: string, speech: Speech = english): string {
  const { t } = speech
  const moment = (at: string) =>
    momentOf(at, { timeZoneName: 'short', ...(timeZone !== undefined && { timeZone }) }, speech)
  switch (skip.why) {
    case 'deleted':
      return t('It was deleted.')
    case 'disabled':
      return t('It is disabled.')
    case 'underWay':
      return t('A restore into “{{database}}” is still under way.', { database: skip.database })
    case 'noSnapshot':
      return skip.isOfPlan
        ? t('There is no snapshot of “{{database}}” of the plan that could be read.', {
            database: skip.database,
          })
        : t('There is no snapshot of “{{database}}” that could be read.', { database: skip.database })
    case 'tooOld':
      return t('The newest snapshot is of {{time}}, which is more than {{hours}} ago.', {
        time: moment(skip.takenAt),
        hours: unitsOf(skip.hours, 'hour', speech),
      })
    case 'restoredBefore':
      return t('The newest snapshot, of {{time}}, was restored before.', { time: moment(skip.takenAt) })
    case 'refused':
      return skip.message
    default: {
      const never: never = skip
      return never
    }
  }
}

export const newScheduledRestore = z
  .strictObject({
    ...fields,
    planId: planId.nullish(),
    scheduleId: scheduleId.nullish(),
    isEnabled: fields.isEnabled.default(true),
    mode: fields.mode.default('replace'),
    options: fields.options.default({}),
    tables: restoreFields.tables.optional(),
    endSessions: fields.endSessions.default(false),
    safetySnapshot: fields.safetySnapshot.default(true),
    runAfter: restoreFields.runAfter.nullish(),
    newestWithinHours: fields.newestWithinHours.default(48),
    skipUnchanged: fields.skipUnchanged.default(true),
    confirmation: restoreFields.confirmation.optional(),
  })
  .meta({ id: 'NewScheduledRestore' })
export type NewScheduledRestore = z.output<typeof newScheduledRestore>

/** What is not there stays as it is; null takes away what need not be there. */
export const scheduledRestoreChanges = z
  .strictObject({
    ...fields,
    planId: planId.nullable(),
    scheduleId: scheduleId.nullable(),
    runAfter: restoreFields.runAfter.nullable(),
    confirmation: restoreFields.confirmation,
  })
  .partial()
  .meta({ id: 'ScheduledRestoreChanges' })
export type ScheduledRestoreChanges = z.output<typeof scheduledRestoreChanges>

/** A scheduled restore as the API shows it. */
export const scheduledRestore = z
  .object({
    ...fields,
    id: z.uuid(),
    planId: planId.nullable(),
    scheduleId: scheduleId.nullable(),
    runAfter: z.string().nullable(),
    lastJobId: z.string().nullable(),
    lastSnapshotId: z.string().nullable().meta({ description: 'What was restored last' }),
    lastSkippedAt: z.iso.datetime().nullable(),
    lastSkipReason: z.string().nullable().meta({ description: 'In a sentence' }),
    lastSkip: skip.nullable().meta({ description: 'The same, which the sentence is made from' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'ScheduledRestore' })
export type ScheduledRestore = z.output<typeof scheduledRestore>
