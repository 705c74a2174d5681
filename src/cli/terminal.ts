import { asAppError, messageOf, type AppError } from '../shared/errors.ts'
import { formatBytes } from '../shared/units.ts'
import type { JobContext, JobProgress } from '../runner/job.ts'

/*
 * Results go to standard output, everything else to standard error. With --json the result, or the error, is one JSON
 * document on standard output, and standard error stays free of decoration.
 */

export interface OutputOptions {
  json?: boolean
  quiet?: boolean
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`)
}

/** A line for a person, beside the result. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** A secret in a URL works, but it does not stay secret. */
export function warnOfPassword(url: string, variable = 'HOLDFAST_DATABASE_PASSWORD'): void {
  if (!/^[^/]*:\/\/[^/@]*:[^/@]+@/.test(url) && !/[?&]password=/.test(url)) return
  note(
    `warning: The database URL contains a password, which everybody on this machine can read in the list of processes. Set ${variable} instead.`,
  )
}

/** What libraries say when they know nothing. */
const NO_REASONS = ['Error', 'Unknown', 'UnknownError']

/** Sentence, further fields that are wrong, what was behind it, and the hint. */
export function describeError(error: AppError): string {
  const cause = error.cause === undefined ? undefined : messageOf(error.cause)
  const behind =
    cause && !error.message.includes(cause) && !NO_REASONS.includes(cause) ? `\n  because: ${cause}` : ''
  const hint = error.hint ? `\n  hint: ${error.hint}` : ''
  // The sentence names the first of them.
  const others = (error.fields ?? []).slice(1).map(({ field, message }) => `\n  ${field}: ${message}`)
  return `${error.message}${others.join('')}${behind}${hint}`
}

export function errorJson(thrown: unknown): Record<string, unknown> {
  const error = asAppError(thrown)
  return {
    code: error.code,
    message: error.message,
    ...(error.hint && { hint: error.hint }),
    ...(error.fields && { errors: [...error.fields] }),
    retryable: error.retryable,
  }
}

/** Columns side by side; numbers are right-aligned when the head ends in a space. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(title.trim().length, ...rows.map((row) => (row[i] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => {
        const width = widths[i] ?? 0
        return head[i]?.endsWith(' ') ? cell.trim().padStart(width) : cell.trim().padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)].join('\n')
}

const REDRAW = 100

/**
 * The context of a job that a person waits for: its progress as one line on a terminal, its warnings as lines.
 * `done` takes the line away.
 */
export function jobContext(
  signal: AbortSignal,
  options: OutputOptions & { verbose?: boolean },
): JobContext & { done(): void } {
  const live = process.stderr.isTTY && !options.json && !options.quiet
  let state: JobProgress = { phase: 'connecting' }
  let drawnAt = 0
  let startedAt = performance.now()
  const clear = () => live && process.stderr.write('\r\x1b[2K')
  return {
    signal,
    log(level, message) {
      if (level === 'info' && !options.verbose) return
      clear()
      note(level === 'info' ? message : `${level}: ${message}`)
    },
    progress(progress) {
      if (!live) return
      if (progress.phase !== state.phase) startedAt = performance.now()
      state = progress.phase === state.phase ? { ...state, ...progress } : progress
      const now = performance.now()
      if (now - drawnAt < REDRAW) return
      drawnAt = now
      process.stderr.write(`\r\x1b[2K${progressLine(state, (now - startedAt) / 1000)}`)
    },
    done: () => void clear(),
  }
}

/** `dumping  [########............]  38 %  1.2 GiB → 310 MiB  182 MiB/s`. The whole is an estimate, so 99 % at most. */
function progressLine(
  { phase, rawBytes = 0, storedBytes, expectedRawBytes }: JobProgress,
  seconds: number,
): string {
  const share = expectedRawBytes ? Math.min(0.99, rawBytes / expectedRawBytes) : undefined
  const bar =
    share === undefined
      ? ''
      : `[${'#'.repeat(Math.round(share * 20)).padEnd(20, '.')}] ${String(Math.round(share * 100)).padStart(3)} %  `
  const stored = storedBytes === undefined ? '' : ` → ${formatBytes(storedBytes)}`
  const rate = seconds > 0.5 && rawBytes > 0 ? `  ${formatBytes(rawBytes / seconds)}/s` : ''
  return `${phase}  ${bar}${formatBytes(rawBytes)}${stored}${rate}`.slice(
    0,
    (process.stderr.columns ?? 80) - 1,
  )
}
