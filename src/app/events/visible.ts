import { type Caller, scopeOf } from '../identity/callers.ts'
import type { Store } from '../../store/database.ts'
import { scoped } from '../../store/scope.ts'
import { whichJobs } from './store.ts'

/** Those of the jobs that the caller may see, as the servers are now. */
export async function visibleJobs(
  store: Store,
  caller: Caller,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (caller.servers === null || ids.length === 0) return new Set(ids)
  return new Set(await whichJobs(scoped(store, await scopeOf(store, caller)), ids))
}
