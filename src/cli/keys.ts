import { Command, Option } from 'commander'
import type { z } from 'zod'
import type { encryptionKey, keyCheck } from '../shared/encryption-keys.ts'
import { fromEnvironment } from '../lib/environment.ts'
import { listOf, localTime, printTable, removalOf, showOf, type Things } from './named-things.ts'
import { collect } from './parse.ts'
import { named, remote } from './remote.ts'
import { note, print, printJson } from './terminal.ts'

type EncryptionKey = z.output<typeof encryptionKey>
type KeyCheck = z.output<typeof keyCheck>

const keyThings: Things<EncryptionKey> = {
  list: 'GET /api/v1/keys',
  one: 'encryption key',
  many: 'encryption keys',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    KIND: ({ kind }) => kind,
    STATE: ({ state }) => state,
    FINGERPRINT: ({ fingerprint }) => fingerprint ?? '-',
    'SNAPSHOTS ': ({ snapshots }) => String(snapshots),
  },
}

const checkColumns: Record<string, (check: KeyCheck) => string> = {
  KEY: ({ name, keyId }) => name ?? keyId,
  KIND: ({ kind }) => kind,
  STATE: ({ state }) => state,
  FINGERPRINT: ({ fingerprint }) => fingerprint ?? '-',
  'AT HAND': ({ isAtHand }) => (isAtHand ? 'yes' : 'no'),
  'SNAPSHOTS ': ({ snapshots }) => String(snapshots),
  NEWEST: ({ newest }) => localTime(newest),
}

interface AddOptions {
  kind: 'password' | 'recipients' | 'passphrase'
  recipient?: string[]
  json?: boolean
}

export const keys = new Command('keys')
  .description('What backups are encrypted with')
  .addCommand(listOf(keyThings))
  .addCommand(showOf(keyThings))
  .addCommand(
    new Command('add')
      .description('Add a key; HOLDFAST_KEY_SECRET holds its password, or else one is made and shown once')
      .argument('<name>', 'what people call it')
      .addOption(
        new Option('--kind <kind>', 'password: 7z · recipients, passphrase: age')
          .choices(['password', 'recipients', 'passphrase'])
          .makeOptionMandatory(),
      )
      .option('--recipient <age1…>', 'a public key; may be repeated', collect)
      .option('--json', 'print the result as JSON')
      .action(add),
  )
  .addCommand(
    new Command('check')
      .description('How many snapshots each key still protects, and whether it is at hand')
      .option('--json', 'print the result as JSON')
      .action(async ({ json }: { json?: boolean }) => {
        const app = await remote()
        const { items } = await app.ask('GET /api/v1/keys/check')
        printTable(items, checkColumns, { json, none: 'There are no keys.' })
      }),
  )
  .addCommand(
    stateCommand('retire', 'retired', 'Let a key encrypt nothing more; it opens what it has encrypted'),
  )
  .addCommand(stateCommand('activate', 'active', 'Let a retired key encrypt again'))
  .addCommand(removalOf(keyThings))

async function add(name: string, { kind, recipient, json }: AddOptions): Promise<void> {
  const app = await remote()
  const given = fromEnvironment(process.env, 'HOLDFAST_KEY_SECRET')
  const secret = given === undefined ? { generate: true } : { [kind]: given }
  const body = kind === 'recipients' ? { kind, name, recipients: recipient ?? [] } : { kind, name, ...secret }
  const added = await app.ask('POST /api/v1/keys', { body })
  if (json) return printJson(added)
  print(`Added encryption key “${added.name}” (${added.id}).`)
  if (added.secret === undefined) return
  note('Keep this secret where the backups are not; it is shown this once:')
  print(`  ${added.secret}`)
}

function stateCommand(word: string, state: EncryptionKey['state'], description: string): Command {
  return new Command(word)
    .description(description)
    .argument('<name>', 'its name or id')
    .option('--json', 'print the key as JSON')
    .action(async (name: string, { json }: { json?: boolean }) => {
      const app = await remote()
      const { id } = await named(app, keyThings.list, 'encryption key', name)
      const changed = await app.ask('PATCH /api/v1/keys/{id}', { params: { id }, body: { state } })
      if (json) printJson(changed)
      else print(`“${changed.name}” is ${changed.state}.`)
    })
}
