import { constants } from 'node:os'
import { AppError } from '../shared/errors.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const controller = new AbortController()
let isWatching = false
let whatHappens = 'stopping, and removing what was begun'

/**
 * Aborts on the first SIGINT, SIGTERM or SIGHUP, so that the job can tidy up; the second one ends the process at once.
 * `what` says what happens then.
 */
export function interruption(what?: string): AbortSignal {
  whatHappens = what ?? whatHappens
  if (!isWatching) {
    isWatching = true
    for (const name of signals) process.on(name, () => interrupt(name))
  }
  return controller.signal
}

/** Whether a job is running that hears of it. */
export function isInterruptible(): boolean {
  return isWatching
}

/**
 * Ends the job in order; what is asked twice ends the process. `SIGPIPE` is for a reader that is gone: nobody expects
 * to be told of that.
 */
export function interrupt(name: (typeof signals)[number] | 'SIGPIPE'): void {
  if (controller.signal.aborted) process.exit(128 + constants.signals[name])
  if (name !== 'SIGPIPE') {
    process.stderr.write(`${name}: ${whatHappens}. Again to end at once.\n`)
  }
  controller.abort(new AppError('cancelled', `Interrupted by ${name}.`))
}

/** What ended the command, if it was not an error of its own. */
export function interruptionReason(): AppError | undefined {
  return controller.signal.aborted ? (controller.signal.reason as AppError) : undefined
}
