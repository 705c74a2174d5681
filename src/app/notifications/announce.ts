import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { type EventName, events, type ServerChoice } from '../../shared/notifications.ts'
import type { Notice } from '../../channels/channel.ts'
import type { Tables } from '../../store/tables.ts'
import { channelsForAll, openChannelsOf } from '../channels/channels.ts'
import { orderDeliveries } from '../channels/deliver.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { settingsOf } from '../settings/settings.ts'
import { readRule } from './rules.ts'
import {
  allRules,
  countThread,
  endThread,
  labelsOf,
  type Thread,
  threadsAmong,
  threadsBelow,
} from './store.ts'

export { forgetIdleThreads } from './store.ts'

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
  /** What goes on, of which this is a part: only its first, every n-th, and its end are told. */
  thread?: { key: string; is: 'going-on' | 'over' }
}

/** As many parameters as every store takes. */
const KEYS_AT_ONCE = 500

/**
 * Orders the deliveries that the rules ask for; nothing is sent here. Cheap where nobody wants to hear of it. What is
 * over is told only if it went on before.
 */
export async function announce(
  context: AppContext,
  trx: Transaction<Tables>,
  occasion: Occasion,
): Promise<void> {
  const story = occasion.thread ? await follow(context, trx, occasion, occasion.thread) : {}
  if (story) await tell(context, trx, occasion, story)
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
  const { organizationId } = occasion
  const ended: (Thread & { key: string })[] = []
  for (const { key } of await threadsAmong(trx, organizationId, keys)) {
    const thread = await endThread(trx, organizationId, key)
    if (thread) ended.push({ key, ...thread })
  }
  const [longest] = ended
  if (longest) await tell(context, trx, occasion, { ...storyOf(longest.key, longest), isOver: true })
}

/** What went on is over, and nobody need hear of that. */
export async function forgetThreads(
  trx: Transaction<Tables>,
  organizationId: string,
  keys: readonly string[],
): Promise<void> {
  for (const key of keys) await endThread(trx, organizationId, key)
}

/** Those of the keys under which something goes on. */
export async function goingOn(
  trx: Transaction<Tables>,
  organizationId: string,
  keys: readonly string[],
): Promise<Set<string>> {
  const found = new Set<string>()
  for (let i = 0; i < keys.length; i += KEYS_AT_ONCE) {
    const piece = keys.slice(i, i + KEYS_AT_ONCE)
    for (const { key } of await threadsAmong(trx, organizationId, piece)) found.add(key)
  }
  return found
}

/** All that goes on under keys which begin so, and when it was noted last, in milliseconds since 1970. */
export async function threadsUnder(
  { db }: AppContext['store'],
  organizationId: string,
  prefix: string,
): Promise<{ key: string; lastAt: number }[]> {
  return await threadsBelow(db, organizationId, prefix)
}

/** What goes on: nothing is known of what happens once. */
interface Story {
  threadId?: string
  thread?: Thread
  isOver?: boolean
}

function storyOf(key: string, thread: Thread): Story {
  return { thread, threadId: `${key}@${thread.firstAt}` }
}

/** Undefined: it is not told this time. */
async function follow(
  context: AppContext,
  trx: Transaction<Tables>,
  { organizationId }: Occasion,
  { key, is }: NonNullable<Occasion['thread']>,
): Promise<Story | undefined> {
  if (is === 'over') {
    const ended = await endThread(trx, organizationId, key)
    return ended && { ...storyOf(key, ended), isOver: true }
  }
  const thread = await countThread(context.store, trx, organizationId, key)
  if (thread.count === 1) return storyOf(key, thread)
  const { noticeEvery } = await settingsOf(context, organizationId, trx)
  return noticeEvery > 0 && thread.count % noticeEvery === 0 ? storyOf(key, thread) : undefined
}

/** Orders its delivery to all who want to hear of it. */
async function tell(
  context: AppContext,
  trx: Transaction<Tables>,
  occasion: Occasion,
  story: Story,
): Promise<void> {
  const channelIds = await channelsFor(trx, occasion)
  if (channelIds.length === 0) return
  const notice = await noticeOf(context, trx, occasion, story)
  await orderDeliveries(context, trx, occasion.organizationId, channelIds, notice)
}

async function channelsFor(
  trx: Transaction<Tables>,
  { organizationId, event, serverId }: Occasion,
): Promise<string[]> {
  const rules = (await allRules(trx, organizationId)).map(readRule)
  const interested = rules.filter(({ isEnabled, events }) => isEnabled && events.includes(event))
  let labels: Promise<Record<string, string>> | undefined
  const isChosen = async (choice: ServerChoice): Promise<boolean> => {
    if (!serverId || 'all' in choice) return true
    if ('ids' in choice) return choice.ids.includes(serverId)
    const own = await (labels ??= labelsOf(trx, organizationId, serverId))
    return Object.entries(choice.labels).every(([name, value]) => own[name] === value)
  }
  const found = new Set<string>()
  for (const rule of interested) {
    if (!(await isChosen(rule.servers))) continue
    for (const id of await openChannelsOf(trx, organizationId, rule.channels)) found.add(id)
  }
  const named = new Set(rules.flatMap(({ channels }) => channels ?? []))
  for (const id of await channelsForAll(trx, organizationId)) if (!named.has(id)) found.add(id)
  return [...found]
}

async function noticeOf(
  context: AppContext,
  trx: Transaction<Tables>,
  occasion: Occasion,
  { thread, threadId, isOver = false }: Story,
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
    text: more === undefined ? text : `${text} ${more}`,
    facts,
    data: {
      ...data,
      ...(serverId && { serverId }),
      ...(database && { database }),
      ...(thread && { count: thread.count, since: new Date(thread.firstAt).toISOString() }),
    },
    ...(threadId !== undefined && { thread: threadId }),
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
