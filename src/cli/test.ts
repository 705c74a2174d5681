import { Command } from 'commander'
import { isDatabaseUrl, openDatabaseUrl } from '../engines/index.ts'
import { testConnection } from '../runner/test-connection.ts'
import { maskUrl } from '../volumes/index.ts'
import { testVolume } from '../volumes/test-volume.ts'

import type { TestStep } from '../shared/test-report.ts'
import { interruption } from './interruption.ts'
import { print, printJson, warnOfPassword } from './terminal.ts'
import { withVolume } from './with-volume.ts'

export const test = new Command('test')
  .description('Test a connection to a database server, or a volume, and say exactly what is wrong with it')
  .argument('<url>', 'a database URL or a volume URL')
  .option('--json', 'print the result as JSON')
  .action(async (url: string, options: { json?: boolean }) => {
    let steps: TestStep[] = []
    if (isDatabaseUrl(url)) {
      warnOfPassword(url)
      steps = await testConnection(openDatabaseUrl(url, process.env), interruption())
    } else {
      await withVolume(url, async (volume) => {
        steps = await testVolume(volume, interruption())
      })
    }
    const passed = steps.every(({ outcome }) => outcome !== 'failed')
    if (options.json) printJson({ url: maskUrl(url), passed, steps })
    else print(report(steps))
    process.exitCode = passed ? 0 : 1
  })

const marks: Record<TestStep['outcome'], string> = {
  ok: 'ok',
  warning: 'WARNING',
  failed: 'FAILED',
  skipped: '-',
}

function report(steps: readonly TestStep[]): string {
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
