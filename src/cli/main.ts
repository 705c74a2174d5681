import { Command, CommanderError } from 'commander'
import { asAppError } from '../shared/errors.ts'
import { version } from '../shared/version.ts'
import { app } from './app.ts'
import { backupOnce } from './backup-once.ts'
import { backupRun } from './backup-run.ts'
import { decrypt } from './decrypt.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { interrupt, interruptionReason, isInterruptible } from './interruption.ts'
import { jobs } from './jobs.ts'
import { keys } from './keys.ts'
import { overview } from './overview.ts'
import { plans } from './plans.ts'
import { restoreOnce } from './restore-once.ts'
import { restoreRun, restoreUndo } from './restore-run.ts'
import { retention } from './retention.ts'
import { scheduledRestores } from './scheduled-restores.ts'
import { schedules } from './schedules.ts'
import { serve, worker } from './serve.ts'
import { servers } from './servers.ts'
import { settings } from './settings.ts'
import { snapshots } from './snapshots.ts'
import { describeError, errorJson, note, printJson } from './terminal.ts'
import { test } from './test.ts'
import { token } from './token.ts'
import { verify } from './verify.ts'
import { volumes } from './volumes.ts'

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
program.addCommand(
  new Command('backup').description('Back up databases').addCommand(backupRun).addCommand(backupOnce),
)
program.addCommand(
  new Command('restore')
    .description('Restore snapshots')
    .addCommand(restoreRun)
    .addCommand(restoreUndo)
    .addCommand(restoreOnce),
)
const ofApp = [
  servers,
  volumes,
  keys,
  schedules,
  plans,
  snapshots,
  scheduledRestores,
  jobs,
  retention,
  overview,
  settings,
]
for (const command of [serve, worker, ...ofApp, token, app, verify, decrypt, test, doctor, demo]) {
  program.addCommand(command)
}
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
