import { AppError, messageOf } from '../../shared/errors.ts'
import { completeFacts, type HookFailure, type HookOutcome } from '../../shared/hooks.ts'
import type { JobContext } from '../job.ts'
import type { HookOccasion } from './hook.ts'
import { hookKindNamed } from './index.ts'

/** A hook that is to run. */
export interface HookOrder {
  /** For the log. */
  name: string
  /** Its settings are known to be right only when it runs: what is wrong with them is its own failure. */
  kind: string
  settings: () => unknown
  onFailure: HookFailure
  /** Milliseconds. */
  timeout: number
  /** Not a script of the installation, which gets no name, and knows of successes only. */
  isHook: boolean
}

export interface HooksRun {
  outcomes: HookOutcome[]
  /** What the job is to end with: `hook_failed`, or `hook_skipped` if it is to be left out. */
  stop?: AppError
}

/**
 * Runs the hooks, one after another. Before a job, the first whose failure fails or skips it is the last that runs; behind
 * it, all run, and the first such failure counts. Throws only when the job's signal aborts: its reason.
 */
export async function runHooks(
  hooks: readonly HookOrder[],
  occasion: HookOccasion,
  job: JobContext,
): Promise<HooksRun> {
  const run: HooksRun = { outcomes: [] }
  for (const hook of hooks) {
    job.progress({ phase: 'hooks' })
    job.log('info', `Hook “${hook.name}” runs.`)
    const startedAt = performance.now()
    const failure = await failureOf(hook, occasion, job)
    const seconds = Math.round(performance.now() - startedAt) / 1000
    if (failure === undefined) {
      run.outcomes.push({ name: hook.name, outcome: 'succeeded', seconds })
      continue
    }
    run.outcomes.push({ name: hook.name, outcome: 'failed', seconds, message: failure })
    const stop = follow(hook, failure, job)
    run.stop ??= stop
    if (run.stop && occasion.moment === 'before') break
  }
  return run
}

/** What went wrong, in words without a full stop. */
async function failureOf(
  { name, kind, settings, timeout, isHook }: HookOrder,
  occasion: HookOccasion,
  job: JobContext,
): Promise<string | undefined> {
  job.signal.throwIfAborted()
  const limit = AbortSignal.timeout(timeout)
  const facts = completeFacts(occasion.around, { ...occasion.facts, HOOK_NAME: name }, { isHook })
  try {
    const known = hookKindNamed(kind)
    const parsed = known.config.parse(settings())
    const signal = AbortSignal.any([job.signal, limit])
    await known.run(parsed, { ...occasion, facts, name }, { ...job, signal })
    job.signal.throwIfAborted()
    return undefined
  } catch (error) {
    job.signal.throwIfAborted()
    // What it says of its own end counts, also if its time went by while that was tidied up.
    const isOver = error instanceof AppError && error.code === 'hook_failed'
    if (limit.aborted && !isOver) return `it took longer than ${inWords(timeout)}, and was ended`
    return messageOf(error).replace(/\.$/, '')
  }
}

/** Says in the log what follows from it, and returns what the job is to end with, if that follows. */
function follow({ name, onFailure }: HookOrder, failure: string, job: JobContext): AppError | undefined {
  const sentence = `Hook “${name}” has failed: ${failure}.`
  switch (onFailure) {
    case 'ignore':
      job.log('info', sentence)
      return undefined
    case 'warn':
      job.log('warning', sentence)
      return undefined
    case 'fail':
      return new AppError('hook_failed', sentence, {
        hint: 'The log of the job has what the hook has said. What follows from its failure is set with the hook.',
      })
    case 'skip':
      return new AppError('hook_skipped', `Hook “${name}” has left it out: ${failure}.`)
    default: {
      const never: never = onFailure
      throw new Error(`${String(never)} is no way to go on.`)
    }
  }
}

function inWords(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  if (seconds % 60 !== 0) return seconds === 1 ? '1 second' : `${seconds} seconds`
  return seconds === 60 ? '1 minute' : `${seconds / 60} minutes`
}
