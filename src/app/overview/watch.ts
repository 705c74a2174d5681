import type { Transaction } from 'kysely'
import { ownToken } from '../../lib/identity.ts'
import { messageOf } from '../../shared/errors.ts'
import { formatSeconds } from '../../shared/units.ts'
import { takeLease } from '../../store/lease.ts'
import type { Tables } from '../../store/tables.ts'
import { ANY_DATABASE, overdueKey } from '../backups/backups.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { listOrganizations } from '../identity/tokens.ts'
import {
  announce,
  announceEnd,
  forgetThreads,
  type Occasion,
  threadsUnder,
} from '../notifications/announce.ts'
import { watchDatabases, type WatchedDatabase } from './overview.ts'
import { knownDatabase } from './store.ts'

/*
 * Silence is an alarm: a backup that should have been made, and of which nothing was heard, is told as loudly as one that
 * failed. This has a loop of its own, so that it still speaks where the scheduler does not.
 */

const EVERY = 60_000
const LEASE_NAME = 'watch'
const LEASE = 90_000
/** What is still missing counts once more each day. */
const AGAIN_AFTER = 86_400_000
const PREFIX = 'overdue:'

/**
 * Looks now, and each minute until it is disposed, for backups that are missing. What is missing when the app starts is
 * told before the scheduler catches up. `onTrouble` hears, in one sentence, what goes wrong.
 */
export async function startWatch(
  context: AppContext,
  onTrouble: (message: string) => void = () => {},
): Promise<AsyncDisposable> {
  const look = async () => {
    try {
      const isOurs = await takeLease(context.store, LEASE_NAME, ownToken(), LEASE)
      if (isOurs) await watchOverdue(context)
    } catch (error) {
      onTrouble(`It could not be seen which backups are missing: ${messageOf(error)}`)
    }
  }
  await look()
  let looking: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    looking = looking.then(look)
  }, EVERY)
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await looking
    },
  }
}

/** Tells of every backup that is missing, once, and that it is there again where that was not told by the backup itself. */
export async function watchOverdue(context: AppContext): Promise<void> {
  for (const { id } of await listOrganizations(context.store)) await watchOrganization(context, id)
}

async function watchOrganization(context: AppContext, organizationId: string): Promise<void> {
  const { store } = context
  const now = await nowOf(store)
  const watched = await watchDatabases(context, organizationId)
  const told = new Map(
    (await threadsUnder(store, organizationId, PREFIX)).map(({ key, lastAt }) => [key, lastAt]),
  )
  for (const database of watched.filter((database) => isSilent(database, now))) {
    const key = keyOf(database)
    const lastAt = told.get(key)
    told.delete(key)
    if (lastAt !== undefined && now - lastAt < AGAIN_AFTER) continue
    await store.db.transaction().execute((trx) => tellOverdue(context, trx, organizationId, database, now))
  }
  // What is left was told to be missing, and is not any more.
  const others = new Map(watched.map((database) => [keyOf(database), database]))
  for (const key of told.keys()) {
    await store.db.transaction().execute((trx) => tellEnd(context, trx, organizationId, key, others.get(key)))
  }
}

/** Nothing was heard of it for longer than it may take: of a failure, people have heard. */
function isSilent({ facts, standing, overdueAt, plan }: WatchedDatabase, now: number): boolean {
  if (overdueAt === undefined) return false
  if (standing !== 'failing') return now > overdueAt
  const patience = overdueAt - (facts.lastSuccessAt ?? facts.firstSeenAt ?? plan.createdAt)
  return now > (facts.lastFailureAt ?? 0) + patience
}

async function tellOverdue(
  context: AppContext,
  trx: Transaction<Tables>,
  organizationId: string,
  watched: WatchedDatabase,
  now: number,
): Promise<void> {
  const { facts, plan, overdueAt = now } = watched
  // It may have been made at this very moment.
  const known = await knownDatabase(trx, plan.id, facts.database ?? ANY_DATABASE)
  const isNews = known?.lastSuccessAt !== facts.lastSuccessAt || known?.lastFailureAt !== facts.lastFailureAt
  if (known && isNews) return
  const last =
    facts.lastSuccessAt === null
      ? 'There has been none yet.'
      : `The last one is of ${new Date(facts.lastSuccessAt).toISOString()}.`
  await announce(context, trx, {
    ...occasionOf(organizationId, watched),
    event: 'backup.overdue',
    title: `A backup of ${whatOf(watched)} is overdue`,
    text: `It should have been made ${formatSeconds((now - overdueAt) / 1000)} ago at the latest. ${last} Look whether its schedule is still there, whether its plan is enabled, and what the jobs say.`,
    thread: { key: keyOf(watched), is: 'going-on' },
  })
}

async function tellEnd(
  context: AppContext,
  trx: Transaction<Tables>,
  organizationId: string,
  key: string,
  watched: WatchedDatabase | undefined,
): Promise<void> {
  // Nobody waits for it any more.
  if (watched?.standing !== 'protected') return await forgetThreads(trx, organizationId, [key])
  const title = `${whatOf(watched)} is backed up again`
  const occasion = { ...occasionOf(organizationId, watched), title, text: '' }
  await announceEnd(context, trx, { ...occasion, event: 'backup.recovered' }, [key])
}

function occasionOf(
  organizationId: string,
  { plan, facts }: WatchedDatabase,
): Omit<Occasion, 'event' | 'title' | 'text'> {
  return {
    organizationId,
    serverId: plan.serverId,
    database: facts.database,
    facts: [
      { label: 'Server', value: plan.serverName },
      ...(facts.database === null ? [] : [{ label: 'Database', value: facts.database }]),
      { label: 'Plan', value: plan.name },
    ],
    data: {
      plan: { id: plan.id, name: plan.name },
      server: { id: plan.serverId, name: plan.serverName },
      lastSuccessAt: facts.lastSuccessAt === null ? null : new Date(facts.lastSuccessAt).toISOString(),
    },
  }
}

function whatOf({ plan, facts }: WatchedDatabase): string {
  const on = `“${plan.serverName}”`
  return facts.database === null ? `“${plan.name}” on ${on}` : `“${facts.database}” on ${on}`
}

function keyOf({ plan, facts }: WatchedDatabase): string {
  return overdueKey(plan.id, facts.database ?? ANY_DATABASE)
}
