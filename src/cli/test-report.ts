import { describeStep, type TestReport, type TestStep } from '../shared/test-report.ts'
import { print, printJson } from './terminal.ts'

/** Prints what a test has found, and makes its outcome the exit code. */
export function printReport(report: TestReport, json: boolean | undefined, more: object = {}): void {
  if (json) printJson({ ...more, ...report })
  else print(lines(report.steps))
  process.exitCode = report.passed ? 0 : 1
}

/** Lines of statements; a server with hundreds of databases has more than anybody reads here. */
const MOST_LINES = 40

const marks: Record<TestStep['outcome'], string> = {
  ok: 'ok',
  warning: 'WARNING',
  failed: 'FAILED',
  skipped: '-',
}

function lines(steps: readonly TestStep[]): string {
  const width = Math.max(...steps.map((step) => describeStep(step).length))
  return steps
    .flatMap(({ step, of, outcome, detail = '', statements, milliseconds }) => {
      const time = milliseconds === undefined ? '' : `${Math.round(milliseconds)} ms`
      const [first = '', ...rest] = [...detail.split('\n'), ...shortened(statements)]
      const line = `${marks[outcome].padEnd(8)} ${describeStep({ step, of }).padEnd(width)} ${time.padStart(8)}  ${first}`
      return [line, ...rest.map((text) => ' '.repeat(width + 20) + text)]
    })
    .map((line) => line.trimEnd())
    .join('\n')
}

function shortened(statements: string | undefined): string[] {
  const lines = statements?.split('\n') ?? []
  const others = lines.length - MOST_LINES
  const shown = lines.slice(0, MOST_LINES).map((line) => `  ${line}`)
  return others > 0 ? [...shown, `  … and ${others} more lines: --json has all of them`] : shown
}
