import { z } from 'zod'
import { hookOutcome } from './hooks.ts'
import { job } from './jobs.ts'
import { secret } from './secrets.ts'
import { testStep } from './test-report.ts'

export const restoreModes = ['new', 'replace', 'existing'] as const
export type RestoreMode = (typeof restoreModes)[number]

/** What a restore and a scheduled restore have in common. */
export const restoreFields = {
  mode: z.enum(restoreModes).meta({
    description: 'new: must not exist · replace: takes its place · existing: is added to',
  }),
  options: z.record(z.string(), z.unknown()).meta({
    description: 'The engine’s restoreOptions, see GET /api/v1/engines: content, jobs, owner, …',
  }),
  tables: z
    .array(z.string().min(1).max(1000))
    .min(1, 'Name at least one table, or leave this out.')
    .max(1000)
    .meta({ description: 'Only these' }),
  endSessions: z
    .boolean()
    .meta({ description: 'End other people’s sessions on the database that is replaced' }),
  safetySnapshot: z
    .boolean()
    .meta({ description: 'With replace: back the database up before it is replaced' }),
  runAfter: z
    .string()
    .max(1_000_000)
    .refine((sql) => sql.trim() !== '', 'must not be empty')
    .meta({
      description:
        'SQL that runs in the restored database before it takes its name, to mask personal data for instance. If it fails, so does the restore',
    }),
  confirmation: z.string().meta({
    description:
      'The name of the database, for a file its path or its name; wanted where one of a server in production is changed',
  }),
}

/** Keys that the app does not have. They are sealed, and forgotten as soon as the restore begins. */
const keys = z
  .strictObject({
    ageIdentity: secret('age identity', 'AGE-SECRET-KEY-1…').optional(),
    passphrase: secret('Passphrase of age, or password of 7z').optional(),
  })
  .meta({ id: 'RestoreKeys' })
export type RestoreKeys = z.output<typeof keys>

export const newRestore = z
  .strictObject({
    snapshotId: z.string(),
    volumeId: z.string().optional().meta({ description: 'Which copy; if absent, the best one' }),
    serverId: z.string().meta({ description: 'Where to' }),
    database: z
      .string()
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'Absent only for what belongs to the server itself' }),
    mode: restoreFields.mode.default('new'),
    options: restoreFields.options.default({}),
    tables: restoreFields.tables.optional(),
    endSessions: restoreFields.endSessions.default(false),
    safetySnapshot: restoreFields.safetySnapshot.default(true),
    runAfter: restoreFields.runAfter.optional(),
    keys: keys.optional(),
    confirmation: restoreFields.confirmation.optional(),
  })
  .meta({ id: 'NewRestore' })
export type NewRestore = z.output<typeof newRestore>

/** Puts back what a restore has replaced. */
export const undoRestore = z
  .strictObject({
    endSessions: restoreFields.endSessions.default(false),
    safetySnapshot: restoreFields.safetySnapshot.default(true),
    keys: keys.optional(),
    confirmation: restoreFields.confirmation.optional(),
  })
  .meta({ id: 'UndoRestore' })
export type UndoRestore = z.output<typeof undoRestore>

/** What came of a restore. */
export const restoreResult = z
  .object({
    database: z.string().nullable(),
    rows: z.object({ tables: z.int(), rows: z.int() }).nullable().meta({
      description: 'What was counted, and is as in the snapshot; null where nothing is to be compared',
    }),
    seconds: z.record(z.string(), z.number()).meta({ description: 'By phase' }),
    rawBytes: z.int().meta({ description: 'Of the dump' }),
    safetySnapshotId: z.string().nullable().meta({ description: 'What was there before' }),
  })
  .meta({ id: 'RestoreResult' })
export type RestoreResult = z.output<typeof restoreResult>

/** A restore as the API shows it: a job, and what it was to do. */
export const restore = job
  .omit({ kind: true, parentId: true, planId: true, result: true })
  .extend({
    mode: restoreFields.mode,
    options: restoreFields.options,
    endSessions: restoreFields.endSessions,
    safetySnapshot: restoreFields.safetySnapshot,
    runAfter: z.string().nullable(),
    scheduledRestoreId: z.string().nullable(),
    undoes: z.string().nullable().meta({ description: 'The restore that it takes back' }),
    safetySnapshotId: z
      .string()
      .nullable()
      .meta({ description: 'What was there before, also if the restore has failed' }),
    result: restoreResult.nullable(),
    hooks: z.array(hookOutcome).meta({ description: 'What ran around it, also if that has stopped it' }),
  })
  .meta({ id: 'Restore' })
export type Restore = z.output<typeof restore>

export const startedRestore = z
  .object({
    jobId: z.uuid(),
    warnings: z.array(z.string()).meta({ description: 'In sentences; the restore goes on' }),
  })
  .meta({ id: 'StartedRestore' })
export type StartedRestore = z.output<typeof startedRestore>

/** What a restore would meet, without changing anything. */
export const restoreCheck = z
  .object({
    isPossible: z.boolean(),
    problems: z
      .array(
        z.object({
          code: z.string(),
          message: z.string(),
          hint: z.string().optional(),
          field: z.string().optional(),
        }),
      )
      .meta({ description: 'Each of them refuses the restore' }),
    warnings: z.array(z.string()),
    needsConfirmation: z.boolean().meta({ description: 'The name of the database must be sent with it' }),
    steps: z.array(testStep),
    snapshot: z.object({
      id: z.uuid(),
      database: z.string(),
      serverName: z.string(),
      engine: z.string(),
      version: z.string().meta({ description: 'Of the server that was backed up' }),
      takenAt: z.iso.datetime(),
      rawBytes: z.int().meta({ description: 'Of the dump, which is what will be loaded' }),
      storedBytes: z.int().meta({ description: 'Of the object, which is what will be downloaded' }),
      tables: z.int().nullable().meta({ description: 'Whose rows are known' }),
      rows: z.int().nullable(),
    }),
    copy: z
      .object({ volumeId: z.string(), volumeName: z.string(), key: z.string(), bytes: z.int() })
      .nullable(),
    target: z.object({
      serverId: z.string(),
      serverName: z.string(),
      database: z.string().nullable(),
      exists: z.boolean().nullable().meta({ description: 'Null if it could not be asked' }),
      version: z.string().nullable(),
    }),
    estimate: z
      .object({
        seconds: z.number(),
        basis: z.enum(['last restore', 'size']),
      })
      .meta({
        description: 'How long it may take, from the last restore of this database, or from its size',
      }),
  })
  .meta({ id: 'RestoreCheck' })
export type RestoreCheck = z.output<typeof restoreCheck>
