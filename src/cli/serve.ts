import { once } from 'node:events'
import { Command } from 'commander'
import { readConfiguration } from '../app/configuration.ts'
import { serve as serveApp } from '../app/serve.ts'
import { interruption } from './interruption.ts'
import { note, print } from './terminal.ts'

export const serve = new Command('serve')
  .description('Run the app: its API, and what it does by itself')
  .addHelpText('after', '\nAll settings are in the environment: see docs/guide/configuration.md.')
  .action(async () => {
    const { configuration, warnings } = readConfiguration(process.env)
    const signal = interruption()
    await using app = await serveApp(configuration)
    for (const warning of [...warnings, ...app.warnings]) note(`warning: ${warning}`)
    for (const text of app.notes) print(`${text}\n`)
    print(`Holdfast answers at ${app.url}`)
    if (!signal.aborted) await once(signal, 'abort')
  })
