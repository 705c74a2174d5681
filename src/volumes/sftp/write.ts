import type { Stats } from 'ssh2'
import { AppError } from '../../shared/errors.ts'
import { afterFailure, headBytes, untilAborted } from '../bytes.ts'
import { temporaryName } from '../key.ts'
import type { Space } from '../space.ts'
import type { ObjectSource, WriteOptions } from '../volume.ts'
import type { Connection } from './connection.ts'
import { explainSftpError, status, statusOf } from './errors.ts'
import {
  below,
  closeHandle,
  FILE_MODE,
  lookAt,
  makeFolders,
  parentOf,
  removeFile,
  removeIfEmpty,
  type RemoteRoot,
} from './files.ts'
import type { Session } from './session.ts'

/** Ends the name of an object that steps aside for the one that replaces it. */
export const ASIDE = '.holdfast-old'

/** What every server must take in one request. */
const REQUEST = 32 * 1024
/** Requests under way at once: 2 MiB, which fill 160 Mbit/s at 100 ms of distance. */
const UNDER_WAY = 64

/**
 * Writes the file under a temporary name beside it; then fsync, size check and rename. A connection that is lost
 * half-way fails the write, since its source cannot be asked again; a new one cleans up.
 */
export async function writeFile(
  connection: Connection,
  root: RemoteRoot,
  key: string,
  source: ObjectSource,
  signal: AbortSignal,
  options: WriteOptions = {},
): Promise<void> {
  const path = below(root, key)
  const folder = parentOf(path)
  const temporary = `${folder === '/' ? '' : folder}/${temporaryName(path.slice(path.lastIndexOf('/') + 1))}`
  const made: string[] = []
  let open: { session: Session; handle: Buffer } | undefined
  let isReached = false
  try {
    const session = await connection.run(signal, async (session) => {
      isReached = true
      const handle = await openTemporary(session, temporary, folder, signal, made)
      open = { session, handle }
      return session
    })
    if (!open) throw new AppError('internal', 'A file was opened and not opened.')
    const bytes = await fill(session, open.handle, source, signal)
    await makeDurable(session, open.handle, signal)
    const stored = await session.call<Stats>(signal, (sftp, answer) => sftp.lstat(temporary, answer))
    if (stored.size !== bytes) {
      throw new AppError(
        'volume_corrupted',
        `“${path}” on ${root.location} has ${stored.size} bytes, but ${bytes} were written.`,
      )
    }
    const { handle } = open
    open = undefined
    await session.call(signal, (sftp, answer) => sftp.close(handle, answer))
    await publish(session, temporary, path, root, signal, options.ifAbsent === true)
  } catch (error) {
    const failure = signal.aborted ? signal.reason : await explainWriteError(error, connection, path, root)
    if (!isReached) throw failure // there was no connection: nothing can be there
    throw await afterFailure(failure, async () => {
      const within = AbortSignal.timeout(30_000)
      if (open) await closeHandle(open.session, open.handle)
      await connection.run(within, async (session) => {
        await removeFile(session, temporary, within)
        for (const made_ of made.toReversed()) await removeIfEmpty(session, made_, within)
      })
    })
  }
}

async function openTemporary(
  session: Session,
  temporary: string,
  folder: string,
  signal: AbortSignal,
  made: string[],
): Promise<Buffer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await session.call<Buffer>(signal, (sftp, answer) =>
        sftp.open(temporary, 'wx', { mode: FILE_MODE }, answer),
      )
    } catch (error) {
      // Missing, or taken away just now by the remove of its last object.
      if (statusOf(error) !== status.noSuchFile || attempt === 10) throw error
      await makeFolders(session, folder, signal, made)
    }
  }
}

/** Writes body and head with many requests under way, and returns how many bytes that were. */
async function fill(
  session: Session,
  handle: Buffer,
  source: ObjectSource,
  signal: AbortSignal,
): Promise<number> {
  const requests = new Requests(session, handle, signal)
  let position = source.head?.length ?? 0
  let gathered = Buffer.allocUnsafe(REQUEST)
  let length = 0
  for await (const chunk of untilAborted(source.body, requests.signal)) {
    for (let taken = 0; taken < chunk.length;) {
      const piece = chunk.subarray(taken, taken + REQUEST - length)
      gathered.set(piece, length)
      length += piece.length
      taken += piece.length
      if (length < REQUEST) continue
      await requests.write(gathered, length, position)
      position += length
      length = 0
      gathered = Buffer.allocUnsafe(REQUEST)
    }
  }
  if (length > 0) await requests.write(gathered, length, position)
  position += length
  await requests.settled()
  if (source.head) {
    const head = Buffer.from(headBytes(source.head))
    for (let start = 0; start < head.length; start += REQUEST) {
      const piece = head.subarray(start, start + REQUEST)
      await requests.write(piece, piece.length, start)
    }
    await requests.settled()
  }
  return position
}

/** Write requests of one file, of which only so many are under way at once. */
class Requests {
  /** Aborts with the first failure, so that the source is not waited for in vain. */
  readonly signal: AbortSignal
  readonly #session: Session
  readonly #handle: Buffer
  readonly #failed = new AbortController()
  #underWay = 0
  #wake: () => void = () => {}

  constructor(session: Session, handle: Buffer, signal: AbortSignal) {
    this.#session = session
    this.#handle = handle
    this.signal = AbortSignal.any([signal, this.#failed.signal])
    this.signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  /** Sends the request as soon as there is room for it. Throws what an earlier one failed with. */
  async write(bytes: Buffer, length: number, position: number): Promise<void> {
    while (this.#underWay >= UNDER_WAY) await this.#answer()
    this.signal.throwIfAborted()
    this.#underWay++
    this.#session.send(
      (sftp, answer) => sftp.write(this.#handle, bytes, 0, length, position, answer),
      (error) => {
        this.#underWay--
        if (error) this.#failed.abort(error)
        this.#wake()
      },
    )
  }

  /** Waits until all have been answered. */
  async settled(): Promise<void> {
    while (this.#underWay > 0) await this.#answer()
    this.signal.throwIfAborted()
  }

  async #answer(): Promise<void> {
    this.signal.throwIfAborted()
    await new Promise<void>((resolve) => (this.#wake = resolve))
    this.signal.throwIfAborted()
  }
}

/** Where the server can: OpenSSH can. */
async function makeDurable(session: Session, handle: Buffer, signal: AbortSignal): Promise<void> {
  if (!session.offers('fsync@openssh.com')) return
  await session.call(signal, (sftp, answer) => sftp.ext_openssh_fsync(handle, answer), { slow: true })
}

async function publish(
  session: Session,
  temporary: string,
  path: string,
  root: RemoteRoot,
  signal: AbortSignal,
  ifAbsent: boolean,
): Promise<void> {
  if (!ifAbsent && session.offers('posix-rename@openssh.com')) {
    await session.call(signal, (sftp, answer) => sftp.ext_openssh_rename(temporary, path, answer))
    return
  }
  try {
    // By the protocol this refuses to replace.
    await session.call(signal, (sftp, answer) => sftp.rename(temporary, path, answer))
  } catch (error) {
    if (statusOf(error) === undefined || !(await lookAt(session, path, signal))) throw error
    if (ifAbsent) {
      throw new AppError(
        'object_exists',
        `“${path}” exists already on ${root.location}, and was not to be replaced.`,
        { cause: error },
      )
    }
    await replace(session, temporary, path, signal)
  }
}

/** For servers that cannot rename over a file: the old one steps aside, and comes back if that was in vain. */
async function replace(
  session: Session,
  temporary: string,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const aside = temporary + ASIDE
  await session.call(signal, (sftp, answer) => sftp.rename(path, aside, answer))
  try {
    await session.call(signal, (sftp, answer) => sftp.rename(temporary, path, answer))
  } catch (error) {
    await session.call(AbortSignal.timeout(30_000), (sftp, answer) => sftp.rename(aside, path, answer))
    throw error
  }
  await removeFile(session, aside, signal)
}

/** A full disk is only “Failure” in SFTP; how much room there is can be asked. */
async function explainWriteError(
  error: unknown,
  connection: Connection,
  path: string,
  root: RemoteRoot,
): Promise<unknown> {
  const explanation = explainSftpError(error, 'write', path, root.location)
  if (statusOf(error) !== status.failure) return explanation
  let room: Space | undefined
  try {
    room = await spaceAt(connection, parentOf(path), AbortSignal.timeout(10_000))
  } catch {
    return explanation // what failed first is what counts
  }
  if (room === undefined || room.freeBytes >= REQUEST * UNDER_WAY) return explanation
  return new AppError(
    'volume_full',
    `There is no room left for “${path}” on ${root.location}: the server said “Failure” and has ${room.freeBytes} bytes free.`,
    {
      hint: 'Free some room there, keep fewer snapshots, or choose another volume.',
      cause: error,
    },
  )
}

/** Room on the file system of the folder; undefined where the server cannot tell. */
export async function spaceAt(
  connection: Connection,
  folder: string,
  signal: AbortSignal,
): Promise<Space | undefined> {
  return await connection.run(signal, async (session) => {
    if (!session.offers('statvfs@openssh.com')) return undefined
    type Answer = { f_bavail: number; f_blocks: number; f_frsize: number }
    const room = await session.call<Answer>(signal, (sftp, answer) =>
      sftp.ext_openssh_statvfs(folder, answer),
    )
    return { freeBytes: room.f_bavail * room.f_frsize, totalBytes: room.f_blocks * room.f_frsize }
  })
}
