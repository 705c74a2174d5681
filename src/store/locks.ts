import type { Store } from './database.ts'

/**
 * A query whose rows nobody else changes until the transaction ends; of each it gives the latest state. Who adds a row
 * that refers to them does not wait. In SQLite a transaction is the only one that writes, from its beginning.
 */
export function locking<Query extends { forNoKeyUpdate(): Query }>(store: Store, query: Query): Query {
  return store.engine === 'postgresql' ? query.forNoKeyUpdate() : query
}
