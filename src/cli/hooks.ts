import { Command, Option } from 'commander'
import {
  type Hook,
  type HookAround,
  hookArounds,
  type HookFailure,
  hookFailures,
  type HookMoment,
  hookMoments,
} from '../shared/hooks.ts'
import { AppError } from '../shared/errors.ts'
import { listOf, removalOf, showOf, type Things } from './named-things.ts'
import { positiveInteger, word } from './parse.ts'
import { planThings } from './plans.ts'
import { named, remote } from './remote.ts'
import { print, printJson } from './terminal.ts'
import { readTextFile } from './text-file.ts'

const hookThings: Things<Hook> = {
  list: 'GET /api/v1/hooks',
  one: 'hook',
  many: 'hooks',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    WHEN: ({ around, moment }) => `${moment} ${around}`,
    KIND: ({ kind }) => kind,
    'IF IT FAILS': ({ onFailure }) => onFailure,
    'POSITION ': ({ position }) => String(position),
    PLAN: ({ planId }) => planId ?? 'all',
    MARKS: ({ isEnabled }) => (isEnabled ? '' : 'disabled'),
  },
}

interface AddOptions {
  name: string
  around: HookAround
  moment: HookMoment
  plan?: string
  scriptFile?: string
  url?: string
  secretFile?: string
  sqlFile?: string
  onFailure?: HookFailure
  timeout?: number
  position?: number
  json?: boolean
}

export const hooks = new Command('hooks')
  .description('What runs before and after backups and restores')
  .addCommand(listOf(hookThings))
  .addCommand(showOf(hookThings))
  .addCommand(
    new Command('add')
      .description('Add a hook: a script, a request to a URL, or SQL')
      .requiredOption('--name <name>', 'what people call it', word('--name'))
      .addOption(new Option('--around <what>', 'what it runs around').choices(hookArounds).default('backup'))
      .addOption(new Option('--moment <when>', 'when it runs').choices(hookMoments).makeOptionMandatory())
      .option('--plan <name>', 'only around backups of this plan', word('--plan'))
      .option('--script-file <path>', 'a script for sh; - is standard input', word('--script-file'))
      .option('--url <url>', 'a receiver of JSON', word('--url'))
      .option('--secret-file <path>', 'with --url: what each request is signed with', word('--secret-file'))
      .option('--sql-file <path>', 'SQL for the database; - is standard input', word('--sql-file'))
      .addOption(
        new Option('--on-failure <what>', 'what follows if it fails (default: warn)').choices(hookFailures),
      )
      .option('--timeout <seconds>', 'when it is ended (default: 600)', positiveInteger)
      .option('--position <n>', 'they run in this order (default: 0)', positiveInteger)
      .option('--json', 'print the result as JSON')
      .action(add),
  )
  .addCommand(removalOf(hookThings))

async function add(options: AddOptions): Promise<void> {
  const { name, around, moment, onFailure, timeout, position } = options
  const { kind, settings } = await kindOf(options)
  const app = await remote()
  const plan =
    options.plan === undefined ? undefined : await named(app, planThings.list, 'plan', options.plan)
  const body = {
    name,
    around,
    moment,
    kind,
    settings,
    ...(plan && { planId: plan.id }),
    ...(onFailure !== undefined && { onFailure }),
    ...(timeout !== undefined && { timeoutSeconds: timeout }),
    ...(position !== undefined && { position }),
  }
  const added = await app.ask('POST /api/v1/hooks', { body })
  if (options.json) return printJson(added)
  print(`Added hook “${added.name}” (${added.id}).`)
}

async function kindOf({ scriptFile, url, secretFile, sqlFile }: AddOptions) {
  const given = [scriptFile, url, sqlFile].filter((option) => option !== undefined)
  if (given.length !== 1) {
    throw new AppError('invalid_input', 'A hook is one of --script-file, --url and --sql-file.')
  }
  if (scriptFile !== undefined) {
    return { kind: 'script', settings: { script: await readTextFile(scriptFile) } }
  }
  if (sqlFile !== undefined) return { kind: 'sql', settings: { sql: await readTextFile(sqlFile) } }
  const secret = secretFile === undefined ? undefined : (await readTextFile(secretFile)).replace(/\r?\n$/, '')
  return { kind: 'http', settings: { url, ...(secret !== undefined && { secret }) } }
}
