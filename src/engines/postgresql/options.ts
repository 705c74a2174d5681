import { z } from 'zod'

/** What may be chosen for a dump. */
export const dumpOptions = z
  .strictObject({
    format: z.enum(['custom', 'plain', 'directory']).default('custom').meta({
      title: 'Format',
      description:
        'custom: streamed, and restored selectively · plain: SQL text · directory: by several jobs in parallel',
    }),
    jobs: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .meta({ title: 'Parallel jobs', description: 'For the format directory; 2 if not chosen' }),
    globals: z.boolean().default(false).meta({
      title: 'Globals instead of the database',
      description: 'Roles, their passwords, and tablespaces of the server',
    }),
    owners: z.boolean().default(true).meta({ title: 'Owners' }),
    privileges: z.boolean().default(true).meta({ title: 'Privileges' }),
    comments: z.boolean().default(true).meta({ title: 'Comments' }),
    largeObjects: z.boolean().optional().meta({
      title: 'Large objects',
      description: 'If not chosen: with a whole database, but not with chosen schemas or tables',
    }),
    schemas: z.array(z.string()).default([]).meta({
      title: 'Only these schemas',
      description: 'Names as they are; * stands for anything',
    }),
    tables: z.array(z.string()).default([]).meta({
      title: 'Only these tables',
      description:
        'schema.table, or a table of public; * stands for anything; double quotes around a name with a dot',
    }),
    excludeTables: z.array(z.string()).default([]).meta({ title: 'Tables to leave out' }),
    excludeTableData: z.array(z.string()).default([]).meta({ title: 'Tables without their rows' }),
    serializableDeferrable: z.boolean().default(false).meta({
      title: 'Wait for a safe snapshot',
      description: 'For databases whose consistency rests on serializable transactions',
    }),
    extra: z.string().default('').meta({ title: 'Extra options for pg_dump' }),
  })
  .refine((options) => options.schemas.length === 0 || options.tables.length === 0, {
    message: 'Choose schemas or tables, not both: pg_dump ignores the schemas when tables are chosen.',
    path: ['tables'],
  })
  .refine((options) => options.jobs === undefined || options.format === 'directory', {
    message: 'Only the format directory is dumped by several jobs; the others are one stream.',
    path: ['jobs'],
  })

export type DumpOptions = z.output<typeof dumpOptions>

export function leftOut({
  globals,
  schemas,
  tables,
  excludeTables,
  excludeTableData,
  largeObjects,
}: DumpOptions): string[] {
  if (globals) return []
  return [
    ...schemas.map((name) => `only schema ${name}`),
    ...tables.map((name) => `only table ${name}`),
    ...excludeTables.map((name) => `without table ${name}`),
    ...excludeTableData.map((name) => `without the rows of ${name}`),
    ...(largeObjects === false ? ['without large objects'] : []),
  ]
}

/** What may be chosen for a restore. */
export const restoreOptions = z
  .strictObject({
    jobs: z.int().min(1).max(64).default(1).meta({
      title: 'Parallel jobs',
      description: 'For a whole snapshot. With more than one, a failed restore does not roll back',
    }),
    content: z.enum(['all', 'schema', 'data']).default('all').meta({ title: 'Schema, data or both' }),
    tables: z
      .array(z.string())
      .default([])
      .meta({ title: 'Only these tables', description: 'schema.table, exactly' }),
    owners: z.boolean().default(true).meta({
      title: 'Owners',
      description: 'Without them, everything belongs to the user who restores',
    }),
    owner: z.string().min(1).optional().meta({
      title: 'New owner',
      description: 'A role to which everything belongs, instead of the original owners',
    }),
    privileges: z.boolean().default(true).meta({ title: 'Privileges' }),
    comments: z.boolean().default(true).meta({ title: 'Comments' }),
    clean: z.boolean().default(false).meta({
      title: 'Drop first what is restored',
      description: 'In an existing database: objects of the dump are dropped before they are created',
    }),
  })
  .refine((options) => options.content !== 'data' || !options.clean, {
    message: 'Rows alone cannot be restored over objects that are dropped first.',
    path: ['clean'],
  })

export type RestoreOptions = z.output<typeof restoreOptions>
