import { z } from 'zod'
import { compressionMethods } from './codecs.ts'

/** The end of a manifest's key; what stands before it is the object's key. */
export const MANIFEST_SUFFIX = '.manifest.json'

const bytes = z.int().min(0)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex')
const instant = z.iso.datetime()

/**
 * The small JSON beside a copy that says what it is. Version 1. A reader must ignore fields that it does not know;
 * a change that an old reader would misunderstand gets a new version.
 */
export const manifest = z.object({
  version: z.literal(1).meta({ description: 'Of this format' }),
  holdfast: z.string().meta({ description: 'Version of Holdfast that wrote it' }),
  snapshot: z
    .uuid()
    .meta({ description: 'The snapshot’s id, the same on every volume; time-ordered (UUIDv7)' }),
  startedAt: instant.meta({ description: 'When the dump began: the moment that the snapshot shows' }),
  finishedAt: instant.meta({ description: 'When the last byte was confirmed by a volume' }),
  organization: z.string().optional(),
  server: z.object({
    id: z.string().optional(),
    name: z.string().meta({ description: 'The name that people gave it; if they gave none, its host' }),
    engine: z.string().meta({ description: 'postgresql, mysql, sqlite, …' }),
    flavour: z.string().meta({ description: 'mysql or mariadb for the engine mysql; else the engine' }),
    version: z.string(),
  }),
  database: z.string().meta({
    description: 'Its name; @globals where the format is globals: what belongs to the server itself',
  }),
  properties: z
    .object({
      encoding: z.string().optional(),
      collation: z.string().optional(),
      locale: z.record(z.string(), z.string()).optional(),
      owner: z.string().optional(),
      settings: z.record(z.string(), z.string()).optional(),
    })
    .meta({ description: 'What is needed to create a database like it' }),
  tool: z.object({ name: z.string(), version: z.string() }),
  format: z.string().meta({ description: 'Of the raw dump: custom, plain, directory (as tar), sqlite, …' }),
  fileName: z
    .string()
    .meta({ description: 'The raw dump’s name, as it is called when all wrappers are off' }),
  partial: z
    .array(z.string())
    .optional()
    .meta({ description: 'What was left out on purpose, in words; absent if the dump is whole' }),
  compression: z.object({ method: z.enum(compressionMethods), level: z.int().optional() }),
  encryption: z
    .discriminatedUnion('method', [
      z.object({
        method: z.literal('7z'),
        keyId: z.string(),
        fingerprint: z.string().meta({ description: 'First 8 bytes, in hex, of a hash of the derived key' }),
      }),
      z.object({
        method: z.literal('age'),
        keyId: z.string(),
        fingerprint: z.string().nullable().meta({ description: 'Of the recipients; null for a passphrase' }),
        recipients: z.array(z.string()).meta({ description: 'Public keys; empty for a passphrase' }),
      }),
    ])
    .nullable(),
  raw: z.object({ bytes, sha256 }).meta({ description: 'The dump as the tool wrote it' }),
  stored: z.object({ bytes, sha256 }).meta({ description: 'The object as it lies on the volume' }),
  rows: z
    .record(z.string(), z.int().min(0))
    .optional()
    .meta({ description: 'Exact rows of each table, where the dump yields them' }),
  position: z
    .record(z.string(), z.string())
    .optional()
    .meta({ description: 'The place in the server’s log that the dump corresponds to' }),
  seconds: z
    .record(z.string(), z.number())
    .meta({ description: 'Duration of each phase: connecting, dumping, checking' }),
  warnings: z.array(z.string()).optional(),
  trigger: z.string().meta({ description: 'manual, schedule, migration, safety, …' }),
  plan: z.object({ id: z.string(), name: z.string() }).optional(),
  policy: z.string().optional().meta({ description: 'The retention policy when it was made, in words' }),
  releaseVersion: z.string().optional().meta({ description: 'The {version} of a migration’s run' }),
  comment: z.string().optional(),
})
export type Manifest = z.output<typeof manifest>
export type ManifestEncryption = NonNullable<Manifest['encryption']>
