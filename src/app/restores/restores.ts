import { z } from 'zod'
import { checkRestore, type RestoreReport } from '../../runner/check-restore.ts'
import { AppError, asAppError } from '../../shared/errors.ts'
import { hookOutcome } from '../../shared/hooks.ts'
import { isOver } from '../../shared/jobs.ts'
import {
  type NewRestore,
  type Restore,
  type RestoreCheck,
  restoreResult,
  type StartedRestore,
  type UndoRestore,
} from '../../shared/restores.ts'
import type { AppContext } from '../context.ts'
import { type JobRow, jobOf, listJobs, presentJobs } from '../jobs/jobs.ts'
import { keyRingOf } from '../keys/keys.ts'
import type { Place } from '../pages.ts'
import { connectionOf, serverOf } from '../servers/servers.ts'
import { type ReadableCopy, readableCopy, snapshotOf, type SnapshotRow } from '../snapshots/snapshots.ts'
import {
  enqueueRestore,
  type RestoreJobOrder,
  type RestorePayload,
  restorePayload,
  withKeys,
} from './order.ts'
import { safetyVolumes } from './safety.ts'
import { lastResult, payloadsOf, safetySnapshotsOf } from './store.ts'
import {
  confirms,
  fullNameOf,
  isProtected,
  isUnconfirmed,
  needsConfirmation,
  ownPlaces,
  readOptions,
  type ServerRow,
} from './target.ts'

/** Bytes of a dump that are loaded in a second where nothing better is known: PostgreSQL and MariaDB on two cores. */
const USUAL_RATE = 20_000_000

/**
 * Orders a restore, after looking at all that it would meet. Throws what refuses it, with the field that it is about:
 * `target_protected`, `confirmation_needed`, `unsupported`, `key_missing`, `database_exists`, …
 */
export async function startRestore(
  context: AppContext,
  organizationId: string,
  order: NewRestore,
  signal: AbortSignal,
  origin: Partial<Pick<RestorePayload, 'undoes'>> = {},
): Promise<StartedRestore> {
  const found = await lookAt(context, organizationId, order, signal)
  const [first] = found.report.problems
  if (first) throw withField(first)
  const { snapshotId, volumeId = null, serverId, mode, endSessions, safetySnapshot } = order
  const jobOrder: RestoreJobOrder = {
    payload: {
      snapshotId,
      volumeId,
      serverId,
      database: found.database,
      mode,
      endSessions,
      safetySnapshot,
      options: optionsOf(order),
      runAfter: order.runAfter ?? null,
      isConfirmed: found.isConfirmed,
      scheduledRestoreId: null,
      undoes: origin.undoes ?? null,
    },
    keys: order.keys,
    volumeIds: found.copy ? [found.copy.volumeRow.id] : [],
  }
  const jobId = await context.store.db
    .transaction()
    .execute((trx) => enqueueRestore(context, trx, organizationId, jobOrder))
  return { jobId, warnings: found.report.warnings }
}

/** The same as far as the order itself, which is not given. */
export async function describeRestore(
  context: AppContext,
  organizationId: string,
  order: NewRestore,
  signal: AbortSignal,
): Promise<RestoreCheck> {
  const { server, database, snapshot, copy, report } = await lookAt(context, organizationId, order, signal)
  // Whoever only looks has not been asked yet.
  const problems = report.problems.filter(
    ({ error }) => error.code !== 'confirmation_needed' || order.confirmation !== undefined,
  )
  const { manifest } = snapshot
  const rows = manifest.rows && Object.values(manifest.rows)
  return {
    isPossible: problems.length === 0,
    problems: problems.map(({ error: { code, message, hint }, field }) => ({ code, message, hint, field })),
    warnings: report.warnings,
    needsConfirmation: needsConfirmation(server, order.mode),
    steps: report.steps,
    snapshot: {
      id: snapshot.id,
      database: snapshot.database,
      serverName: snapshot.serverName,
      engine: snapshot.engine,
      version: manifest.server.version,
      takenAt: new Date(snapshot.takenAt).toISOString(),
      rawBytes: snapshot.rawBytes,
      storedBytes: snapshot.storedBytes,
      tables: rows?.length ?? null,
      rows: rows?.reduce((sum, count) => sum + count, 0) ?? null,
    },
    copy: copy && {
      volumeId: copy.volumeRow.id,
      volumeName: copy.volumeRow.name,
      key: copy.key,
      bytes: snapshot.storedBytes,
    },
    target: {
      serverId: server.id,
      serverName: server.name,
      database,
      exists: report.exists ?? null,
      version: report.server?.version ?? null,
    },
    estimate: await estimate(context, organizationId, snapshot),
  }
}

/**
 * Puts back what a restore has replaced: its safety snapshot, in the place of the database. Throws `not_found`,
 * `snapshot_not_found` if there is none, and what ordering a restore throws.
 */
export async function undo(
  context: AppContext,
  organizationId: string,
  jobId: string,
  order: UndoRestore,
  signal: AbortSignal,
): Promise<StartedRestore> {
  const job = await restoreJobOf(context, organizationId, jobId)
  if (!isOver(job.state)) {
    throw new AppError('in_use', 'This restore is not over yet.', { hint: 'Cancel it, or wait for its end.' })
  }
  const safety = (await safetySnapshotsOf(context.store.db, [jobId])).get(jobId)
  if (safety === undefined || job.serverId === null || job.database === null) throw nothingToUndo()
  const { serverId, database } = job
  return await startRestore(
    context,
    organizationId,
    { ...order, snapshotId: safety, serverId, database, mode: 'replace', options: {} },
    signal,
    { undoes: jobId },
  )
}

/** Throws `not_found`, also for a job of another kind. */
export async function restoreJobOf(context: AppContext, organizationId: string, id: string): Promise<JobRow> {
  const row = await jobOf(context, organizationId, id)
  if (row.kind !== 'restore') throw new AppError('not_found', 'There is no such restore.')
  return row
}

export interface RestoreFilter {
  serverId?: string | undefined
  database?: string | undefined
  snapshotId?: string | undefined
  states?: RestoreState[] | undefined
  /** The database that the snapshot is of, in a plan. */
  source?: { planId: string; database: string } | undefined
}
export type RestoreState = Restore['state']

/** The newest first; one more than `limit`. */
export async function listRestores(
  { store }: AppContext,
  organizationId: string,
  { serverId, database, snapshotId, states, source }: RestoreFilter,
  at: { after: Place | undefined; limit: number },
): Promise<JobRow[]> {
  const filter = {
    kinds: ['restore'],
    ...(serverId !== undefined && { serverId }),
    ...(database !== undefined && { database }),
    ...(snapshotId !== undefined && { snapshotId }),
    ...(states && { states }),
    ...(source && { source }),
  }
  return await listJobs(store, organizationId, filter, at)
}

/** Is in a result also where nothing was restored. */
const aroundIt = z.object({ hooks: z.array(hookOutcome) })

/** The restores as the API shows them: without the keys that came with the order. */
export async function presentRestores(context: AppContext, rows: readonly JobRow[]): Promise<Restore[]> {
  const ids = rows.map(({ id }) => id)
  const { db } = context.store
  const [jobs, payloads, safety] = await Promise.all([
    presentJobs(context, rows),
    payloadsOf(db, ids),
    safetySnapshotsOf(db, ids),
  ])
  return jobs.map(({ result, ...job }) => {
    const payload = restorePayload.parse(JSON.parse(payloads.get(job.id) ?? 'null'))
    const { mode, options, endSessions, safetySnapshot, runAfter, scheduledRestoreId, undoes } = payload
    return {
      ...job,
      mode,
      options,
      endSessions,
      safetySnapshot,
      runAfter,
      scheduledRestoreId,
      undoes,
      safetySnapshotId: safety.get(job.id) ?? null,
      result: restoreResult.safeParse(result).data ?? null,
      hooks: aroundIt.safeParse(result).data?.hooks ?? [],
    }
  })
}

interface Found {
  server: ServerRow
  /** By its full name; null: the server itself. */
  database: string | null
  snapshot: SnapshotRow
  copy: Pick<ReadableCopy, 'volumeRow' | 'key'> | null
  isConfirmed: boolean
  report: RestoreReport
}

/** Looks at all that the restore would meet. Throws only for what makes it senseless to look on. */
async function lookAt(
  context: AppContext,
  organizationId: string,
  order: NewRestore,
  signal: AbortSignal,
): Promise<Found> {
  const snapshot = await named('snapshotId', () => snapshotOf(context, organizationId, order.snapshotId))
  const server = await named('serverId', () => serverOf(context, organizationId, order.serverId))
  const { mode, runAfter, confirmation } = order
  const database = await named('database', async () =>
    order.database === undefined ? null : fullNameOf(context, server, order.database),
  )
  const early: RestoreReport['problems'] = []
  if (server.isProtected === 1) early.push({ error: isProtected(server), field: 'serverId' })
  const isConfirmed = confirmation !== undefined && confirms(server, database, confirmation)
  if (needsConfirmation(server, mode) && !isConfirmed) {
    early.push({ error: isUnconfirmed(server, database), field: 'confirmation' })
  }
  const isOfEngine = snapshot.engine === server.engine
  const options = readOptions(server.engine, isOfEngine ? optionsOf(order) : {})

  await using stack = new AsyncDisposableStack()
  let copy: ReadableCopy | undefined
  try {
    copy = await readableCopy(context, organizationId, snapshot.id, { volumeId: order.volumeId, signal })
    stack.use(copy.volume)
  } catch (thrown) {
    signal.throwIfAborted()
    early.push({ error: asAppError(thrown), field: order.volumeId === undefined ? 'snapshotId' : 'volumeId' })
  }
  const takesSafetySnapshot = mode === 'replace' && order.safetySnapshot
  if (takesSafetySnapshot && copy) {
    const problem = await safetyVolumes(context, organizationId, snapshot, copy.volumeRow).then(
      () => undefined,
      asAppError,
    )
    if (problem) early.push({ error: problem, field: 'safetySnapshot' })
  }
  const report = await checkRestore(
    {
      ...options,
      engineName: server.engine,
      connection: connectionOf(context, server),
      database: database ?? undefined,
      mode,
      ...(runAfter !== undefined && { runAfter }),
      own: await ownPlaces(context),
      keys: await withKeys(await keyRingOf(context, organizationId), order.keys ?? {}),
      manifest: snapshot.manifest,
      copy,
      takesSafetySnapshot,
      workDirectory: context.workDirectory,
    },
    signal,
  )
  report.problems.unshift(...early)
  return { server, database, snapshot, copy: copy ?? null, isConfirmed, report }
}

/** The engine's options, with the tables that were chosen beside them. */
function optionsOf({ options, tables }: NewRestore): Record<string, unknown> {
  return tables === undefined ? options : { ...options, tables }
}

async function estimate(
  { store }: AppContext,
  organizationId: string,
  { serverName, database, rawBytes }: SnapshotRow,
): Promise<RestoreCheck['estimate']> {
  const stored = await lastResult(store.db, organizationId, { serverName, database })
  const last = restoreResult.safeParse(stored === undefined ? undefined : JSON.parse(stored)).data
  if (!last) return { seconds: Math.ceil(rawBytes / USUAL_RATE), basis: 'size' }
  const total = Object.values(last.seconds).reduce((sum, part) => sum + part, 0)
  const share = last.rawBytes > 0 ? rawBytes / last.rawBytes : 1
  return { seconds: Math.round(total * share * 10) / 10, basis: 'last restore' }
}

/** What is wrong is told as a fault of the field that names it. */
async function named<T>(field: string, find: () => Promise<T>): Promise<T> {
  try {
    return await find()
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error
    throw withField({ error, field })
  }
}

function withField({ error, field }: { error: AppError; field: string }): AppError {
  const { code, message, hint, retryable } = error
  const fields = error.fields ?? [{ field, message }]
  return new AppError(code, message, { hint, retryable, fields, cause: error })
}

function nothingToUndo(): AppError {
  return new AppError(
    'snapshot_not_found',
    'This restore has no safety snapshot: there is nothing to put back.',
    {
      hint: 'One is made only when a database is replaced, and kept for some days.',
    },
  )
}
