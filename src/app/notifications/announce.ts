import { sql, type Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import type { Notice } from '../../channels/channel.ts'
import { messageOf } from '../../shared/errors.ts'
import { type EventName, events, type ServerChoice } from '../../shared/notifications.ts'
import type { Tables } from '../../store/tables.ts'
import { channelsForAll, hearsEach, openChannelsOf } from '../channels/channels.ts'
import { orderDeliveries } from '../channels/deliver.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { settingsOf } from '../settings/settings.ts'
import { readRule } from './rules.ts'
import { allRules, labelsOf } from './store.ts'
import { countThread, endThread, saveTold, type Thread, threadIdOf, threadsAmong } from './threads.ts'

/** Something that people may want to hear of; told within the transaction in which it happens. */
export interface Occasion {
  organizationId: string
  event: EventName
  serverId?: string | null
  database?: string | null
  /** One line. */
  title: string
  /** Sentences: what happened, and what helps. */
  text: string
  facts: { label: string; value: string }[]
  /** For programs: JSON, without secrets. */
  data: Record<string, unknown>
  /** Of the page that says more: `/jobs/<id>`. */
  path?: string
  /**
   * What goes on, of which this is a part: only its first, every n-th, and its end are told. `isKnown`: that
   * it begins was told in another way.
   */
  thread?: { key: string; is: 'going-on' | 'over'; isKnown?: boolean }
}

/**
 * Orders the deliveries that the rules ask for; nothing is sent here. Cheap where nobody wants to hear of it. What is
 * over is told only if it went on before. Whatever goes wrong with it, the transaction goes on.
 */
export async function announce(
  context: AppContext,
  trx: Transaction<Tables>,
  occasion: Occasion,
): Promise<void> {
  await apart(trx, occasion, async () => {
    const story = occasion.thread ? await follow(context, trx, occasion, occasion.thread) : {}
    if (story) await tell(context, trx, occasion, story)
  })
}

/**
 * Tells once that all is over that went on under any of the keys, as the end of what went on longest; nothing if nothing
 * did.
 */
export async function announceEnd(
  context: AppContext,
  trx: Transaction<Tables>,
  occasion: Omit<Occasion, 'thread'>,
  keys: readonly string[],
): Promise<void> {
  await apart(trx, occasion, async () => {
    const { organizationId } = occasion
    const ended: Thread[] = []
    for (const { key } of await threadsAmong(trx, organizationId, keys)) {
      const thread = await endThread(trx, organizationId, key)
      if (thread) ended.push(thread)
    }
    const [longest] = ended
    if (!longest) return
    const told = [...new Set(ended.flatMap(({ told }) => told))]
    await tell(context, trx, occasion, { thread: { ...longest, told }, isOver: true })
  })
}

/**
 * Does what belongs to telling, of which the title says what, and nothing of it if any of it fails. What cannot be told
 * must not undo what has happened: a backup, above all.
 */
export async function apart(
  trx: Transaction<Tables>,
  { title }: Pick<Occasion, 'title'>,
  work: () => Promise<void>,
): Promise<void> {
  await sql`savepoint telling`.execute(trx)
  try {
    await work()
    await sql`release savepoint telling`.execute(trx)
  } catch (error) {
    await sql`rollback to savepoint telling`.execute(trx)
    process.emitWarning(`“${title}” could not be told: ${messageOf(error)}`, 'HoldfastNoticeWarning')
  }
}

/** What goes on: nothing is known of what happens once. */
interface Story {
  thread?: Thread
  /** Also those who have heard of it hear it now. */
  isForAll?: boolean
  isOver?: boolean
  isKnown?: boolean
}

/** Undefined: it is over, but did not go on. */
async function follow(
  context: AppContext,
  trx: Transaction<Tables>,
  { organizationId }: Occasion,
  { key, is, isKnown = false }: NonNullable<Occasion['thread']>,
): Promise<Story | undefined> {
  if (is === 'over') {
    const ended = await endThread(trx, organizationId, key)
    return ended && { thread: ended, isOver: true }
  }
  const thread = await countThread(context.store, trx, organizationId, key)
  const { noticeEvery } = await settingsOf(context, organizationId, trx)
  const isNth = noticeEvery > 0 && thread.count % noticeEvery === 0
  return { thread, isForAll: isNth, isKnown: isKnown && !isNth }
}

/** Orders its delivery to all who want to hear of it, and have not heard it. */
async function tell(
  context: AppContext,
  trx: Transaction<Tables>,
  occasion: Occasion,
  story: Story,
): Promise<void> {
  const channels = await channelsFor(trx, occasion)
  const { organizationId } = occasion
  const { thread, isOver, isForAll, isKnown } = story
  const told = new Set(thread?.told)
  const audience = channels.filter(({ id, kind }) => {
    if (!thread || hearsEach(kind)) return true
    if (isOver) return told.size > 0 // else nobody knows that it went on
    return !isKnown && (isForAll || !told.has(id))
  })
  if (thread && !isOver && !isKnown && channels.some(({ id }) => !told.has(id))) {
    await saveTold(trx, organizationId, thread, [...told.union(new Set(channels.map(({ id }) => id)))])
  }
  if (audience.length === 0) return
  const notice = await noticeOf(context, trx, occasion, story)
  const ids = audience.map(({ id }) => id)
  await orderDeliveries(context, trx, organizationId, ids, notice)
}

async function channelsFor(
  trx: Transaction<Tables>,
  { organizationId, event, serverId }: Occasion,
): Promise<{ id: string; kind: string }[]> {
  const rules = (await allRules(trx, organizationId)).map(readRule)
  const interested = rules.filter(({ isEnabled, events }) => isEnabled && events.includes(event))
  let labels: Promise<Record<string, string>> | undefined
  const isChosen = async (choice: ServerChoice): Promise<boolean> => {
    if (!serverId || 'all' in choice) return true
    if ('ids' in choice) return choice.ids.includes(serverId)
    const own = await (labels ??= labelsOf(trx, organizationId, serverId))
    return Object.entries(choice.labels).every(([name, value]) => own[name] === value)
  }
  const found = new Map<string, { id: string; kind: string }>()
  for (const rule of interested) {
    if (!(await isChosen(rule.servers))) continue
    for (const channel of await openChannelsOf(trx, organizationId, rule.channels)) {
      found.set(channel.id, channel)
    }
  }
  const named = new Set(rules.flatMap(({ channels }) => channels ?? []))
  for (const channel of await channelsForAll(trx, organizationId, event)) {
    if (!named.has(channel.id)) found.set(channel.id, channel)
  }
  return [...found.values()]
}

async function noticeOf(
  context: AppContext,
  trx: Transaction<Tables>,
  occasion: Occasion,
  { thread, isOver = false }: Story,
): Promise<Notice> {
  const { event, title, text, facts, data, path, serverId, database } = occasion
  const { appUrl, store } = context
  const more = thread && (await tellThread(context, trx, occasion, thread, isOver))
  return {
    id: uuidv7(),
    event,
    severity: events[event].severity,
    at: new Date(await nowOf(store, trx)).toISOString(),
    title,
    text: [text, more].filter(Boolean).join(' '),
    facts,
    data: {
      ...data,
      ...(serverId && { serverId }),
      ...(database && { database }),
      ...(thread && { count: thread.count, since: new Date(thread.firstAt).toISOString() }),
    },
    ...(thread && { thread: threadIdOf(thread) }),
    ...(appUrl !== undefined && path !== undefined && { url: appUrl + path }),
  }
}

/** How often, and since when; nothing of what is new. */
async function tellThread(
  context: AppContext,
  trx: Transaction<Tables>,
  { organizationId }: Occasion,
  { count, firstAt }: Thread,
  isOver: boolean,
): Promise<string | undefined> {
  if (!isOver && count === 1) return undefined
  const { displayTimeZone } = await settingsOf(context, organizationId, trx)
  const since = localTime(firstAt, displayTimeZone)
  if (!isOver) return `This was the ${ordinal(count)} time since ${since}.`
  return count === 1
    ? `It had gone wrong once, at ${since}.`
    : `It had gone wrong ${count} times since ${since}.`
}

/** `2026-11-27 09:05 Europe/Berlin` */
function localTime(time: number, timeZone: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', timeZone })
  return `${format.format(time)} ${timeZone}`
}

function ordinal(n: number): string {
  const teens = n % 100 >= 11 && n % 100 <= 13
  return `${n}${teens ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`
}
