import { type SqlBool, sql, type Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import type { JobState } from '../shared/jobs.ts'
import type { Store } from './database.ts'
import { unscoped } from './scope.ts'
import type { Tables } from './tables.ts'

/*
 *            claim              finish
 *   queued ─────────▶ running ─────────▶ succeeded · partial · failed · cancelled
 *     ▲                  │
 *     └──────────────────┘ failed, and tried again later; or its runner was lost
 *
 * A running job whose outcome is recorded has done what it was for. It is never begun anew: whoever ends it, its runner or
 * who finds that runner gone, ends it with that outcome, unless what ran behind it has failed it.
 *
 * What must never happen is forbidden by constraints, not by code: two running jobs of one key (jobs_one_running), two
 * waiting ones (jobs_one_queued), more jobs on a server or a volume than it may have (job_slots). Whoever loses a race
 * sees a unique violation and tries again. The attempt number is the fence: a runner that was taken for dead cannot
 * finish the job that another one has taken over.
 */

/** For how long a claim or a heartbeat holds a job, in milliseconds. */
const LEASE = 60_000

// Written out in the SQL: with a parameter in its place, no partial index is used.
const QUEUED = sql.lit('queued' as const)
const RUNNING = sql.lit('running' as const)

const LONGEST_PAUSE = 3_600_000

/** Before the name of a machine, as a resource. */
const NODE = 'node:'

/** Another claim was faster so many times in a row: let the others have them. */
const RACES = 10

export interface JobOrder {
  /** Made if absent. */
  id?: string
  organizationId: string
  /** `backup`, `restore`, …: who claims says which of them it can do. */
  kind: string
  /** What must never be done twice at once: `backup:<plan>:<database>`. */
  key: string
  payload: unknown
  /** The job that orders it. */
  parentId?: string
  /** What it is about, to find it by. */
  subject?: JobSubject
  /** If one that waits already is joined: whether it gets this payload, because that asks for what both ask for. */
  replacesPayload?: (waiting: unknown) => boolean
  /** What it uses, each with a capacity: see `setCapacity`. A name without one is not limited. */
  resources?: readonly string[]
  /** Only a worker with this label takes it. */
  label?: string
  /** Higher comes first; 0 if absent. */
  priority?: number
  /** Milliseconds from now. */
  delay?: number
  /** How often it may be tried in all; 1 if absent. */
  maxAttempts?: number
  /** Milliseconds before the second attempt, doubled before each further one. */
  backoff?: number
}

export interface JobSubject {
  serverId?: string | null | undefined
  planId?: string | null | undefined
  database?: string | null | undefined
  snapshotId?: string | null | undefined
  volumeId?: string | null | undefined
}

/** Who asks for a job. */
export interface Runner {
  /** Unique to one process. */
  name: string
  /** The machine, whose capacity all its runners share. */
  node: string
  /** How many jobs may run on that machine at once. */
  capacity: number
  kinds: readonly string[]
  labels?: readonly string[]
  /** Milliseconds; `LEASE` if absent. */
  lease?: number
}

/** What a job is, whatever its state. */
export interface JobIdentity {
  id: string
  organizationId: string
  kind: string
  key: string
  /** JSON, to be parsed with the schema of its kind. */
  payload: string
  /** How often it was claimed: with 0 it has never begun. */
  attempt: number
}

/** A job that is ours until the lease ends, or somebody asks us to stop. */
export interface ClaimedJob extends JobIdentity {
  /** No further attempt will follow this one. */
  isLast: boolean
}

export type Outcome =
  | { state: 'succeeded' | 'partial'; result?: unknown }
  /** The error says why, if nobody asked for it. */
  | { state: 'cancelled'; error?: JobError; result?: unknown }
  /**
   * Tried again while attempts are left, unless `final`. An outcome that is recorded stands all the same, unless it is
   * `overruled`.
   */
  | { state: 'failed'; error: JobError; final?: boolean; overruled?: boolean; result?: unknown }

export interface JobError {
  code: ErrorCode
  message: string
  hint?: string
}

/** How a job has ended that has not done what it was for, and will not be tried again. */
export type BadEnd = { state: 'failed'; error: JobError } | { state: 'cancelled'; error?: JobError }

/** Hears, within the transaction that says so, of a bad end. */
export type OnBadEnd = (trx: Transaction<Tables>, job: JobIdentity, end: BadEnd) => Promise<void>

/**
 * Adds a job, in the caller's transaction. One that waits already with the same key is enough: then its id is returned,
 * and nothing is added; but it waits no longer than this one would, and is as urgent.
 */
export async function enqueueJob(
  store: Store,
  trx: Transaction<Tables>,
  order: JobOrder,
): Promise<{ id: string; joined: boolean }> {
  const { organizationId, kind, key, payload, label, priority, maxAttempts, backoff } = order
  for (let race = 0; race < RACES; race++) {
    const id = order.id ?? uuidv7()
    const added = await trx
      .insertInto('jobs')
      .values({
        id,
        organizationId,
        kind,
        key,
        state: 'queued',
        parentId: order.parentId,
        ...order.subject,
        payload: JSON.stringify(payload),
        label,
        priority: priority ?? 0,
        maxAttempts: maxAttempts ?? 1,
        backoff: backoff ?? 60_000,
        runAt: later(store, order.delay ?? 0),
        createdAt: store.now,
        updatedAt: store.now,
      })
      .onConflict((conflict) => conflict.column('key').where('state', '=', QUEUED).doNothing())
      .returning('id')
      .executeTakeFirst()
    if (added) {
      const resources = [...new Set(order.resources)].map((resource) => ({ jobId: id, resource }))
      if (resources.length > 0) await trx.insertInto('jobResources').values(resources).execute()
      return { id, joined: false }
    }
    const waiting = await join(store, trx, order)
    if (waiting !== undefined) return { id: waiting, joined: true }
    // It was claimed in between: there is room for another one.
  }
  throw new Error(`A job with the key ${key} could be neither added nor joined.`)
}

/** Returns the id of the job that waits with the same key; undefined if there is none. */
async function join(
  store: Store,
  trx: Transaction<Tables>,
  { organizationId, key, priority = 0, delay = 0, payload, replacesPayload }: JobOrder,
): Promise<string | undefined> {
  const runAt = later(store, delay)
  // Also one that the caller would not see: it is about a volume, and does what is to be done all the same.
  const waiting = await unscoped(trx)
    .updateTable('jobs')
    .set({
      priority: sql<number>`case when priority < ${priority} then ${priority} else priority end`,
      runAt: sql<number>`case when run_at > ${runAt} then ${runAt} else run_at end`,
      updatedAt: store.now,
    })
    .where('organizationId', '=', organizationId)
    .where('key', '=', key)
    .where('state', '=', QUEUED)
    .returning(['id', 'payload'])
    .executeTakeFirst()
  if (waiting && replacesPayload?.(JSON.parse(waiting.payload))) {
    const replaced = { payload: JSON.stringify(payload) }
    await unscoped(trx).updateTable('jobs').set(replaced).where('id', '=', waiting.id).execute()
  }
  return waiting?.id
}

/** How many jobs may use the resource at once. Jobs that are running already are not stopped. */
export async function setCapacity(
  trx: Transaction<Tables>,
  resource: string,
  capacity: number,
): Promise<void> {
  await trx
    .insertInto('resources')
    .values({ name: resource, capacity })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ capacity }))
    .execute()
}

/** Takes the next job that is due and has all it needs, or undefined if there is none. */
export async function claimJob(store: Store, runner: Runner): Promise<ClaimedJob | undefined> {
  for (let race = 0; race < RACES; race++) {
    try {
      return await store.db.transaction().execute((trx) => claim(store, trx, runner))
    } catch (error) {
      if (!store.isUniqueViolation(error)) throw error
    }
  }
  return undefined
}

async function claim(
  store: Store,
  trx: Transaction<Tables>,
  runner: Runner,
): Promise<ClaimedJob | undefined> {
  const node = `${NODE}${runner.node}`
  const nodeSlot = await freeSlot(trx, node, runner.capacity)
  if (nodeSlot === undefined) return undefined
  let due = trx
    .selectFrom('jobs')
    .select(['id', 'organizationId', 'kind', 'key', 'payload', 'maxAttempts'])
    .where('state', '=', QUEUED)
    .where('runAt', '<=', store.now)
    .where('kind', 'in', runner.kinds)
    .where((eb) => eb.or([eb('label', 'is', null), eb('label', 'in', [...(runner.labels ?? []), ''])]))
    .where(keyIsFree)
    .where(hasRoom)
    .orderBy('priority', 'desc')
    .orderBy('runAt')
    .orderBy('id')
    .limit(1)
  if (store.engine === 'postgresql') due = due.forUpdate().skipLocked()
  const job = await due.executeTakeFirst()
  if (!job) return undefined

  const needs = await trx
    .selectFrom('jobResources')
    .innerJoin('resources', 'resources.name', 'jobResources.resource')
    .select(['resource', 'capacity'])
    .where('jobId', '=', job.id)
    .execute()
  const slots = [{ resource: node, slot: nodeSlot, jobId: job.id }]
  for (const { resource, capacity } of needs) {
    const slot = await freeSlot(trx, resource, capacity)
    if (slot === undefined) return undefined // another claim was faster, and has ended by now
    slots.push({ resource, slot, jobId: job.id })
  }
  await trx.insertInto('jobSlots').values(slots).execute()
  const { attempt } = await trx
    .updateTable('jobs')
    .set(({ eb, fn }) => ({
      state: 'running',
      attempt: eb('attempt', '+', 1),
      runner: runner.name,
      leaseUntil: later(store, runner.lease ?? LEASE),
      startedAt: fn.coalesce('startedAt', store.now),
      progress: null,
      updatedAt: store.now,
    }))
    .where('id', '=', job.id)
    .returning('attempt')
    .executeTakeFirstOrThrow()
  const { id, organizationId, kind, key, payload, maxAttempts } = job
  return { id, organizationId, kind, key, payload, attempt, isLast: attempt >= maxAttempts }
}

const keyIsFree = sql<SqlBool>`not exists (
  select 1 from jobs as other where other.key = jobs.key and other.state = 'running')`

const hasRoom = sql<SqlBool>`not exists (
  select 1 from job_resources as need join resources on resources.name = need.resource
  where need.job_id = jobs.id and resources.capacity <=
    (select count(*) from job_slots where job_slots.resource = need.resource))`

/** The lowest slot that nobody holds. */
async function freeSlot(
  trx: Transaction<Tables>,
  resource: string,
  capacity: number,
): Promise<number | undefined> {
  const held = await trx.selectFrom('jobSlots').select('slot').where('resource', '=', resource).execute()
  const taken = new Set(held.map(({ slot }) => slot))
  for (let slot = 0; slot < capacity; slot++) if (!taken.has(slot)) return slot
  return undefined
}

/**
 * Holds the job for another lease, and says whether it is to be stopped. Throws `lease_lost` if it is ours no more:
 * then whatever we do for it must end at once, without a trace.
 */
export async function renewLease(
  store: Store,
  job: ClaimedJob,
  options: { lease?: number; progress?: unknown } = {},
): Promise<{ cancel: boolean }> {
  const held = await store.db
    .updateTable('jobs')
    .set({
      leaseUntil: later(store, options.lease ?? LEASE),
      ...(options.progress !== undefined && {
        progress: JSON.stringify(options.progress),
        updatedAt: store.now,
      }),
    })
    .where('id', '=', job.id)
    .where('attempt', '=', job.attempt)
    .where('state', '=', RUNNING)
    .returning('cancelRequestedAt')
    .executeTakeFirst()
  if (!held) throw leaseLost(job)
  return { cancel: held.cancelRequestedAt !== null }
}

/**
 * Gives the job another payload, with which a further attempt would begin: what a transaction has done already is not
 * done again. Throws `lease_lost` if the job is ours no more.
 */
export async function setPayload(
  store: Store,
  trx: Transaction<Tables>,
  job: ClaimedJob,
  payload: unknown,
): Promise<void> {
  const held = await trx
    .updateTable('jobs')
    .set({ payload: JSON.stringify(payload), updatedAt: store.now })
    .where('id', '=', job.id)
    .where('attempt', '=', job.attempt)
    .where('state', '=', RUNNING)
    .returning('id')
    .executeTakeFirst()
  if (!held) throw leaseLost(job)
}

/**
 * Says, in the transaction that also writes what came of the job, how it will end. It goes on running, but is never begun
 * anew; and of what it uses it holds nothing any more but its place on the machine, so that what runs behind it keeps
 * nobody from a server or a volume. Throws `lease_lost` if it is ours no more, so that nothing of that transaction happens.
 */
export async function recordOutcome(
  store: Store,
  trx: Transaction<Tables>,
  job: ClaimedJob,
  { state, result }: Extract<Outcome, { state: 'succeeded' | 'partial' }>,
): Promise<void> {
  const held = await trx
    .updateTable('jobs')
    .set({
      recordedState: state,
      result: result === undefined ? null : JSON.stringify(result),
      updatedAt: store.now,
    })
    .where('id', '=', job.id)
    .where('attempt', '=', job.attempt)
    .where('state', '=', RUNNING)
    .returning('id')
    .executeTakeFirst()
  if (!held) throw leaseLost(job)
  await trx
    .deleteFrom('jobSlots')
    .where('jobId', '=', job.id)
    .where('resource', 'not like', `${NODE}%`)
    .execute()
}

/**
 * Ends the job, in the transaction that also writes what came of it. Throws `lease_lost` if it is ours no more, so that
 * nothing of that transaction happens. Returns the state that it has now: `queued` if it will be tried again.
 */
export async function finishJob(
  store: Store,
  trx: Transaction<Tables>,
  job: ClaimedJob,
  outcome: Outcome,
): Promise<JobState> {
  const held = await trx
    .selectFrom('jobs')
    .select(['attempt', 'maxAttempts', 'backoff', 'cancelRequestedAt', 'recordedState'])
    .where('id', '=', job.id)
    .where('attempt', '=', job.attempt)
    .where('state', '=', RUNNING)
    .$if(store.engine === 'postgresql', (query) => query.forUpdate())
    .executeTakeFirst()
  if (!held) throw leaseLost(job)
  await trx.deleteFrom('jobSlots').where('jobId', '=', job.id).execute()
  const isBad = outcome.state === 'failed' || outcome.state === 'cancelled'
  if (held.recordedState !== null && isBad && !('overruled' in outcome && outcome.overruled)) {
    return await endAsRecorded(store, trx, job.id, held.recordedState)
  }
  const mayRetry =
    outcome.state === 'failed' &&
    !outcome.final &&
    !job.isLast &&
    held.cancelRequestedAt === null &&
    held.recordedState === null
  if (mayRetry) return await requeue(store, trx, { id: job.id, ...held }, outcome.error)
  await trx
    .updateTable('jobs')
    .set({
      state: outcome.state,
      ...ended(store),
      result: outcome.result === undefined ? null : JSON.stringify(outcome.result),
      error: 'error' in outcome && outcome.error ? JSON.stringify(outcome.error) : null,
    })
    .where('id', '=', job.id)
    .execute()
  return outcome.state
}

/**
 * Gives a job back that we cannot go on with, because this process stops: another runner takes it at once, and the
 * attempt does not count. Throws `lease_lost` if it is ours no more. Returns the state that it has now.
 */
export async function handBackJob(
  store: Store,
  trx: Transaction<Tables>,
  job: ClaimedJob,
): Promise<JobState> {
  const held = await trx
    .updateTable('jobs')
    .set(({ eb }) => ({ maxAttempts: eb('maxAttempts', '+', 1) }))
    .where('id', '=', job.id)
    .where('attempt', '=', job.attempt)
    .where('state', '=', RUNNING)
    .where('cancelRequestedAt', 'is', null)
    .where('recordedState', 'is', null)
    .returning('id')
    .executeTakeFirst()
  if (!held) throw leaseLost(job)
  await trx.deleteFrom('jobSlots').where('jobId', '=', job.id).execute()
  const error: JobError = { code: 'job_interrupted', message: 'The app was stopped while it ran.' }
  return await requeue(store, trx, { id: job.id, attempt: 1, backoff: 0 }, error)
}

/** Whether there is anything that could be claimed now: cheap, and wrong only for a moment. */
export async function isJobDue(store: Store, kinds: readonly string[]): Promise<boolean> {
  const due = await store.db
    .selectFrom('jobs')
    .select('id')
    .where('state', '=', QUEUED)
    .where('runAt', '<=', store.now)
    .where('kind', 'in', kinds)
    .limit(1)
    .executeTakeFirst()
  return due !== undefined
}

/**
 * Stops a job in whatever state it is: one that waits is cancelled now, one that runs is asked to stop with its next
 * heartbeat. Returns the state that it has now; undefined if there is no such job.
 */
export async function cancelJob(
  store: Store,
  trx: Transaction<Tables>,
  id: string,
  onBadEnd?: OnBadEnd,
): Promise<JobState | undefined> {
  const cancelled = await trx
    .updateTable('jobs')
    // What its last attempt has failed with is not why it ends.
    .set({ state: 'cancelled', ...ended(store), cancelRequestedAt: store.now, error: null })
    .where('id', '=', id)
    .where('state', '=', QUEUED)
    .returning(['id', 'organizationId', 'kind', 'key', 'payload', 'attempt'])
    .executeTakeFirst()
  if (cancelled) {
    await onBadEnd?.(trx, cancelled, { state: 'cancelled' })
    return 'cancelled'
  }
  const asked = await trx
    .updateTable('jobs')
    .set(({ fn }) => ({
      cancelRequestedAt: fn.coalesce('cancelRequestedAt', store.now),
      updatedAt: store.now,
    }))
    .where('id', '=', id)
    .where('state', '=', RUNNING)
    .returning('state')
    .executeTakeFirst()
  if (asked) return asked.state
  const job = await trx.selectFrom('jobs').select('state').where('id', '=', id).executeTakeFirst()
  return job?.state
}

export interface ReapOptions {
  /** Whether a runner is known to be dead, so that its lease need not be waited for. */
  isGone?: (runner: string) => boolean
  onBadEnd?: OnBadEnd
  /** Hears, within the transaction that ends it, of a job that is ended with the outcome that it has recorded. */
  onRecordedEnd?: (trx: Transaction<Tables>, job: JobIdentity) => Promise<void>
}

/** Takes jobs from runners that have not been heard of for a whole lease, or are gone. Returns their ids. */
export async function reapJobs(store: Store, options: ReapOptions = {}): Promise<string[]> {
  const gone = options.isGone ? (await runnersOf(store)).filter(options.isGone) : []
  const reaped: string[] = []
  for (;;) {
    const id = await store.db.transaction().execute((trx) => reapOne(store, trx, gone, options))
    if (id === undefined) return reaped
    reaped.push(id)
  }
}

async function runnersOf(store: Store): Promise<string[]> {
  const rows = await store.db
    .selectFrom('jobs')
    .select('runner')
    .distinct()
    .where('state', '=', RUNNING)
    .execute()
  return rows.flatMap(({ runner }) => runner ?? [])
}

async function reapOne(
  store: Store,
  trx: Transaction<Tables>,
  gone: readonly string[],
  { onBadEnd, onRecordedEnd }: ReapOptions,
): Promise<string | undefined> {
  let expired = trx
    .selectFrom('jobs')
    .select(['id', 'organizationId', 'kind', 'key', 'payload'])
    .select(['attempt', 'maxAttempts', 'backoff', 'runner', 'cancelRequestedAt', 'recordedState'])
    .where('state', '=', RUNNING)
    .where((eb) => {
      const isExpired = eb('leaseUntil', '<', store.now)
      return gone.length > 0 ? eb.or([isExpired, eb('runner', 'in', gone)]) : isExpired
    })
    .orderBy('leaseUntil')
    .limit(1)
  if (store.engine === 'postgresql') expired = expired.forUpdate().skipLocked()
  const job = await expired.executeTakeFirst()
  if (!job) return undefined
  await trx.deleteFrom('jobSlots').where('jobId', '=', job.id).execute()
  if (job.recordedState !== null) {
    await endAsRecorded(store, trx, job.id, job.recordedState)
    await onRecordedEnd?.(trx, job)
    return job.id
  }
  const error: JobError = {
    code: 'runner_lost',
    message: `Nothing was heard of the runner ${job.runner} any more: it was killed, or cut off.`,
  }
  if (job.cancelRequestedAt === null && job.attempt < job.maxAttempts) {
    // Its server and its volume have done nothing wrong: there is nothing to wait for.
    const state = await requeue(store, trx, { ...job, backoff: 0 }, error)
    if (state === 'failed') await onBadEnd?.(trx, job, { state, error })
    return job.id
  }
  const end: BadEnd = job.cancelRequestedAt === null ? { state: 'failed', error } : { state: 'cancelled' }
  await trx
    .updateTable('jobs')
    .set({
      state: end.state,
      ...ended(store),
      error: end.state === 'failed' ? JSON.stringify(end.error) : null,
    })
    .where('id', '=', job.id)
    .execute()
  await onBadEnd?.(trx, job, end)
  return job.id
}

async function endAsRecorded(
  store: Store,
  trx: Transaction<Tables>,
  id: string,
  state: 'succeeded' | 'partial',
): Promise<JobState> {
  await trx
    .updateTable('jobs')
    .set({ state, ...ended(store), error: null })
    .where('id', '=', id)
    .execute()
  return state
}

interface Attempted {
  id: string
  attempt: number
  backoff: number
}

/** Back to the queue for later, unless a newer job of the same key waits there already: then that one is the next try. */
async function requeue(
  store: Store,
  trx: Transaction<Tables>,
  job: Attempted,
  error: JobError,
): Promise<JobState> {
  const queued = {
    state: 'queued' as const,
    runAt: later(store, pause(job)),
    runner: null,
    leaseUntil: null,
    error: JSON.stringify(error),
    updatedAt: store.now,
  }
  await sql`savepoint requeue`.execute(trx)
  try {
    await trx.updateTable('jobs').set(queued).where('id', '=', job.id).execute()
    await sql`release savepoint requeue`.execute(trx)
    return 'queued'
  } catch (violation) {
    if (!store.isUniqueViolation(violation)) throw violation
    await sql`rollback to savepoint requeue`.execute(trx)
    await trx
      .updateTable('jobs')
      .set({ state: 'failed', ...ended(store), error: JSON.stringify(error) })
      .where('id', '=', job.id)
      .execute()
    return 'failed'
  }
}

/** Doubled each time, but nobody waits for more than an hour, unless that was asked for. */
function pause({ attempt, backoff }: Attempted): number {
  return Math.min(backoff * 2 ** (attempt - 1), Math.max(backoff, LONGEST_PAUSE))
}

function ended(store: Store) {
  return { runner: null, leaseUntil: null, finishedAt: store.now, updatedAt: store.now }
}

function later(store: Store, milliseconds: number) {
  return sql<number>`${store.now} + ${sql.lit(Math.round(milliseconds))}`
}

function leaseLost(job: ClaimedJob): AppError {
  return new AppError('lease_lost', `The job ${job.id} was taken over: this runner was not heard of in time.`)
}
