import { sql, type SqlBool } from 'kysely'
import { z } from 'zod'
import { AppError } from '../shared/errors.ts'

/** How a list is read: piece by piece, each from where the one before it ended. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1000).optional().meta({ description: 'The nextCursor of the page before' }),
})

export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'Null on the last page' }),
  })
}

/** The place in a list behind an item: what it is sorted by, and its id, which tells apart those that are equal. */
const text = z.string().refine((text) => !text.includes('\0') && text.isWellFormed())
const place = z.tuple([z.union([text, z.int()]), text])
export type Place = z.output<typeof place>

/** The same where items are sorted by a text, and those of one text by a number. */
const placeInGroup = z.tuple([text, z.int(), text])
export type PlaceInGroup = z.output<typeof placeInGroup>

/**
 * Throws `invalid_input` for what is no cursor of ours. A list that is sorted by a number says so: PostgreSQL compares it
 * with nothing else.
 */
export function readCursor(cursor: string | undefined, sortedBy?: 'number'): Place | undefined {
  const found = parseCursor(cursor, place)
  if (found && sortedBy === 'number' && typeof found[0] !== 'number') throw noCursor()
  return found
}

export function readCursorInGroup(cursor: string | undefined): PlaceInGroup | undefined {
  return parseCursor(cursor, placeInGroup)
}

function parseCursor<T>(cursor: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
  } catch (error) {
    throw noCursor(error)
  }
}

function noCursor(cause?: unknown): AppError {
  const message = 'must be the nextCursor of a page'
  return new AppError('invalid_input', `cursor: ${message}`, {
    fields: [{ field: 'cursor', message }],
    cause,
  })
}

/** In SQL: what stands behind the place, where rows are sorted by the column and then by their id, both upwards. */
export function isBehind(column: string, [value, id]: Place, idColumn = 'id') {
  return sql<SqlBool>`(${sql.ref(column)}, ${sql.ref(idColumn)}) > (${value}, ${id})`
}

/** The same where rows are sorted downwards: the newest first. */
export function isBefore(column: string, [value, id]: Place, idColumn = 'id') {
  return sql<SqlBool>`(${sql.ref(column)}, ${sql.ref(idColumn)}) < (${value}, ${id})`
}

/** A page of items, of which one more than `limit` was asked for to see whether there is a next one. */
export function page<T>(
  items: T[],
  limit: number,
  placeOf: (item: T) => Place,
): { items: T[]; nextCursor: string | null } {
  const shown = items.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = items.length > limit && last !== undefined
  return {
    items: shown,
    nextCursor: hasMore ? writeCursor(placeOf(last)) : null,
  }
}

export function writeCursor(place: Place | PlaceInGroup): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}
