import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { correctionOf, dataLength, formatBits, qrCode } from '../../web/src/profile/qr-code.ts'

/** What the tables of ISO/IEC 18004 say of level M. */
const capacities = [
  16, 28, 44, 64, 86, 108, 124, 154, 182, 216, 254, 290, 334, 365, 415, 453, 507, 563, 627, 669,
]

describe('a QR code', () => {
  it('holds as much as the standard says', () => {
    assert.deepEqual(
      capacities.map((_, at) => dataLength(at + 1)),
      capacities,
    )
  })

  it('is corrected as in the example of “HELLO WORLD”', () => {
    const data = [32, 91, 11, 120, 209, 114, 220, 77, 67, 64, 236, 17, 236, 17, 236, 17]
    assert.deepEqual(correctionOf(data, 10), [196, 35, 39, 119, 235, 215, 231, 226, 93, 23])
  })

  it('says its format as in the table of the standard', () => {
    assert.equal(formatBits(0b00000).toString(2), '101010000010010')
    assert.equal(formatBits(0b01100).toString(2), '110011000101111')
  })

  for (const length of [1, 14, 15, 100, 150, 213, 400, 666]) {
    it(`of ${length} bytes is read back`, () => {
      const text = 'otpauth://totp/Holdfast:ada?ß'.repeat(30).slice(0, length).replaceAll('ß', 's')
      assert.equal(read(qrCode(text)), text)
    })
  }

  it('of too much is none', () => {
    assert.throws(() => qrCode('x'.repeat(667)), RangeError)
  })
})

/** A reader that knows only what a picture shows: it finds the mask in the format, and walks along the modules. */
function read(modules: boolean[][]): string {
  const size = modules.length
  const version = (size - 17) / 4
  const dark = (x: number, y: number) => modules[y]?.[x] === true
  const format = [0, 1, 2, 3, 4, 5, 7, 8]
    .map((y) => dark(8, y))
    .concat([7, 5, 4, 3, 2, 1, 0].map((x) => dark(x, 8)))
    .reduce((sum, bit, at) => sum | (Number(bit) << at), 0)
  const mask = ((format ^ 0x5412) >>> 10) & 7
  assert.equal(formatBits(mask), format, 'the level is M')
  assert.ok(dark(8, size - 8), 'the dark module')

  const centres = centresOf(version, size)
  const isFixed = (x: number, y: number) =>
    (x < 9 && y < 9) ||
    (x > size - 9 && y < 9) ||
    (x < 9 && y > size - 9) ||
    x === 6 ||
    y === 6 ||
    centres.some(([cx, cy]) => Math.abs(cx - x) <= 2 && Math.abs(cy - y) <= 2) ||
    (version >= 7 && ((y < 6 && x >= size - 11) || (x < 6 && y >= size - 11)))
  const bits: string[] = []
  let isUp = true
  for (const right of [...range(size - 1, 8, -2), 5, 3, 1]) {
    for (let step = 0; step < size; step++) {
      const y = isUp ? size - 1 - step : step
      for (const x of [right, right - 1]) {
        if (!isFixed(x, y)) bits.push(dark(x, y) !== isMasked(mask, y, x) ? '1' : '0')
      }
    }
    isUp = !isUp
  }
  const codewords = (bits.join('').match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2))
  const data = blocksOf(codewords, version).flat()
  const all = data.map((byte) => byte.toString(2).padStart(8, '0')).join('')
  assert.equal(all.slice(0, 4), '0100', 'bytes')
  const counted = version < 10 ? 8 : 16
  const length = parseInt(all.slice(4, 4 + counted), 2)
  const bytes = all.slice(4 + counted).match(/.{8}/g) ?? []
  return new TextDecoder().decode(Uint8Array.from(bytes.slice(0, length), (byte) => parseInt(byte, 2)))
}

/** As the table of the standard: the first and the last, and those between. */
const centreTable: Record<number, number[]> = {
  1: [],
  2: [6, 18],
  3: [6, 22],
  4: [6, 26],
  5: [6, 30],
  6: [6, 34],
  7: [6, 22, 38],
  8: [6, 24, 42],
  9: [6, 26, 46],
  10: [6, 28, 50],
  11: [6, 30, 54],
  12: [6, 32, 58],
  13: [6, 34, 62],
  14: [6, 26, 46, 66],
  15: [6, 26, 48, 70],
  16: [6, 26, 50, 74],
  17: [6, 30, 54, 78],
  18: [6, 30, 56, 82],
  19: [6, 30, 58, 86],
  20: [6, 34, 62, 90],
}

function centresOf(version: number, size: number): [number, number][] {
  const row = centreTable[version] ?? assert.fail(`version ${version}`)
  return row
    .flatMap((x) => row.map((y): [number, number] => [x, y]))
    .filter(([x, y]) => !(x < 9 && y < 9) && !(x > size - 9 && y < 9) && !(x < 9 && y > size - 9))
}

/** Of level M: how many blocks of how many data codewords, short and long ones. */
const blockTable: Record<number, number[]> = {
  1: [16],
  6: [27, 27, 27, 27],
  7: [31, 31, 31, 31],
  8: [38, 38, 39, 39],
  9: [36, 36, 36, 37, 37],
  10: [43, 43, 43, 43, 44],
  14: [40, 40, 40, 40, 41, 41, 41, 41, 41],
  15: [41, 41, 41, 41, 41, 42, 42, 42, 42, 42],
  20: [41, 41, 41, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42, 42],
}

function blocksOf(codewords: number[], version: number): number[][] {
  const lengths = blockTable[version] ?? [dataLength(version)]
  const blocks: number[][] = lengths.map(() => [])
  let next = 0
  for (let at = 0; at < Math.max(...lengths); at++) {
    for (const [block, length] of lengths.entries()) {
      if (at < length) blocks[block]?.push(codewords[next++] ?? 0)
    }
  }
  return blocks
}

/** By row and column, as the standard writes them. */
function isMasked(mask: number, i: number, j: number): boolean {
  return (
    [
      (i + j) % 2,
      i % 2,
      j % 3,
      (i + j) % 3,
      (Math.floor(i / 2) + Math.floor(j / 3)) % 2,
      ((i * j) % 2) + ((i * j) % 3),
      (((i * j) % 2) + ((i * j) % 3)) % 2,
      (((i * j) % 3) + ((i + j) % 2)) % 2,
    ][mask] === 0
  )
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, at) => from + at * step).filter(
    (x) => x > 6,
  )
}
