import type { Transaction } from 'kysely'
import { messageOf } from '../../shared/errors.ts'
import { formatSeconds } from '../../shared/units.ts'
import type { Tables } from '../../store/tables.ts'
import { ANY_DATABASE, overdueKey } from '../backups/backups.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { listOrganizations } from '../organizations/organizations.ts'
import { announce, announceEnd, type Occasion } from '../notifications/announce.ts'
import { countThread, forgetThreads, threadsUnder } from '../notifications/threads.ts'
import { pause } from '../pause.ts'
import { watchDatabases, type WatchedDatabase } from './overview.ts'
import { knownDatabase } from './store.ts'

/*
 * Silence is an alarm: a backup that should have been made, and of which nothing was heard, is told as loudly as one that
 * failed. This has a loop of its own, so that it still speaks where the scheduler does not.
 */

const EVERY = 60_000
/** What is still missing counts once more each day. */
const AGAIN_AFTER = 86_400_000
/** More than these are told together: else a night without power would be a storm of notices. */
const MOST_ALONE = 10
const NAMED = 20
const PREFIX = 'overdue:'

/**
 * Looks now, and each minute until it is disposed, for backups that are missing. What is missing when the app starts is
 * told before the scheduler catches up. `onTrouble` hears, in one sentence, what goes wrong; of the same only once.
 */
export async function startWatch(
  context: AppContext,
  onTrouble: (message: string) => void = () => {},
): Promise<AsyncDisposable> {
  const stopping = new AbortController()
  const told = new Set<string>()
  const tell = (message: string) => {
    if (!told.has(message)) onTrouble(message)
    told.add(message)
  }
  const look = async () => {
    context.heartbeats.set('watch', performance.now())
    try {
      await watchOverdue(context, tell)
    } catch (error) {
      tell(`It could not be seen which backups are missing: ${messageOf(error)}`)
    }
  }
  const goOn = async () => {
    while (!stopping.signal.aborted) {
      await pause(EVERY, stopping.signal)
      if (!stopping.signal.aborted) await look()
    }
  }
  await look()
  const over = goOn()
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await over
      context.heartbeats.delete('watch')
    },
  }
}

/**
 * Tells of every backup that is missing, once, and that it is there again where that was not told by the backup itself.
 * `onTrouble` hears of what keeps it from seeing those of one organization: the others are looked after nevertheless.
 */
export async function watchOverdue(
  context: AppContext,
  onTrouble: (message: string) => void = () => {},
): Promise<void> {
  for (const { id } of await listOrganizations(context.store)) {
    try {
      await watchOrganization(context, id)
    } catch (error) {
      onTrouble(`It could not be seen which backups of an organization are missing: ${messageOf(error)}`)
    }
  }
}

async function watchOrganization(context: AppContext, organizationId: string): Promise<void> {
  const { store } = context
  const now = await nowOf(store)
  const watched = await watchDatabases(context, organizationId)
  const told = new Map(
    (await threadsUnder(store, organizationId, PREFIX)).map(({ key, lastAt }) => [key, lastAt]),
  )
  const silent = watched.filter((database) => isSilent(database, now))
  const news = silent.filter((database) => now - (told.get(keyOf(database)) ?? 0) >= AGAIN_AFTER)
  if (news.length > MOST_ALONE) await tellMany(context, organizationId, news)
  else {
    for (const database of news) {
      await store.db.transaction().execute((trx) => tellOverdue(context, trx, organizationId, database, now))
    }
  }
  for (const database of silent) told.delete(keyOf(database))
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
  const known = await knownDatabase(context.store, trx, plan.id, facts.database ?? ANY_DATABASE)
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
    text: `It should have been made ${formatSeconds((now - overdueAt) / 1000)} ago at the latest. ${last} Look at its jobs, and whether Holdfast was running when it was due.`,
    thread: { key: keyOf(watched), is: 'going-on' },
  })
}

/** In one notice. Each counts, but nobody was told of it by itself, nor will be of its end. */
async function tellMany(
  context: AppContext,
  organizationId: string,
  missing: readonly WatchedDatabase[],
): Promise<void> {
  const named = missing.slice(0, NAMED).map(whatOf).join(', ')
  const others = missing.length - NAMED
  await context.store.db.transaction().execute(async (trx) => {
    for (const database of missing) await countThread(context.store, trx, organizationId, keyOf(database))
    await announce(context, trx, {
      organizationId,
      event: 'backup.overdue',
      title: `${missing.length} backups are overdue`,
      text: `${named}${others > 0 ? ` and ${others} others` : ''}. Look whether Holdfast was running when they were due.`,
      facts: [],
      path: '/',
      data: { count: missing.length },
    })
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
