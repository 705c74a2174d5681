import { type Expression, type ExpressionBuilder, type SelectQueryBuilder, sql, type SqlBool } from 'kysely'
import type { CopyState, SnapshotSort, SortOrder } from '../../shared/snapshots-api.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { unindexed } from '../../store/unindexed.ts'
import type { Place, PlaceInGroup } from '../pages.ts'
import { type SnapshotSummary, summaryColumns } from './store.ts'

/*
 * A list must be quick with a million snapshots. What narrows it down has an index in the order of the list; or it
 * leaves so few that they can be sorted. What has neither (a text, a volume that many have copies on) is looked for in
 * so many snapshots at a time: then a page is shorter than was asked for, and the next one goes on from there.
 */

/** Snapshots that one page looks at: SQLite's queries hold up the whole process. */
const LOOKED_AT = 3_000
/** So few are sorted, rather than found in the order of the list. */
const FEW = 2_000

// Written out in the SQL: with a parameter in its place, no partial index is used.
const STORED = sql.lit('stored' as const)

export interface SnapshotFilter {
  serverId?: string | undefined
  /** Null: of no plan. */
  planId?: string | null | undefined
  database?: string | undefined
  volumeId?: string | undefined
  engine?: string | undefined
  /** Taken then or later. */
  from?: number | undefined
  /** Taken before. */
  to?: number | undefined
  isLocked?: boolean | undefined
  isProven?: boolean | undefined
  copy?: CopyState | undefined
  search?: string | undefined
}

export interface Listing {
  sort: SnapshotSort
  order: SortOrder
  /** In a list that is sorted by name, of a name, a time and an id. */
  after: Place | PlaceInGroup | undefined
  limit: number
}

/**
 * By time or size, then id; or by the name of the database, and of one database from the newest to the oldest: from Z to A
 * all of that the other way round. `next` is where the next page begins; null behind the last one.
 */
export async function listSnapshots(
  store: Store,
  organizationId: string,
  filter: SnapshotFilter,
  { sort, order, after, limit }: Listing,
): Promise<{ rows: SnapshotSummary[]; next: Place | PlaceInGroup | null }> {
  const { sought, looked, isSorted, isOwned } = await approach(store, organizationId, filter, sort)
  const all = store.db
    .selectFrom('snapshots')
    .select(summaryColumns)
    .where(isOwned ? sql<string>`organization_id` : unindexed('organizationId'), '=', organizationId)
    .where((eb) => eb.and(sought(eb)))
  const found = inOrder(behind(all, { sort, order, after }, isSorted), { sort, order }, isSorted)
  const placeOf = (row: SnapshotSummary): Place | PlaceInGroup =>
    sort === 'database' ? [row.database, row.takenAt, row.id] : [row[sort], row.id]

  const shown = looked
    ? inOrder(
        store.db
          .selectFrom(found.limit(LOOKED_AT).as('snapshots'))
          .selectAll()
          .where((eb) => eb.and(looked(eb))),
        { sort, order },
      )
    : found
  const rows = await shown.limit(limit + 1).execute()
  const last = rows.length > limit ? rows[limit - 1] : undefined
  if (last || !looked) return { rows: rows.slice(0, limit), next: last ? placeOf(last) : null }
  const end = await found
    .offset(LOOKED_AT - 1)
    .limit(1)
    .executeTakeFirst()
  return { rows, next: end ? placeOf(end) : null }
}

type Order = Pick<Listing, 'sort' | 'order'>
type Found<DB, TB extends keyof DB> = SelectQueryBuilder<DB, TB, SnapshotSummary>

function inOrder<DB, TB extends keyof DB>(
  found: Found<DB, TB>,
  { sort, order }: Order,
  isSorted = false,
): Found<DB, TB> {
  const direction = isDownwards({ sort, order }) ? 'desc' : 'asc'
  const groups = sort === 'database' ? found.orderBy(nameOf(isSorted), order) : found
  return groups.orderBy(rank(sort, isSorted), direction).orderBy(sql.ref('id'), direction)
}

/** What an index, unless they are sorted, finds behind a place in the order of the list. */
function behind(
  all: Found<Tables, 'snapshots'>,
  { sort, order, after }: Omit<Listing, 'limit'>,
  isSorted: boolean,
): Found<Tables, 'snapshots'> {
  if (!after) return all
  const [value, id] = after.slice(-2)
  const sign = isDownwards({ sort, order }) ? sql`<` : sql`>`
  const isBehind = sql<SqlBool>`(${rank(sort, isSorted)}, id) ${sign} (${value}, ${id})`
  if (after.length === 2) return all.where(isBehind)
  const [name] = after
  const [isFrom, isAfter] = order === 'asc' ? (['>=', '>'] as const) : (['<=', '<'] as const)
  // The index leads to the first one of this name; those before the place are skipped in it.
  return all
    .where(nameOf(isSorted), isFrom, name)
    .where((eb) => eb.or([eb(unindexed('database'), isAfter, name), isBehind]))
}

function nameOf(isSorted: boolean) {
  return isSorted ? unindexed('database') : sql.ref<string>('database')
}

/** What the rows are sorted by before the id; of those of one name, the time. */
function rank(sort: SnapshotSort, isSorted: boolean) {
  const column = sort === 'database' ? 'takenAt' : sort
  return isSorted ? sql<number>`${sql.ref(column)} + 0` : sql.ref<number>(column)
}

/** Whether the rank goes down: from A to Z, too, each name has its newest first. */
function isDownwards({ sort, order }: Order): boolean {
  return (order === 'desc') !== (sort === 'database')
}

type Builder = ExpressionBuilder<Pick<Tables, 'snapshots' | 'copies'>, 'snapshots'>
type Conditions = (eb: Builder) => Expression<SqlBool>[]

interface Approach {
  sought: Conditions
  /** Undefined if there is nothing that each snapshot must be looked at for. */
  looked: Conditions | undefined
  /** Without the help of an index that has them in the order of the list. */
  isSorted: boolean
  /** By an index of all snapshots of the organization. */
  isOwned: boolean
}

async function approach(
  store: Store,
  organizationId: string,
  filter: SnapshotFilter,
  sort: SnapshotSort,
): Promise<Approach> {
  const few = await fewCopies(store, filter)
  const narrow = narrowing(store, filter, few)
  const looked = looking(store, filter, few)
  const { serverId, planId, database } = filter
  const isOwned = !few && (database === undefined || (serverId ?? planId ?? null) === null)
  if (sort === 'takenAt' || (sort === 'database' && database !== undefined)) {
    return { sought: narrow, looked, isSorted: few !== undefined, isOwned }
  }
  if (few) return { sought: narrow, looked, isSorted: true, isOwned }
  if (!isNarrowed(filter)) return { sought: () => [], looked, isSorted: false, isOwned: true }
  const some = store.db
    .selectFrom('snapshots')
    .select('id')
    .where(isOwned ? sql<string>`organization_id` : unindexed('organizationId'), '=', organizationId)
    .where((eb) => eb.and(narrow(eb)))
    .limit(FEW + 1)
  if ((await some.execute()).length <= FEW) return { sought: narrow, looked, isSorted: true, isOwned }
  const all: Conditions = (eb) => [...narrow(eb), ...(looked?.(eb) ?? [])]
  return { sought: () => [], looked: all, isSorted: false, isOwned: true }
}

function isNarrowed(filter: SnapshotFilter): boolean {
  const { serverId, planId, database, engine, from, to, isLocked, isProven } = filter
  const values = [serverId, planId, database, engine, from, to]
  return isLocked === true || isProven === true || values.some((value) => value !== undefined)
}

/** What an index helps to find. */
function narrowing(store: Store, filter: SnapshotFilter, few: readonly string[] | undefined): Conditions {
  const { serverId, planId, database, engine, from, to, isLocked, isProven } = filter
  return (eb) => {
    const conditions: Expression<SqlBool>[] = []
    if (serverId !== undefined) conditions.push(eb('serverId', '=', serverId))
    if (planId === null) conditions.push(eb('planId', 'is', null))
    else if (planId !== undefined) conditions.push(eb('planId', '=', planId))
    if (database !== undefined) conditions.push(eb('database', '=', database))
    if (engine !== undefined) conditions.push(eb('engine', '=', engine))
    if (from !== undefined) conditions.push(eb('takenAt', '>=', from))
    if (to !== undefined) conditions.push(eb('takenAt', '<', to))
    if (isLocked === true && !isCombined(filter)) conditions.push(mayBeLocked, holds(store))
    if (isProven === true && !isCombined(filter)) conditions.push(eb('provenAt', 'is not', null))
    if (few) conditions.push(few.length > 0 ? eb('id', 'in', few) : sql<SqlBool>`1 = 0`)
    return conditions
  }
}

/** What each snapshot must be looked at for; undefined if that is nothing. */
function looking(
  store: Store,
  filter: SnapshotFilter,
  few: readonly string[] | undefined,
): Conditions | undefined {
  const { volumeId, copy, isLocked, isProven, search } = filter
  const looksAtCopies = !few && (volumeId !== undefined || copy !== undefined)
  const looksAtLock = isLocked === false || (isLocked === true && isCombined(filter))
  const looksAtProof = isProven === false || (isProven === true && isCombined(filter))
  if (!looksAtCopies && !looksAtLock && !looksAtProof && search === undefined) return undefined
  return (eb) => {
    const conditions: Expression<SqlBool>[] = []
    if (looksAtLock) conditions.push(isLocked ? holds(store) : eb.not(holds(store)))
    if (looksAtProof) conditions.push(eb('provenAt', isProven ? 'is not' : 'is', null))
    if (looksAtCopies) {
      const ofIt = copiesLike(eb, filter).whereRef('copies.snapshotId', '=', 'snapshots.id')
      conditions.push(eb.exists(ofIt.select('copies.snapshotId')))
    }
    if (search !== undefined) conditions.push(contains(eb, search))
    return conditions
  }
}

/** Then another index is used than that of the locked, or of the proven ones. */
function isCombined({ serverId, planId, database, engine }: SnapshotFilter): boolean {
  return [serverId, planId, database, engine].some((value) => value !== undefined)
}

/** As the index snapshots_locked has it. */
const mayBeLocked = sql<SqlBool>`(is_locked = 1 or locked_until is not null)`

function holds(store: Store) {
  return sql<SqlBool>`(is_locked = 1 or coalesce(locked_until, 0) > ${store.now})`
}

function copiesLike(eb: Builder, { volumeId, copy }: SnapshotFilter) {
  let copies = eb.selectFrom('copies')
  if (volumeId !== undefined) copies = copies.where('copies.volumeId', '=', volumeId)
  if (copy !== undefined) copies = copies.where('copies.state', '=', copy)
  return copies
}

/** The snapshots with such copies, if they are few. */
async function fewCopies({ db }: Store, { volumeId, copy }: SnapshotFilter): Promise<string[] | undefined> {
  if (volumeId === undefined && (copy === undefined || copy === 'stored')) return undefined
  let copies = db.selectFrom('copies').select('snapshotId')
  if (volumeId !== undefined) copies = copies.where('volumeId', '=', volumeId)
  if (copy !== undefined) copies = copies.where('state', '=', copy)
  if (copy !== undefined && copy !== 'stored') copies = copies.where('state', '<>', STORED)
  const rows = await copies.limit(FEW + 1).execute()
  return rows.length > FEW ? undefined : [...new Set(rows.map(({ snapshotId }) => snapshotId))]
}

/** Whatever the case of its letters; in SQLite of those from a to z. */
function contains(eb: Builder, text: string): Expression<SqlBool> {
  const pattern = `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
  const isIn = (column: string) =>
    sql<SqlBool>`lower(${sql.ref(column)}) like lower(${pattern}) escape ${sql.lit('\\')}`
  return eb.or([
    ...['database', 'comment', 'serverName', 'releaseVersion'].map(isIn),
    eb.exists(
      eb
        .selectFrom('copies')
        .select('copies.snapshotId')
        .whereRef('copies.snapshotId', '=', 'snapshots.id')
        .where(isIn('copies.key')),
    ),
  ])
}
