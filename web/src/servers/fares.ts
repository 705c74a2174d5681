import type { DatabaseStanding, Overview } from '../../../src/shared/overview.ts'

/** How the databases of a server fare, in all its plans. */
export interface Fare {
  counts: Overview['counts']
  lastSuccessAt: string | null
}

/** By the server’s id. */
export function faresOf(standings: readonly DatabaseStanding[] = []): ReadonlyMap<string, Fare> {
  const fares = new Map<string, Fare>()
  for (const { serverId, standing, lastSuccessAt } of standings) {
    const fare = fares.get(serverId) ?? {
      counts: { protected: 0, overdue: 0, failing: 0, never: 0 },
      lastSuccessAt: null,
    }
    fare.counts[standing]++
    if (lastSuccessAt !== null && lastSuccessAt > (fare.lastSuccessAt ?? ''))
      fare.lastSuccessAt = lastSuccessAt
    fares.set(serverId, fare)
  }
  return fares
}
