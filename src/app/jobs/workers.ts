import { DELIVERY } from '../channels/deliver.ts'
import type { AppContext } from '../context.ts'
import { jobKinds } from './kinds.ts'
import { startWorker, type Worker, type WorkerOptions } from './worker.ts'

/** How many notices are delivered at once. */
const DELIVERIES = 4
/** Milliseconds between looks: a notice may come a second later than a backup begins. */
const DELIVERY_POLL = 1_000

/**
 * What runs the jobs of one process. Deliveries have a lane of their own: however many of their receivers hang, no
 * backup waits for them.
 */
export function startWorkers(
  context: AppContext,
  options: Pick<WorkerOptions, 'concurrency' | 'labels' | 'onTrouble'>,
): Worker {
  const { concurrency, labels, onTrouble } = options
  const common: WorkerOptions = { kinds: jobKinds, ...(onTrouble && { onTrouble }) }
  const main = startWorker(context, {
    ...common,
    takes: Object.keys(jobKinds).filter((kind) => kind !== DELIVERY),
    ...(concurrency !== undefined && { concurrency }),
    ...(labels && { labels }),
  })
  const deliveries = startWorker(context, {
    ...common,
    takes: [DELIVERY],
    lane: 'delivery lane',
    concurrency: DELIVERIES,
    pollEvery: DELIVERY_POLL,
  })
  const stop = async (patience: number) => {
    await Promise.all([main.stop(patience), deliveries.stop(patience)])
  }
  return { stop, [Symbol.asyncDispose]: () => stop(0) }
}
