import { text } from 'node:stream/consumers'
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { z } from 'zod'
import { fromEnvironment } from '../lib/environment.ts'
import type { Channel } from '../shared/channels.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import { listOf, localTime, printTable, removalOf, showOf, type Things } from './named-things.ts'
import { collect, word } from './parse.ts'
import { named, type Remote, remote } from './remote.ts'
import { print, printJson } from './terminal.ts'
import { printReport } from './test-report.ts'

export const channelThings: Things<Channel> = {
  list: 'GET /api/v1/channels',
  one: 'channel',
  many: 'channels',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    KIND: ({ kind }) => kind,
    DELIVERED: ({ lastDeliveredAt }) => localTime(lastDeliveredAt),
    MARKS: ({ isEnabled, isShared, isFailing }) =>
      [!isEnabled && 'disabled', isShared && 'shared', isFailing && 'failing'].filter(Boolean).join(' '),
  },
}

interface AddOptions {
  name: string
  set?: string[]
  settings?: string
  shared?: boolean
  disabled?: boolean
  json?: boolean
}

type Settings = Record<string, unknown>

/** Of a kind's settings, what is asked here. */
const form = z.object({
  properties: z.record(z.string(), z.object({ type: z.string().optional(), secret: z.boolean().optional() })),
  required: z.array(z.string()).default([]),
})
type Form = z.output<typeof form>

export const channels = new Command('channels')
  .description('Where notices go')
  .addCommand(
    new Command('kinds')
      .description('The kinds of channels, and their settings')
      .option('--json', 'print the result as JSON')
      .action(async ({ json }: { json?: boolean }) => {
        const { items } = await (await remote()).ask('GET /api/v1/channel-kinds')
        const columns = {
          KIND: ({ name }: Kind) => name,
          LABEL: ({ label }: Kind) => label,
          SETTINGS: ({ settings }: Kind) => inWords(form.parse(settings)),
        }
        printTable(items, columns, { json, none: 'There are none.' })
      }),
  )
  .addCommand(listOf(channelThings))
  .addCommand(showOf(channelThings))
  .addCommand(
    new Command('add')
      .description('Add a channel; its secret by HOLDFAST_CHANNEL_SECRET, several by --settings')
      .argument('<kind>', 'a kind, as “holdfast channels kinds” lists them')
      .requiredOption('--name <name>', 'what people call it', word('--name'))
      .option('--set <name=value>', 'a setting that is no secret; may be repeated', collect)
      .option('--settings <file>', 'settings as JSON; - for standard input', word('--settings'))
      .option('--shared', 'rules of other organizations may use it')
      .option('--disabled', 'it takes nothing but tests until it is enabled')
      .option('--json', 'print the result as JSON')
      .action(add),
  )
  .addCommand(
    new Command('test')
      .description('Send a message, and say what the receiver answers')
      .argument('<name>', 'its name or id')
      .option('--json', 'print the result as JSON')
      .action(async (name: string, { json }: { json?: boolean }) => {
        const app = await remote()
        const { id } = await named(app, channelThings.list, 'channel', name)
        printReport(await app.ask('POST /api/v1/channels/{id}/test', { params: { id } }), json)
      }),
  )
  .addCommand(removalOf(channelThings))

async function add(kind: string, options: AddOptions): Promise<void> {
  const app = await remote()
  const wanted = await formOf(app, kind)
  const settings = {
    ...secretOf(kind, wanted),
    ...(options.settings === undefined ? {} : await readSettings(options.settings)),
    ...gather(wanted, options.set ?? []),
  }
  const body = {
    name: options.name,
    kind,
    settings,
    isShared: options.shared ?? false,
    isEnabled: !options.disabled,
  }
  const added = await app.ask('POST /api/v1/channels', { body })
  if (options.json) return printJson(added)
  print(`Added channel “${added.name}” (${added.id}).`)
  print(`Try it: holdfast channels test ${added.id}`)
}

interface Kind {
  name: string
  label: string
  settings: Settings
}

async function formOf(app: Remote, kind: string): Promise<Form> {
  const { items } = await app.ask('GET /api/v1/channel-kinds')
  const found = items.find(({ name }) => name === kind)
  if (found) return form.parse(found.settings)
  throw new AppError('invalid_input', `There is no kind of channel “${kind}”.`, {
    hint: `There is ${items.map(({ name }) => name).join(', ')}.`,
  })
}

/** `url, topic, token (secret, optional)` */
function inWords({ properties, required }: Form): string {
  return Object.entries(properties)
    .map(([name, { secret }]) => {
      const marks = [secret && 'secret', !required.includes(name) && 'optional'].filter(Boolean)
      return marks.length === 0 ? name : `${name} (${marks.join(', ')})`
    })
    .join(', ')
}

/** Only where it cannot be taken for another one. */
function secretOf(kind: string, { properties }: Form): Settings {
  const value = fromEnvironment(process.env, 'HOLDFAST_CHANNEL_SECRET')
  if (value === undefined) return {}
  const names = Object.keys(properties).filter((name) => properties[name]?.secret)
  const [only, ...others] = names
  if (only !== undefined && others.length === 0) return { [only]: value }
  const count = names.length === 0 ? 'no secret' : `${names.length} secrets (${names.join(', ')})`
  throw new AppError('invalid_input', `A channel of the kind “${kind}” has ${count}.`, {
    hint: 'Give them by --settings, and leave HOLDFAST_CHANNEL_SECRET out.',
  })
}

async function readSettings(path: string): Promise<Settings> {
  const where = path === '-' ? 'Standard input' : path
  try {
    const json: unknown = JSON.parse(path === '-' ? await text(process.stdin) : await readFile(path, 'utf8'))
    return z.record(z.string(), z.unknown(), 'It is no object').parse(json)
  } catch (error) {
    const why = error instanceof z.ZodError ? 'it is no JSON object' : messageOf(error)
    throw new AppError('invalid_input', `${where} holds no settings: ${why}.`)
  }
}

/** What is none of its settings is for the app to refuse, which names it. */
function gather({ properties }: Form, pairs: readonly string[]): Settings {
  const settings: Settings = {}
  for (const pair of pairs) {
    const [name = '', value] = pair.split(/=(.*)/s)
    if (value === undefined) {
      throw new AppError('invalid_input', `“${name}” is not of the form name=value.`)
    }
    const { type, secret } = properties[name] ?? {}
    if (secret) {
      throw new AppError(
        'invalid_input',
        `“${name}” is a secret, which everybody on this machine could read in the list of processes.`,
        { hint: 'Set HOLDFAST_CHANNEL_SECRET, or give it by --settings.' },
      )
    }
    const before = settings[name]
    if (type === 'array') settings[name] = [...(Array.isArray(before) ? before : []), ...value.split(',')]
    else settings[name] = type === 'string' || type === undefined ? value : parseValue(value)
  }
  return settings
}

function parseValue(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return value // the app says what it must be
  }
}
