import { Command } from 'commander'
import { isDatabaseUrl, openDatabaseUrl } from '../engines/index.ts'
import { testConnection } from '../runner/test-connection.ts'
import { maskUrl } from '../volumes/index.ts'
import { testVolume } from '../volumes/test-volume.ts'

import type { TestStep } from '../shared/test-report.ts'
import { interruption } from './interruption.ts'
import { warnOfPassword } from './terminal.ts'
import { printReport } from './test-report.ts'
import { withVolume } from './with-volume.ts'

export const test = new Command('test')
  .description('Test a connection to a database server, or a volume, and say exactly what is wrong with it')
  .argument('<url>', 'a database URL or a volume URL')
  .option('--json', 'print the result as JSON')
  .action(async (url: string, options: { json?: boolean }) => {
    let steps: TestStep[] = []
    if (isDatabaseUrl(url)) {
      warnOfPassword(url)
      const { database, ...server } = openDatabaseUrl(url, process.env)
      const choose = database === undefined ? undefined : async () => [database]
      steps = await testConnection({ ...server, choose }, interruption())
    } else {
      await withVolume(url, async (volume) => {
        steps = await testVolume(volume, interruption())
      })
    }
    const passed = steps.every(({ outcome }) => outcome !== 'failed')
    printReport({ passed, steps }, options.json, { url: maskUrl(url) })
  })
