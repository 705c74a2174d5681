import { z } from 'zod'
import { name } from './fields.ts'
import { jobError } from './jobs.ts'

const fields = {
  name,
  connection: z.record(z.string(), z.unknown()).meta({
    description: 'The settings of the engine, see GET /api/v1/engines. A secret that equals its mask stays',
  }),
  labels: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/, 'must be lower-case letters, digits, dots and dashes'),
      z.string().max(200),
    )
    .meta({ description: 'To find and group servers by' }),
  isProduction: z.boolean().meta({ description: 'A restore that replaces a database asks for its name' }),
  isProtected: z.boolean().meta({ description: 'Nothing may be restored into it' }),
  maxRunning: z.int().min(1).max(64).meta({ description: 'How many jobs may run on it at once' }),
}

export const newServer = z
  .strictObject({
    ...fields,
    engine: z.string(),
    labels: fields.labels.default({}),
    isProduction: fields.isProduction.default(false),
    isProtected: fields.isProtected.default(false),
    maxRunning: fields.maxRunning.default(2),
  })
  .meta({ id: 'NewServer' })

/** What is not there stays as it is. The engine of a server cannot change. */
export const serverChanges = z.strictObject(fields).partial().meta({ id: 'ServerChanges' })

/** Settings that are tried out before they are saved. */
export const serverTrial = z
  .strictObject({
    engine: z.string().meta({ description: 'A name of GET /api/v1/engines' }),
    connection: fields.connection,
    serverId: z
      .string()
      .optional()
      .meta({ description: 'The server whose secrets the masks in the settings stand for' }),
  })
  .meta({ id: 'ServerTrial' })

/** `postgresql://user:password@host:port/database`, as programs are given it. */
export const connectionString = z
  .strictObject({ url: z.string().min(1, 'must not be empty').max(20_000) })
  .meta({ id: 'ConnectionString' })

/** What a connection string says. */
export const connectionOfString = z
  .object({
    engine: z.string(),
    connection: z.record(z.string(), z.unknown()).meta({
      description:
        'What it says of the settings of the engine, secrets in the clear; what it leaves out is absent',
    }),
    database: z.string().nullable().meta({ description: 'Which it names, if any' }),
  })
  .meta({ id: 'ConnectionOfString' })

/** Whether a server answers. */
export const serverConnection = z
  .object({
    isReachable: z.boolean().meta({ description: 'It answered, and let the app sign in' }),
    milliseconds: z.number().meta({ description: 'How long that took, or was tried' }),
    version: z.string().nullable(),
    error: jobError.nullable().meta({ description: 'Why it is not reachable' }),
    checkedAt: z.iso.datetime().meta({ description: 'At most half a minute ago' }),
  })
  .meta({ id: 'ServerConnection' })

/** A server as the API shows it: secrets are masked. */
export const server = z
  .object({
    ...fields,
    id: z.uuid(),
    engine: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Server' })

/** An engine, and the JSON schema of its settings: forms are drawn from it. */
export const engineDescription = z
  .object({
    name: z.string(),
    label: z.string(),
    connection: z.record(z.string(), z.unknown()),
    dumpOptions: z.record(z.string(), z.unknown()),
    restoreOptions: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Engine' })

export type NewServer = z.output<typeof newServer>
export type ServerChanges = z.output<typeof serverChanges>
export type ServerTrial = z.output<typeof serverTrial>
export type ConnectionOfString = z.output<typeof connectionOfString>
export type ServerConnection = z.output<typeof serverConnection>
export type Server = z.output<typeof server>
