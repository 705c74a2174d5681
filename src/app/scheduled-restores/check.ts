import { engineNamed } from '../../engines/index.ts'
import { checkOrder } from '../../runner/restore-target.ts'
import { AppError } from '../../shared/errors.ts'
import type { AppContext } from '../context.ts'
import { InputFaults } from '../input-faults.ts'
import { planOf } from '../plans/plans.ts'
import {
  confirms,
  fullNameOf,
  isProtected,
  isUnconfirmed,
  needsConfirmation,
  readOptions,
  type ServerRow,
} from '../restores/target.ts'
import { scheduleOf } from '../schedules/schedules.ts'
import { serverOf } from '../servers/servers.ts'
import type { Values } from './store.ts'

/**
 * Checks what a schema alone cannot know, and returns it with the full name of the target. Throws `invalid_input` with every field that is wrong, `target_protected`, and
 * `confirmation_needed` unless somebody has typed the target's name.
 */
export async function checkScheduledRestore(
  context: AppContext,
  organizationId: string,
  values: Values,
  confirmation?: string,
): Promise<Values> {
  const { sourceServerId, sourceDatabase, targetServerId, scheduleId, settings } = values
  const { planId, mode } = settings
  const faults = new InputFaults()
  const source = await faults.check('sourceServerId', () => serverOf(context, organizationId, sourceServerId))
  const target = await faults.check('targetServerId', () => serverOf(context, organizationId, targetServerId))
  if (scheduleId !== null)
    await faults.check('scheduleId', () => scheduleOf(context, organizationId, scheduleId))
  if (planId !== null) {
    await faults.check('planId', async () => {
      const plan = await planOf(context, organizationId, planId)
      if (plan.serverId === sourceServerId) return
      throw new AppError('invalid_input', `The plan “${plan.name}” is of another server.`)
    })
  }
  if (source && target && source.engine !== target.engine) {
    faults.add('targetServerId', `must be a server of the same kind: ${source.engine}`)
  } else if (target) await faults.check('mode', () => checkOptions(target, values))
  const fullName = (server: ServerRow, field: string, database: string) =>
    faults.check(field, () => fullNameOf(context, server, database))
  const from = source && (await fullName(source, 'sourceDatabase', sourceDatabase))
  const to = target && (await fullName(target, 'targetDatabase', settings.targetDatabase))
  const isOneServer = sourceServerId === targetServerId || (source && isOfThisMachine(source))
  if (isOneServer && from !== undefined && from === to && mode !== 'new') {
    faults.add('targetDatabase', 'is the source itself, which would be lost again and again')
  }
  faults.throwIfAny()
  if (!target || from === undefined || to === undefined) throw new Error('a field that is wrong was not told')
  if (target.isProtected === 1) throw isProtected(target)
  const isConfirmed =
    settings.isConfirmed || (confirmation !== undefined && confirms(target, to, confirmation))
  if (needsConfirmation(target, mode) && !isConfirmed) throw isUnconfirmed(target, to)
  return { ...values, sourceDatabase: from, settings: { ...settings, targetDatabase: to, isConfirmed } }
}

/** Then a name is that of the same file, whichever server it is asked of. */
function isOfThisMachine({ engine }: ServerRow): boolean {
  return engineNamed(engine).fullName !== undefined
}

/** What a restore would refuse whatever there is: the server need not be reached for that. */
function checkOptions({ engine: name }: ServerRow, { settings }: Values): void {
  const { targetDatabase: database, mode, options, runAfter } = settings
  const { engine, partial } = readOptions(name, options)
  checkOrder({ engine, database, mode, partial, ...(runAfter !== null && { runAfter }) })
}
