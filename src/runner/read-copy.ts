import { Meter } from '../lib/meter.ts'
import { decompress } from '../lib/compression.ts'
import { AppError } from '../shared/errors.ts'
import type { Manifest } from '../shared/snapshots.ts'
import type { Volume } from '../volumes/volume.ts'
import { findOpener, type KeyRing, type RandomAccess } from './encryption.ts'

export interface ReadCopyOptions {
  /** Bytes of the object downloaded so far. */
  onStored?: (bytes: number) => void
  /** Bytes of the raw dump so far. */
  onRaw?: (bytes: number) => void
}

/**
 * Makes sure that the copy can be read at all: it is there, has the size that its manifest says, and the key at hand
 * fits. Then gives its raw dump, as a stream that ends only if every byte of the object and of the dump was as the
 * manifest says (`checksum_mismatch`).
 */
export async function openCopy(
  volume: Volume,
  key: string,
  manifest: Manifest,
  keys: KeyRing,
  signal: AbortSignal,
): Promise<(options?: ReadCopyOptions) => AsyncIterable<Uint8Array>> {
  const { bytes } = await volume.stat(key, signal)
  const where = `“${key}” on ${volume.location}`
  if (bytes !== manifest.stored.bytes) {
    throw new AppError(
      'checksum_mismatch',
      `${where} has ${bytes} bytes; its manifest says ${manifest.stored.bytes}.`,
      { hint: 'The object was cut short or replaced. Use another copy of this snapshot.' },
    )
  }
  const plain = objectOn(volume, key, bytes)
  const open = await findOpener(manifest.encryption, keys, plain, signal)

  return async function* readRaw(options = {}) {
    const object = new MeasuredObject(plain, options.onStored)
    const raw = new Meter(options.onRaw)
    yield* raw.measure(decompress(open(object), manifest.compression.method, signal))
    await object.finish(signal)
    compare(where, 'the object', object.meter, manifest.stored)
    compare(where, 'the dump inside', raw, manifest.raw)
  }
}

export function objectOn(volume: Volume, key: string, bytes: number): RandomAccess {
  return { bytes, read: (start, end, signal) => volume.read(key, signal, { start, end }) }
}

/** Reads the whole object and compares it with its manifest, without any key. Throws `checksum_mismatch`. */
export async function checkObject(
  volume: Volume,
  key: string,
  manifest: Manifest,
  signal: AbortSignal,
  options: ReadCopyOptions = {},
): Promise<void> {
  const meter = new Meter(options.onStored)
  for await (const chunk of volume.read(key, signal)) meter.update(chunk)
  compare(`“${key}” on ${volume.location}`, 'the object', meter, manifest.stored)
}

/** An object that may be read here and there, and is hashed from its first byte to its last all the same. */
class MeasuredObject implements RandomAccess {
  readonly bytes: number
  readonly meter: Meter
  readonly #object: RandomAccess

  constructor(object: RandomAccess, onBytes: ((bytes: number) => void) | undefined) {
    this.bytes = object.bytes
    this.meter = new Meter(onBytes)
    this.#object = object
  }

  async *read(start: number, end: number, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    // What continues where the hash stands goes into it; a look at the tail in between does not.
    const continues = start === this.meter.bytes
    for await (const chunk of this.#object.read(start, end, signal)) {
      if (continues) this.meter.update(chunk)
      yield chunk
    }
  }

  /** Reads what nobody has asked for yet. */
  async finish(signal: AbortSignal): Promise<void> {
    if (this.meter.bytes === this.bytes) return
    const rest = this.#object.read(this.meter.bytes, this.bytes - 1, signal)
    for await (const chunk of rest) this.meter.update(chunk)
  }
}

/** Throws `checksum_mismatch` unless it is as long as expected, and has that hash. */
export function compare(
  where: string,
  what: string,
  found: Meter,
  expected: { bytes: number; sha256: string },
): void {
  if (found.bytes === expected.bytes && found.sha256 === expected.sha256) return
  throw new AppError(
    'checksum_mismatch',
    `${where}: ${what} is not what was stored (${found.bytes} bytes, SHA-256 ${found.sha256}; expected ${expected.bytes} bytes, ${expected.sha256}).`,
    { hint: 'The bytes have changed since the backup. Use another copy of this snapshot.' },
  )
}
