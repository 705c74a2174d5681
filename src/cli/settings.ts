import { Command } from 'commander'
import type { SettingsChanges } from '../client/api.ts'
import { parseCompression } from '../shared/codecs.ts'
import { AppError } from '../shared/errors.ts'
import type { Settings } from '../shared/settings.ts'
import { remote } from './remote.ts'
import { print, printJson, table } from './terminal.ts'

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

function show(settings: Settings, json: boolean | undefined): void {
  if (json) return printJson(settings)
  const rows = Object.entries(settings).map(([name, value]) => [name, inWords(value)])
  print(table(['SETTING', 'VALUE'], rows))
}

function inWords(value: Settings[keyof Settings]): string {
  return typeof value === 'object' ? Object.values(value).join(':') : String(value)
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
