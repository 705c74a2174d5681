import { AppError } from '../../shared/errors.ts'
import { asBytes, USER_SCHEMA } from './databases.ts'
import { nameReader, roughly } from './encodings.ts'
import { likePattern, tableName } from './names.ts'
import type { DumpOptions } from './options.ts'
import { withSession } from './session.ts'
import type { PostgresConnection } from './settings.ts'

interface Choice {
  connection: PostgresConnection
  database: string
  options: DumpOptions
  /** Of pg_dump. */
  toolMajor: number
}

interface Matches {
  unmatched: string[]
  isEmpty: boolean
  /** Which of the patterns to leave out match nothing, counted from 1. */
  leavesOutNothing: number[]
  emptiesNothing: number[]
}

interface Difference {
  encoding: string
  what: 'missing' | 'superfluous' | 'rows'
  isPartition: boolean
  schema: Buffer
  name: Buffer
  parentSchema: Buffer
  parentName: Buffer
}

/**
 * Throws `nothing_matched` where pg_dump is content with too little: a pattern that matches nothing but the system's own,
 * tables that are all left out again, and a partitioned table without the partitions that have its rows. Throws
 * `unsupported` where it would take along what is to be left out: before 16 a pattern means the named tables alone, and
 * not what is below them. Returns sentences about patterns that leave nothing out.
 */
export function checkChoice(choice: Choice, signal: AbortSignal): Promise<string[]> {
  const { connection, database, options, toolMajor } = choice
  const kind = options.tables.length > 0 ? 'table' : 'schema'
  const chosen = kind === 'table' ? options.tables : options.schemas
  const namePatterns = [
    chosen.map((pattern) => likePattern(pattern, kind)),
    options.excludeTables.map((pattern) => likePattern(pattern, 'table')),
    options.excludeTableData.map((pattern) => likePattern(pattern, 'table')),
  ]
  const values = [
    chosen,
    ...namePatterns.flatMap((list) => [list.map(({ schema }) => schema), list.map(({ name }) => name)]),
    kind === 'table',
    toolMajor >= 16,
  ]
  return withSession(connection, database, signal, async ({ query }) => {
    const [found] = await query<Matches>(`${MARKED} ${MATCHES}`, values)
    const [unmatched] = found?.unmatched ?? []
    if (unmatched !== undefined) throw matchesNothing(database, kind, unmatched)
    if (kind === 'table' && found?.isEmpty) throw allLeftOut(database)
    const [difference] = await query<Difference>(`${MARKED} ${DIFFERENCES}`, values)
    if (difference) throw notAsMeant(difference, toolMajor)
    const idle = [
      ...(found?.leavesOutNothing ?? []).map((n) => options.excludeTables[n - 1]),
      ...(found?.emptiesNothing ?? []).map((n) => options.excludeTableData[n - 1]),
    ]
    return idle.map((pattern) => `“${pattern}” matches no table of “${database}”: it leaves nothing out.`)
  })
}

/**
 * The relations that pg_dump's `--table` looks at, and what the patterns say of each: by its own name, and by the name of
 * whatever it is a partition of or inherits from, at any depth. `kept` is what this pg_dump dumps, `meant` what we mean: a
 * table, and what is below it, wherever that is.
 */
const MARKED = `with recursive
  pattern as (select * from unnest($1::text[], $2::text[], $3::text[]) as p (pattern, schema, name)),
  leaving as (select * from unnest($4::text[], $5::text[]) as p (schema, name)),
  emptying as (select * from unnest($6::text[], $7::text[]) as p (schema, name)),
  relation as (
    select pg_class.oid, nspname, relname, relkind, relispartition,
           cardinality($1::text[]) = 0
             or exists (select from pattern where nspname like schema and relname like name) as chosen,
           exists (select from leaving where nspname like schema and relname like name) as left_out,
           exists (select from emptying where nspname like schema and relname like name) as emptied
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where relkind in ('r', 'p', 'v', 'm', 'S', 'f') and ${USER_SCHEMA}),
  below as (
    select oid as parent, oid as child from relation
    union
    select parent, inhrelid from below join pg_inherits on inhparent = child),
  above as (
    select child as oid, bool_or(left_out) as left_out, bool_or(emptied) as emptied,
           bool_or(chosen and ($8 or relkind = 'p')) as chosen
      from below join relation on oid = parent group by child),
  marked as (
    select relation.*,
           case when $9 and $8 then above.chosen else relation.chosen end
             and not case when $9 then above.left_out else relation.left_out end as kept,
           (relation.chosen or above.chosen) and not above.left_out as meant,
           case when $9 then above.emptied else relation.emptied end as kept_empty,
           above.emptied as meant_empty
      from relation join above using (oid))`

const MATCHES = `select
  array(select pattern from pattern
         where not exists (select from pg_namespace
                            where $8 is false and ${USER_SCHEMA} and nspname like schema)
           and not exists (select from relation where nspname like schema and relname like name)) as unmatched,
  not exists (select from marked where kept) as "isEmpty",
  ${idle('$4', '$5')} as "leavesOutNothing", ${idle('$6', '$7')} as "emptiesNothing"`

function idle(schemas: string, names: string): string {
  return `array(select n::int from unnest(${schemas}::text[], ${names}::text[]) with ordinality as p (schema, name, n)
    where not exists (select from relation where nspname like schema and relname like name) order by n)`
}

const DIFFERENCES = `, difference as (
    select marked.*, case when meant and not kept then 'missing' when kept and not meant then 'superfluous' else 'rows' end as what
      from marked where kept <> meant or (kept and relkind = 'r' and meant_empty and not kept_empty))
  select getdatabaseencoding() as encoding, what, part.relispartition as "isPartition",
         ${asBytes('part.nspname')} as schema, ${asBytes('part.relname')} as name,
         ${asBytes('parent.nspname')} as "parentSchema", ${asBytes('parent.relname')} as "parentName"
    from difference as part join below on child = part.oid join relation as parent on parent.oid = below.parent
   where parent.oid <> part.oid
     and case what when 'missing' then parent.chosen when 'superfluous' then parent.left_out else parent.emptied end
   order by what, part.nspname, part.relname limit 1`

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

function notAsMeant(found: Difference, toolMajor: number): AppError {
  const read = nameReader(found.encoding)
  const nameOf = (schema: Buffer, name: Buffer) => tableName(roughly(schema, read), roughly(name, read))
  const table = nameOf(found.schema, found.name)
  const parent = nameOf(found.parentSchema, found.parentName)
  const isBelow = `${table} ${found.isPartition ? 'is a partition of' : 'inherits from'} ${parent}`
  switch (found.what) {
    case 'missing':
      return new AppError(
        'nothing_matched',
        `${isBelow}, but is not chosen: the dump would be without its rows.`,
        { hint: `Choose it too, by name or with *, or name it among the tables to leave out.` },
      )
    case 'superfluous':
      return new AppError(
        'unsupported',
        `${isBelow}, which is to be left out, but pg_dump ${toolMajor} would not leave it out too.`,
        {
          hint: 'Leave it out by name, or with *. From version 16 on, pg_dump needs no more than the parent.',
        },
      )
    case 'rows':
      return new AppError(
        'unsupported',
        `${isBelow}, which is to be without rows, but pg_dump ${toolMajor} would dump those of ${table}.`,
        { hint: 'Name it too, or use *. From version 16 on, pg_dump needs no more than the parent.' },
      )
    default: {
      const never: never = found.what
      throw never
    }
  }
}
