import type { Transaction } from 'kysely'
import { messageOf } from '../../shared/errors.ts'
import type { Schedule } from '../../shared/schedules.ts'
import { enqueueAppBackup } from '../app-backups/order.ts'
import { dueBackup, schedulesOf } from '../app-backups/schedules.ts'
import { allRegistrations, type RegistrationRow } from '../app-backups/registrations.ts'
import { enqueueCheck } from '../checks/checks.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { listOrganizations } from '../organizations/organizations.ts'
import { enqueueDigest } from '../overview/digest.ts'
import { CREDIBLE, dueRun, nextRuns } from '../schedules/occurrences.ts'
import { type DueSchedule, dueSchedules, noteFired, ruleOf } from '../schedules/schedules.ts'
import { pause } from '../pause.ts'
import { settingsOf } from '../settings/settings.ts'
import { allVolumes } from '../volumes/volumes.ts'
import { enqueueSchedule } from './run-schedule.ts'
import { claimFiring, forgetAhead, lastFiring } from './store.ts'

/*
 * When something is due is decided in the store, not in memory: whoever adds the row of a firing first does what it is
 * about, in the same transaction. So any number of nodes may look, and every due time happens once.
 */

const TICK = 1_000
/** What the app does by itself each day is looked at less often. */
const DAILY_EVERY = 30_000
const HOUR = 3_600_000

/**
 * Starts what is due, each second, until it is disposed. `onTrouble` hears, in one sentence, of what goes wrong; of the
 * same only once, until all is well again.
 */
export function startScheduler(
  context: AppContext,
  onTrouble: (message: string) => void = () => {},
): AsyncDisposable {
  const stopping = new AbortController()
  let dailyAt = -DAILY_EVERY
  const told = new Set<string>()
  const tell = (message: string) => {
    if (!told.has(message)) onTrouble(message)
    told.add(message)
  }
  const loop = async () => {
    while (!stopping.signal.aborted) {
      context.heartbeats.set('scheduler', performance.now())
      let isWell = true
      const onTroubleNow = (message: string) => {
        isWell = false
        tell(message)
      }
      try {
        await fireSchedules(context, onTroubleNow)
        if (performance.now() - dailyAt >= DAILY_EVERY) {
          dailyAt = performance.now()
          await fireDaily(context)
          await fireAppBackups(context, onTroubleNow)
          if (isWell) told.clear()
        }
      } catch (error) {
        onTroubleNow(`What is due could not be started: ${messageOf(error)}`)
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

/**
 * Starts the plans and scheduled restores of every schedule that is due. Returns how many schedules have fired.
 * `onTrouble` hears of those that could not: the others fire nevertheless.
 */
export async function fireSchedules(
  context: AppContext,
  onTrouble: (message: string) => void,
): Promise<number> {
  const due = await dueSchedules(context.store)
  if (due.length === 0) return 0
  const now = new Date(await nowOf(context.store))
  let fired = 0
  for (const schedule of due) {
    try {
      if (await fireSchedule(context, schedule, now)) fired += 1
    } catch (error) {
      onTrouble(`The schedule “${schedule.name}” could not be fired: ${messageOf(error)}`)
    }
  }
  return fired
}

/** False if it was missed for too long, or another node was faster. */
async function fireSchedule(context: AppContext, schedule: DueSchedule, now: Date): Promise<boolean> {
  const { id, since, catchUpHours } = schedule
  const rule = ruleOf(schedule)
  const run = dueRun(rule, new Date(since), now, catchUpHours * HOUR)
  const [next] = nextRuns(rule, now, 1)
  const nextAt = next?.getTime() ?? null
  return await context.store.db.transaction().execute(async (trx) => {
    if (isAhead(since, now)) await forgetAhead(trx, id, now.getTime())
    if (!run) {
      await noteFired(trx, schedule, { since: now.getTime(), nextAt })
      return false
    }
    const isOurs = await claimFiring(context.store, trx, id, run.getTime())
    // Whoever was faster has done all of this.
    if (!isOurs) return false
    await noteFired(trx, schedule, { since: run.getTime(), nextAt })
    await enqueueSchedule(context, trx, schedule, run.getTime())
    return true
  })
}

/** The clock was wrong when it was written. */
function isAhead(time: number, now: Date): boolean {
  return time - now.getTime() > CREDIBLE
}

/** What the app does by itself each day: cleaning up, and looking at what is on the volumes. */
export async function fireDaily(context: AppContext): Promise<void> {
  const now = new Date(await nowOf(context.store))
  for (const { id: organizationId } of await listOrganizations(context.store)) {
    const { cleanUpTime, fileCheckTime, digestWeekday, digestTime, displayTimeZone } = await settingsOf(
      context,
      organizationId,
    )
    const timeZone = displayTimeZone
    const daily = (time: string): Schedule => ({ type: 'daily', times: [time], timeZone })
    const weekly: Schedule = { type: 'weekly', weekdays: [digestWeekday], times: [digestTime], timeZone }
    await fireOnce(context, `clean-up:${organizationId}`, daily(cleanUpTime), now, (trx) =>
      enqueueCleanUp(context, trx, organizationId),
    )
    await fireOnce(context, `file-check:${organizationId}`, daily(fileCheckTime), now, (trx) =>
      checkVolumes(context, trx, organizationId),
    )
    await fireOnce(context, `digest:${organizationId}`, weekly, now, (trx) =>
      enqueueDigest(context.store, trx, organizationId),
    )
  }
}

/** Orders the app backups that are due: of several that a registration has missed, one. */
export async function fireAppBackups(
  context: AppContext,
  onTrouble: (message: string) => void = () => {},
): Promise<void> {
  const { store } = context
  const now = new Date(await nowOf(store))
  for (const registration of await allRegistrations(store.db)) {
    try {
      if (registration.isEnabled === 1) await fireAppBackup(context, registration, now)
    } catch (error) {
      onTrouble(`The app backup “${registration.name}” could not be fired: ${messageOf(error)}`)
    }
  }
}

async function fireAppBackup(context: AppContext, registration: RegistrationRow, now: Date): Promise<void> {
  const { store } = context
  const { id, scheduledSince } = registration
  const name = `app-backup:${id}`
  let last = await lastFiring(store, name)
  if (last !== undefined && isAhead(last, now)) {
    await forgetAhead(store.db, name, now.getTime())
    last = await lastFiring(store, name)
  }
  // Nothing is due from before its schedules were as they are.
  const since = new Date(Math.max(last ?? 0, scheduledSince))
  const due = dueBackup(schedulesOf(registration), since, now)
  if (!due) return
  await store.db.transaction().execute(async (trx) => {
    const isOurs = await claimFiring(store, trx, name, due.at.getTime())
    if (isOurs) await enqueueAppBackup(context, trx, id, due.type)
  })
}

async function fireOnce(
  context: AppContext,
  name: string,
  rule: Schedule,
  now: Date,
  start: (trx: Transaction<Tables>) => Promise<void>,
): Promise<void> {
  const last = await lastFiring(context.store, name)
  if (last !== undefined && isAhead(last, now)) {
    await forgetAhead(context.store.db, name, now.getTime())
    return await fireOnce(context, name, rule, now, start)
  }
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
  // Also what is only read is looked at.
  for (const { id } of await allVolumes(trx, organizationId)) {
    await enqueueCheck(store, trx, organizationId, id, { contents: true })
  }
}
