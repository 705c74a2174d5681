import { Command, CommanderError } from 'commander'
import { asAppError } from '../shared/errors.ts'
import { version } from '../shared/version.ts'
import { interrupt, interruptionReason, isInterruptible } from './interruption.ts'
import { describeError, errorJson, note, printJson } from './terminal.ts'

/** 128 + SIGPIPE, as the shell counts it. */
const EXIT_BROKEN_PIPE = 141

const program = new Command('holdfast')
  .description('Database backups you can prove.')
  .version(version)
  .enablePositionalOptions()
  .configureHelp({ showGlobalOptions: false })
  .addHelpText(
    'after',
    `
Exit codes: 0 done · 1 failed · 2 wrong usage, settings or key · 3 some copies failed · 4 not found
            5 not what it should be (damaged, incomplete, mismatch) · 130 interrupted · 141 nobody read the output

Environment: HOLDFAST_DATABASE_PASSWORD  HOLDFAST_VOLUME_PASSWORD  HOLDFAST_VOLUME_PRIVATE_KEY_FILE
             BACKUP_ENCRYPTION_KEY  HOLDFAST_AGE_IDENTITY_FILE  HOLDFAST_AGE_PASSPHRASE  AWS_*
             HOLDFAST_URL  HOLDFAST_TOKEN  (the app that commands talk to; else the one of this machine)
             Each also as NAME_FILE, with the path of a file that holds the value.`,
  )
type Commands = Record<string, () => Promise<Command>>

/** In the order of the help. */
const commands: Commands = {
  backup: () =>
    group('backup', 'Back up databases', {
      run: async () => (await import('./backup-run.ts')).backupRun,
      once: async () => (await import('./backup-once.ts')).backupOnce,
    }),
  restore: () =>
    group('restore', 'Restore snapshots', {
      run: async () => (await import('./restore-run.ts')).restoreRun,
      undo: async () => (await import('./restore-run.ts')).restoreUndo,
      once: async () => (await import('./restore-once.ts')).restoreOnce,
    }),
  serve: async () => (await import('./serve.ts')).serve,
  worker: async () => (await import('./serve.ts')).worker,
  servers: async () => (await import('./servers.ts')).servers,
  volumes: async () => (await import('./volumes.ts')).volumes,
  keys: async () => (await import('./keys.ts')).keys,
  schedules: async () => (await import('./schedules.ts')).schedules,
  plans: async () => (await import('./plans.ts')).plans,
  snapshots: async () => (await import('./snapshots.ts')).snapshots,
  'scheduled-restores': async () => (await import('./scheduled-restores.ts')).scheduledRestores,
  channels: async () => (await import('./channels.ts')).channels,
  rules: async () => (await import('./rules.ts')).rules,
  hooks: async () => (await import('./hooks.ts')).hooks,
  jobs: async () => (await import('./jobs.ts')).jobs,
  retention: async () => (await import('./retention.ts')).retention,
  overview: async () => (await import('./overview.ts')).overview,
  organizations: async () => (await import('./organizations.ts')).organizations,
  roles: async () => (await import('./roles.ts')).roles,
  invitations: async () => (await import('./invitations.ts')).invitations,
  settings: async () => (await import('./settings.ts')).settings,
  token: async () => (await import('./token.ts')).token,
  users: async () => (await import('./users.ts')).users,
  audit: async () => (await import('./audit.ts')).audit,
  app: async () => (await import('./app.ts')).app,
  verify: async () => (await import('./verify.ts')).verify,
  decrypt: async () => (await import('./decrypt.ts')).decrypt,
  test: async () => (await import('./test.ts')).test,
  doctor: async () => (await import('./doctor.ts')).doctor,
  demo: async () => (await import('./demo.ts')).demo,
}
for (const command of await load(commands, process.argv[2])) program.addCommand(command)
exitInsteadOfReturning(program)

// Whoever reads us may stop when it has seen enough, as head does; that is no success. A terminal may be gone.
let isUnread = false
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') {
    note(`holdfast: Standard output cannot be written: ${error.message}.`)
    process.exit(1)
  }
  if (!isInterruptible()) process.exit(EXIT_BROKEN_PIPE)
  isUnread = true
  process.exitCode = EXIT_BROKEN_PIPE
  if (!interruptionReason()) interrupt('SIGPIPE')
})
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = isUnread ? EXIT_BROKEN_PIPE : report(error)
}

/** Half of a start is reading modules: where a command is named, only its own are read. */
async function load(all: Commands, name = ''): Promise<Command[]> {
  const one = Object.hasOwn(all, name) ? all[name] : undefined
  return await Promise.all(one ? [one()] : Object.values(all).map((loadOne) => loadOne()))
}

async function group(name: string, description: string, all: Commands): Promise<Command> {
  const command = new Command(name).description(description)
  for (const child of await load(all, process.argv[3])) command.addCommand(child)
  return command
}

/** Commander ends the process by itself unless every command is told not to; then errors all come here. */
function exitInsteadOfReturning(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) exitInsteadOfReturning(child)
}

/** Says what went wrong, once; returns the exit code. */
function report(thrown: unknown): number {
  const isJson = process.argv.includes('--json')
  if (thrown instanceof CommanderError) {
    // It has spoken already, to people.
    if (isJson && thrown.exitCode !== 0) {
      printJson({ error: { code: 'invalid_input', message: thrown.message, retryable: false } })
    }
    return thrown.exitCode === 0 ? 0 : 2
  }
  const error = interruptionReason() ?? asAppError(thrown)
  if (isJson) printJson({ error: errorJson(error) })
  else note(`holdfast: ${describeError(error)}`)
  if (error.code === 'internal' && process.env['HOLDFAST_DEBUG']) note(String(error.stack))
  return error.exitCode
}
