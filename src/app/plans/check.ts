import { engineNamed } from '../../engines/index.ts'
import { AppError, type FieldError } from '../../shared/errors.ts'
import { DEFAULT_FILE_NAME, DEFAULT_PATH, keyFor } from '../../shared/keys.ts'
import type { PlanChanges } from '../../shared/plans.ts'
import type { AppContext } from '../context.ts'
import { parseSettings } from '../driver-settings.ts'
import { encryptionOf } from '../keys/keys.ts'
import { scheduleOf, type ScheduleRow } from '../schedules/schedules.ts'
import { serverOf } from '../servers/servers.ts'
import { volumeOf } from '../volumes/volumes.ts'

type ServerRow = Awaited<ReturnType<typeof serverOf>>

export interface Checked {
  server: ServerRow
  /** As the engine's schema has them. */
  dumpOptions: Record<string, unknown> | undefined
  /** Those that were given, in their order. */
  schedules: ScheduleRow[]
}

type Given = Pick<
  PlanChanges,
  'dumpOptions' | 'path' | 'fileName' | 'encryption' | 'schedules' | 'volumes'
> & { serverId: string }

/** What any database of any server could be called; only the templates are looked at. */
const SAMPLE = { server: 'server', database: 'database', at: new Date(0) }

/**
 * Checks what a schema alone cannot know: that what is referred to is there, and can be used. Throws `invalid_input` with
 * every field that is wrong.
 */
export async function checkPlan(context: AppContext, organizationId: string, given: Given): Promise<Checked> {
  const { path, fileName, encryption } = given
  const fields: FieldError[] = []
  /** What it returns; undefined, and a field more that is wrong, if it throws. */
  const check = async <T>(field: string, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      fields.push(...asFields(field, error))
      return undefined
    }
  }

  const server = await check('serverId', () => serverOf(context, organizationId, given.serverId))
  const dumpOptions =
    given.dumpOptions && server && (await check('dumpOptions', () => parseDumpOptions(server, given)))
  if (path !== undefined) await check('path', () => keyFor(SAMPLE, path, DEFAULT_FILE_NAME))
  if (fileName !== undefined) await check('fileName', () => keyFor(SAMPLE, DEFAULT_PATH, fileName))
  if (encryption) {
    await check('encryption.keyId', () => encryptionOf(context, organizationId, encryption))
  }
  const schedules: ScheduleRow[] = []
  for (const [i, id] of (given.schedules ?? []).entries()) {
    const schedule = await check(`schedules.${i}`, () => scheduleOf(context, organizationId, id))
    if (schedule) schedules.push(schedule)
  }
  for (const [i, { id }] of (given.volumes ?? []).entries()) {
    await check(`volumes.${i}.id`, async () => {
      const volume = await volumeOf(context, organizationId, id)
      if (volume.isReadOnly) {
        throw new AppError('volume_read_only', `The volume “${volume.name}” is read only.`)
      }
    })
  }
  if (server && fields.length === 0) return { server, dumpOptions, schedules }
  const [first] = fields
  throw new AppError('invalid_input', `${first?.field}: ${first?.message}`, { fields })
}

function parseDumpOptions({ engine }: ServerRow, { dumpOptions = {} }: Given): Record<string, unknown> {
  const { dumpOptions: schema, label } = engineNamed(engine)
  return parseSettings(schema, dumpOptions, { name: 'dumpOptions', owner: label })
}

/** A fault of what was given, as such; any other one is thrown again. */
function asFields(field: string, error: unknown): readonly FieldError[] {
  if (!(error instanceof AppError) || error.status >= 500) throw error
  return error.fields ?? [{ field, message: error.message }]
}
