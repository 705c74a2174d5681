import { z } from 'zod'
import { name } from './fields.ts'

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
export type Server = z.output<typeof server>
