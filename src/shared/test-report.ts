/** One line of the report that a test of a connection or a volume gives. */
export interface TestStep {
  /** `reach`, `sign in`, `write`, `read a range`, `free space`, … */
  step: string
  outcome: 'ok' | 'warning' | 'failed' | 'skipped'
  /** What was found, or went wrong, and what to do about it. */
  detail?: string
  milliseconds?: number
}
