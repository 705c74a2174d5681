import { engineNamed } from '../../engines/index.ts'
import { checkOrder } from '../../runner/restore-target.ts'
import { AppError, type FieldError } from '../../shared/errors.ts'
import type { AppContext } from '../context.ts'
import { planOf } from '../plans/plans.ts'
import {
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
): Promise<Values> {
  const { sourceServerId, sourceDatabase, targetServerId, scheduleId, settings } = values
  const { planId, mode, isConfirmed } = settings
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
  const fullName = (server: ServerRow, field: string, database: string) =>
    check(field, async () => fullNameOf(context, server, database))
  const from = source && (await fullName(source, 'sourceDatabase', sourceDatabase))
  const to = target && (await fullName(target, 'targetDatabase', settings.targetDatabase))
  const isOneServer = sourceServerId === targetServerId || (source && isOfThisMachine(source))
  if (isOneServer && from !== undefined && from === to && mode !== 'new') {
    fields.push({
      field: 'targetDatabase',
      message: 'is the source itself, which would be lost again and again',
    })
  }
  const [first] = fields
  if (first) throw new AppError('invalid_input', `${first.field}: ${first.message}`, { fields })
  if (!target || from === undefined || to === undefined) throw new Error('a field that is wrong was not told')
  if (target.isProtected === 1) throw isProtected(target)
  if (needsConfirmation(target, mode) && !isConfirmed) throw isUnconfirmed(target, to)
  return { ...values, sourceDatabase: from, settings: { ...settings, targetDatabase: to } }
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
