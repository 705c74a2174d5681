import { Command } from 'commander'
import type { Server } from '../shared/servers.ts'
import { listOf, removalOf, showOf, type Things } from './named-things.ts'
import { collect, positiveInteger, word } from './parse.ts'
import { named, remote } from './remote.ts'
import { print, printJson, warnOfPassword } from './terminal.ts'
import { printReport } from './test-report.ts'

export const serverThings: Things<Server> = {
  list: 'GET /api/v1/servers',
  one: 'server',
  many: 'servers',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    ENGINE: ({ engine }) => engine,
    LABELS: ({ labels }) =>
      Object.entries(labels)
        .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
        .join(' '),
    MARKS: ({ isProduction, isProtected }) =>
      [isProduction && 'production', isProtected && 'protected'].filter(Boolean).join(' '),
  },
}

interface AddOptions {
  name?: string
  production?: boolean
  protected?: boolean
  label?: string[]
  maxRunning?: number
  json?: boolean
}

export const servers = new Command('servers')
  .description('The database servers that the app backs up')
  .addCommand(listOf(serverThings))
  .addCommand(showOf(serverThings))
  .addCommand(
    new Command('add')
      .description('Add a server by its URL; HOLDFAST_DATABASE_PASSWORD holds the password')
      .argument('<database-url>', 'postgresql://user@host · mysql://… · mariadb://… · sqlite:path')
      .option('--name <name>', 'what people call it (default: its host)', word('--name'))
      .option('--production', 'a restore that replaces a database of it asks for the name')
      .option('--protected', 'nothing is restored into it at all')
      .option('--label <name=value>', 'to find it by; may be repeated', collect)
      .option('--max-running <n>', 'how many jobs may run on it at once (default: 2)', positiveInteger)
      .option('--json', 'print the result as JSON')
      .action(add),
  )
  .addCommand(
    new Command('test')
      .description('Reach a server, and say step by step what a backup would meet')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, serverThings.list, 'server', name)
        printReport(await app.ask('POST /api/v1/servers/{id}/test', { params: { id } }), json)
      }),
  )
  .addCommand(
    new Command('databases')
      .description('The databases that can be backed up, as the server lists them now')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, serverThings.list, 'server', name)
        const answer = await app.ask('GET /api/v1/servers/{id}/databases', { params: { id } })
        if (json) printJson(answer)
        else answer.items.forEach((database) => print(database))
      }),
  )
  .addCommand(removalOf(serverThings))

async function add(url: string, options: AddOptions): Promise<void> {
  warnOfPassword(url)
  const { openDatabaseUrl } = await import('../engines/index.ts')
  const { engineName, connection, host } = openDatabaseUrl(url, process.env)
  const app = await remote()
  const body = {
    name: options.name ?? host ?? engineName,
    engine: engineName,
    connection: connection as Record<string, unknown>,
    labels: Object.fromEntries((options.label ?? []).map(parseLabel)),
    isProduction: options.production ?? false,
    isProtected: options.protected ?? false,
    ...(options.maxRunning !== undefined && { maxRunning: options.maxRunning }),
  }
  const added = await app.ask('POST /api/v1/servers', { body })
  if (options.json) return printJson(added)
  print(`Added server “${added.name}” (${added.id}).`)
  print(`Try it: holdfast servers test ${added.id}`)
}

function parseLabel(text: string): [string, string] {
  const [name = '', value = ''] = text.split(/=(.*)/s)
  return [name, value]
}
