/*
 * QR codes as ISO/IEC 18004 has them: any text as bytes, with the error correction M, up to version 20, which holds 666
 * bytes. That is all that a secret for an authenticator app needs.
 */

type Square = boolean[][]

/** Of each version, how many codewords for correction each block has, and how many blocks there are. */
const corrections = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26]
const blockCounts = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16]

const LEVEL_M = 0

/** Row by row, which modules are dark. */
export function qrCode(text: string): Square {
  const bytes = new TextEncoder().encode(text)
  const version = versionFor(bytes.length)
  const codewords = interleaved(dataCodewords(bytes, version), version)
  const { modules, isFixed } = fixedPatterns(version)
  place(codewords, modules, isFixed)
  const masked = masks.map((mask, number) => {
    const copy = modules.map((row, y) => row.map((dark, x) => dark !== (!isFixed[y]?.[x] && mask(x, y))))
    drawFormat(copy, number)
    return copy
  })
  return masked.reduce((best, next) => (unrest(next) < unrest(best) ? next : best))
}

function versionFor(bytes: number): number {
  for (let version = 1; version <= corrections.length; version++) {
    if (bytes <= dataLength(version) - headerLength(version)) return version
  }
  throw new RangeError(`${bytes} bytes are too many for a QR code.`)
}

/** How many codewords there are for data. */
export function dataLength(version: number): number {
  return Math.floor(rawModules(version) / 8) - of(corrections, version - 1) * of(blockCounts, version - 1)
}

/** The mode (four bits), how many bytes there are (8 or 16 bits), and the four bits of the end. */
function headerLength(version: number): number {
  return version < 10 ? 2 : 3
}

/** How many modules are left beside the fixed patterns. */
function rawModules(version: number): number {
  const all = (16 * version + 128) * version + 64
  if (version === 1) return all
  const alignments = Math.floor(version / 7) + 2
  return all - ((25 * alignments - 10) * alignments - 55) - (version < 7 ? 0 : 36)
}

function dataCodewords(bytes: Uint8Array, version: number): number[] {
  const bits = [0b0100, bytes.length].map((value, at) =>
    value.toString(2).padStart(at === 0 ? 4 : version < 10 ? 8 : 16, '0'),
  )
  for (const byte of bytes) bits.push(byte.toString(2).padStart(8, '0'))
  const found = (bits.join('') + '0000').match(/.{8}/g) ?? []
  const codewords = found.map((byte) => parseInt(byte, 2))
  for (let pad = 0xec; codewords.length < dataLength(version); pad ^= 0xec ^ 0x11) codewords.push(pad)
  return codewords
}

/** With their corrections: of each block the first codeword, then of each the second … */
function interleaved(data: number[], version: number): number[] {
  const count = of(blockCounts, version - 1)
  const length = Math.floor(data.length / count)
  const short = count - (data.length % count)
  const blocks = Array.from({ length: count }, (_, block) => {
    const start = block * length + Math.max(0, block - short)
    return data.slice(start, start + length + (block < short ? 0 : 1))
  })
  const added = blocks.map((block) => correctionOf(block, of(corrections, version - 1)))
  const across = (rows: number[][]) =>
    Array.from({ length: Math.max(...rows.map((row) => row.length)) }, (_, at) =>
      rows.flatMap((row) => row[at] ?? []),
    ).flat()
  return [...across(blocks), ...across(added)]
}

/** Reed and Solomon: the rest of a division by (x - 1)(x - 2)(x - 4) … */
export function correctionOf(data: readonly number[], length: number): number[] {
  let divisor = [1]
  for (let at = 0, root = 1; at < length; at++, root = times(root, 2)) {
    divisor = [...divisor, 0].map((factor, index) => factor ^ times(divisor[index - 1] ?? 0, root))
  }
  const rest = Array<number>(length).fill(0)
  for (const byte of data) {
    const factor = byte ^ (rest.shift() ?? 0)
    rest.push(0)
    for (const [index, value] of divisor.slice(1).entries())
      rest[index] = of(rest, index) ^ times(value, factor)
  }
  return rest
}

/** In the field of 256 elements, modulo x⁸ + x⁴ + x³ + x² + 1. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d)
    product ^= ((b >>> bit) & 1) * a
  }
  return product
}

function fixedPatterns(version: number): { modules: Square; isFixed: Square } {
  const size = version * 4 + 17
  const square = () => Array.from({ length: size }, () => Array<boolean>(size).fill(false))
  const [modules, isFixed] = [square(), square()]
  const set = (x: number, y: number, isDark: boolean) => {
    if (modules[y]?.[x] === undefined) return
    modules[y][x] = isDark
    ;(isFixed[y] as boolean[])[x] = true
  }
  const rings = (centreX: number, centreY: number, radius: number, light: readonly number[]) => {
    for (let y = -radius; y <= radius; y++) {
      for (let x = -radius; x <= radius; x++) {
        set(centreX + x, centreY + y, !light.includes(Math.max(Math.abs(x), Math.abs(y))))
      }
    }
  }
  for (let at = 0; at < size; at++) {
    set(6, at, at % 2 === 0)
    set(at, 6, at % 2 === 0)
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const)
    rings(x, y, 4, [2, 4])
  const centres = alignmentCentres(version)
  const last = centres.at(-1)
  for (const x of centres) {
    for (const y of centres) {
      const isCorner = (x === 6 && (y === 6 || y === last)) || (x === last && y === 6)
      if (!isCorner) rings(x, y, 2, [1])
    }
  }
  // Where the format goes once the mask is chosen.
  for (let at = 0; at < 9; at++) {
    if (at !== 6) {
      set(8, at, false)
      set(at, 8, false)
    }
    if (at < 8) {
      set(size - 1 - at, 8, false)
      set(8, size - 1 - at, at === 7)
    }
  }
  if (version >= 7) {
    const bits = (version << 12) | restOf(version, 12, 0x1f25)
    for (let at = 0; at < 18; at++) {
      const [far, near] = [size - 11 + (at % 3), Math.floor(at / 3)]
      set(far, near, isBit(bits, at))
      set(near, far, isBit(bits, at))
    }
  }
  return { modules, isFixed }
}

function alignmentCentres(version: number): number[] {
  if (version === 1) return []
  const count = Math.floor(version / 7) + 2
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2
  const last = version * 4 + 10
  return [6, ...Array.from({ length: count - 1 }, (_, at) => last - (count - 2 - at) * step)]
}

/** From the right, two columns at a time, up and down in turn. */
function place(codewords: readonly number[], modules: Square, isFixed: Square): void {
  const size = modules.length
  let bit = 0
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5
    for (let step = 0; step < size; step++) {
      const y = ((right + 1) & 2) === 0 ? size - 1 - step : step
      for (const x of [right, right - 1]) {
        if (isFixed[y]?.[x] || bit >= codewords.length * 8) continue
        ;(modules[y] as boolean[])[x] = isBit(of(codewords, bit >>> 3), 7 - (bit & 7))
        bit++
      }
    }
  }
}

/** The level and the mask, twice. */
function drawFormat(modules: Square, mask: number): void {
  const data = (LEVEL_M << 3) | mask
  const bits = formatBits(data)
  const size = modules.length
  const set = (x: number, y: number, at: number) => ((modules[y] as boolean[])[x] = isBit(bits, at))
  for (let at = 0; at < 15; at++) {
    if (at < 8) set(8, at < 6 ? at : at + 1, at)
    else set(at === 8 ? 7 : 14 - at, 8, at)
    if (at < 8) set(size - 1 - at, 8, at)
    else set(8, size - 15 + at, at)
  }
}

export function formatBits(data: number): number {
  return ((data << 10) | restOf(data, 10, 0x537)) ^ 0x5412
}

/** Of a division of polynomials over bits. */
function restOf(data: number, length: number, divisor: number): number {
  let rest = data
  for (let at = 0; at < length; at++) rest = (rest << 1) ^ ((rest >>> (length - 1)) * divisor)
  return rest
}

const masks: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

/** How hard it is to read: long runs, and what looks like the corners. */
function unrest(modules: Square): number {
  const lines = [...modules, ...modules.map((_, x) => modules.map((row) => row[x] ?? false))]
  return lines
    .map((line) => line.map((isDark) => (isDark ? '1' : '0')).join(''))
    .map((line) => {
      const runs = line.match(/0{5,}|1{5,}/g) ?? []
      const corners = line.match(/(?=10111010000|00001011101)/g) ?? []
      return runs.reduce((sum, run) => sum + run.length - 2, 0) + corners.length * 40
    })
    .reduce((sum, points) => sum + points, 0)
}

function isBit(value: number, at: number): boolean {
  return ((value >>> at) & 1) === 1
}

function of(values: readonly number[], at: number): number {
  return values[at] ?? 0
}
