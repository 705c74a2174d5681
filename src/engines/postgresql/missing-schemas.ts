import type { TocEntry } from './archive-toc.ts'
import { quoteName } from './names.ts'
import { withSession } from './session.ts'
import type { PostgresConnection } from './settings.ts'

/** What `pg_dump --table` chooses from, by its kind. */
const CHOOSABLE = new Set(['TABLE', 'FOREIGN TABLE', 'VIEW', 'MATERIALIZED VIEW', 'SEQUENCE'])

export function tellsSchemas({ kind }: TocEntry): boolean {
  return kind === 'SCHEMA' || kind === 'EXTENSION' || CHOOSABLE.has(kind)
}

/**
 * The schemas of the tables and views among these entries which none of them creates: pg_dump leaves the schemas out
 * where it dumps chosen tables. None where there are extensions, of which each may create schemas, and fails if they are
 * there: then the dump is a whole one.
 */
export function missingSchemas(entries: readonly TocEntry[]): string[] {
  if (entries.some(({ kind }) => kind === 'EXTENSION')) return []
  const created = new Set(entries.filter(({ kind }) => kind === 'SCHEMA').map(({ name }) => name))
  const needed = entries.filter(({ kind, schema, isNamed }) => {
    // A schema's name is certain where the table's alone is not.
    return CHOOSABLE.has(kind) && (isNamed || /^[\x20-\x7e]+$/.test(schema))
  })
  return [...new Set(needed.map(({ schema }) => schema))].filter(
    (name) => name !== '' && name !== 'public' && !created.has(name),
  )
}

/** They belong to the owner, or to us, and nobody else may use them. */
export async function createSchemas(
  connection: PostgresConnection,
  database: string,
  names: readonly string[],
  owner: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (names.length === 0) return
  const authorization = owner === undefined ? '' : ` authorization ${quoteName(owner)}`
  await withSession(connection, database, signal, async ({ query }) => {
    for (const name of names) await query(`create schema if not exists ${quoteName(name)}${authorization}`)
  })
}
