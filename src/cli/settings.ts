import { Command } from 'commander'
import type { InstanceSettingsChanges, SettingsChanges } from '../client/api.ts'
import { parseCompression } from '../shared/codecs.ts'
import { AppError } from '../shared/errors.ts'
import { remote } from './remote.ts'
import { print, printJson, table } from './terminal.ts'
import { readTextFile } from './text-file.ts'

export const settings = new Command('settings')
  .description('What applies to the whole organization')
  .addCommand(
    new Command('show')
      .description('Show all settings')
      .option('--json', 'print the result as JSON')
      .action(async ({ json }: { json?: boolean }) => {
        show(await (await remote()).ask('GET /api/v1/settings'), json)
      }),
  )
  .addCommand(
    new Command('set')
      .description('Change settings: safetyDays=14 compression=zstd:6 tries=default')
      .argument('<name=value...>', 'as show has them; the value “default” brings back the default')
      .option('--json', 'print the result as JSON')
      .action(async (pairs: string[], { json }: { json?: boolean }) => {
        const body = Object.fromEntries(pairs.map(changeOf)) as SettingsChanges
        show(await (await remote()).ask('PATCH /api/v1/settings', { body }), json)
      }),
  )
  .addCommand(instanceCommand())

interface InstanceOptions {
  postBackupScriptFile?: string
  postRestoreScriptFile?: string
  json?: boolean
}

function instanceCommand(): Command {
  return new Command('instance')
    .description('What applies to the whole installation')
    .addCommand(
      new Command('show')
        .description('Show all of them')
        .option('--json', 'print the result as JSON')
        .action(async ({ json }: { json?: boolean }) => {
          show(await (await remote()).ask('GET /api/v1/instance-settings'), json)
        }),
    )
    .addCommand(
      new Command('set')
        .description('Change them: scriptTimeoutMinutes=5, and the scripts by files of theirs')
        .argument('[name=value...]', 'as show has them; the value “default” brings back the default')
        .option('--post-backup-script-file <path>', 'run after every successful backup; empty: none')
        .option('--post-restore-script-file <path>', 'run after every successful restore; empty: none')
        .option('--json', 'print the result as JSON')
        .action(async (pairs: string[], { json, ...files }: InstanceOptions) => {
          const { postBackupScriptFile, postRestoreScriptFile } = files
          const body: InstanceSettingsChanges = {
            ...Object.fromEntries(pairs.map(changeOf)),
            ...(postBackupScriptFile !== undefined && {
              postBackupScript: await readTextFile(postBackupScriptFile),
            }),
            ...(postRestoreScriptFile !== undefined && {
              postRestoreScript: await readTextFile(postRestoreScriptFile),
            }),
          }
          show(await (await remote()).ask('PATCH /api/v1/instance-settings', { body }), json)
        }),
    )
}

function show(settings: object, json: boolean | undefined): void {
  if (json) return printJson(settings)
  const rows = Object.entries(settings).map(([name, value]) => [name, inWords(value)])
  print(table(['SETTING', 'VALUE'], rows))
}

function inWords(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Object.values(value).join(':')
  if (value === '') return '-'
  const lines = String(value).trimEnd().split('\n')
  return lines.length > 1 ? `${lines[0]} … (${lines.length} lines)` : String(value)
}

/** Which settings there are, and what each may be, is for the app to say, which names the wrong one. */
function changeOf(pair: string): [name: string, value: unknown] {
  const [name = '', text = ''] = pair.split(/=(.*)/s)
  if (text === '') {
    throw new AppError('invalid_input', `“${pair}” is not of the form name=value.`, {
      hint: 'holdfast settings show lists the names; safetyDays=default brings back a default.',
    })
  }
  if (text === 'default') return [name, null]
  if (name === 'compression') return [name, parseCompression(text)]
  return [name, /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text]
}
