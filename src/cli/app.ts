import { Command } from 'commander'
import { loadAppKey } from '../app/app-key.ts'
import { readConfiguration } from '../app/configuration.ts'
import { fromEnvironment } from '../lib/environment.ts'
import { sealer } from '../lib/sealing.ts'
import { AppError } from '../shared/errors.ts'
import { backup, backups, registrations } from './app-backups.ts'
import { restoreApp } from './app-restore.ts'
import { interruption } from './interruption.ts'
import { word } from './parse.ts'
import { note, print, printJson, table, warnOfPassword } from './terminal.ts'

const TARGET = 'HOLDFAST_TARGET_DATABASE_URL'

const migrateStore = new Command('migrate-store')
  .description('Copy the app’s own store to PostgreSQL, or to a file, while the app is stopped')
  .option('--to <place>', 'postgres://…, a file, or a folder', word('--to'))
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    `
The store that is copied is that of the environment: DATABASE_URL, or holdfast.db in HOLDFAST_DATA_DIR. It stays as it
is. The target must be empty. Every row is compared before anything of it counts.

Environment: ${TARGET}  instead of --to, so that its password is not in the list of
             processes; also as ${TARGET}_FILE`,
  )
  .action(async (options: { to?: string; json?: boolean }) => {
    const { configuration, warnings } = readConfiguration(process.env)
    const to = options.to ?? fromEnvironment(process.env, TARGET)
    if (to === undefined) {
      throw new AppError('invalid_input', 'Where to is not said.', { hint: `Give --to, or set ${TARGET}.` })
    }
    for (const warning of warnings) note(`warning: ${warning}`)
    if (options.to !== undefined) warnOfPassword(options.to, TARGET)
    const { moveStore } = await import('../app/move-store.ts')
    const moved = await moveStore(configuration, to, interruption())
    if (options.json) return printJson(moved)
    const rows = moved.tables.filter(({ rows }) => rows > 0)
    if (rows.length > 0)
      print(
        table(
          ['TABLE', 'ROWS '],
          rows.map(({ table, rows }) => [table, String(rows)]),
        ),
      )
    print(`\n${moved.from} was copied to ${moved.to}, and compared.`)
    for (const step of moved.next) print(`- ${step}`)
  })

const acceptKeyOfNow = new Command('accept-key')
  .description('Go on with another APP_KEY after the former one was lost')
  .option('--forget-secrets', 'give up what only the former key opens')
  .option('--json', 'print the result as JSON')
  .addHelpText(
    'after',
    `
The passwords of servers and volumes that were sealed with the former key are gone: enter them again. Encryption keys that
were sealed with it are gone for good. If the former key is still there, set APP_PREVIOUS_KEYS to it instead: then nothing
is lost, and this command is not needed.`,
  )
  .action(async (options: { forgetSecrets?: boolean; json?: boolean }) => {
    const { configuration, warnings } = readConfiguration(process.env)
    for (const warning of warnings) note(`warning: ${warning}`)
    const { holdAlone, openExistingStore } = await import('../app/existing-store.ts')
    const { atCommandLine } = await import('../app/audit/outside-requests.ts')
    const { recordAuditNow } = await import('../app/audit/record.ts')
    const { acceptKey, countLost } = await import('../app/resealing/resealing.ts')
    await using store = await openExistingStore(configuration.store)
    await using _alone = await holdAlone(configuration.store, store, () => {})
    const key = await loadAppKey(configuration)
    // Whatever comes of the rest: the key may have been made just now.
    if (key.note !== undefined) note(`${key.note}\n`)
    for (const warning of key.warnings) note(`warning: ${warning}`)
    const context = { store, sealer: sealer(key) }
    const lost = await countLost(context)
    if (lost > 0 && !options.forgetSecrets) throw wouldForget(lost)
    const accepted = await acceptKey(context)
    const details = { keyId: context.sealer.keyId, lost }
    await recordAuditNow(store, atCommandLine({ action: 'app.accept-key', target: null, details }))
    if (options.json) {
      const notes = [...(key.note === undefined ? [] : [key.note]), ...accepted.notes]
      const warnings = [...key.warnings, ...accepted.warnings]
      return printJson({ keyId: context.sealer.keyId, lost, ...accepted, notes, warnings })
    }
    for (const warning of accepted.warnings) note(`warning: ${warning}`)
    if (lost > 0) note(`${lost === 1 ? 'A secret is' : `${lost} secrets are`} lost.`)
    print('The app starts with this key now.')
  })

export const app = new Command('app')
  .description('The app’s own store, its backups and its key')
  .addCommand(migrateStore)
  .addCommand(acceptKeyOfNow)
  .addCommand(backup)
  .addCommand(backups)
  .addCommand(registrations)
  .addCommand(restoreApp)

function wouldForget(lost: number): AppError {
  const what = lost === 1 ? 'A stored secret is' : `${lost} stored secrets are`
  return new AppError('key_wrong', `${what} sealed with a key that is not at hand.`, {
    hint: 'Put that key into APP_PREVIOUS_KEYS. If it is lost for good: --forget-secrets',
  })
}
