import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../shared/errors.ts'
import { ByteReader, encodeNumber } from './numbers.ts'

const anyNumber = fc.oneof(
  fc.maxSafeNat(),
  fc.tuple(fc.integer({ min: 0, max: 53 }), fc.integer({ min: -1, max: 1 })).map(([exponent, beside]) => {
    return Math.min(Math.max(2 ** exponent + beside, 0), Number.MAX_SAFE_INTEGER)
  }),
)

describe("7z's variable-length numbers", () => {
  it('are read as they were written, beyond 4 GiB too', () => {
    fc.assert(
      fc.property(anyNumber, (value) => {
        const reader = new ByteReader(encodeNumber(value))
        assert.equal(reader.number(), value)
        assert.equal(reader.left, 0)
      }),
    )
  })

  it('are written as 7-Zip writes them', () => {
    assert.deepEqual(encodeNumber(0x7f), Buffer.from('7f', 'hex'))
    assert.deepEqual(encodeNumber(0x80), Buffer.from('8080', 'hex'))
    assert.deepEqual(encodeNumber(0x3fff), Buffer.from('bfff', 'hex'))
    assert.deepEqual(encodeNumber(0x4000), Buffer.from('c00040', 'hex'))
    assert.deepEqual(encodeNumber(2 ** 32), Buffer.from('f100000000', 'hex'))
    assert.deepEqual(encodeNumber(2 ** 49), Buffer.from('fe00000000000002', 'hex'))
  })

  it('are read in the eight-byte form', () => {
    assert.equal(new ByteReader(Buffer.from('ff0000000001000000', 'hex')).number(), 2 ** 32)
  })

  it('are refused when they are cut off or larger than any archive', () => {
    const refused = (hex: string) =>
      assert.throws(() => new ByteReader(Buffer.from(hex, 'hex')).number(), AppError)
    for (const hex of ['', '80', 'c000', 'ff00000000000000', 'ffffffffffffffffff', 'ff0000000000002000'])
      refused(hex)
  })

  it('cannot be negative or fractions', () => {
    assert.throws(() => encodeNumber(-1), RangeError)
    assert.throws(() => encodeNumber(1.5), RangeError)
  })
})
