import { Command } from 'commander'
import { readConfiguration } from '../app/configuration.ts'
import { word } from './parse.ts'
import { note, print, printJson } from './terminal.ts'

const create = new Command('create')
  .description('Make a token for the API, on the machine of the app, and print it: this once')
  .option('--name <name>', 'what it is for; unique', word('--name', 100))
  .option('--organization <name>', 'whose it is, where there are several', word('--organization'))
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    `
It opens the app’s store itself, so it needs the environment and the user of the app, and no other token. The app may run
meanwhile. Delete tokens that are not needed any more: DELETE /api/v1/tokens/<id>.`,
  )
  .action(async (options: { name?: string; organization?: string; json?: boolean }) => {
    const { openExistingStore } = await import('../app/existing-store.ts')
    const { addToken, organizationNamed } = await import('../app/identity/tokens.ts')
    const { configuration, warnings } = readConfiguration(process.env)
    for (const warning of warnings) note(`warning: ${warning}`)
    await using store = await openExistingStore(configuration.store)
    const organizationId = await organizationNamed(store, options.organization)
    const name = options.name ?? `made on ${new Date().toISOString()}`
    const { token, row } = await addToken(store, organizationId, name.trim())
    if (options.json) return printJson({ token, id: row.id, name: row.name })
    note(`The token “${row.name}”, which is shown this once:`)
    print(token)
  })

export const token = new Command('token').description('Tokens for the API').addCommand(create)
