import type { LogLevel } from '../../runner/job.ts'
import { mendJson, mendText } from '../broken-text.ts'

/** One line that a job has said. */
export interface LogLine {
  /** ISO 8601. */
  at: string
  level: LogLevel
  message: string
  fields?: Record<string, unknown>
}

const MOST_LINES = 10_000
const LONGEST_LINE = 4_000

/** Gathers the lines of one job until somebody stores them. A tool that floods us is cut off. */
export class JobLog {
  #lines: LogLine[] = []
  #count = 0

  add(level: LogLevel, message: string, fields?: Record<string, unknown>): void {
    this.#count += 1
    if (this.#count > MOST_LINES) return
    const last = this.#count === MOST_LINES
    this.#lines.push({
      at: new Date().toISOString(),
      level: last ? 'warning' : level,
      message: last ? `There were more than ${MOST_LINES} lines; the rest is not kept.` : shortened(message),
      ...(fields && !last && { fields: mendJson(fields) }),
    })
  }

  /** What was said since the last call. */
  take(): LogLine[] {
    const taken = this.#lines
    this.#lines = []
    return taken
  }

  /** Puts back what could not be stored, before what was said since. */
  putBack(lines: readonly LogLine[]): void {
    this.#lines = [...lines, ...this.#lines]
  }
}

function shortened(message: string): string {
  return mendText(message.length > LONGEST_LINE ? `${message.slice(0, LONGEST_LINE)} …` : message)
}
