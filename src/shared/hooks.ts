import { z } from 'zod'
import { name, wholeNumber } from './fields.ts'

/** What a hook runs around. */
export const hookArounds = ['backup', 'restore'] as const
export type HookAround = (typeof hookArounds)[number]

/** `after`: whether it has succeeded or failed. */
export const hookMoments = ['before', 'after-success', 'after-failure', 'after'] as const
export type HookMoment = (typeof hookMoments)[number]

/** What follows when the hook itself fails. */
export const hookFailures = ['ignore', 'warn', 'fail', 'skip'] as const
export type HookFailure = (typeof hookFailures)[number]

/** When a variable has a value; else it is empty. */
type Presence = 'always' | 'success' | 'failure' | 'hook'

interface Variable {
  around: HookAround
  name: string
  description: string
  presence: Presence
}

const backup = (name: string, description: string, presence: Presence = 'always'): Variable => ({
  around: 'backup',
  name,
  description,
  presence,
})
const restore = (name: string, description: string, presence: Presence = 'always'): Variable => ({
  around: 'restore',
  name,
  description,
  presence,
})

/** All that hooks get to know, as environment variables or in the body of a request. The page shows them as they are here. */
export const hookVariables = [
  backup('BACKUP_SERVER_ID', 'The id of the server'),
  backup('BACKUP_SERVER_NAME', 'Its name'),
  backup('BACKUP_DATABASE_NAME', 'The database; for a file its path'),
  backup('BACKUP_DATABASE_TYPE', 'The engine: postgresql, mysql, sqlite, …'),
  backup('BACKUP_FILENAME', 'The key of the snapshot on its volumes: folders and name', 'success'),
  backup('BACKUP_FILE_SIZE', 'The size of that file in bytes', 'success'),
  backup('BACKUP_CHECKSUM', 'Its SHA-256, in hex', 'success'),
  backup('BACKUP_VOLUME_NAME', 'The volumes that hold it, with commas between them', 'success'),
  backup('BACKUP_SNAPSHOT_ID', 'The id of the snapshot', 'success'),
  backup('BACKUP_TRIGGER', 'Why it was made: schedule, manual, migration, …'),
  backup('BACKUP_VERSION', 'The version of the release that was given for it; empty if none was'),
  backup('BACKUP_ERROR_CODE', 'Why it failed: a code of the list of errors', 'failure'),
  backup('BACKUP_ERROR_MESSAGE', 'The same in a sentence', 'failure'),
  restore('RESTORE_SERVER_ID', 'The id of the server that was restored into'),
  restore('RESTORE_SERVER_NAME', 'Its name'),
  restore('RESTORE_DATABASE_NAME', 'The database that was restored into; empty for the server itself'),
  restore('RESTORE_DATABASE_TYPE', 'The engine: postgresql, mysql, sqlite, …'),
  restore('RESTORE_SOURCE_DATABASE', 'The database that the snapshot is of'),
  restore('RESTORE_SNAPSHOT_FILENAME', 'The key of the snapshot on its volume: folders and name', 'success'),
  restore('RESTORE_SNAPSHOT_ID', 'The id of the snapshot'),
  restore('RESTORE_VOLUME_NAME', 'The volume that it was read from', 'success'),
  restore('RESTORE_ERROR_CODE', 'Why it failed: a code of the list of errors', 'failure'),
  restore('RESTORE_ERROR_MESSAGE', 'The same in a sentence', 'failure'),
  backup('HOOK_NAME', 'The name of the hook; not in the scripts of the installation', 'hook'),
  restore('HOOK_NAME', 'The name of the hook; not in the scripts of the installation', 'hook'),
] as const satisfies readonly Variable[]

type Named<Around extends HookAround> = Extract<(typeof hookVariables)[number], { around: Around }>['name']
/** Names of variables, and what they are worth. What is not there is empty. */
export type HookFacts = Partial<Record<Named<HookAround>, string>>

/** Every variable that a hook has, empty where nothing is known. The scripts of the installation run after a success only. */
export function completeFacts(
  around: HookAround,
  facts: HookFacts,
  { isHook }: { isHook: boolean },
): Record<string, string> {
  const present = hookVariables.filter(
    (variable) =>
      variable.around === around &&
      (isHook || variable.presence === 'always' || variable.presence === 'success'),
  )
  return Object.fromEntries(present.map(({ name }) => [name, facts[name] ?? '']))
}

export const hookVariable = z
  .object({
    name: z.string(),
    around: z.enum(hookArounds),
    description: z.string(),
    presence: z.enum(['always', 'success', 'failure', 'hook']).meta({
      description: 'When it has a value: always, after a success, after a failure, or for hooks only',
    }),
  })
  .meta({ id: 'HookVariable' })

const settings = z.record(z.string(), z.unknown()).meta({
  description:
    'Those of its kind, see GET /api/v1/hook-kinds. A secret that equals its mask stays, unless it would be sent to another address',
})

const fields = {
  name,
  around: z.enum(hookArounds),
  moment: z.enum(hookMoments).meta({
    description:
      'before it, or behind it: after-success, after-failure (behind the last try), or after (either)',
  }),
  settings,
  onFailure: z.enum(hookFailures).meta({
    description:
      'If the hook fails: ignore it; warn in the log; fail the job; or, only before it, skip the job, which is cancelled then',
  }),
  timeoutSeconds: wholeNumber(1, 86_400).meta({
    description: 'A hook that takes longer is ended, and has failed',
  }),
  isEnabled: z.boolean(),
  position: wholeNumber(0, 1_000_000).meta({ description: 'They run in this order, then by name' }),
}

export const newHook = z
  .strictObject({
    ...fields,
    kind: z.string().meta({ description: 'A name of GET /api/v1/hook-kinds' }),
    planId: z
      .string()
      .nullable()
      .default(null)
      .meta({ description: 'Null: around every backup, or restore, of the organization' }),
    onFailure: fields.onFailure.default('warn'),
    timeoutSeconds: fields.timeoutSeconds.default(600),
    isEnabled: fields.isEnabled.default(true),
    position: fields.position.default(0),
  })
  .meta({ id: 'NewHook' })
export type NewHook = z.output<typeof newHook>

/** What is not there stays as it is. Kind and plan of a hook, and what it is around, cannot change. */
export const hookChanges = z.strictObject(fields).omit({ around: true }).partial().meta({ id: 'HookChanges' })
export type HookChanges = z.output<typeof hookChanges>

/** A hook as the API shows it: secrets are masked. */
export const hook = z
  .object({
    ...fields,
    id: z.uuid(),
    planId: z.string().nullable(),
    kind: z.string(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Hook' })
export type Hook = z.output<typeof hook>

/** A kind of hook, and the JSON schema of its settings: forms are drawn from it. */
export const hookKind = z
  .object({ name: z.string(), label: z.string(), settings: z.record(z.string(), z.unknown()) })
  .meta({ id: 'HookKind' })

/** What came of a hook; the result of its job has a list of these. */
export const hookOutcome = z
  .object({
    name: z.string(),
    outcome: z.enum(['succeeded', 'failed']),
    seconds: z.number(),
    message: z.string().optional().meta({ description: 'Why it has failed' }),
  })
  .meta({ id: 'HookOutcome' })
export type HookOutcome = z.output<typeof hookOutcome>
