import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Clock, throttle } from './throttle.ts'

const MB = 1_000_000
const signal = new AbortController().signal

/** A clock that stands still but for who sleeps. */
function stoppedClock(): Clock & { time: number; longest: number } {
  return {
    time: 0,
    longest: 0,
    now() {
      return this.time
    },
    async sleep(milliseconds) {
      this.longest = Math.max(this.longest, milliseconds)
      const end = this.time + milliseconds
      await Promise.resolve()
      this.time = Math.max(this.time, end)
    },
  }
}

async function* chunks(count: number, bytes: number): AsyncGenerator<Uint8Array, void> {
  for (let n = 0; n < count; n++) yield Buffer.alloc(bytes, n + 1)
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let total = 0
  for await (const chunk of bytes) total += chunk.length
  return total
}

describe('a throttle', () => {
  it('lets no more than its bytes a second by', async () => {
    for (const chunkBytes of [64, 65_536, 5 * MB]) {
      const clock = stoppedClock()
      const total = 10 * MB
      const source = chunks(total / chunkBytes, chunkBytes)
      const passed = await drain(throttle(MB, clock)(source, signal))
      const expected = (passed / MB) * 1000
      // The last piece does not wait for its own end, and a little may be caught up.
      assert.ok(clock.time > expected - 200 && clock.time <= expected, `${chunkBytes}: ${clock.time} ms`)
      assert.ok(clock.longest <= 150, `nothing moved for ${clock.longest} ms`)
    }
  })

  it('gives the same bytes, in their order', async () => {
    const given = Buffer.concat(await Array.fromAsync(chunks(9, 12_345)))
    const passed = await Array.fromAsync(throttle(7000, stoppedClock())(chunks(9, 12_345), signal))
    assert.ok(Buffer.concat(passed).equals(given))
  })

  it('counts all streams that go through it together', async () => {
    const clock = stoppedClock()
    const limit = throttle(MB, clock)
    const passed = await Promise.all([1, 2, 3].map(() => drain(limit(chunks(20, 100_000), signal))))
    assert.deepEqual(passed, [2 * MB, 2 * MB, 2 * MB])
    assert.ok(clock.time > 5_500, `${clock.time} ms for six seconds’ worth`)
  })

  it('does not save up what was not used', async () => {
    const clock = stoppedClock()
    const limit = throttle(MB, clock)
    await drain(limit(chunks(1, 1000), signal))
    clock.time = 3_600_000
    await drain(limit(chunks(20, 100_000), signal))
    assert.ok(clock.time - 3_600_000 > 1_700, `${clock.time - 3_600_000} ms for two seconds’ worth`)
  })

  it('stops when the signal aborts, with its reason, and closes the source', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    let isClosed = false
    async function* source() {
      try {
        yield* chunks(1000, 1000)
      } finally {
        isClosed = true
      }
    }
    const passing = drain(throttle(1000)(source(), controller.signal))
    setTimeout(() => controller.abort(reason), 20)
    await assert.rejects(passing, reason)
    assert.ok(isClosed)
  })

  it('throws what the source throws, and does not end', async () => {
    const failure = new Error('broken')
    async function* source() {
      yield Buffer.alloc(10)
      throw failure
    }
    await assert.rejects(drain(throttle(1000, stoppedClock())(source(), signal)), failure)
  })
})
