import { IANAZone } from 'luxon'
import { momentOf } from '../../lib/wall-clock.ts'
import type { OverviewHistory } from '../../shared/overview.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { settingsOf } from '../settings/settings.ts'
import { bytesThatCame, endedBackups, volumeNames } from './store.ts'

const MINUTE = 60_000
const DAY = 86_400_000

/** How the backups of the last days went, and what the volumes held then. */
export async function historyOf(
  context: AppContext,
  organizationId: string,
  days: number,
): Promise<OverviewHistory> {
  const { store } = context
  const { displayTimeZone } = await settingsOf(context, organizationId)
  const calendar = lastDays(await nowOf(store), displayTimeZone, days)
  const starts = calendar.map(({ start }) => start)
  const ended = await endedBackups(store, organizationId, starts)
  const volumes = await volumeNames(store, organizationId)
  const came = await bytesThatCame(store, volumes, starts)
  const ofVolume = Map.groupBy(came, ({ volumeId }) => volumeId)
  const counts = { succeeded: 0, partial: 0, failed: 0 }
  const shown = calendar.map(({ date, start }) => ({
    date,
    startsAt: new Date(start).toISOString(),
    ...counts,
  }))
  for (const { day, state, count } of ended) {
    const found = shown[day]
    if (found) found[state] = count
    counts[state] += count
  }
  const all = counts.succeeded + counts.partial + counts.failed
  return {
    days: shown,
    successRate: all === 0 ? null : counts.succeeded / all,
    storedBytes: volumes.map(({ id, name }) => ({
      volumeId: id,
      name,
      bytes: summedUp(ofVolume.get(id) ?? [], days),
    })),
  }
}

/**
 * The last days on a calendar of the zone, today included, the oldest first, each with the moment at which it begins: it ends
 * where the next one begins, after 23 or 25 hours where the clocks are changed.
 */
export function lastDays(now: number, timeZone: string, days: number): { date: string; start: number }[] {
  const zone = IANAZone.create(timeZone)
  const today = Math.floor((now + zone.offset(now) * MINUTE) / DAY) * DAY
  return Array.from({ length: days }, (_, index) => {
    const midnight = today - (days - 1 - index) * DAY
    return { date: new Date(midnight).toISOString().slice(0, 10), start: momentOf(midnight, zone) }
  })
}

/** What came before the first day (-1) and on each of them, as what there was at the end of each. */
function summedUp(came: readonly { day: number; bytes: number }[], days: number): number[] {
  const byDay = new Map(came.map(({ day, bytes }) => [day, bytes]))
  let sum = byDay.get(-1) ?? 0
  return Array.from({ length: days }, (_, day) => (sum += byDay.get(day) ?? 0))
}
