import { z } from 'zod'
import { manifest } from './snapshots.ts'

/**
 * `stored`: the volume has confirmed exactly its bytes. `failed`: it was wanted there, and is not yet. `missing`,
 * `corrupt`: found so later. `delete_pending`: it is to go, and the volume has not let it go yet.
 */
export const copyStates = ['stored', 'failed', 'missing', 'corrupt', 'delete_pending'] as const
export type CopyState = (typeof copyStates)[number]

const instant = z.iso.datetime()
const idOrNull = z.string().nullable()

const copyFields = {
  volumeId: z.string(),
  volumeName: z.string(),
  key: z.string(),
  bytes: z.int(),
}

export const copy = z
  .object({
    ...copyFields,
    state: z.enum(copyStates),
    error: z
      .object({ code: z.string(), message: z.string(), hint: z.string().optional() })
      .nullable()
      .meta({ description: 'Why it is not stored, or could not be deleted' }),
    checkedAt: instant.nullable().meta({ description: 'When it was last looked for' }),
    contentCheckedAt: instant
      .nullable()
      .meta({ description: 'When all its bytes were last read and compared' }),
    createdAt: instant,
  })
  .meta({ id: 'Copy' })
export type Copy = z.output<typeof copy>

const lock = z.union([z.boolean(), instant]).meta({
  description: 'True: until it is unlocked; a time: until then. Retention and deletion leave it alone',
})

const comment = z.string().trim().min(1, 'must not be empty').max(1000, 'must have at most 1000 characters')

/** A snapshot as lists show it. */
export const snapshot = z
  .object({
    id: z.uuid(),
    serverId: idOrNull.meta({ description: 'Null when the server was forgotten' }),
    serverName: z.string(),
    engine: z.string(),
    database: z.string(),
    planId: idOrNull.meta({ description: 'Null: of no plan (any more)' }),
    planName: z.string().nullable(),
    jobId: idOrNull,
    takenAt: instant.meta({ description: 'The moment that it shows' }),
    finishedAt: instant,
    format: z.string(),
    rawBytes: z.int(),
    storedBytes: z.int(),
    sha256: z.string().meta({ description: 'Of the object as it is stored' }),
    keyId: idOrNull.meta({ description: 'What it is encrypted with; null: not encrypted' }),
    keyFingerprint: z.string().nullable(),
    trigger: z.string(),
    releaseVersion: z.string().nullable(),
    comment: z.string().nullable(),
    locked: lock,
    provenAt: instant.nullable().meta({ description: 'When a drill last restored it' }),
    isPartial: z.boolean().meta({ description: 'Something was left out on purpose' }),
    isForeign: z.boolean().meta({ description: 'It was made by another program' }),
    copies: z.array(copy),
  })
  .meta({ id: 'Snapshot' })
export type Snapshot = z.output<typeof snapshot>

export const snapshotDetails = snapshot
  .extend({
    manifest: manifest.meta({ description: 'All that is known of it, as it lies beside each copy' }),
  })
  .meta({ id: 'SnapshotDetails' })
export type SnapshotDetails = z.output<typeof snapshotDetails>

/** What is not there stays as it is. */
export const snapshotChanges = z
  .strictObject({ locked: lock, comment: comment.nullable() })
  .partial()
  .meta({ id: 'SnapshotChanges' })
export type SnapshotChanges = z.output<typeof snapshotChanges>

export const snapshotSorts = ['takenAt', 'storedBytes', 'database'] as const
export type SnapshotSort = (typeof snapshotSorts)[number]
export type SortOrder = 'asc' | 'desc'

/** The newest first, the largest first, A to Z: unless the other is asked for. */
export const usualOrders = {
  takenAt: 'desc',
  storedBytes: 'desc',
  database: 'asc',
} as const satisfies Record<SnapshotSort, SortOrder>

const yesOrNo = z.enum(['true', 'false']).optional()
const name = z.string().min(1).max(1000).optional()

/** Which snapshots a list shows. */
export const snapshotQuery = z.object({
  server: name.meta({ description: 'Id' }),
  plan: name.meta({ description: 'Id, or none: of no plan' }),
  database: name,
  volume: name.meta({ description: 'Id: with a copy there' }),
  engine: name,
  from: instant.optional().meta({ description: 'Taken then or later' }),
  to: instant.optional().meta({ description: 'Taken before then' }),
  locked: yesOrNo,
  proven: yesOrNo,
  copy: z.enum(copyStates).optional().meta({ description: 'With a copy in this state' }),
  search: z.string().trim().min(1).max(200).optional().meta({
    description: 'In the database, the comment, the server’s name, the release’s version, or a key',
  }),
  sort: z
    .enum(snapshotSorts)
    .default('takenAt')
    .meta({ description: 'By time, by size, or by the name of the database; those of one name by time' }),
  order: z.enum(['asc', 'desc']).optional().meta({
    description: 'Absent: the newest first, the largest first, A to Z',
  }),
})
export type SnapshotQuery = z.output<typeof snapshotQuery>

/** The snapshots of one database of a server. */
export const databaseSnapshots = z
  .object({
    database: z.string(),
    snapshots: z.int().meta({ description: 'How many' }),
    newestAt: instant.meta({ description: 'When the newest was taken' }),
  })
  .meta({ id: 'DatabaseSnapshots' })
export type DatabaseSnapshots = z.output<typeof databaseSnapshots>

export const snapshotContents = z
  .object({
    source: z.literal('manifest'),
    tables: z
      .array(z.object({ name: z.string(), rows: z.int() }))
      .nullable()
      .meta({ description: 'Null where the dump does not tell' }),
    rows: z.int().nullable().meta({ description: 'In all tables together' }),
    leftOut: z.array(z.string()).meta({ description: 'On purpose, in words' }),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'SnapshotContents' })
export type SnapshotContents = z.output<typeof snapshotContents>

/** Which snapshots to delete, from all volumes. */
export const deletionOrder = z
  .strictObject({
    ids: z.array(z.uuid()).min(1).max(1000),
    dryRun: z.boolean().default(false).meta({ description: 'Only say what would go' }),
    newest: z
      .boolean()
      .default(false)
      .meta({ description: 'Also the newest good one of a database, which is else refused' }),
  })
  .meta({ id: 'DeletionOrder' })

/** What goes, or would go. */
export const deletion = z
  .object({
    snapshots: z.array(
      z.object({
        id: z.uuid(),
        serverName: z.string(),
        database: z.string(),
        takenAt: instant,
        storedBytes: z.int(),
        isNewest: z.boolean().meta({ description: 'No newer good one of this database would stay' }),
        refusal: z.string().nullable().meta({ description: 'Why it cannot be deleted, in words' }),
        copies: z.array(z.object(copyFields)),
      }),
    ),
    copies: z.int().meta({ description: 'How many' }),
    bytes: z.int().meta({ description: 'On all volumes together' }),
    jobIds: z.array(z.string()).meta({ description: 'Of the jobs that delete them, one for each volume' }),
  })
  .meta({ id: 'Deletion' })
export type Deletion = z.output<typeof deletion>

export const verification = z
  .strictObject({ volumeId: z.string().min(1).optional().meta({ description: 'Only the copy there' }) })
  .meta({ id: 'Verification' })

export const downloadLink = z
  .object({ url: z.url(), expiresAt: instant })
  .meta({ id: 'DownloadLink', description: 'Works without credentials until then' })
