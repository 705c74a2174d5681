import { z } from 'zod'
import { name, wholeNumber } from './fields.ts'
import { type CopyState, copyStates } from './snapshots-api.ts'

const MAX_BYTES = Number.MAX_SAFE_INTEGER

const settings = z.record(z.string(), z.unknown()).meta({
  description:
    'Those of its kind, see GET /api/v1/volume-kinds. A secret that equals its mask stays, unless it would be sent to another address',
})

const fields = {
  name,
  settings,
  quota: wholeNumber(1, MAX_BYTES)
    .nullable()
    .meta({ description: 'How many bytes of copies it may hold; null: no limit' }),
  quotaAction: z
    .enum(['warn', 'refuse'])
    .meta({ description: 'What happens at the quota: backups say so, or are not written to it' }),
  bandwidth: wholeNumber(1024, MAX_BYTES)
    .nullable()
    .meta({ description: 'Bytes per second to and from it, of one node; null: no limit' }),
  maxRunning: wholeNumber(1, 64).meta({ description: 'How many jobs may use it at once' }),
  isReadOnly: z.boolean().meta({ description: 'For imports: nothing on it is changed' }),
}

export const newVolume = z
  .strictObject({
    ...fields,
    kind: z.string().meta({ description: 'A name of GET /api/v1/volume-kinds' }),
    quota: fields.quota.default(null),
    quotaAction: fields.quotaAction.default('warn'),
    bandwidth: fields.bandwidth.default(null),
    maxRunning: fields.maxRunning.default(4),
    isReadOnly: fields.isReadOnly.default(false),
  })
  .meta({ id: 'NewVolume' })

/** What is not there stays as it is. The kind of a volume cannot change. */
export const volumeChanges = z
  .strictObject({
    ...fields,
    filesWereMoved: z.boolean().meta({
      description:
        'The settings name another place, to which all copies were moved: they are looked for there first',
    }),
  })
  .partial()
  .meta({ id: 'VolumeChanges' })

/** A volume as the API shows it: secrets are masked. */
export const volume = z
  .object({
    ...fields,
    id: z.uuid(),
    kind: z.string(),
    location: z
      .string()
      .nullable()
      .meta({ description: 'Where it is, in words; null if its settings are not valid any more' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Volume' })

/** A kind of volume, and the JSON schema of its settings: forms are drawn from it. */
export const volumeKind = z
  .object({ name: z.string(), label: z.string(), settings: z.record(z.string(), z.unknown()) })
  .meta({ id: 'VolumeKind' })

/** Settings that are tried out before they are saved. */
export const volumeTrial = z
  .strictObject({
    kind: z.string(),
    settings,
    isReadOnly: fields.isReadOnly.default(false),
    volumeId: z
      .string()
      .optional()
      .meta({ description: 'The volume whose secrets the masks in the settings stand for' }),
  })
  .meta({ id: 'VolumeTrial' })

const count = z.int().min(0)

/** What a volume holds, as the catalogue knows it. */
export const volumeUsage = z
  .object({
    snapshots: count.meta({ description: 'Of which it holds a good copy' }),
    copies: z.object(
      Object.fromEntries(copyStates.map((state) => [state, count])) as Record<CopyState, typeof count>,
    ),
    bytes: count.meta({ description: 'Of its good copies' }),
    occupiedBytes: count.meta({
      description: 'Which the quota counts: with those of damaged copies, and of those still to be deleted',
    }),
    quota: fields.quota,
    quotaShare: z.number().nullable().meta({ description: '1 is the whole quota; null if there is none' }),
    oldest: z.iso.datetime().nullable().meta({ description: 'When its oldest snapshot was taken' }),
    newest: z.iso.datetime().nullable(),
  })
  .meta({ id: 'VolumeUsage' })

/** What the catalogue has forgotten with a volume. The objects are still where they were. */
export const forgottenVolume = z
  .object({
    copies: count,
    bytes: count,
    snapshots: count.meta({ description: 'Those that had a copy nowhere else' }),
  })
  .meta({ id: 'ForgottenVolume' })

/** What would be forgotten with a volume, and what is in the way. */
export const volumeLosses = z
  .object({
    copies: count.meta({ description: 'But for those that were never stored' }),
    bytes: count,
    newest: z.iso.datetime().nullable().meta({ description: 'When the newest of their snapshots was taken' }),
    snapshots: count.meta({ description: 'Those that have a copy nowhere else' }),
    plans: z.array(z.string()).meta({ description: 'Names; while there are any, it cannot be forgotten' }),
    appBackupRegistrations: z.array(z.string()).meta({ description: 'Likewise' }),
  })
  .meta({ id: 'VolumeLosses' })

/** What came of reading all manifests of a volume: the result of the job `scan-volume`. */
export const volumeScan = z
  .object({
    found: count.meta({ description: 'Manifests in all: the sum of the four that follow' }),
    adopted: count.meta({ description: 'Snapshots, or copies of known ones, that are new to the catalogue' }),
    known: count,
    unreadableCount: count,
    withoutObjectCount: count,
    unreadable: z
      .array(z.object({ key: z.string(), message: z.string() }))
      .meta({ description: 'The first 50 that cannot be adopted, and why' }),
    withoutObject: z.array(z.string()).meta({ description: 'The first 50 keys whose object is not there' }),
  })
  .meta({ id: 'VolumeScan' })

export type NewVolume = z.output<typeof newVolume>
export type VolumeChanges = z.output<typeof volumeChanges>
export type Volume = z.output<typeof volume>
export type VolumeTrial = z.output<typeof volumeTrial>
export type VolumeUsage = z.output<typeof volumeUsage>
export type ForgottenVolume = z.output<typeof forgottenVolume>
export type VolumeLosses = z.output<typeof volumeLosses>
export type VolumeScan = z.output<typeof volumeScan>
