import { AppError } from '../../shared/errors.ts'
import type { TocEntry } from './archive-toc.ts'
import { tableName } from './names.ts'

/** Kinds of entries that are relations of their own: never restored only because a chosen table is their neighbour. */
const RELATIONS = new Set(['TABLE', 'VIEW', 'MATERIALIZED VIEW', 'FOREIGN TABLE'])
const CHOOSABLE = new Set([...RELATIONS, 'SEQUENCE'])
/** What depends on a table but is not part of it. */
const APART = new Set([
  ...RELATIONS,
  'FUNCTION',
  'PROCEDURE',
  'AGGREGATE',
  'MATERIALIZED VIEW DATA',
  'TYPE',
  'PUBLICATION TABLE',
])

/**
 * The entries, in the archive's order, of the tables, of what they are made of (types, sequences, their schema), and of
 * what belongs to them. A foreign key to a table that is not chosen is left out. Throws `nothing_matched`.
 */
export function selectTables(
  entries: readonly TocEntry[],
  tables: readonly { schema: string; table: string }[],
  mode: 'empty' | 'existing',
): TocEntry[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]))
  const chosen = new Set<number>()
  for (const { schema, table } of tables) {
    const entry = entries.find(
      (found) =>
        found.isNamed && CHOOSABLE.has(found.kind) && found.schema === schema && found.name === table,
    )
    if (!entry) {
      throw new AppError('nothing_matched', `The snapshot has no table “${tableName(schema, table)}”.`, {
        hint: 'Write it as schema.table, as the snapshot’s list of tables does; upper and lower case count.',
      })
    }
    chosen.add(entry.id)
    if (mode === 'empty') addFoundation(entry, byId, chosen)
  }
  // An entry joins when all it stands on is there or is no relation, until nothing joins any more.
  for (let size = -1; size !== chosen.size;) {
    size = chosen.size
    for (const entry of entries) {
      if (chosen.has(entry.id) || APART.has(entry.kind) || !entry.dependencies.some((id) => chosen.has(id)))
        continue
      const standsOn = entry.dependencies.map((id) => byId.get(id)).filter((found) => found !== undefined)
      const lacks = standsOn.some((found) => !chosen.has(found.id) && belongsToRelation(found))
      const isOfTable = standsOn.some((found) => chosen.has(found.id) && belongsToRelation(found))
      if (isOfTable && !lacks) chosen.add(entry.id)
    }
  }
  const schemas = new Set(entries.filter(({ id }) => chosen.has(id)).map(({ schema }) => schema))
  if (mode === 'empty') {
    for (const entry of entries) {
      if (entry.kind === 'SCHEMA' && entry.name !== 'public' && schemas.has(entry.name)) chosen.add(entry.id)
    }
  }
  return entries.filter(({ id }) => chosen.has(id))
}

/** Types, functions, parents of partitions: whatever must be there for the table to be created. */
function addFoundation(entry: TocEntry, byId: Map<number, TocEntry>, chosen: Set<number>): void {
  for (const id of entry.dependencies) {
    const below = byId.get(id)
    if (!below || chosen.has(id)) continue
    chosen.add(id)
    addFoundation(below, byId, chosen)
  }
}

function belongsToRelation({ kind }: TocEntry): boolean {
  return RELATIONS.has(kind) || kind === 'SEQUENCE' || kind === 'CONSTRAINT' || kind === 'INDEX'
}
