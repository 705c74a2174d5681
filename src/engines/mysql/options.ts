import { z } from 'zod'

/** What may be chosen for a dump. */
export const dumpOptions = z.strictObject({
  excludeTables: z.array(z.string().min(1)).default([]).meta({
    title: 'Tables and views to leave out',
    description: 'Names as they are; * stands for anything',
  }),
  excludeTableData: z
    .array(z.string().min(1))
    .default([])
    .meta({ title: 'Tables without their rows', description: 'Names as they are; * stands for anything' }),
  position: z.boolean().default(true).meta({
    title: 'Note the position in the binary log',
    description: 'Where the server logs and the user may ask. MySQL locks all tables for a moment to tell it',
  }),
  extra: z.string().default('').meta({ title: 'Extra options for the dump tool' }),
})

export type DumpOptions = z.output<typeof dumpOptions>

export function leftOut({ excludeTables, excludeTableData }: DumpOptions): string[] {
  return [
    ...excludeTables.map((name) => `without table ${name}`),
    ...excludeTableData.map((name) => `without the rows of ${name}`),
  ]
}

/** What may be chosen for a restore. */
export const restoreOptions = z.strictObject({
  content: z.enum(['all', 'schema', 'data']).default('all').meta({ title: 'Schema, data or both' }),
  tables: z
    .array(z.string().min(1))
    .default([])
    .meta({ title: 'Only these tables and views', description: 'Routines and events are then left out' }),
})

export type RestoreOptions = z.output<typeof restoreOptions>
