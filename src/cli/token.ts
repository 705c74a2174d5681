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
    const { organizationNamed } = await import('../app/organizations/organizations.ts')
    const { atCommandLine } = await import('../app/audit/outside-requests.ts')
    const { recordAuditNow } = await import('../app/audit/record.ts')
    const { addToken, unrestricted } = await import('../app/tokens/tokens.ts')
    const { configuration, warnings } = readConfiguration(process.env)
    for (const warning of warnings) note(`warning: ${warning}`)
    await using store = await openExistingStore(configuration.store)
    const organizationId = await organizationNamed(store, options.organization)
    const name = (options.name ?? `made on ${new Date().toISOString()}`).trim()
    const { token, id } = await addToken(store, organizationId, { name, ...unrestricted })
    const target = { kind: 'token', id, name }
    await recordAuditNow(store, atCommandLine({ organizationId, action: 'token.add', target }))
    if (options.json) return printJson({ token, id, name })
    note(`The token “${name}”, which is shown this once:`)
    print(token)
  })

export const token = new Command('token').description('Tokens for the API').addCommand(create)
