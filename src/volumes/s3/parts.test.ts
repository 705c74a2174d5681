import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PartMemory, partSize } from './parts.ts'

const MiB = 1024 * 1024
const limits = fc.integer({ min: 100, max: 10_000 })

describe('the size of parts', () => {
  it('never shrinks, is between 16 and 512 MiB and a multiple of 8 MiB', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 9_999 }), (limit, number) => {
        const [size, next] = [partSize(number, limit), partSize(number + 1, limit)]
        assert.ok(size >= 16 * MiB && size <= 512 * MiB)
        assert.equal(size % (8 * MiB), 0)
        assert.ok(next >= size)
      }),
    )
  })

  it('lets all parts together hold 93 % of what the largest could, whatever the limit', () => {
    fc.assert(
      fc.property(limits, (limit) => {
        assert.ok(capacity(limit) >= 0.93 * limit * 512 * MiB)
      }),
      { numRuns: 30 },
    )
  })

  it('holds 500 GB in 1 000 parts and 5 TB in 10 000', () => {
    assert.ok(capacity(1_000) >= 500e9)
    assert.ok(capacity(10_000) >= 5e12)
  })

  it('stays at 16 MiB for the first 3 GB, and below 64 MiB for the first 10 GB', () => {
    let bytes = 0
    for (let number = 1; bytes < 10e9; number++) {
      const size = partSize(number, 10_000)
      if (bytes < 3e9) assert.equal(size, 16 * MiB)
      assert.ok(size <= 64 * MiB)
      bytes += size
    }
  })
})

describe('the memory of parts', () => {
  it('is never more pieces than allowed, and is used again', async () => {
    const memory = new PartMemory(2)
    const { signal } = new AbortController()
    const [a, b] = [await memory.take(100, signal), await memory.take(100, signal)]
    let third: Buffer | undefined
    const taking = memory.take(50, signal).then((piece) => (third = piece))
    await new Promise(setImmediate)
    assert.equal(third, undefined)
    memory.give(b)
    assert.equal(await taking, b)
    memory.give(a)
    assert.ok((await memory.take(200, signal)).length >= 200)
  })

  it('is not waited for when the work is cancelled', async () => {
    const memory = new PartMemory(1)
    const cancel = new AbortController()
    await memory.take(1, cancel.signal)
    const taking = memory.take(1, cancel.signal)
    cancel.abort(new Error('cancelled'))
    await assert.rejects(taking, /cancelled/)
  })
})

function capacity(limit: number): number {
  let bytes = 0
  for (let number = 1; number <= limit; number++) bytes += partSize(number, limit)
  return bytes
}
