import { randomBytes } from 'node:crypto'
import type { GlobalsRequest, Restore, ServerFacts } from '../engines/engine.ts'
import { ownToken } from '../lib/identity.ts'
import { StallGuard } from '../lib/stall-guard.ts'
import { findTools, type FoundTool } from '../lib/tools.ts'
import { checkRoom, createWorkDirectory } from '../lib/work-directory.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import type { Manifest } from '../shared/snapshots.ts'
import type { Volume } from '../volumes/volume.ts'
import { compareRows, type RowComparison } from './compare-rows.ts'
import type { KeyRing } from './encryption.ts'
import { explained } from './explained.ts'
import { cleanupSignal, type JobContext } from './job.ts'
import { loadDump } from './load.ts'
import { PhaseClock } from './phase-clock.ts'
import { checkObject, openCopy, type ReadCopyOptions } from './read-copy.ts'
import {
  checkEngine,
  checkMode,
  checkServerTarget,
  checkTarget,
  databaseFor,
  isLeftHalf,
  isOfServer,
  type RestoreMode,
  type RestoreTarget,
  versionWarnings,
} from './restore-target.ts'
import { runSql } from './run-sql.ts'
import { dropUnfinished, formerName, unfinishedName } from './unfinished-restores.ts'

/** Which snapshot is written into which database, and how. */
export interface RestoreOrder extends RestoreTarget {
  /** The engine's name in engines/index.ts; must be the manifest's. */
  engineName: string
  restoreOptions: unknown
  /** Where the options leave everything out but these tables, with all their rows: as they were named. */
  wholeTables?: readonly string[]
  /** End other people's sessions on the target where they stand in the way. */
  endSessions: boolean
  snapshot: { key: string; manifest: Manifest; volume: Volume }
  keys: KeyRing
  /** Takes a snapshot of the target before it is replaced; absent if it was declined. */
  takeSafetySnapshot?: (database: string, job: JobContext) => Promise<string>
  stallAfter: number
}

export interface RestoredSnapshot {
  /** Undefined: the server itself. */
  database: string | undefined
  seconds: Record<string, number>
  /** Table by table, where the snapshot knows its rows. */
  rows: RowComparison | undefined
  /** The id of the target's own snapshot from before. */
  safetySnapshot: string | undefined
}

/**
 * Writes a snapshot into a database. Where the engine can rename, the data goes into a database beside the target,
 * which takes the target's name only when every byte has been verified, the tool has succeeded and the rows are
 * those of the snapshot. Where it cannot, or where objects are added to an existing database, the whole object is
 * verified before anything is changed. So it is for what belongs to the server itself. SQL that is to run after has then
 * run already.
 */
export async function restoreSnapshot(order: RestoreOrder, job: JobContext): Promise<RestoredSnapshot> {
  using stall = new StallGuard(order.stallAfter, () => stalled(order))
  const signal = AbortSignal.any([job.signal, stall.signal])
  const lost: LostTarget = {}
  const { engine, snapshot } = order
  try {
    checkEngine(engine, order.engineName, snapshot.manifest)
    await checkTarget(order, signal)
    if (isOfServer(engine, snapshot.manifest)) return await restoreGlobals(order, { ...job, signal }, stall)
    const database = databaseFor(order, snapshot.manifest)
    return await restore({ ...order, database }, { ...job, signal }, stall, lost)
  } catch (error) {
    throw withWayBack(explained(engine, error, signal), lost)
  }
}

type DatabaseOrder = RestoreOrder & { database: string }

/** A target that was dropped before it could be replaced, and the snapshot that holds what it held. */
interface LostTarget {
  database?: string
  safetySnapshot?: string
}

/** Applies roles and the like to the server. Nothing of it is taken back if it fails half-way, but it can be repeated. */
async function restoreGlobals(
  order: RestoreOrder,
  job: JobContext,
  stall: StallGuard,
): Promise<RestoredSnapshot> {
  const { engine, connection, snapshot } = order
  const { signal } = job
  checkServerTarget(order)
  const clock = new PhaseClock('connecting')
  job.progress({ phase: 'connecting' })
  const server = await engine.inspect(connection, signal)
  const readRaw = await openCopy(snapshot.volume, snapshot.key, snapshot.manifest, order.keys, signal)
  await using work = await createWorkDirectory(job.workDirectory)
  const tools = await findTools(engine.tools, signal)
  const plan = engine.globals?.restore(requestFor(order, server, tools, work.path))
  if (!plan) throw new Error(`${engine.label} has nothing that belongs to the server.`)
  clock.begin('checking')
  await checkWhole(order, job, stall)
  clock.begin('restoring')
  await load(order, plan, readRaw, job, stall)
  return { database: undefined, seconds: clock.end(), rows: undefined, safetySnapshot: undefined }
}

async function restore(
  order: DatabaseOrder,
  job: JobContext,
  stall: StallGuard,
  lost: LostTarget,
): Promise<RestoredSnapshot> {
  const { engine, connection, snapshot, database, mode } = order
  const { manifest } = snapshot
  const { signal } = job
  const clock = new PhaseClock('connecting')
  job.progress({ phase: 'connecting' })
  const server = await engine.inspect(connection, signal)
  const exists = await engine.databaseExists(connection, database, signal)
  const isHalf = exists && (await isLeftHalf(order, signal))
  checkMode(mode, exists, isHalf, database)
  for (const warning of versionWarnings(manifest, server)) job.log('warning', warning)
  if (isHalf) tellOfHalf(mode, database, job)
  if (mode === 'replace' && manifest.partial?.length) {
    job.log(
      'warning',
      `The snapshot is a part of its database (${manifest.partial.join(', ')}), and takes the place of all of “${database}”.`,
    )
  }
  const readRaw = await openCopy(snapshot.volume, snapshot.key, manifest, order.keys, signal)

  await using work = await createWorkDirectory(job.workDirectory)
  const tools = await findTools(engine.tools, signal)
  const beside = engine.renameDatabase && mode !== 'existing'
  if (beside) await dropUnfinished(order, job)
  const target = beside ? unfinishedName(engine, database) : database
  const plan = engine.restore({
    ...requestFor(order, server, tools, work.path),
    database: target,
    mode: mode === 'existing' ? 'existing' : 'empty',
  })
  if (plan.target.into !== 'stdin') {
    await checkRoom(
      plan.target.into === 'file' ? dirOf(plan.target.path) : work.path,
      manifest.raw.bytes,
      'The dump',
    )
  }

  const isWorthKeeping = mode === 'replace' && exists && !isHalf
  // As late as can be: what is written to the target after its snapshot is not in it.
  const keepTarget = async () =>
    isWorthKeeping ? await order.takeSafetySnapshot?.(database, job) : undefined
  let safetySnapshot: string | undefined
  if (!beside) {
    clock.begin('checking')
    await checkWhole(order, job, stall)
    safetySnapshot = await keepTarget()
  }

  clock.begin('restoring')
  // A name beside the target is ours from the start; the target's own name only when we have created it.
  let isOurs = Boolean(beside)
  const writer = `${ownToken()}/${randomBytes(4).toString('hex')}`
  try {
    if (mode !== 'existing') {
      if (!beside && exists) {
        await isLeftHalf(order, signal) // another restore may have been quicker
        if (safetySnapshot !== undefined) Object.assign(lost, { database, safetySnapshot })
        await engine.dropDatabase(connection, database, signal, order)
      }
      // A name beside the target tells by itself whose it is.
      const making = beside ? signal : patient(signal)
      await engine.createDatabase(connection, target, manifest.properties, making)
      isOurs = true
      await engine.unfinishedMark?.set(connection, target, writer, making)
      signal.throwIfAborted()
    }
    await load(order, plan, readRaw, job, stall)

    clock.begin('counting')
    job.progress({ phase: 'counting' })
    const expected = expectedRows(order)
    const rows = expected && compareRows(expected, await engine.countRows(connection, target, signal))
    if (rows?.differences.length) throw mismatch(order, rows)
    if (order.runAfter !== undefined) {
      clock.begin('masking')
      job.progress({ phase: 'masking' })
      await runSql({ engine, connection, database: target, server, sql: order.runAfter }, job)
    }
    if (isOurs) await takeMarkAway(order, writer, signal)
    if (beside) {
      clock.begin('replacing')
      safetySnapshot = await keepTarget()
      await swap(order, target, exists, job)
    }
    return { database, seconds: clock.end(), rows, safetySnapshot }
  } catch (error) {
    if (isOurs) await dropHalf(order, target, writer, job)
    throw error
  }
}

/** What the engine must know to plan, besides the database. */
export function requestFor(
  {
    connection,
    snapshot: { manifest },
    restoreOptions,
  }: Pick<RestoreOrder, 'connection' | 'restoreOptions'> & { snapshot: { manifest: Manifest } },
  server: ServerFacts,
  tools: readonly FoundTool[],
  workDirectory: string,
): GlobalsRequest<unknown, unknown> {
  return {
    connection,
    server,
    format: manifest.format,
    madeBy: {
      tool: manifest.tool.name,
      version: manifest.tool.version,
      serverVersion: manifest.server.version,
    },
    options: restoreOptions,
    tools,
    workDirectory,
    rawBytes: manifest.raw.bytes,
  }
}

/** Reads the whole object before anything is changed that cannot be taken back. */
async function checkWhole({ snapshot }: RestoreOrder, job: JobContext, stall: StallGuard): Promise<void> {
  await checkObject(snapshot.volume, snapshot.key, snapshot.manifest, job.signal, {
    onStored: (storedBytes) => {
      stall.touch()
      job.progress({ phase: 'checking', storedBytes })
    },
  })
  stall.rest()
}

async function load(
  { snapshot: { manifest } }: RestoreOrder,
  plan: Restore,
  readRaw: (options: ReadCopyOptions) => AsyncIterable<Uint8Array>,
  job: JobContext,
  stall: StallGuard,
): Promise<void> {
  const bytes = readRaw({
    onRaw: (rawBytes) => {
      stall.touch()
      job.progress({ phase: 'restoring', rawBytes, expectedRawBytes: manifest.raw.bytes })
    },
  })
  await loadDump(plan, resting(bytes, stall), job.signal, { onStderr: (line) => job.log('info', line) })
}

function tellOfHalf(mode: RestoreMode, database: string, job: JobContext): void {
  const consequence =
    mode === 'replace' ? 'No safety snapshot is taken of it.' : 'It stays marked as such: replace it instead.'
  job.log('warning', `“${database}” was left half restored by an interrupted restore. ${consequence}`)
}

/** Throws `database_in_use` if the mark is not ours any more: then the database is another restore's. */
async function takeMarkAway(
  { engine, connection, database }: DatabaseOrder,
  writer: string,
  signal: AbortSignal,
): Promise<void> {
  if (!engine.unfinishedMark) return
  const filler = await engine.unfinishedMark.read(connection, database, signal)
  if (filler !== undefined && filler !== writer) {
    throw new AppError('database_in_use', `Another restore has taken “${database}” over.`, {
      hint: 'Wait until it has ended, and look at what it has restored.',
    })
  }
  await engine.unfinishedMark.clear(connection, database, patient(signal))
}

const PATIENCE = 30_000

/**
 * Aborts a while after the job, not with it: for a step that would be given up as soon as it has begun, and then
 * nobody knows whether it has happened.
 */
function patient(signal: AbortSignal): AbortSignal {
  const late = new AbortController()
  const abort = () => late.abort(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', () => setTimeout(abort, PATIENCE).unref(), { once: true })
  return late.signal
}

/** Gives the restored database its name; the one that had it is dropped only after that. */
async function swap(order: DatabaseOrder, restored: string, exists: boolean, job: JobContext): Promise<void> {
  const { engine, connection, database } = order
  if (!exists || engine.renameReplaces) {
    await engine.renameDatabase?.(connection, restored, database, job.signal, order)
    return
  }
  const former = formerName(engine, database)
  const names = { incoming: restored, target: database, former }
  if (!engine.exchangeDatabases)
    throw new Error(`${engine.label} can rename databases, but not exchange them.`)
  job.signal.throwIfAborted()
  job.log('info', `“${database}” becomes “${former}”, and “${restored}” becomes “${database}”.`)
  try {
    // Not by the job's signal: whether a step that was given up has happened is known to nobody.
    await engine.exchangeDatabases(connection, names, cleanupSignal(), order)
  } catch (error) {
    if (!(await engine.databaseExists(connection, former, cleanupSignal()))) throw error
  }
  try {
    await engine.dropDatabase(connection, former, cleanupSignal(), order)
  } catch (error) {
    job.log(
      'warning',
      `“${database}” is restored; the former one is left as “${former}”: ${messageOf(error)}`,
    )
  }
}

/** What a tool does behind the last byte, building indexes for instance, may take its time. */
async function* resting(
  bytes: AsyncIterable<Uint8Array>,
  stall: StallGuard,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* bytes
  } finally {
    stall.rest()
  }
}

/** A half restored database is worth nothing to anybody. Where it cannot be dropped, the log names it. */
async function dropHalf(
  { engine, connection, database }: DatabaseOrder,
  target: string,
  writer: string,
  job: JobContext,
): Promise<void> {
  try {
    const filler = await engine.unfinishedMark?.read(connection, target, cleanupSignal())
    if (engine.unfinishedMark && target === database && filler !== writer) return // somebody else's by now
    await engine.dropDatabase(connection, target, cleanupSignal(), { endSessions: true })
  } catch (error) {
    job.log('error', `The half restored database “${target}” could not be dropped: ${messageOf(error)}`)
  }
}

/** Whoever reads that the target is gone must read where its data are. */
function withWayBack(error: AppError, { database, safetySnapshot }: LostTarget): AppError {
  if (safetySnapshot === undefined) return error
  const wayBack = `What was in “${database}” is snapshot ${safetySnapshot}; restore that one in its place (mode replace).`
  const hint = error.hint === undefined ? wayBack : `${error.hint} ${wayBack}`
  return new AppError(error.code, error.message, { hint, cause: error })
}

/**
 * The rows that each table must have; undefined where nobody knows: in a database with rows of its own, and where not all
 * rows were restored.
 */
function expectedRows(order: DatabaseOrder): Record<string, number> | undefined {
  const { engine, mode, partial, wholeTables, snapshot } = order
  const { rows } = snapshot.manifest
  if (mode === 'existing' || !rows) return undefined
  if (!partial) return rows
  const chosen = wholeTables?.map((name) => engine.countedName?.(name) ?? name) ?? []
  const known = Object.entries(rows).filter(([name]) => chosen.includes(name))
  return known.length === 0 ? undefined : Object.fromEntries(known)
}

function mismatch({ database }: DatabaseOrder, { differences }: RowComparison): AppError {
  const [first] = differences
  const more = differences.length > 1 ? ` and ${differences.length - 1} more tables` : ''
  return new AppError(
    'restore_mismatch',
    `“${database}” was not restored as it was dumped: ${first?.table} has ${first?.found ?? 'no'} rows instead of ${first?.expected}${more}.`,
    {
      hint: 'Verify the snapshot, and look for triggers or event jobs that change data on load.',
    },
  )
}

/** The folder of a file. */
export function dirOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1) || '.'
}

function stalled({ database, snapshot, stallAfter }: RestoreOrder): AppError {
  const minutes = Math.round(stallAfter / 60_000)
  return new AppError(
    'tool_stalled',
    `The restore of “${database ?? snapshot.manifest.database}” moved no byte for ${minutes} minutes and was ended.`,
    {
      hint: 'Look for locks on the server, and at the connection to the volume.',
    },
  )
}
