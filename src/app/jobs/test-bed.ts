import type { AppContext } from '../context.ts'
import { claimJob } from '../../store/queue.ts'
import type { JobKind } from './job-kind.ts'
import { startJob } from './run-job.ts'

export interface RunOptions {
  kinds?: Readonly<Record<string, JobKind>>
  /** Also those that wait for their next attempt, or for their time. */
  evenLater?: boolean
}

/** Runs all jobs that can run now, one after another, and those that they order. Returns how many. */
export async function runJobs(context: AppContext, options: RunOptions = {}): Promise<number> {
  const kinds = options.kinds ?? (await import('./kinds.ts')).jobKinds
  const { store } = context
  const runner = { name: 'tests', node: 'tests', capacity: 1, kinds: Object.keys(kinds) }
  for (let count = 0; ; count++) {
    if (options.evenLater) {
      await store.db.updateTable('jobs').set({ runAt: 0 }).where('state', '=', 'queued').execute()
    }
    const claimed = await claimJob(store, runner)
    if (!claimed) return count
    await startJob(context, kinds, claimed, (error) => {
      throw error
    }).over
  }
}
