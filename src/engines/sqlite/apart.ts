import { fileURLToPath } from 'node:url'
import { run } from '../../lib/process.ts'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import type { operations } from './operations.ts'

type Operations = typeof operations
export type OperationName = keyof Operations
type RequestOf<K extends OperationName> = Parameters<Operations[K]>[0]
type ResultOf<K extends OperationName> = Awaited<ReturnType<Operations[K]>>

/** How an operation ended, as it travels between the processes. */
export type Outcome = { result: unknown } | { error: { code: ErrorCode; message: string; hint?: string } }

const MAIN = fileURLToPath(new URL('apart-main.ts', import.meta.url))

/**
 * Runs an operation on a database file in a process of its own, because SQLite's calls block the thread (an integrity
 * check of a large file for minutes), can be interrupted only by ending the process, may crash on a damaged file, and
 * because closing any descriptor of a file drops all the locks that the same process holds on it.
 */
export async function apart<K extends OperationName>(
  operation: K,
  request: RequestOf<K>,
  signal: AbortSignal,
): Promise<ResultOf<K>> {
  const command = {
    file: process.execPath,
    args: ['--disable-warning=ExperimentalWarning', MAIN, operation, JSON.stringify(request)],
    env: compileCache(),
  }
  const outcome = JSON.parse(await run(command, signal, { limit: 2 ** 28 })) as Outcome
  if ('error' in outcome) {
    throw new AppError(outcome.error.code, outcome.error.message, { hint: outcome.error.hint })
  }
  return outcome.result as ResultOf<K>
}

/** Where bin/holdfast keeps compiled code: with it, to start takes a third of the time. */
export function compileCache(): Record<string, string> {
  const { NODE_COMPILE_CACHE } = process.env
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }
}
