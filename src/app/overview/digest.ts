import type { Transaction } from 'kysely'
import { z } from 'zod'
import { describeTrouble, type Standing, type Trouble } from '../../shared/overview.ts'
import { formatBytes } from '../../shared/units.ts'
import type { Store } from '../../store/database.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import { defineJob } from '../jobs/job-kind.ts'
import { announce } from '../notifications/announce.ts'
import { watchDatabases, type WatchedDatabase } from './overview.ts'
import { endedJobs, storedSince } from './store.ts'
import { troublesOf } from './troubles.ts'

const WEEK = 7 * 86_400_000
const NAMED = 20
/** In the order of their weight. */
const unprotectedWords = {
  failing: 'failing',
  overdue: 'overdue',
  never: 'never backed up',
} as const satisfies Partial<Record<Standing, string>>

/** Tells how the backups of the last seven days went, and what is not protected now. */
export const weeklyDigest = defineJob({
  payload: z.object({}),
  async run({ context, organizationId }) {
    const { store } = context
    const since = (await nowOf(store)) - WEEK
    const watched = await watchDatabases(context, organizationId)
    const ended = await endedJobs(store, organizationId, since)
    const count = (kind: string, state: string) =>
      ended.find((job) => job.kind === kind && job.state === state)?.count ?? 0
    const bytes = await storedSince(store, organizationId, since)
    const unprotected = watched.filter(({ standing }) => standing !== 'protected')
    const others = await troublesOf(context, organizationId, { isAdministrator: false })
    const result = {
      databases: watched.length,
      protected: watched.length - unprotected.length,
      backups: {
        succeeded: count('backup', 'succeeded'),
        partial: count('backup', 'partial'),
        failed: count('backup', 'failed'),
      },
      /** Runs of plans that could not order a backup. */
      failedRuns: count('run-plan', 'failed'),
      restores: { succeeded: count('restore', 'succeeded'), failed: count('restore', 'failed') },
      storedBytes: bytes,
    }
    const { backups, failedRuns, restores } = result
    return {
      result,
      record: (trx) =>
        announce(context, trx, {
          organizationId,
          event: 'digest.weekly',
          title: headline(watched.length, unprotected.length),
          text: listOf(unprotected, others),
          facts: [
            { label: 'Backups', value: inWords(backups) },
            ...(failedRuns > 0 ? [{ label: 'Plans that could not begin', value: String(failedRuns) }] : []),
            { label: 'Restores', value: inWords(restores) },
            { label: 'Stored, and kept', value: formatBytes(bytes) },
          ],
          path: '/',
          data: result,
        }),
    }
  },
})

export async function enqueueDigest(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
): Promise<void> {
  await enqueueJob(store, trx, {
    organizationId,
    kind: 'weekly-digest',
    key: `weekly-digest:${organizationId}`,
    payload: {},
    maxAttempts: 3,
  })
}

function headline(all: number, unprotected: number): string {
  if (all === 0) return 'The week in backups: no plan is enabled'
  if (unprotected === 0) {
    return all === 1
      ? 'The week in backups: the database is protected'
      : `The week in backups: all ${all} databases are protected`
  }
  return `The week in backups: ${unprotected} of ${all} databases ${unprotected === 1 ? 'is' : 'are'} not protected`
}

function listOf(unprotected: readonly WatchedDatabase[], others: readonly Trouble[]): string {
  const databases = Object.entries(unprotectedWords).flatMap(([standing, word]) => {
    const concerned = unprotected.filter((database) => database.standing === standing)
    if (concerned.length === 0) return []
    const named = concerned.slice(0, NAMED).map(nameOf).join(', ')
    const others = concerned.length - NAMED
    return [`${concerned.length} ${word}: ${named}${others > 0 ? ` and ${others} others` : ''}.`]
  })
  const troubles = others.slice(0, NAMED).map((trouble) => `“${trouble.name}”: ${describeTrouble(trouble)}.`)
  const more = others.length > NAMED ? [`And ${others.length - NAMED} others.`] : []
  const lines = [...databases, ...troubles, ...more]
  return lines.length > 0 ? lines.join('\n') : 'Nothing needs attention.'
}

function nameOf({ plan, facts }: WatchedDatabase): string {
  return facts.database === null
    ? `“${plan.name}” on “${plan.serverName}”`
    : `“${facts.database}” on “${plan.serverName}”`
}

/** `41 succeeded, 1 failed` */
function inWords(counts: Record<string, number>): string {
  const words = Object.entries(counts).flatMap(([state, count]) => (count > 0 ? [`${count} ${state}`] : []))
  return words.length > 0 ? words.join(', ') : 'none'
}
