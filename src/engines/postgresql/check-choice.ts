import { AppError } from '../../shared/errors.ts'
import { USER_SCHEMA } from './databases.ts'
import { likePattern, tableName } from './names.ts'
import type { DumpOptions } from './options.ts'
import { withSession } from './session.ts'
import type { PostgresConnection } from './settings.ts'
import { extraDumpArguments } from './tool-options.ts'

interface Choice {
  connection: PostgresConnection
  database: string
  options: DumpOptions
  /** Of pg_dump. */
  toolMajor: number
}

/**
 * Throws `nothing_matched` where pg_dump is content with too little: a pattern that matches nothing but the system's own,
 * tables that are all left out again, and, before 16, a partitioned table without the partitions that have its rows.
 */
export function checkChoice(choice: Choice, signal: AbortSignal): Promise<void> {
  const { connection, database, options, toolMajor } = choice
  const kind = options.tables.length > 0 ? 'table' : 'schema'
  const chosen = kind === 'table' ? options.tables : options.schemas
  const patterns = chosen.map((pattern) => likePattern(pattern, kind))
  const excluded = options.excludeTables.map((pattern) => likePattern(pattern, 'table'))
  return withSession(connection, database, signal, async ({ query }) => {
    const [found] = await query<{
      unmatched: string[]
      kept: boolean
      rowless: { schema: string; name: string }[]
    }>(CHOSEN[kind], [
      chosen,
      patterns.map(({ schema }) => schema),
      patterns.map(({ name }) => name),
      excluded.map(({ schema }) => schema),
      excluded.map(({ name }) => name),
    ])
    const [unmatched] = found?.unmatched ?? []
    if (unmatched !== undefined) throw matchesNothing(database, kind, unmatched)
    if (kind === 'schema') return
    if (!found?.kept) throw allLeftOut(database)
    const [rowless] = found.rowless
    if (toolMajor < 16 && rowless && !hasNoRowsAnyway(options)) throw withoutPartitions(rowless)
  })
}

const PATTERNS = `pattern as (select * from unnest($1::text[], $2::text[], $3::text[]) as p (pattern, schema, name)),
  excluded as (select * from unnest($4::text[], $5::text[]) as p (schema, name))`

/** The kinds of relations that pg_dump's `--table` looks at. */
const RELATIONS = `'r', 'p', 'v', 'm', 'S', 'f'`

const CHOSEN = {
  schema: `with ${PATTERNS}
    select array(select pattern from pattern
                  where not exists (select from pg_namespace where ${USER_SCHEMA} and nspname like schema)) as unmatched,
           true as kept, '[]'::json as rowless`,
  table: `with ${PATTERNS},
    relation as (select pg_class.oid, nspname, relname, relkind
                   from pg_class join pg_namespace on pg_namespace.oid = relnamespace
                  where relkind in (${RELATIONS}) and ${USER_SCHEMA}),
    kept as (select * from relation
              where exists (select from pattern where nspname like schema and relname like name)
                and not exists (select from excluded where nspname like schema and relname like name))
    select array(select pattern from pattern
                  where not exists (select from relation where nspname like schema and relname like name)) as unmatched,
           exists (select from kept) as kept,
           (select coalesce(json_agg(json_build_object('schema', nspname, 'name', relname)), '[]') from kept
             where relkind = 'p'
               and exists (select from pg_partition_tree(oid) where isleaf and relid <> kept.oid)
               and not exists (select from pg_partition_tree(kept.oid) join kept as part on part.oid = relid
                                where isleaf)) as rowless`,
}

function hasNoRowsAnyway({ extra }: DumpOptions): boolean {
  return extraDumpArguments(extra).some((argument) => /^(-s|--schema-only|--no-data)$/.test(argument))
}

function matchesNothing(database: string, kind: 'schema' | 'table', pattern: string): AppError {
  return new AppError(
    'nothing_matched',
    `“${pattern}” matches no ${kind} of “${database}” that is not the system’s.`,
    {
      hint: 'Upper and lower case count, and a table without a schema is looked for in “public”.',
    },
  )
}

function allLeftOut(database: string): AppError {
  return new AppError('nothing_matched', `All chosen tables of “${database}” are left out again.`, {
    hint: 'Look at the tables to leave out.',
  })
}

function withoutPartitions({ schema, name }: { schema: string; name: string }): AppError {
  return new AppError(
    'nothing_matched',
    `${tableName(schema, name)} is partitioned, and none of its partitions is chosen: the dump would have no row of it.`,
    {
      hint: 'Choose its partitions too, by name or with *, or install pg_dump 16 or newer, which takes them along.',
    },
  )
}
