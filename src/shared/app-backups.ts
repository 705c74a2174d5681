import { z } from 'zod'
import { name } from './fields.ts'
import { jobError } from './jobs.ts'
import { appBackupRule, newAppBackupRule } from './schedules.ts'

/** When a registration makes a backup of the app's own database. */
export const appBackupSchedule = appBackupRule
export type AppBackupSchedule = z.output<typeof appBackupSchedule>
/** Without a time zone it is the installation's. */
export const newAppBackupSchedule = newAppBackupRule
export type NewAppBackupSchedule = z.output<typeof newAppBackupSchedule>

const settings = z.record(z.string(), z.unknown()).meta({
  description:
    'Those of its kind, see GET /api/v1/volume-kinds; a relative path is one from the data directory. A secret that equals its mask stays, unless it would be sent to another address',
})

const schedules = z
  .array(newAppBackupSchedule)
  .max(20)
  .meta({ description: 'Where no time zone is given, it is the installation’s. None: only by hand' })

const fields = {
  name,
  kind: z.string().meta({ description: 'A name of GET /api/v1/volume-kinds; or give volumeId' }),
  settings,
  volumeId: z.string().meta({ description: 'A volume that is there already, instead of kind and settings' }),
  schedules,
  isEnabled: z.boolean(),
}

/** Either kind and settings, or the id of a volume. */
export const newAppBackupRegistration = z
  .strictObject({
    ...fields,
    kind: fields.kind.optional(),
    settings: fields.settings.optional(),
    volumeId: fields.volumeId.optional(),
    schedules: fields.schedules.default([]),
    isEnabled: fields.isEnabled.default(true),
  })
  .meta({ id: 'NewAppBackupRegistration' })
export type NewAppBackupRegistration = z.output<typeof newAppBackupRegistration>

/** What is not there stays as it is. A kind comes with its settings; settings alone are those of the same kind. */
export const appBackupRegistrationChanges = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'AppBackupRegistrationChanges' })
export type AppBackupRegistrationChanges = z.output<typeof appBackupRegistrationChanges>

/** Settings that are tried out before they are saved. */
export const appBackupTrial = z
  .strictObject({
    kind: fields.kind.optional(),
    settings: fields.settings.optional(),
    volumeId: fields.volumeId.optional(),
    registrationId: z
      .string()
      .optional()
      .meta({ description: 'The registration whose secrets the masks in the settings stand for' }),
  })
  .meta({ id: 'AppBackupTrial' })
export type AppBackupTrial = z.output<typeof appBackupTrial>

export const appBackupCauses = ['manual', 'first', 'migration', 'daily', 'weekly', 'monthly'] as const
export type AppBackupCause = (typeof appBackupCauses)[number]

/** A backup of the app's own database. */
export const appBackup = z
  .object({
    id: z.uuid(),
    registrationId: z.string(),
    registrationName: z.string(),
    key: z.string().meta({ description: '2026-11-22T03-00-00Z/db_v12.db' }),
    location: z.string().meta({ description: 'Where it was put, in words' }),
    cause: z.enum(appBackupCauses),
    schemaVersion: z.int(),
    state: z.enum(['running', 'succeeded', 'failed']),
    bytes: z.int().nullable(),
    sha256: z.string().nullable(),
    error: jobError
      .nullable()
      .meta({ description: 'Why it failed; of one that succeeded, why it could not be removed' }),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'AppBackup' })
export type AppBackup = z.output<typeof appBackup>

/** Where and when the app's own database is backed up, as the API shows it: secrets are masked. */
export const appBackupRegistration = z
  .object({
    id: z.uuid(),
    name,
    kind: z.string().meta({ description: 'Of the volume' }),
    kindLabel: z.string(),
    settings: settings.nullable().meta({ description: 'Null where it uses a volume' }),
    volumeId: z.string().nullable(),
    volumeName: z.string().nullable(),
    location: z
      .string()
      .nullable()
      .meta({ description: 'Where it is, in words; null if its settings are not valid any more' }),
    isFolder: z.boolean().meta({
      description: 'A folder of this machine: localAppBackups of the settings says how many it keeps',
    }),
    keeps: z.int().meta({ description: 'So many of the newest; 0: all' }),
    schedules: z.array(appBackupSchedule),
    descriptions: z.array(z.string()).meta({ description: 'The schedules in words' }),
    isEnabled: z.boolean(),
    isManaged: z.boolean().meta({ description: 'The environment says what it is: it is changed there' }),
    nextRun: z.iso.datetime().nullable().meta({ description: 'Null for migrations, and by hand' }),
    lastBackup: appBackup.nullable(),
    backups: z.int().meta({ description: 'How many it keeps at present' }),
    warnings: z.array(z.string()),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'AppBackupRegistration' })
export type AppBackupRegistration = z.output<typeof appBackupRegistration>
