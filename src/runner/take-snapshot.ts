import { v7 as uuidv7 } from 'uuid'
import type { DatabaseFacts, Dump, DumpRequest, Engine, ServerFacts } from '../engines/engine.ts'
import { Meter } from '../lib/meter.ts'
import { StallGuard } from '../lib/stall-guard.ts'
import type { Throttle } from '../lib/throttle.ts'
import { findTools, type BrokenTool } from '../lib/tools.ts'
import { createWorkDirectory } from '../lib/work-directory.ts'
import { compressionExtension, type Compression } from '../shared/codecs.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import { keyFor } from '../shared/keys.ts'
import type { Manifest } from '../shared/snapshots.ts'
import { version } from '../shared/version.ts'
import { compressedDump } from './compressed-dump.ts'
import { checkStillThere, confirmObject } from './confirm-object.ts'
import { forEachCopy, refuseSamePlace, samePlace, type Copy, type NamedVolume } from './copies.ts'
import { prepareSeal, type EncryptionChoice, type KeyRing } from './encryption.ts'
import { explained } from './explained.ts'
import { cleanupSignal, isRefusal, type JobContext } from './job.ts'
import { exists, manifestKey, writeManifest } from './manifests.ts'
import { PhaseClock } from './phase-clock.ts'
import { writeRestoreText } from './restore-text.ts'
import { storeObject } from './store-object.ts'
import {
  announceWriting,
  announcedBy,
  concludeWriting,
  isAnnounced,
  removeUnfinished,
  renewNotes,
} from './writing.ts'

/** So many names are tried, `-2`, `-3`, … */
const MAX_CANDIDATES = 1000

/** What is to be backed up, in which form, and where to. */
export interface SnapshotOrder {
  engine: Engine
  /** Its name in engines/index.ts. */
  engineName: string
  connection: unknown
  database: string
  dumpOptions: unknown
  serverName: string
  compression: Compression
  encryption?: EncryptionChoice
  keys: KeyRing
  volumes: readonly NamedVolume[]
  /** Templates of shared/keys.ts; the defaults if absent. */
  path?: string
  fileName?: string
  trigger: string
  releaseVersion?: string
  comment?: string
  /** For the manifest, and for keys: what the app knows it by. */
  catalogue?: {
    organization: string
    serverId: string
    plan?: { id: string; name: string } | undefined
    /** The retention policy, in words. */
    policy?: string | undefined
  }
  /**
   * Remembers the snapshot, which is complete on its volumes, before the notes go that would let the next run find it.
   * If it refuses, see `isRefusal`, all copies are removed again; after any other error nobody knows whether it is
   * remembered, so they stay, with their notes.
   */
  onComplete?: (taken: TakenSnapshot) => Promise<void>
  /** How fast the object may go to its volumes, all at once. */
  throttle?: Throttle
  /** Milliseconds without a byte after which the job fails with `tool_stalled`. */
  stallAfter: number
}

export interface TakenSnapshot {
  key: string
  manifest: Manifest
  /** `partial` when some volumes failed; their copies say why. */
  state: 'succeeded' | 'partial'
  copies: readonly Copy[]
}

/**
 * Dumps one database into one object on every volume at once. No byte touches the local disk unless the tool forces
 * it. Throws unless at least one volume holds exactly what a tool that succeeded has written; then nothing of it is
 * left on any volume. Volumes that are the same place are refused.
 *
 *     connect → note on the volumes → dump, and publish what was complete → confirm → manifests → notes go
 */
export async function takeSnapshot(order: SnapshotOrder, job: JobContext): Promise<TakenSnapshot> {
  refuseSamePlace(order.volumes)
  using stall = new StallGuard(order.stallAfter, () => stalled(order))
  const signal = AbortSignal.any([job.signal, stall.signal])
  try {
    return await take(order, { ...job, signal }, stall)
  } catch (error) {
    throw explained(order.engine, error, signal)
  }
}

async function take(order: SnapshotOrder, job: JobContext, stall: StallGuard): Promise<TakenSnapshot> {
  const { engine } = order
  const id = uuidv7()
  const clock = new PhaseClock('connecting')
  const startedAt = new Date()

  job.progress({ phase: 'connecting' })
  const { server, facts, tools, broken } = await lookAt(order, job)
  await using work = await createWorkDirectory(job.workDirectory)
  const { connection, database, dumpOptions: options } = order
  const dump = planDump(engine, broken, {
    connection,
    database,
    options,
    server,
    facts,
    tools,
    workDirectory: work.path,
  })
  const seal = await prepareSeal(order.encryption, order.keys)
  const copies: Copy[] = order.volumes.map((volume, i) => ({ ...volume, run: `${id}/${i}` }))
  const innerExtension = dump.extension + compressionExtension(order.compression.method)
  const stem = await reserveKey(
    copies,
    stemFor(order, dump, startedAt),
    innerExtension + (seal?.extension ?? ''),
    job,
  )
  const innerName = stem.slice(stem.lastIndexOf('/') + 1) + innerExtension
  const key = stem + innerExtension + (seal?.extension ?? '')

  const leftOut = engine.leftOut?.(options) ?? []
  const known = [...(facts.warnings ?? []), ...(dump.warnings ?? [])]
  for (const warning of known) job.log('warning', warning)

  clock.begin('dumping')
  job.progress({ phase: 'dumping', rawBytes: 0, expectedRawBytes: facts.bytes })
  logCommand(dump, job)
  const raw = new Meter((rawBytes) => {
    stall.touch()
    job.progress({ phase: 'dumping', rawBytes, expectedRawBytes: facts.bytes })
  })
  const stored = new Meter((storedBytes) => {
    stall.touch()
    job.progress({ phase: 'dumping', storedBytes })
  })
  using _renewal = renewNotes(copies, key, job)
  let isRemembered: boolean | 'perhaps' = false
  try {
    if (dump.source.from === 'stdout') stall.touch()
    const abandoned = new AbortController()
    const dumping = { ...job, signal: AbortSignal.any([job.signal, abandoned.signal]) }
    const compressed = await compressedDump(
      dump,
      engine.readDump(dump.format),
      raw,
      order.compression,
      dumping,
    )
    const sealed = seal ? seal.wrap(compressed.bytes, innerName, startedAt) : { body: compressed.bytes }
    const body = stored.measure(order.throttle?.(sealed.body, job.signal) ?? sealed.body)
    await storeObject(copies, key, { ...sealed, body }, job.signal, () => abandoned.abort())

    stall.rest()
    const found = compressed.contents.warnings ?? []
    for (const warning of found) job.log('warning', warning)
    clock.begin('checking')
    job.progress({ phase: 'checking', rawBytes: raw.bytes, storedBytes: stored.bytes })
    const manifest: Manifest = {
      version: 1,
      holdfast: version,
      snapshot: id,
      startedAt: startedAt.toISOString(),
      ...(order.catalogue && { organization: order.catalogue.organization }),
      server: {
        ...(order.catalogue && { id: order.catalogue.serverId }),
        name: order.serverName,
        engine: order.engineName,
        flavour: server.flavour,
        version: server.version,
      },
      database: dump.subject ?? database,
      properties: dump.subject === undefined ? propertiesOf(facts) : {},
      tool: dump.tool,
      format: dump.format,
      fileName: innerName.slice(0, innerName.length - compressionExtension(order.compression.method).length),
      ...(leftOut.length > 0 && { partial: leftOut }),
      compression: methodAndLevel(order.compression),
      encryption: seal?.manifest ?? null,
      raw: { bytes: raw.bytes, sha256: raw.sha256 },
      stored: await confirmObject(copies, key, sealed.head, stored, job.signal),
      rows: compressed.contents.rows,
      position: compressed.contents.position,
      warnings: [...known, ...found],
      trigger: order.trigger,
      ...(order.catalogue?.plan && { plan: order.catalogue.plan }),
      ...(order.catalogue?.policy !== undefined && { policy: order.catalogue.policy }),
      ...(order.releaseVersion !== undefined && { releaseVersion: order.releaseVersion }),
      ...(order.comment !== undefined && { comment: order.comment }),
      finishedAt: new Date().toISOString(),
      seconds: clock.end(),
    }
    await forEachCopy(copies, async ({ volume }) => {
      await writeManifest(volume, key, manifest, job.signal)
      await checkStillThere(volume, key, manifest, job.signal)
    })
    job.signal.throwIfAborted()
    const state = copies.some((copy) => copy.failure) ? 'partial' : 'succeeded'
    const taken: TakenSnapshot = { key, manifest, state, copies }
    isRemembered = order.onComplete ? 'perhaps' : true
    await order.onComplete?.(taken)
    isRemembered = true
    await tidy(copies, key, job)
    return taken
  } catch (error) {
    if (isRemembered === true || (isRemembered === 'perhaps' && !isRefusal(error))) throw error
    for (const copy of copies) copy.failure ??= explained(engine, error, job.signal)
    await tidy(copies, key, job)
    throw error
  }
}

async function lookAt({ engine, connection, database }: SnapshotOrder, job: JobContext) {
  const server: ServerFacts = await engine.inspect(connection, job.signal)
  const facts: DatabaseFacts = await engine.describe(connection, database, job.signal)
  const broken: BrokenTool[] = []
  const tools = await findTools(engine.tools, job.signal, (tool) => broken.push(tool))
  return { server, facts, tools, broken }
}

/** The engine's plan, unless the tool that it would run is there a second time and broken: nobody means the other. */
function planDump(
  engine: Engine,
  broken: readonly BrokenTool[],
  request: DumpRequest<unknown, unknown>,
): Dump {
  try {
    const dump = engine.dump(request)
    const twin = broken.find(({ name }) => name === dump.tool.name)
    if (twin) throw twin.error
    return dump
  } catch (error) {
    const [first] = broken
    throw first && error instanceof AppError && error.code === 'tool_missing' ? first.error : error
  }
}

function stemFor(order: SnapshotOrder, dump: Dump, at: Date): string {
  const { engine, serverName: server, database, catalogue, releaseVersion: version, path, fileName } = order
  const name = dump.subject ?? engine.shortName?.(database) ?? database
  const { organization, plan } = catalogue ?? {}
  return keyFor({ organization, server, database: name, plan: plan?.name, version, at }, path, fileName)
}

/**
 * Makes the stem, or the stem with `-2`, `-3`, …, our own: the first whose key no volume knows with this extension, and
 * no other run is about to write. The notes are on the volumes then; if it throws, none is.
 */
async function reserveKey(
  copies: readonly Copy[],
  stem: string,
  extension: string,
  job: JobContext,
): Promise<string> {
  for (let n = 1; n <= MAX_CANDIDATES; n++) {
    const candidate = n === 1 ? stem : `${stem}-${n}`
    const key = candidate + extension
    let isTaken = false
    let same: AppError | undefined
    try {
      await forEachCopy(copies, async (copy) => {
        const found = await announce(copy, key, job.signal)
        if (found === 'free') return
        isTaken = true
        const other = copies.find(({ run }) => run === found.takenBy)
        if (other) same = samePlace(other, copy) // by a link or another host name: it could not be known before
      })
      job.signal.throwIfAborted()
      if (same) throw same
      if (!isTaken) return candidate
    } catch (error) {
      await takeNotesAway(copies, key, job)
      throw error
    }
    await takeNotesAway(copies, key, job)
  }
  throw new AppError(
    'object_exists',
    `“${stem}” is taken, and all names up to “${stem}-${MAX_CANDIDATES}” are.`,
    {
      hint: 'Put {timestamp} into the name, or remove snapshots that are no longer needed.',
    },
  )
}

/** Puts a note on the volume unless the key has one already, or is taken there. */
async function announce(
  copy: Copy,
  key: string,
  signal: AbortSignal,
): Promise<'free' | { takenBy: string | undefined }> {
  const { volume, run } = copy
  // Only read at first: what is wrong with the volume mostly shows here, when nothing of ours can be on it yet.
  if (await isAnnounced(volume, key, signal)) return { takenBy: await announcedBy(volume, key, signal) }
  copy.announced = 'perhaps'
  try {
    await announceWriting(volume, key, signal, run)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'object_exists') throw error
    copy.announced = false
    return { takenBy: await announcedBy(volume, key, signal) }
  }
  copy.announced = true
  // Looked at behind the note: whoever has published before it was there is seen now.
  const isTaken = (await exists(volume, key, signal)) || (await exists(volume, manifestKey(key), signal))
  return isTaken ? { takenBy: undefined } : 'free'
}

async function takeNotesAway(copies: readonly Copy[], key: string, job: JobContext): Promise<void> {
  await Promise.all(copies.filter(({ announced }) => announced).map((copy) => takeNoteAway(copy, key, job)))
}

async function takeNoteAway(copy: Copy, key: string, job: JobContext): Promise<void> {
  const signal = cleanupSignal()
  const { volume, run, announced } = copy
  try {
    // It may be another run's, if ours failed.
    if (announced === true || (await announcedBy(volume, key, signal)) === run)
      await concludeWriting(volume, key, signal)
  } catch (error) {
    tellOfNote(copy, error, job)
  }
  copy.announced = false
}

/** Says what may be left on a volume that does not let us remove it. */
function tellOfNote({ name, announced, failure }: Copy, error: unknown, job: JobContext): void {
  if (announced === true) {
    job.log('warning', `A note is left on volume “${name}”; the next run will remove it: ${messageOf(error)}`)
    return
  }
  // Who may neither write nor remove has left nothing, and knows already what is wrong.
  if (failure?.code === 'volume_refused' && error instanceof AppError && error.code === 'volume_refused')
    return
  job.log(
    'warning',
    `A note may be left on volume “${name}”; if so, the next run will remove it: ${messageOf(error)}`,
  )
}

/**
 * Takes the notes away, and with them everything that is left of copies that failed. What cannot be removed now is
 * found by the next run on that volume, because its note is still there.
 */
async function tidy(copies: readonly Copy[], key: string, job: JobContext): Promise<void> {
  const announced = copies.filter((copy) => copy.announced)
  await Promise.all(
    announced.map(async (copy) => {
      const { name, volume, announced, failure } = copy
      if (announced === 'perhaps') return await takeNoteAway(copy, key, job)
      try {
        if (!failure) await writeRestoreText(volume, cleanupSignal())
        // The object under this key is another run's: not ours to remove.
        if (!failure || failure.code === 'object_exists') await concludeWriting(volume, key, cleanupSignal())
        else await removeUnfinished(volume, key)
      } catch (error) {
        job.log('warning', `Volume “${name}” could not be tidied; the next run will: ${messageOf(error)}`)
      }
    }),
  )
}

function methodAndLevel(compression: Compression): Manifest['compression'] {
  return compression.method === 'none'
    ? { method: 'none' }
    : { method: compression.method, level: compression.level }
}

function propertiesOf(facts: DatabaseFacts): Manifest['properties'] {
  const { encoding, collation, locale, owner, settings } = facts
  return { encoding, collation, locale, owner, settings }
}

function logCommand({ source, tool }: Dump, job: JobContext): void {
  if (source.from === 'file') job.log('info', `Copying the database by ${tool.name} ${tool.version}.`)
  else job.log('info', [source.command.file, ...source.command.args].join(' '), { version: tool.version })
}

function stalled({ database, stallAfter }: SnapshotOrder): AppError {
  const minutes = Math.round(stallAfter / 60_000)
  return new AppError(
    'tool_stalled',
    `The backup of “${database}” moved no byte for ${minutes} minutes and was ended.`,
    {
      hint: 'Look for locks on the server that the dump waits for, and at the connection to the volume.',
    },
  )
}
