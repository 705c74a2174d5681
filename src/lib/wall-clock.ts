import type { IANAZone } from 'luxon'

/** What a clock on the wall shows, as the milliseconds since 1970 that it would be in UTC. */
export type WallTime = number

const MINUTE = 60_000
const DAY = 86_400_000

/**
 * The moment, in milliseconds since 1970, at which clocks in the zone show the time. A time that they show twice means
 * the first; a time that they skip means the first moment after the gap. A later wall time is therefore never an
 * earlier moment, though two may be the same.
 */
export function momentOf(wall: WallTime, zone: IANAZone): number {
  const before = offset(zone, wall - DAY)
  const after = offset(zone, wall + DAY)
  const moments = [wall - before, wall - after].filter((moment) => moment + offset(zone, moment) === wall)
  return moments.length > 0 ? Math.min(...moments) : endOfGap(wall, zone)
}

/** How far, in milliseconds, the zone is ahead of UTC all day, if clocks are not changed on that day, the day before or after. */
export function steadyOffset(midnight: WallTime, zone: IANAZone): number | undefined {
  const [first, ...others] = [-1, 0, 1, 2].map((days) => offset(zone, midnight + days * DAY))
  return others.every((other) => other === first) ? first : undefined
}

/** Nothing that clocks in the zone show after the moment is earlier than this, also if they are put back meanwhile. */
export function earliestShownAfter(moment: number, zone: IANAZone): WallTime {
  return moment + Math.min(...offsetsAround(moment, zone))
}

/** Nothing that clocks in the zone have shown until the moment, or have skipped, is later than this. */
export function latestShownUntil(moment: number, zone: IANAZone): WallTime {
  return moment + Math.max(...offsetsAround(moment, zone))
}

/** The change of the clocks lies within a day of any time that it skips. */
function endOfGap(wall: WallTime, zone: IANAZone): number {
  let before = wall - DAY - offset(zone, wall - DAY)
  let after = wall + DAY - offset(zone, wall + DAY)
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (middle + offset(zone, middle) < wall) before = middle
    else after = middle
  }
  return after
}

function offsetsAround(moment: number, zone: IANAZone): number[] {
  return [moment - DAY, moment, moment + DAY].map((at) => offset(zone, at))
}

/** In milliseconds, east of Greenwich. */
function offset(zone: IANAZone, moment: number): number {
  return zone.offset(moment) * MINUTE
}
