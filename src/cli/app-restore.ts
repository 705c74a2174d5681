import { Command } from 'commander'
import { readConfiguration } from '../app/configuration.ts'
import { interruption } from './interruption.ts'
import { jobContext, note, print, printJson } from './terminal.ts'

export const restoreApp = new Command('restore')
  .description('Put a backup of the app’s own database in its place, while the app is stopped')
  .argument('<backup>', 'a file, or registration/backup; “latest” is the newest of a registration')
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    `
The store that is replaced is that of the environment: DATABASE_URL, or holdfast.db in HOLDFAST_DATA_DIR. It is kept beside,
and nothing is changed before the backup has been checked: that it is whole, that this release can read it, and that
APP_KEY opens its secrets.`,
  )
  .action(async (backup: string, options: { json?: boolean }) => {
    const { configuration, warnings } = readConfiguration(process.env)
    for (const warning of warnings) note(`warning: ${warning}`)
    const app = await import('../app/restore-app.ts')
    const job = jobContext(interruption(), options)
    let restored
    try {
      restored = await app.restoreApp(configuration, backup, job)
    } finally {
      job.done()
    }
    for (const warning of restored.warnings) note(`warning: ${warning}`)
    if (options.json) return printJson(restored)
    print(`${restored.from}, with schema ${restored.schemaVersion}, was put in the place of ${restored.to}.`)
    if (restored.kept !== null) print(`What was there before is kept in ${restored.kept}.`)
    for (const step of restored.next) print(`- ${step}`)
  })
