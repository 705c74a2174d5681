import { text } from 'node:stream/consumers'
import { readKey, sealer } from '../../lib/sealing.ts'
import { openStore } from '../../store/database.ts'
import type { StorePlace } from '../../store/test-bed.ts'
import type { AppContext } from '../context.ts'
import { jobKinds } from './kinds.ts'
import { startWorker } from './worker.ts'

/** What a test says on standard input to a runner that it is going to kill. */
export interface RunnerOrder {
  place: StorePlace['place']
  /** As `writeKey` writes it. */
  key: string
  context: Pick<AppContext, 'instanceKeys' | 'timeZone' | 'dataDirectory' | 'workDirectory'>
  /** What it does; only restores, if absent. */
  kinds?: readonly string[]
}

const order = JSON.parse(await text(process.stdin)) as RunnerOrder
const store = await openStore(order.place)
const context: AppContext = {
  ...order.context,
  store,
  sealer: sealer({ current: readKey(order.key) }),
  heartbeats: new Map(),
}
startWorker(context, { kinds: jobKinds, takes: order.kinds ?? ['restore'] })
