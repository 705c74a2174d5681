import { type Command, Option } from 'commander'
import { AppError } from '../shared/errors.ts'
import { type RestoreMode, restoreModes } from '../shared/restores.ts'
import { collect, positiveInteger } from './parse.ts'

/** What can be said of a restore, with the app and without. */
export interface RestoreChoices {
  mode: RestoreMode
  table?: string[]
  schemaOnly?: boolean
  dataOnly?: boolean
  jobs?: number
  owner: boolean
  clean?: boolean
  endSessions?: boolean
  safetySnapshot: boolean
}

export function withRestoreOptions(command: Command, mode: RestoreMode = 'new'): Command {
  return command
    .addOption(
      new Option('--mode <mode>', 'new: must not exist · replace: takes its place · existing: add to it')
        .choices(restoreModes)
        .default(mode),
    )
    .option('--table <name>', 'only this table; may be repeated', collect)
    .option('--schema-only', 'no rows')
    .option('--data-only', 'rows only, into tables that exist')
    .option('--jobs <n>', 'PostgreSQL: load so many tables at once', positiveInteger)
    .option('--no-owner', 'PostgreSQL: everything belongs to the user who restores')
    .option('--clean', 'with --mode existing: drop what the snapshot also has, first')
    .option('--end-sessions', 'end other sessions on the database that is replaced')
    .option('--no-safety-snapshot', 'do not back up the database that is replaced')
}

/** What was said, under the engines' own names; without the tables, which the app takes apart from them. */
export function engineOptionsOf({
  schemaOnly,
  dataOnly,
  jobs,
  clean,
  owner,
}: RestoreChoices): Record<string, unknown> {
  if (schemaOnly && dataOnly) {
    throw new AppError('invalid_input', '--schema-only and --data-only leave nothing to restore.')
  }
  const content = schemaOnly ? 'schema' : dataOnly ? 'data' : undefined
  const said = Object.entries({ content, jobs, clean, owners: owner ? undefined : false })
  return Object.fromEntries(said.filter(([, value]) => value !== undefined))
}
