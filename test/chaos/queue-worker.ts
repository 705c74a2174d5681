/**
 * A runner for the queue's torture, to be killed at any moment. Claims jobs and does nothing with them for some
 * milliseconds. Writes down, as lines of JSON in a file of its own, what it believes to be doing and when; what it has
 * not come to write down by the moment it is killed, it has not done.
 *
 *   node queue-worker.ts <name> <log file> <place as JSON> <capacity>
 */
import { appendFileSync } from 'node:fs'
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../src/shared/errors.ts'
import { openStore } from '../../src/store/database.ts'
import {
  type ClaimedJob,
  claimJob,
  finishJob,
  type Outcome,
  reapJobs,
  renewLease,
} from '../../src/store/queue.ts'
import { LEASE, type Note, type Work } from './queue.ts'

const [, , name = '', logFile = '', place = '', capacity = '1'] = process.argv
const store = await openStore(JSON.parse(place))
const runner = { name, node: 'one', capacity: Number(capacity), kinds: ['work'], lease: LEASE }

for (;;) {
  if (randomInt(4) === 0) await reapJobs(store)
  const job = await claimJob(store, runner)
  if (job) await work(job)
  else await sleep(randomInt(5, 30))
}

async function work(job: ClaimedJob): Promise<void> {
  const { server } = JSON.parse(job.payload) as Work
  const note = (what: Note['what']) => {
    const line: Note = { at: Date.now(), what, job: job.id, attempt: job.attempt, key: job.key, server }
    appendFileSync(logFile, `${JSON.stringify(line)}\n`)
  }
  note('start')
  try {
    const until = Date.now() + randomInt(80)
    let cancel = false
    while (Date.now() < until && !cancel) {
      await sleep(randomInt(10))
      cancel = (await renewLease(store, job, { lease: LEASE })).cancel
    }
    note('end')
    const state = await store.db.transaction().execute((trx) => finishJob(store, trx, job, outcome(cancel)))
    if (state === 'succeeded') note('succeeded')
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'lease_lost') throw error
    note('lost')
  }
}

function outcome(cancel: boolean): Outcome {
  if (cancel) return { state: 'cancelled' }
  if (randomInt(5) > 0) return { state: 'succeeded' }
  return { state: 'failed', error: { code: 'tool_failed', message: 'Bad luck.' } }
}
