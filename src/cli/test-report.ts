import type { TestReport, TestStep } from '../shared/test-report.ts'
import { print, printJson } from './terminal.ts'

/** Prints what a test has found, and makes its outcome the exit code. */
export function printReport(report: TestReport, json: boolean | undefined, more: object = {}): void {
  if (json) printJson({ ...more, ...report })
  else print(lines(report.steps))
  process.exitCode = report.passed ? 0 : 1
}

const marks: Record<TestStep['outcome'], string> = {
  ok: 'ok',
  warning: 'WARNING',
  failed: 'FAILED',
  skipped: '-',
}

function lines(steps: readonly TestStep[]): string {
  const width = Math.max(...steps.map(({ step }) => step.length))
  return steps
    .flatMap(({ step, outcome, detail = '', milliseconds }) => {
      const time = milliseconds === undefined ? '' : `${Math.round(milliseconds)} ms`
      const [first = '', ...rest] = detail.split('\n')
      const line = `${marks[outcome].padEnd(8)} ${step.padEnd(width)} ${time.padStart(8)}  ${first}`
      return [line, ...rest.map((text) => ' '.repeat(width + 20) + text)]
    })
    .map((line) => line.trimEnd())
    .join('\n')
}
