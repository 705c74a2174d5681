import { engineNamed } from '../../engines/index.ts'
import { AppError } from '../../shared/errors.ts'
import { DEFAULT_FILE_NAME, DEFAULT_PATH, keyFor } from '../../shared/keys.ts'
import type { PlanChanges } from '../../shared/plans.ts'
import type { AppContext } from '../context.ts'
import { parseSettings } from '../driver-settings.ts'
import { InputFaults } from '../input-faults.ts'
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
  const faults = new InputFaults()
  const server = await faults.check('serverId', () => serverOf(context, organizationId, given.serverId))
  const dumpOptions =
    given.dumpOptions && server && (await faults.check('dumpOptions', () => parseDumpOptions(server, given)))
  if (path !== undefined) await faults.check('path', () => keyFor(SAMPLE, path, DEFAULT_FILE_NAME))
  if (fileName !== undefined) await faults.check('fileName', () => keyFor(SAMPLE, DEFAULT_PATH, fileName))
  if (encryption) {
    await faults.check('encryption.keyId', () => encryptionOf(context, organizationId, encryption))
  }
  const schedules: ScheduleRow[] = []
  for (const [i, id] of (given.schedules ?? []).entries()) {
    const schedule = await faults.check(`schedules.${i}`, () => scheduleOf(context, organizationId, id))
    if (schedule) schedules.push(schedule)
  }
  for (const [i, { id }] of (given.volumes ?? []).entries()) {
    await faults.check(`volumes.${i}.id`, async () => {
      const volume = await volumeOf(context, organizationId, id)
      if (volume.isReadOnly) {
        throw new AppError('volume_read_only', `The volume “${volume.name}” is read only.`)
      }
    })
  }
  faults.throwIfAny()
  if (!server) throw new Error('a server that is not there was not told')
  return { server, dumpOptions, schedules }
}

function parseDumpOptions({ engine }: ServerRow, { dumpOptions = {} }: Given): Record<string, unknown> {
  const { dumpOptions: schema, label } = engineNamed(engine)
  return parseSettings(schema, dumpOptions, { name: 'dumpOptions', owner: label })
}
