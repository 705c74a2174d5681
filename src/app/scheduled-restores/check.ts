import { checkOrder } from '../../runner/restore-target.ts'
import { AppError, type FieldError } from '../../shared/errors.ts'
import type { AppContext } from '../context.ts'
import { planOf } from '../plans/plans.ts'
import {
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
 * Checks what a schema alone cannot know. Throws `invalid_input` with every field that is wrong, `target_protected`, and
 * `confirmation_needed` unless somebody has typed the target's name.
 */
export async function checkScheduledRestore(
  context: AppContext,
  organizationId: string,
  values: Values,
): Promise<void> {
  const { sourceServerId, sourceDatabase, targetServerId, scheduleId, settings } = values
  const { targetDatabase, planId, mode, isConfirmed } = settings
  const fields: FieldError[] = []
  const check = async <T>(field: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error
      fields.push(...(error.fields ?? [{ field, message: error.message }]))
      return undefined
    }
  }
  const source = await check('sourceServerId', () => serverOf(context, organizationId, sourceServerId))
  const target = await check('targetServerId', () => serverOf(context, organizationId, targetServerId))
  if (scheduleId !== null) await check('scheduleId', () => scheduleOf(context, organizationId, scheduleId))
  if (planId !== null) {
    await check('planId', async () => {
      const plan = await planOf(context, organizationId, planId)
      if (plan.serverId === sourceServerId) return
      throw new AppError('invalid_input', `The plan “${plan.name}” is of another server.`)
    })
  }
  if (source && target && source.engine !== target.engine) {
    fields.push({ field: 'targetServerId', message: `must be a server of the same kind: ${source.engine}` })
  } else if (target) await check('mode', async () => checkOptions(target, values))
  if (sourceServerId === targetServerId && sourceDatabase === targetDatabase && mode !== 'new') {
    fields.push({
      field: 'targetDatabase',
      message: 'is the source itself, which would be lost again and again',
    })
  }
  const [first] = fields
  if (first) throw new AppError('invalid_input', `${first.field}: ${first.message}`, { fields })
  if (!target) return
  if (target.isProtected === 1) throw isProtected(target)
  if (needsConfirmation(target, mode) && !isConfirmed) throw isUnconfirmed(target, targetDatabase)
}

/** What a restore would refuse whatever there is: the server need not be reached for that. */
function checkOptions({ engine: name }: ServerRow, { settings }: Values): void {
  const { targetDatabase: database, mode, options, runAfter } = settings
  const { engine, partial } = readOptions(name, options)
  checkOrder({ engine, database, mode, partial, ...(runAfter !== null && { runAfter }) })
}
