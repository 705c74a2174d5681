import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { AskedToWait } from '../../channels/answers.ts'
import type { Channel, Notice, Receipt } from '../../channels/channel.ts'
import { type ChannelKind, channels } from '../../channels/index.ts'
import type { ChannelTrial } from '../../shared/channels.ts'
import { AppError, asAppError, throwNow } from '../../shared/errors.ts'
import { severities } from '../../shared/notifications.ts'
import type { TestStep } from '../../shared/test-report.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import { mendJson } from '../broken-text.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { defineJob, type Finished, type Work } from '../jobs/job-kind.ts'
import { jobError } from '../jobs/run-job.ts'
import { forgetTold } from '../notifications/threads.ts'
import { channelResource, hearsEach, openWith, settingsOf, trialSettings } from './channels.ts'
import {
  type ChannelRow,
  findChannel,
  isNewerDelivered,
  noteDelivery,
  noteFailure,
  postponeDeliveries,
} from './store.ts'

/** The kind of the job. */
export const DELIVERY = 'deliver-notice'

/** With these, whoever is away for about an hour still hears of it. */
const TRIES = 8
const BACKOFF = 30_000
/** Milliseconds for one try. */
const TRY_LIMIT = 30_000
/** Milliseconds behind that, for a channel that does not keep to it. */
const GRACE = 5_000
/** Where a receiver asks for patience, and does not say how long. */
const WAIT_SECONDS = 30

const notice = z.object({
  id: z.string(),
  event: z.string(),
  severity: z.enum(severities),
  title: z.string(),
  text: z.string(),
  facts: z.array(z.object({ label: z.string(), value: z.string() })),
  url: z.string().optional(),
  at: z.string(),
  thread: z.string().optional(),
  data: z.record(z.string(), z.unknown()),
}) satisfies z.ZodType<Notice>

/**
 * Tells one channel of one thing. It may tell it twice: if this process is killed behind the answer, or the answer is
 * lost. Its own failure is no occasion to tell anybody of.
 */
export const deliverNotice = defineJob({
  payload: z.object({ channelId: z.string(), notice }),
  async run({ context, id, attempt: n, organizationId, payload, signal, log }) {
    const { store } = context
    const row = await findChannel(store.db, payload.channelId)
    const isTheirs = row && (row.organizationId === organizationId || row.isShared === 1)
    if (!isTheirs) return undelivered('The channel is not there any more.', log)
    if (row.isEnabled === 0) return undelivered(`The channel “${row.name}” was disabled meanwhile.`, log)
    // It would take what is old for the latest.
    const isLate =
      n > 1 && hearsEach(row.kind) && (await isNewerDelivered(store.db, channelResource(row.id), id))
    if (isLate) return undelivered(`“${row.name}” has heard of what came later by now.`, log)
    const { answer, isSent = true } = await attempt(context, row, payload.notice, signal).catch((error) =>
      throwNow(row.organizationId === organizationId ? error : withoutDetails(row, error)),
    )
    if (!isSent) return undelivered(answer, log)
    const said = row.organizationId === organizationId ? answer : `“${row.name}” has taken it.`
    log('info', said)
    const record = (trx: Transaction<Tables>) => noteDelivery(store, trx, row.id)
    return { result: { delivered: true, answer: said }, record }
  },
  /** Also of what `run` knows nothing: that its process was killed. */
  async endedBadly({ store }, trx, { organizationId, payload: { channelId, notice }, ...end }) {
    if (end.state !== 'failed') return
    await noteFailure(store, trx, channelId, end.error)
    // Whoever has not heard of the beginning hears of what follows.
    if (notice.thread !== undefined) await forgetTold(trx, organizationId, notice.thread, channelId)
  },
})

/** What its own people may know of a shared channel, others need not. */
function withoutDetails({ name }: ChannelRow, error: unknown): AppError {
  const { code, retryable, isFinal } = asAppError(error)
  return new AppError(code, `The shared channel “${name}” could not be told.`, {
    hint: 'The organization that it belongs to sees why.',
    retryable,
    isFinal,
  })
}

/** Orders a delivery to each of the channels, in the caller's transaction. */
export async function orderDeliveries(
  { store }: AppContext,
  trx: Transaction<Tables>,
  organizationId: string,
  channelIds: readonly string[],
  notice: Notice,
): Promise<void> {
  const stored = mendJson(notice)
  for (const channelId of channelIds) {
    await enqueueJob(store, trx, {
      organizationId,
      kind: DELIVERY,
      key: `${DELIVERY}:${channelId}:${notice.id}`,
      payload: { channelId, notice: stored },
      resources: [channelResource(channelId)],
      maxAttempts: TRIES,
      backoff: BACKOFF,
    })
  }
}

/** Sends a message that says what it is, now and once, and says how that went. Of a stored channel it is noted. */
export async function testStoredChannel(
  context: AppContext,
  row: ChannelRow,
  signal: AbortSignal,
): Promise<TestStep> {
  return await tryOut(async () => {
    const receipt = await attempt(context, row, await testNotice(context, row.kind, row.name), signal)
    await noteDelivery(context.store, context.store.db, row.id)
    return receipt
  })
}

/** The same with settings that nobody has saved. Throws `invalid_input`, and `not_found` for the channel they are of. */
export async function testTrial(
  context: AppContext,
  organizationId: string,
  trial: ChannelTrial,
  signal: AbortSignal,
): Promise<TestStep> {
  const settings = await trialSettings(context, organizationId, trial)
  const { label } = channels[trial.kind as ChannelKind]
  return await tryOut(async () => {
    const channel = await openWith(context, trial.kind, settings, TRY_LIMIT)
    return await sendWithin(channel, await testNotice(context, trial.kind, label), signal)
  })
}

/** One try. A failure is noted, unless somebody wants it to stop. */
async function attempt(
  context: AppContext,
  row: ChannelRow,
  notice: Notice,
  signal: AbortSignal,
): Promise<Receipt> {
  try {
    const channel = await openWith(context, row.kind, settingsOf(context, row), TRY_LIMIT)
    return await sendWithin(channel, notice, signal)
  } catch (error) {
    const { store } = context
    if (error instanceof AskedToWait)
      await postponeDeliveries(store, channelResource(row.id), (error.seconds ?? WAIT_SECONDS) * 1000)
    if (!signal.aborted) await noteFailure(store, store.db, row.id, jobError(asAppError(error)))
    throw error
  }
}

/** Whether or not the channel cares for its signal. */
async function sendWithin(channel: Channel, notice: Notice, signal: AbortSignal): Promise<Receipt> {
  const limit = AbortSignal.timeout(TRY_LIMIT + GRACE)
  const until = AbortSignal.any([signal, limit])
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  const stop = () => reject(signal.aborted ? signal.reason : tooLong())
  if (until.aborted) stop()
  until.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([channel.send(notice, until), stopped])
  } finally {
    until.removeEventListener('abort', stop)
  }
}

async function tryOut(send: () => Promise<Receipt>): Promise<TestStep> {
  const step = 'send a message'
  const startedAt = performance.now()
  const milliseconds = () => Math.round(performance.now() - startedAt)
  try {
    const { answer } = await send()
    return { step, outcome: 'ok', detail: answer, milliseconds: milliseconds() }
  } catch (error) {
    const { message, hint } = asAppError(error)
    const detail = hint === undefined ? message : `${message} ${hint}`
    return { step, outcome: 'failed', detail, milliseconds: milliseconds() }
  }
}

async function testNotice({ store, appUrl }: AppContext, kind: string, name: string): Promise<Notice> {
  return {
    id: uuidv7(),
    event: 'channel.test',
    // What waits for good news takes nothing else.
    severity: hearsEach(kind) ? 'success' : 'info',
    at: new Date(await nowOf(store)).toISOString(),
    title: 'A test from Holdfast',
    text: `If you can read this, “${name}” works. Nothing has happened to any backup.`,
    facts: [{ label: 'Channel', value: name }],
    data: {},
    ...(appUrl !== undefined && { url: appUrl }),
  }
}

function undelivered(answer: string, log: Work<unknown>['log']): Finished {
  log('info', `${answer} Nothing was sent.`)
  return { result: { delivered: false, answer } }
}

function tooLong(): AppError {
  return new AppError('job_timed_out', `The channel did not answer within ${(TRY_LIMIT + GRACE) / 1000} s.`)
}
