import type { Sealer } from '../lib/sealing.ts'
import type { Store } from '../store/database.ts'

/** What every feature of the app works with. */
export interface AppContext {
  store: Store
  sealer: Sealer
}
