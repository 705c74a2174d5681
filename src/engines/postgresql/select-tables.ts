import { writeFile } from 'node:fs/promises'
import { AppError } from '../../shared/errors.ts'
import { TocParser, type TocEntry } from './archive-toc.ts'
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

/** A table of contents that is longer does not fit into memory. */
const MOST_HELD = 1_073_741_824

/**
 * A stage before pg_restore that lets the archive through as it is, and first writes the list for its `--use-list`:
 * pg_restore opens the list when it has read the table of contents, of which the last byte waits here until the list is
 * written. Its own `--table` would leave out indexes, constraints, triggers and sequences.
 */
export function selectTables(
  tables: { schema: string; table: string }[],
  listPath: string,
  mode: 'empty' | 'existing',
): (bytes: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array> {
  return async function* (bytes) {
    const parser = new TocParser()
    let held: Uint8Array[] | undefined = []
    let heldBytes = 0
    for await (const chunk of bytes) {
      if (!held) {
        yield chunk
        continue
      }
      held.push(chunk)
      heldBytes += chunk.length
      if (heldBytes > MOST_HELD) throw tooLong()
      if (parser.push(chunk) === undefined) continue
      const ids = chosenEntries(parser.entries, tables, mode)
      await writeFile(listPath, ids.map((id) => `${id};\n`).join(''), { mode: 0o600 })
      yield* held
      held = undefined
    }
    if (held)
      throw new AppError('dump_incomplete', 'The dump is not complete: it ends within its table of contents.')
  }
}

/**
 * The ids, in the archive's order, of the tables, of what they are made of (types, sequences, their schema), and of what
 * belongs to them. A foreign key to a table that is not chosen is left out. Throws `nothing_matched`.
 */
function chosenEntries(
  entries: readonly TocEntry[],
  tables: { schema: string; table: string }[],
  mode: 'empty' | 'existing',
): number[] {
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
  return entries.filter(({ id }) => chosen.has(id)).map(({ id }) => id)
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

function tooLong(): AppError {
  return new AppError('unsupported', 'The table of contents is too long to choose tables from it.', {
    hint: 'Restore the whole snapshot under a new name, and copy the tables from there.',
  })
}
