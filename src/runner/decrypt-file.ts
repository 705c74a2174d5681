import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { decompress } from '../lib/compression.ts'
import { sevenzipPrograms } from '../lib/programs.ts'
import {
  deriveSevenzipKey,
  type ForeignEntry,
  ForeignSevenzip,
  openForeignSevenzip,
  openSevenzip,
  sevenzipPassword,
  type SevenzipEntry,
} from '../lib/sevenzip/index.ts'
import { findTools, installHint } from '../lib/tools.ts'
import { compressionExtension, compressionMethods, type CompressionMethod } from '../shared/codecs.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import { safeSegment } from '../shared/keys.ts'
import type { KeyRing } from './encryption.ts'

/** Disposing ends what was begun for it, also if its bytes were never asked for. */
export interface DecryptedFile extends AsyncDisposable {
  /** What the content is called: a name that is safe beside the file, without a path. */
  name: string
  /** Ends only if the content was complete and authentic, as far as its format can tell. */
  bytes: AsyncIterable<Uint8Array>
}

const SEVENZIP_MAGIC = Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c])
const AGE_MAGIC = Buffer.from('age-encryption.org/')
const HEADER_BYTES = 65_536
/** In hex. A zstd file may begin with a frame to be skipped: pzstd makes such. */
const COMPRESSION_MAGIC = { zstd: /^(?:28b52ffd|5.2a4d18)/, gzip: /^1f8b08/ }
const COMPRESSION_MAGIC_BYTES = 4

/**
 * Takes the encryption off a file, whoever made it, with whichever key of the ring fits; with `decompress` the
 * compression as well, whatever the name says of it. Throws `key_missing` or `key_wrong` before the first byte, and if
 * there is no compression to be taken off, `unsupported`, or `decompression_failed` if the name claims one.
 */
export async function decryptFile(
  path: string,
  keys: KeyRing,
  signal: AbortSignal,
  options: { decompress?: boolean } = {},
): Promise<DecryptedFile> {
  const { bytes, start } = await readStart(path)
  const decrypted = start.subarray(0, SEVENZIP_MAGIC.length).equals(SEVENZIP_MAGIC)
    ? await decryptSevenzip(path, bytes, keys, signal)
    : start.subarray(0, AGE_MAGIC.length).equals(AGE_MAGIC)
      ? await decryptAgeFile(path, start, keys, signal)
      : undefined
  if (!decrypted) {
    throw new AppError('unsupported', `${path} is neither a 7z archive nor an age file.`, {
      hint: 'An object without encryption only needs zstd -d or gunzip.',
    })
  }
  return options.decompress ? await decompressed(decrypted, signal) : decrypted
}

async function readStart(path: string): Promise<{ bytes: number; start: Buffer }> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
    return { bytes: size, start: buffer.subarray(0, bytesRead) }
  } catch (error) {
    throw new AppError('object_not_found', `${path} cannot be read: ${messageOf(error)}.`, { cause: error })
  }
}

async function decryptAgeFile(
  path: string,
  start: Buffer,
  keys: KeyRing,
  signal: AbortSignal,
): Promise<DecryptedFile> {
  const ring = { identities: keys.ageIdentities, passphrases: keys.agePassphrases }
  if (ring.identities.length + ring.passphrases.length === 0) {
    throw new AppError('key_missing', `${path} is encrypted with age, and no age key is set.`, {
      hint: 'Set HOLDFAST_AGE_IDENTITY_FILE to the path of the identity, or HOLDFAST_AGE_PASSPHRASE.',
    })
  }
  const { ageIdentityFits, decryptAge } = await import('../lib/age/index.ts')
  if (!(await ageIdentityFits(start, ring))) {
    throw new AppError('key_wrong', `The age key at hand does not open ${path}.`)
  }
  const sealed = createReadStream(path, { highWaterMark: 1_048_576 })
  return {
    name: nameWithout('.age', path),
    bytes: decryptAge(ring, sealed, signal),
    [Symbol.asyncDispose]: async () => void sealed.destroy(),
  }
}

async function decryptSevenzip(
  path: string,
  bytes: number,
  keys: KeyRing,
  signal: AbortSignal,
): Promise<DecryptedFile> {
  if (keys.instanceKeys.length === 0) {
    throw new AppError('key_missing', `${path} is encrypted with a password, and no key is set.`, {
      hint: 'Set BACKUP_ENCRYPTION_KEY.',
    })
  }
  const read = (start: number, end: number) =>
    createReadStream(path, { start, end, highWaterMark: 1_048_576 })
  let wrong: AppError | undefined
  for (const value of keys.instanceKeys) {
    const password = sevenzipPassword(value)
    try {
      const entry: SevenzipEntry = await openSevenzip(
        { bytes, read },
        { key: await deriveSevenzipKey(password) },
        signal,
      )
      return {
        name: nameInside(entry, path),
        bytes: entry.content(signal),
        [Symbol.asyncDispose]: nothingToEnd,
      }
    } catch (error) {
      if (error instanceof ForeignSevenzip) return await extractForeign(path, keys, error, signal)
      wrong = onlyWrongKey(error)
    }
  }
  throw new AppError('key_wrong', `No key at hand opens ${path}.`, { cause: wrong })
}

/** By the 7-Zip program, which tells a wrong password only when it has tried it. */
async function extractForeign(
  path: string,
  keys: KeyRing,
  foreign: ForeignSevenzip,
  signal: AbortSignal,
): Promise<DecryptedFile> {
  const [program] = await findTools(sevenzipPrograms, signal)
  if (!program) {
    const [need] = sevenzipPrograms
    throw new AppError(
      'tool_missing',
      `${foreign.message} Only the 7-Zip program reads it, and none was found.`,
      {
        hint: need ? installHint(need) : undefined,
      },
    )
  }
  let wrong: unknown
  const entries: ForeignEntry[] = []
  for (const password of new Set(keys.instanceKeys.map(sevenzipPassword))) {
    try {
      entries.push(await openForeignSevenzip(program.path, path, password, signal))
    } catch (error) {
      wrong = onlyWrongKey(error)
    }
  }
  for (const entry of entries) {
    try {
      // Several passwords open it if its names are in the clear. The content of a wrong one can be garbage up to its
      // end, so all of it is read once before any of it is given; the last password is the only one left.
      if (entry !== entries.at(-1)) await entry.test(signal)
      const { bytes, end } = await begun(entry.content(signal), 1)
      return { name: nameInside(entry, path), bytes, [Symbol.asyncDispose]: end }
    } catch (error) {
      wrong = onlyWrongKey(error)
    }
  }
  throw wrong
}

/** Throws the error again if it is any other. */
function onlyWrongKey(error: unknown): AppError {
  if (error instanceof AppError && error.code === 'key_wrong') return error
  throw error
}

/**
 * What an archive's only file is called, made safe: nobody shall be able to make us write elsewhere, or hide what we
 * wrote.
 */
function nameInside(entry: { name: string }, path: string): string {
  const name = entry.name.split(/[/\\]/).at(-1) ?? ''
  return name === '' || name === basename(path) ? nameWithout('.7z', path) : safeSegment(name)
}

function nameWithout(ending: string, path: string): string {
  const name = basename(path, ending)
  return name === basename(path) ? `${name}.decrypted` : name
}

/**
 * Reads at least so many bytes of the source, or all that there are, so that an error at its beginning is thrown here.
 * `bytes` begins with them once more; `end` closes the source, read or not.
 */
async function begun(
  source: AsyncIterable<Uint8Array>,
  length: number,
): Promise<{ start: Buffer; bytes: AsyncGenerator<Uint8Array, void>; end: () => Promise<void> }> {
  const reading = source[Symbol.asyncIterator]()
  let start = Buffer.alloc(0)
  while (start.length < length) {
    const next = await reading.next()
    if (next.done) break
    start = Buffer.concat([start, next.value])
  }
  const end = async () => void (await reading.return?.())
  return { start, end, bytes: resumed(start, reading, end) }
}

async function* resumed(
  start: Buffer,
  reading: AsyncIterator<Uint8Array>,
  end: () => Promise<void>,
): AsyncGenerator<Uint8Array, void> {
  try {
    if (start.length > 0) yield start
    for (let next = await reading.next(); !next.done; next = await reading.next()) yield next.value
  } finally {
    await end()
  }
}

async function nothingToEnd(): Promise<void> {}

async function decompressed(decrypted: DecryptedFile, signal: AbortSignal): Promise<DecryptedFile> {
  await using begunHere = new AsyncDisposableStack()
  begunHere.use(decrypted)
  const { start, bytes, end } = await begun(decrypted.bytes, COMPRESSION_MAGIC_BYTES)
  begunHere.defer(end)
  const method = compressionOf(start)
  if (method === undefined) throw notCompressed(decrypted.name)
  const toEnd = begunHere.move()
  return {
    name: withoutCompression(decrypted.name),
    bytes: decompress(bytes, method, signal),
    [Symbol.asyncDispose]: () => toEnd.disposeAsync(),
  }
}

function compressionOf(start: Buffer): CompressionMethod | undefined {
  const magic = start.toString('hex', 0, COMPRESSION_MAGIC_BYTES)
  return (['zstd', 'gzip'] as const).find((method) => COMPRESSION_MAGIC[method].test(magic))
}

function withoutCompression(name: string): string {
  const ending = compressionMethods
    .map(compressionExtension)
    .find((known) => known !== '' && name.endsWith(known))
  return ending === undefined ? name : basename(name, ending)
}

function notCompressed(name: string): AppError {
  const isClaimed = withoutCompression(name) !== name
  return new AppError(
    isClaimed ? 'decompression_failed' : 'unsupported',
    `The content, ${name}, is not compressed: it begins neither as zstd nor as gzip does.`,
    { hint: 'Without --decompress it is given as it is.' },
  )
}
