import { z } from 'zod'
import { compression } from './codecs.ts'
import { name, wholeNumber } from './fields.ts'
import { DEFAULT_FILE_NAME, DEFAULT_PATH } from './keys.ts'
import { DEFAULT_RETENTION, retentionPolicy } from './retention.ts'

const MINUTES_PER_DAY = 1440

/** So many names with * are compared with every database; more would keep the app from its other work. */
const MAX_PATTERNS = 500

/** A regular expression over the whole name, as JavaScript has them with the flag `v`. */
const pattern = z
  .string()
  .min(1)
  .max(500)
  .refine(isPattern, { error: 'must be a regular expression' })
  .meta({ description: 'A regular expression that the whole name must match' })

const databaseNames = z
  .array(z.string().min(1).max(1000))
  .max(10_000)
  .refine((names) => names.filter((name) => name.includes('*')).length <= MAX_PATTERNS, {
    error: `At most ${MAX_PATTERNS} of the names may have a *.`,
  })

/** Which databases of the server: each time it runs, of those that are there then. */
export const databaseChoice = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('all') }),
    z.strictObject({
      mode: z.literal('selected'),
      names: databaseNames
        .min(1, 'Choose at least one database.')
        .superRefine((names, context) => {
          for (const [index, name] of names.entries()) {
            if (!hasStarInFolder(name)) continue
            const message = 'In a path, * may only stand in the file’s name.'
            context.addIssue({ code: 'custom', message, path: [index] })
          }
        })
        .meta({
          description:
            'Names, in which * stands for anything; in paths only in the file’s name, and for anything but /',
        }),
    }),
    z.strictObject({ mode: z.literal('pattern'), include: pattern, exclude: pattern.optional() }),
  ])
  .meta({ id: 'DatabaseChoice' })
export type DatabaseChoice = z.output<typeof databaseChoice>

/** What its snapshots are encrypted with. The key `instance` is the one of BACKUP_ENCRYPTION_KEY. */
export const planEncryption = z
  .discriminatedUnion('method', [
    z.strictObject({ method: z.literal('none') }),
    z.strictObject({ method: z.literal('7z'), keyId: z.string().default('instance') }),
    z.strictObject({ method: z.literal('age'), keyId: z.string() }),
  ])
  .meta({ id: 'PlanEncryption' })
export type PlanEncryption = z.output<typeof planEncryption>

/** What a plan takes from the organization's settings when it is added, unless it says it itself. */
export const planDefaults = {
  compression,
  tries: wholeNumber(1, 10).meta({ description: 'How often a backup is tried in all' }),
  backoffSeconds: wholeNumber(1, 86_400).meta({
    description: 'Before the second try; doubled before each further one',
  }),
  timeoutMinutes: wholeNumber(1, 7 * MINUTES_PER_DAY).meta({
    description: 'A backup that takes longer is ended',
  }),
  stallMinutes: wholeNumber(1, MINUTES_PER_DAY).meta({
    description: 'A backup that moved no byte for so long is ended',
  }),
  overdueMinutes: wholeNumber(1, 366 * MINUTES_PER_DAY).meta({
    description: 'When a missing backup is an alarm; absent: its schedule’s interval and two hours',
  }),
}

export const PLAN_DEFAULTS = {
  compression: { method: 'zstd', level: 3, threads: 1 },
  tries: 3,
  backoffSeconds: 60,
  timeoutMinutes: 360,
  stallMinutes: 30,
} as const satisfies Partial<{ [Name in keyof typeof planDefaults]: z.output<(typeof planDefaults)[Name]> }>

const always = {
  databases: databaseChoice,
  excludedDatabases: databaseNames.meta({
    description: 'Never these, whatever is chosen; * stands for anything, in paths too',
  }),
  dumpOptions: z
    .record(z.string(), z.unknown())
    .meta({ description: 'Those of the engine, see GET /api/v1/engines: format, jobs, excludeTables, …' }),
  path: z.string().max(255).meta({ description: 'Folder below the volume' }),
  fileName: z.string().min(1).max(255).meta({ description: 'Without extension' }),
  encryption: planEncryption,
  retention: retentionPolicy,
  jitterMinutes: wholeNumber(0, MINUTES_PER_DAY).meta({
    description: 'Starts are spread over so many minutes',
  }),
}

const sometimes = {
  windowMinutes: wholeNumber(1, MINUTES_PER_DAY).meta({
    description: 'A backup that could not start so long after its time is left out',
  }),
  bandwidth: z.int().min(1024).meta({ description: 'Bytes per second, at most' }),
  label: z.string().min(1).max(63).meta({ description: 'Only workers with this label run it' }),
}

const withDefaults = {
  databases: always.databases.default({ mode: 'all' }),
  excludedDatabases: always.excludedDatabases.default([]),
  dumpOptions: always.dumpOptions.default({}),
  path: always.path.default(DEFAULT_PATH),
  fileName: always.fileName.default(DEFAULT_FILE_NAME),
  encryption: always.encryption.default({ method: 'none' }),
  retention: always.retention.default(DEFAULT_RETENTION),
  jitterMinutes: always.jitterMinutes.default(0),
}

/** What a plan says besides its name and what it refers to, with all defaults. */
const settings = {
  ...withDefaults,
  compression: planDefaults.compression.default(PLAN_DEFAULTS.compression),
  tries: planDefaults.tries.default(PLAN_DEFAULTS.tries),
  backoffSeconds: planDefaults.backoffSeconds.default(PLAN_DEFAULTS.backoffSeconds),
  timeoutMinutes: planDefaults.timeoutMinutes.default(PLAN_DEFAULTS.timeoutMinutes),
  stallMinutes: planDefaults.stallMinutes.default(PLAN_DEFAULTS.stallMinutes),
  overdueMinutes: planDefaults.overdueMinutes.optional(),
  windowMinutes: sometimes.windowMinutes.optional(),
  bandwidth: sometimes.bandwidth.optional(),
  label: sometimes.label.optional(),
}
export const planSettings = z.strictObject(settings)
export type PlanSettings = z.output<typeof planSettings>

const planVolume = z
  .strictObject({ id: z.string(), retention: retentionPolicy.optional() })
  .meta({ description: 'A policy of its own instead of the plan’s' })
export type PlanVolume = z.output<typeof planVolume>

const references = {
  name,
  isEnabled: z.boolean().meta({ description: 'A disabled plan still runs by hand' }),
  schedules: z
    .array(z.string())
    .max(20)
    .overwrite((ids) => [...new Set(ids)])
    .meta({ description: 'Ids; none: by hand only' }),
  volumes: z
    .array(planVolume)
    .min(1, 'Choose at least one volume.')
    .max(10)
    .superRefine((volumes, context) => {
      const ids = volumes.map(({ id }) => id)
      for (const [index, id] of ids.entries()) {
        if (ids.indexOf(id) === index) continue
        context.addIssue({ code: 'custom', message: 'This volume is chosen already.', path: [index, 'id'] })
      }
    })
    .meta({ description: 'One dump is written to all of them at once' }),
}

export const newPlan = z
  .strictObject({
    ...withDefaults,
    compression: planDefaults.compression.optional(),
    tries: planDefaults.tries.optional(),
    backoffSeconds: planDefaults.backoffSeconds.optional(),
    timeoutMinutes: planDefaults.timeoutMinutes.optional(),
    stallMinutes: planDefaults.stallMinutes.optional(),
    overdueMinutes: planDefaults.overdueMinutes.nullish(),
    windowMinutes: sometimes.windowMinutes.nullish(),
    bandwidth: sometimes.bandwidth.nullish(),
    label: sometimes.label.nullish(),
    serverId: z.string(),
    name: references.name
      .optional()
      .meta({ description: 'Absent: the server’s name and its first schedule’s' }),
    isEnabled: references.isEnabled.default(true),
    schedules: references.schedules.default([]),
    volumes: references.volumes,
  })
  .meta({ id: 'NewPlan', description: 'What is absent here and has no default is that of the settings' })
export type NewPlan = z.output<typeof newPlan>

/** What is not there stays as it is; null takes away what need not be there. A plan stays with its server. */
export const planChanges = z
  .strictObject({
    ...always,
    ...references,
    ...planDefaults,
    overdueMinutes: planDefaults.overdueMinutes.nullable(),
    windowMinutes: sometimes.windowMinutes.nullable(),
    bandwidth: sometimes.bandwidth.nullable(),
    label: sometimes.label.nullable(),
  })
  .partial()
  .meta({ id: 'PlanChanges' })
export type PlanChanges = z.output<typeof planChanges>

/** A plan as the API shows it. */
export const plan = z
  .object({
    ...settings,
    ...references,
    id: z.uuid(),
    serverId: z.uuid(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Plan' })
export type Plan = z.output<typeof plan>

/** A choice of databases that is not saved yet. */
export const planPreview = z
  .strictObject({
    serverId: z.string(),
    databases: withDefaults.databases,
    excludedDatabases: withDefaults.excludedDatabases,
  })
  .meta({ id: 'PlanPreview' })

/** What a choice means for the databases that the server lists now. */
export const databaseMatches = z
  .object({
    items: z.array(
      z.object({
        database: z.string(),
        isIncluded: z.boolean(),
        why: z.enum(['not_matched', 'excluded']).optional().meta({ description: 'Why it is not included' }),
      }),
    ),
    missing: z.array(z.string()).meta({ description: 'Selected names that no database has now' }),
  })
  .meta({ id: 'DatabaseMatches' })
export type DatabaseMatches = z.output<typeof databaseMatches>

/** Backs up now what a plan says. */
export const runOrder = z
  .strictObject({
    trigger: z
      .enum(['manual', 'migration'])
      .default('manual')
      .meta({ description: 'migration: a release is about to change the database' }),
    version: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'Of the release; {version} in path and file name' }),
    comment: z.string().trim().max(2000).optional(),
    databases: z
      .array(z.string().min(1).max(1000))
      .min(1, 'Choose at least one database.')
      .max(10_000)
      .optional()
      .meta({ description: 'Only these of the plan’s' }),
    wait: z.boolean().default(false).meta({
      description: 'Answer when all is over: 200 only if every database is complete on every volume',
    }),
  })
  .meta({ id: 'RunOrder' })
export type RunOrder = z.output<typeof runOrder>

/** A job that does what was ordered. */
export const startedRun = z
  .object({
    jobId: z.uuid(),
    joined: z.boolean().meta({ description: 'The same was waiting to be run already' }),
  })
  .meta({ id: 'StartedRun' })

/** How many of the snapshots that stay are named. */
export const MOST_KEPT = 100

const keptFields = {
  keptCount: z
    .int()
    .meta({ description: 'How many of its snapshots are not deleted: they stay, under no plan' }),
  kept: z
    .array(
      z.object({
        id: z.uuid(),
        database: z.string(),
        takenAt: z.iso.datetime(),
        reason: z.string().meta({
          description: 'It is locked, a job reads it, or it has a copy on a volume that is only read',
        }),
      }),
    )
    .meta({ description: `Those, the newest first; not more than ${MOST_KEPT}` }),
}

/** What comes of a plan that is deleted. */
export const deletedPlan = z
  .object({
    jobIds: z.array(z.uuid()).meta({ description: 'Of the jobs that delete its snapshots' }),
    ...keptFields,
  })
  .meta({ id: 'DeletedPlan' })
export type DeletedPlan = z.output<typeof deletedPlan>

const lost = {
  snapshots: z.int(),
  copies: z.int().meta({ description: 'That lie on volumes' }),
  bytes: z.int(),
}

/** What would go with a plan if its snapshots are deleted, too, what would stay, and what is in the way. */
export const planLosses = z
  .object({
    ...lost,
    newest: z.iso.datetime().nullable().meta({ description: 'When the newest of them was taken' }),
    databases: z.array(z.object({ database: z.string(), ...lost, newest: z.iso.datetime() })).meta({
      description: 'The same for each database of which snapshots go',
    }),
    ...keptFields,
    scheduledRestores: z
      .array(z.string())
      .meta({ description: 'Names; while there are any, it cannot be deleted' }),
    runningBackups: z.int().meta({ description: 'Likewise' }),
  })
  .meta({ id: 'PlanLosses' })
export type PlanLosses = z.output<typeof planLosses>

/** In a path, a * before the last slash. */
function hasStarInFolder(name: string): boolean {
  return name.startsWith('/') && name.lastIndexOf('/') > name.indexOf('*') && name.includes('*')
}

function isPattern(text: string): boolean {
  try {
    return Boolean(new RegExp(text, 'v'))
  } catch {
    return false
  }
}
