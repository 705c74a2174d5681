import type { Transaction } from 'kysely'
import { type HookOrder, runHooks } from '../../runner/hooks/run-hooks.ts'
import { engineNamed } from '../../engines/index.ts'
import type { HookAround, HookFacts, HookOutcome } from '../../shared/hooks.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { scriptsOf } from '../instance-settings/instance-settings.ts'
import type { Finished, Work } from '../jobs/job-kind.ts'
import { connectionOf, type ServerRow } from '../servers/servers.ts'
import { openedSettings } from './hooks.ts'
import { type HookRow, hooksToRun } from './store.ts'

export interface Surroundings {
  around: HookAround
  /** Null: only those of the organization. */
  planId: string | null
  server: ServerRow
  /** Null: the server itself. */
  database: string | null
  /** What is known from the start. */
  facts: HookFacts
}

/** What runs around one job. */
export interface HooksAround {
  /** Runs what comes before it. Returns what the job ends with, if it is not to be done. */
  before(): Promise<Finished | undefined>
  /** Ends the job; or, where hooks are to follow, records what came of it, which is certain from now on. */
  settle(done: Done, facts: HookFacts): Promise<void>
  /** Runs what follows, if anything does. Returns what the job ends with, unless it has ended. */
  after(): Promise<Finished | undefined>
}

/** What came of it. */
interface Done extends Pick<Finished, 'state' | 'record'> {
  result: object
  /**
   * Tells people that it has succeeded: together with `record`; or, where a hook that follows can still fail it, when none
   * has. If this process is killed in between, nobody is told; what people were told before is over with the next success.
   */
  tell: (trx: Transaction<Tables>) => Promise<void>
}

const MINUTE = 60_000

/** The hooks as they are when the job begins: what is changed while it runs is for the next one. */
export async function hooksAround(
  work: Work<unknown>,
  { around, planId, server, database, facts: known }: Surroundings,
): Promise<HooksAround> {
  const { context, organizationId } = work
  const moments = ['before', 'after-success', 'after'] as const
  const hooks = await hooksToRun(context.store.db, organizationId, { around, planId, moments })
  const preceding = hooks.filter(({ moment }) => moment === 'before').map((row) => orderOf(context, row))
  const following = [
    ...(await instanceScript(context, around)),
    ...hooks.filter(({ moment }) => moment !== 'before').map((row) => orderOf(context, row)),
  ]
  const target = targetOf(context, server, database)
  const outcomes: HookOutcome[] = []
  const resultOf = (result: object) => (outcomes.length > 0 ? { ...result, hooks: [...outcomes] } : result)
  const isCertain = following.every(({ onFailure }) => onFailure !== 'fail')
  let settled: { done: Done; facts: HookFacts } | undefined
  return {
    async before() {
      const occasion = { around, moment: 'before', facts: known, target } as const
      const run = await runHooks(preceding, occasion, work)
      outcomes.push(...run.outcomes)
      return run.stop && { ...endOf(run.stop), result: resultOf({}) }
    },
    async settle(done, facts) {
      const record = async (trx: Transaction<Tables>) => {
        await done.record?.(trx)
        if (isCertain) await done.tell(trx)
      }
      const whole = { state: done.state, result: resultOf(done.result), record }
      if (following.length === 0) return await work.finish(whole)
      await work.record(whole)
      settled = { done, facts: { ...known, ...facts } }
    },
    async after() {
      if (!settled) return undefined
      const { done, facts } = settled
      const occasion = { around, moment: 'after-success', facts, target } as const
      const run = await runHooks(following, occasion, work)
      outcomes.push(...run.outcomes)
      const { state, tell } = done
      const end = run.stop ? endOf(run.stop) : !isCertain && { record: tell }
      return { ...(state && { state }), result: resultOf(done.result), ...end }
    },
  }
}

/** A hook as it is stored, to be run. */
export function orderOf(context: AppContext, row: HookRow): HookOrder {
  return {
    name: row.name,
    kind: row.kind,
    settings: () => openedSettings(context, row),
    onFailure: row.onFailure,
    timeout: row.timeoutSeconds * 1000,
    isHook: true,
  }
}

/** Asked for only by hooks that need it. */
export function targetOf(context: AppContext, server: ServerRow, database: string | null) {
  if (database === null) return undefined
  return () => ({
    engine: engineNamed(server.engine),
    connection: connectionOf(context, server),
    database,
  })
}

async function instanceScript(context: AppContext, around: HookAround): Promise<HookOrder[]> {
  const { postBackupScript, postRestoreScript, scriptTimeoutMinutes } = await scriptsOf(context)
  const script = around === 'backup' ? postBackupScript : postRestoreScript
  if (script.trim() === '') return []
  return [
    {
      name: `post-${around} script`,
      kind: 'script',
      settings: () => ({ script }),
      onFailure: 'warn',
      timeout: scriptTimeoutMinutes * MINUTE,
      isHook: false,
    },
  ]
}

function endOf(stop: NonNullable<Awaited<ReturnType<typeof runHooks>>['stop']>): Finished {
  return stop.code === 'hook_skipped' ? { skipped: stop } : { failure: stop }
}
