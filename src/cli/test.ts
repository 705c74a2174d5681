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
    else steps.forEach(describe)
    process.exitCode = passed ? 0 : 1
  })

const marks: Record<TestStep['outcome'], string> = {
  ok: 'ok',
  warning: 'WARNING',
  failed: 'FAILED',
  skipped: '-',
}

function describe({ step, outcome, detail, milliseconds }: TestStep): void {
  const time = milliseconds === undefined ? '' : `${Math.round(milliseconds)} ms`
  const lines = (detail ?? '').split('\n')
  print(`${marks[outcome].padEnd(8)} ${step.padEnd(22)} ${time.padStart(8)}  ${lines[0] ?? ''}`.trimEnd())
  for (const line of lines.slice(1)) print(`${' '.repeat(42)}${line}`)
}
