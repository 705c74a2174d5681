import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { decompress } from '../lib/compression.ts'
import { sevenzipPrograms } from '../lib/programs.ts'
import {
  deriveSevenzipKey,
  extractForeignSevenzip,
  ForeignSevenzip,
  openSevenzip,
  sevenzipPassword,
  type SevenzipEntry,
} from '../lib/sevenzip/index.ts'
import { findTools, installHint } from '../lib/tools.ts'
import { compressionExtension, compressionMethods } from '../shared/codecs.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import type { KeyRing } from './encryption.ts'

/** Disposing ends what was begun for it, also if its bytes were never asked for. */
export interface DecryptedFile extends AsyncDisposable {
  /** What the content is called, without a path. */
  name: string
  /** Ends only if the content was complete and authentic, as far as its format can tell. */
  bytes: AsyncIterable<Uint8Array>
}

const SEVENZIP_MAGIC = Buffer.from([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c])
const AGE_MAGIC = Buffer.from('age-encryption.org/')
const HEADER_BYTES = 65_536

/**
 * Takes the encryption off a file, whoever made it, with whichever key of the ring fits; with `decompress` the
 * compression that its name tells as well. Throws `key_missing` or `key_wrong` before the first byte.
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
  return options.decompress ? decompressed(decrypted, signal) : decrypted
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
  const name = basename(path).replace(/\.age$/, '')
  const sealed = createReadStream(path, { highWaterMark: 1_048_576 })
  return {
    name: name === basename(path) ? `${name}.decrypted` : name,
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
        name: basename(entry.name),
        bytes: entry.content(signal),
        [Symbol.asyncDispose]: nothingToEnd,
      }
    } catch (error) {
      if (error instanceof ForeignSevenzip) return await extractForeign(path, keys, error, signal)
      if (!(error instanceof AppError) || error.code !== 'key_wrong') throw error
      wrong = error
    }
  }
  throw new AppError('key_wrong', `No key at hand opens ${path}.`, { cause: wrong })
}

/** The 7-Zip program tells a wrong password only when it has tried it. */
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
  for (const value of keys.instanceKeys) {
    const content = extractForeignSevenzip(program.path, path, sevenzipPassword(value), signal)
    try {
      const first = await content.next()
      return {
        name: basename(path).replace(/\.7z$/, ''),
        bytes: resumed(first, content),
        [Symbol.asyncDispose]: async () => void (await content.return()),
      }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'key_wrong') throw error
      wrong = error
    }
  }
  throw wrong
}

async function* resumed(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncGenerator<Uint8Array, void> {
  if (first.done) return
  yield first.value
  yield* rest
}

async function nothingToEnd(): Promise<void> {}

function decompressed(decrypted: DecryptedFile, signal: AbortSignal): DecryptedFile {
  const { name, bytes } = decrypted
  const method = compressionMethods.find(
    (known) => known !== 'none' && name.endsWith(compressionExtension(known)),
  )
  if (!method) return decrypted
  return {
    name: name.slice(0, -compressionExtension(method).length),
    bytes: decompress(bytes, method, signal),
    [Symbol.asyncDispose]: () => decrypted[Symbol.asyncDispose](),
  }
}
