import type { Transaction } from 'kysely'
import { messageOf } from '../../shared/errors.ts'
import type { Schedule } from '../../shared/schedules.ts'
import { enqueueCheck } from '../checks/checks.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { dueRun, nextRuns } from '../schedules/occurrences.ts'
import { dueSchedules, type DueSchedule, noteFired } from '../schedules/schedules.ts'
import { settingsOf } from '../settings/settings.ts'
import { enqueueSchedule } from './run-schedule.ts'
import { claimFiring, lastFiring, organizations, volumesOf } from './store.ts'

/*
 * When something is due is decided in the store, not in memory: whoever adds the row of a firing first does what it is
 * about, in the same transaction. So any number of nodes may look, and every due time happens once.
 */

const TICK = 1_000
/** What the app does by itself each day is looked at less often. */
const DAILY_EVERY = 30_000
const HOUR = 3_600_000

/** Starts what is due, each second, until it is disposed. `onTrouble` hears, in one sentence, of what goes wrong. */
export function startScheduler(
  context: AppContext,
  onTrouble: (message: string) => void = () => {},
): AsyncDisposable {
  const stopping = new AbortController()
  let dailyAt = -DAILY_EVERY
  const loop = async () => {
    while (!stopping.signal.aborted) {
      context.heartbeats.set('scheduler', performance.now())
      try {
        await fireSchedules(context)
        if (performance.now() - dailyAt >= DAILY_EVERY) {
          dailyAt = performance.now()
          await fireDaily(context)
        }
      } catch (error) {
        onTrouble(`What is due could not be started: ${messageOf(error)}`)
      }
      await pause(TICK, stopping.signal)
    }
  }
  const over = loop()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await over
      context.heartbeats.delete('scheduler')
    },
  }
}

/** Starts the plans and scheduled restores of every schedule that is due. Returns how many schedules have fired. */
export async function fireSchedules(context: AppContext): Promise<number> {
  const due = await dueSchedules(context.store)
  if (due.length === 0) return 0
  const now = new Date(await nowOf(context.store))
  let fired = 0
  for (const schedule of due) if (await fireSchedule(context, schedule, now)) fired += 1
  return fired
}

/** False if it was missed for too long, or another node was faster. */
async function fireSchedule(context: AppContext, schedule: DueSchedule, now: Date): Promise<boolean> {
  const { id, rule, since, catchUpHours } = schedule
  const run = dueRun(rule, new Date(since), now, catchUpHours * HOUR)
  const [next] = nextRuns(rule, now, 1)
  const nextAt = next?.getTime() ?? null
  return await context.store.db.transaction().execute(async (trx) => {
    if (!run) {
      await noteFired(context.store, trx, schedule, { since: now.getTime(), nextAt })
      return false
    }
    const isOurs = await claimFiring(context.store, trx, id, run.getTime())
    // Whoever was faster has done all of this.
    if (!isOurs) return false
    await noteFired(context.store, trx, schedule, { since: run.getTime(), nextAt })
    await enqueueSchedule(context, trx, schedule, run.getTime())
    return true
  })
}

/** What the app does by itself each day: cleaning up, and looking at what is on the volumes. */
async function fireDaily(context: AppContext): Promise<void> {
  const now = new Date(await nowOf(context.store))
  for (const organizationId of await organizations(context.store)) {
    const { cleanUpTime, fileCheckTime, displayTimeZone } = await settingsOf(context, organizationId)
    const daily = (time: string): Schedule => ({ type: 'daily', times: [time], timeZone: displayTimeZone })
    await fireOnce(context, `clean-up:${organizationId}`, daily(cleanUpTime), now, (trx) =>
      enqueueCleanUp(context, trx, organizationId),
    )
    await fireOnce(context, `file-check:${organizationId}`, daily(fileCheckTime), now, (trx) =>
      checkVolumes(context, trx, organizationId),
    )
  }
}

async function fireOnce(
  context: AppContext,
  name: string,
  rule: Schedule,
  now: Date,
  start: (trx: Transaction<Tables>) => Promise<void>,
): Promise<void> {
  const last = await lastFiring(context.store, name)
  // The first time is the next one that comes, not one before there was anything to do.
  const run = last === undefined ? now : dueRun(rule, new Date(last), now)
  if (!run) return
  await context.store.db.transaction().execute(async (trx) => {
    const isOurs = await claimFiring(context.store, trx, name, run.getTime())
    if (isOurs && last !== undefined) await start(trx)
  })
}

async function enqueueCleanUp({ store }: AppContext, trx: Transaction<Tables>, organizationId: string) {
  await enqueueJob(store, trx, {
    organizationId,
    kind: 'clean-up',
    key: `clean-up:${organizationId}`,
    payload: {},
    maxAttempts: 3,
  })
}

async function checkVolumes({ store }: AppContext, trx: Transaction<Tables>, organizationId: string) {
  for (const volumeId of await volumesOf(trx, organizationId)) {
    await enqueueCheck(store, trx, organizationId, volumeId, { contents: true })
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
  })
}
