import { damaged } from './failures.ts'

/** Appends 7z's elements to one another: bytes, its variable-length numbers, little-endian integers. */
export class ByteWriter {
  readonly #parts: Uint8Array[] = []

  bytes(...bytes: number[]): this {
    return this.raw(Uint8Array.from(bytes))
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }

  number(value: number): this {
    return this.raw(encodeNumber(value))
  }

  uint32(value: number): this {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return this.raw(bytes)
  }

  uint64(value: bigint): this {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(value)
    return this.raw(bytes)
  }

  build(): Buffer {
    return Buffer.concat(this.#parts)
  }
}

/** Takes 7z's elements one after the other. Whatever is not there is `decryption_failed`. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  byte(): number {
    return this.raw(1).readUInt8()
  }

  raw(length: number): Buffer {
    if (length > this.left) throw damaged('its header ends too early')
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }

  /** At most 2^53 − 1: no archive, and nothing in one, is larger. */
  number(): number {
    const first = this.byte()
    const extra = Math.clz32(~(first << 24))
    const low = this.raw(extra)
    // With n leading ones in the first byte come n further bytes; the bits after its first zero are the highest.
    let value = extra < 7 ? first & (0x7f >> extra) : 0
    for (const byte of low.toReversed()) value = value * 256 + byte
    if (!Number.isSafeInteger(value)) throw damaged('its header contains a number that is too large')
    return value
  }

  uint32(): number {
    return this.raw(4).readUInt32LE()
  }

  uint64(): bigint {
    return this.raw(8).readBigUInt64LE()
  }
}

/** 7z's variable-length number, in as few bytes as possible; 0 to 2^53 − 1. */
export function encodeNumber(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no 7z number`)
  let extra = 0
  while (value >= 2 ** (7 * (extra + 1))) extra++
  const bytes = Buffer.alloc(1 + extra)
  let rest = value
  for (let i = 1; i <= extra; i++) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  bytes[0] = ((0xff00 >> extra) & 0xff) | rest
  return bytes
}
