import { Command } from 'commander'
import type { NewNotificationRule } from '../client/api.ts'
import { AppError } from '../shared/errors.ts'
import type { NotificationRule, ServerChoice } from '../shared/notifications.ts'
import { channelThings } from './channels.ts'
import { listOf, printTable, removalOf, showOf, type Things } from './named-things.ts'
import { collect } from './parse.ts'
import { named, type Remote, remote } from './remote.ts'
import { serverThings } from './servers.ts'
import { print, printJson } from './terminal.ts'

const ruleThings: Things<NotificationRule> = {
  list: 'GET /api/v1/notification-rules',
  one: 'notification rule',
  many: 'notification rules',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    'EVENTS ': ({ events }) => String(events.length),
    SERVERS: ({ servers }) => choiceInWords(servers),
    'CHANNELS ': ({ channels }) => (channels === null ? 'all' : String(channels.length)),
    MARKS: ({ isEnabled }) => (isEnabled ? '' : 'disabled'),
  },
}

interface AddOptions {
  event: string[]
  server?: string[]
  label?: string[]
  channel?: string[]
  disabled?: boolean
  json?: boolean
}

export const rules = new Command('rules')
  .description('Which events of which servers go to which channels')
  .addCommand(
    new Command('events')
      .description('What people may want to hear of')
      .option('--json', 'print the result as JSON')
      .action(async ({ json }: { json?: boolean }) => {
        const { items } = await (await remote()).ask('GET /api/v1/notification-events')
        const columns = {
          EVENT: ({ name }: Event) => name,
          MEANING: ({ description }: Event) => description,
          MARKS: ({ isDefault }: Event) => (isDefault ? 'default' : ''),
        }
        printTable(items, columns, { json, none: 'There are none.' })
      }),
  )
  .addCommand(listOf(ruleThings))
  .addCommand(showOf(ruleThings))
  .addCommand(
    new Command('add')
      .description('Add a rule')
      .argument('<name>', 'what people call it')
      .requiredOption('--event <name>', 'as “holdfast rules events” lists them; may be repeated', collect)
      .option('--server <name>', 'only of this one; may be repeated (default: all)', collect)
      .option('--label <name=value>', 'only of servers with this label; may be repeated', collect)
      .option('--channel <name>', 'only to this one; may be repeated (default: all)', collect)
      .option('--disabled', 'it says nothing until it is enabled')
      .option('--json', 'print the result as JSON')
      .action(add),
  )
  .addCommand(removalOf(ruleThings))

interface Event {
  name: string
  description: string
  isDefault: boolean
}

async function add(name: string, options: AddOptions): Promise<void> {
  const app = await remote()
  const body = {
    name,
    // Which there are is for the app to say.
    events: options.event as NewNotificationRule['events'],
    servers: await serversOf(app, options),
    channels: options.channel ? await Promise.all(options.channel.map((name) => channelOf(app, name))) : null,
    isEnabled: !options.disabled,
  }
  const added = await app.ask('POST /api/v1/notification-rules', { body })
  if (options.json) return printJson(added)
  print(`Added notification rule “${added.name}” (${added.id}).`)
}

async function serversOf(app: Remote, { server, label }: AddOptions): Promise<ServerChoice> {
  if (server && label) {
    throw new AppError('invalid_input', 'A rule chooses servers by --server or by --label, not by both.')
  }
  if (label) return { labels: Object.fromEntries(label.map(parseLabel)) }
  if (!server) return { all: true }
  const found = await Promise.all(server.map((name) => named(app, serverThings.list, 'server', name)))
  return { ids: found.map(({ id }) => id) }
}

/** One of our own, or a shared one of another organization. */
async function channelOf(app: Remote, name: string): Promise<string> {
  const { items } = await app.ask('GET /api/v1/shared-channels')
  try {
    return (await named(app, channelThings.list, 'channel', name)).id
  } catch (error) {
    const isUnknown = error instanceof AppError && error.code === 'not_found'
    const [only, ...others] = items.filter((shared) => shared.name === name || shared.id === name)
    if (!isUnknown || !only || others.length > 0) throw error
    return only.id
  }
}

function choiceInWords(servers: ServerChoice): string {
  if ('all' in servers) return 'all'
  if ('ids' in servers) return String(servers.ids.length)
  return Object.entries(servers.labels)
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join(' ')
}

function parseLabel(text: string): [string, string] {
  const [name = '', value = ''] = text.split(/=(.*)/s)
  return [name, value]
}
