import { sql } from 'kysely'

/**
 * A column of text, in a condition for which no index is used. SQLite keeps no statistics by itself: of two indexes
 * that both begin with what is asked for, it takes one that leaves a million rows as soon as one that leaves ten.
 */
export function unindexed(column: string) {
  return sql<string>`${sql.ref(column)} || ''`
}
