import { z } from 'zod'
import { compression } from './codecs.ts'
import { DEFAULT_FILE_NAME, DEFAULT_PATH } from './keys.ts'
import { DEFAULT_RETENTION, retentionPolicy } from './retention.ts'

const MINUTES_PER_DAY = 1440

/** A regular expression over the whole name, as JavaScript has them with the flag `v`. */
const pattern = z
  .string()
  .min(1)
  .max(500)
  .refine(isPattern, { error: 'must be a regular expression' })
  .meta({ description: 'A regular expression that the whole name must match' })

/** Which databases of the server: each time it runs, of those that are there then. */
export const databaseChoice = z
  .discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('all') }),
    z.strictObject({
      mode: z.literal('selected'),
      names: z
        .array(z.string().min(1).max(1000))
        .min(1, 'Choose at least one database.')
        .max(10_000)
        .meta({ description: 'Names; for SQLite paths, where * stands for anything in a file’s name' }),
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

/** What a plan says besides its name and what it refers to, with all defaults. */
const settings = {
  databases: databaseChoice.default({ mode: 'all' }),
  excludedDatabases: z
    .array(z.string().min(1).max(1000))
    .max(10_000)
    .default([])
    .meta({ description: 'Never these, whatever is chosen; * stands for anything' }),
  dumpOptions: z
    .record(z.string(), z.unknown())
    .default({})
    .meta({ description: 'Those of the engine, see GET /api/v1/engines: format, jobs, excludeTables, …' }),
  path: z.string().max(255).default(DEFAULT_PATH).meta({ description: 'Folder below the volume' }),
  fileName: z.string().min(1).max(255).default(DEFAULT_FILE_NAME).meta({ description: 'Without extension' }),
  compression: compression.default({ method: 'zstd', level: 3, threads: 1 }),
  encryption: planEncryption.default({ method: 'none' }),
  retention: retentionPolicy.default(DEFAULT_RETENTION),
  tries: z.int().min(1).max(10).default(3).meta({ description: 'How often a backup is tried in all' }),
  backoffSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .meta({ description: 'Before the second try; doubled before each further one' }),
  timeoutMinutes: z
    .int()
    .min(1)
    .max(7 * MINUTES_PER_DAY)
    .default(360)
    .meta({ description: 'A backup that takes longer is ended' }),
  stallMinutes: z
    .int()
    .min(1)
    .max(MINUTES_PER_DAY)
    .default(30)
    .meta({ description: 'A backup that moved no byte for so long is ended' }),
  windowMinutes: z
    .int()
    .min(1)
    .max(MINUTES_PER_DAY)
    .optional()
    .meta({ description: 'A backup that could not start so long after its time is left out' }),
  jitterMinutes: z
    .int()
    .min(0)
    .max(MINUTES_PER_DAY)
    .default(0)
    .meta({ description: 'Starts are spread over so many minutes' }),
  overdueMinutes: z
    .int()
    .min(1)
    .max(366 * MINUTES_PER_DAY)
    .optional()
    .meta({ description: 'When a missing backup is an alarm; absent: two hours after its schedule' }),
  bandwidth: z.int().min(1024).optional().meta({ description: 'Bytes per second, at most' }),
  label: z.string().min(1).max(63).optional().meta({ description: 'Only workers with this label run it' }),
}
export const planSettings = z.strictObject(settings)
export type PlanSettings = z.output<typeof planSettings>

const planVolume = z
  .strictObject({ id: z.string(), retention: retentionPolicy.optional() })
  .meta({ description: 'A policy of its own instead of the plan’s' })

const references = {
  name: z.string().trim().min(1, 'must not be empty').max(100, 'must have at most 100 characters'),
  isEnabled: z.boolean().meta({ description: 'A disabled plan still runs by hand' }),
  schedules: z.array(z.string()).max(20).meta({ description: 'Ids; none: by hand only' }),
  volumes: z.array(planVolume).min(1, 'Choose at least one volume.').max(10),
}

export const newPlan = z
  .strictObject({
    ...settings,
    serverId: z.string(),
    name: references.name
      .optional()
      .meta({ description: 'Absent: the server’s name and its first schedule’s' }),
    isEnabled: references.isEnabled.default(true),
    schedules: references.schedules.default([]),
    volumes: references.volumes,
  })
  .meta({ id: 'NewPlan' })
export type NewPlan = z.output<typeof newPlan>

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

function isPattern(text: string): boolean {
  try {
    return Boolean(new RegExp(text, 'v'))
  } catch {
    return false
  }
}
