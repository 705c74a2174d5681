import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fanOut } from './fan-out.ts'

async function* chunks(count: number, bytes = 1000, state = { taken: 0, closed: false }) {
  try {
    for (let i = 0; i < count; i++) {
      state.taken++
      yield Buffer.alloc(bytes, i % 251)
    }
  } finally {
    state.closed = true
  }
}

async function read(branch: AsyncIterable<Uint8Array>, pause = 0): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of branch) {
    if (pause) await sleep(pause)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

describe('one source for several readers', () => {
  it('gives every reader the same bytes, whatever their pace', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }),
        fc.nat(30),
        async (paces, count) => {
          const { branches, closed } = fanOut(chunks(count), paces.length, { buffer: 3000 })
          const read_ = await Promise.all(branches.map((branch, i) => read(branch, paces[i])))
          await closed
          const whole = await read(chunks(count))
          for (const bytes of read_) assert.ok(bytes.equals(whole))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('waits for the slowest within the buffer', async () => {
    const state = { taken: 0, closed: false }
    const { branches } = fanOut(chunks(1000, 1000, state), 2, { buffer: 10_000 })
    const [fast, slow] = branches
    assert.ok(fast && slow)
    const reading = read(fast)
    await sleep(50)
    assert.ok(state.taken <= 12, `${state.taken} chunks were taken for a buffer of 10`)
    slow.leave()
    assert.equal((await reading).length, 1_000_000)
  })

  it('goes on for the others when a reader stops in the middle', async () => {
    const { branches } = fanOut(chunks(500), 2, { buffer: 2000 })
    const [whole, part] = branches
    assert.ok(whole && part)
    const stopped = (async () => {
      for await (const chunk of part) if (chunk[0] === 5) break
    })()
    assert.equal((await read(whole)).length, 500_000)
    await stopped
  })

  it('closes the source when all readers have left', async () => {
    const state = { taken: 0, closed: false }
    const { branches, closed } = fanOut(chunks(1e9, 1000, state), 2, { buffer: 2000 })
    for (const branch of branches) branch.leave()
    await closed
    assert.equal(state.closed, true)
  })

  it('throws the very error of the source in every reader, and ends in none', async () => {
    const failure = new Error('exit code 1')
    async function* failing() {
      yield* chunks(10)
      throw failure
    }
    const { branches, closed } = fanOut(failing(), 3)
    const outcomes = await Promise.allSettled(branches.map((branch) => read(branch)))
    await closed
    for (const outcome of outcomes) assert.equal(outcome.status === 'rejected' && outcome.reason, failure)
  })

  it('fails a reader that takes nothing for too long, and goes on for the others', async () => {
    const { branches, closed } = fanOut(chunks(100), 2, { buffer: 2000, patience: 50 })
    const [good, stuck] = branches
    assert.ok(good && stuck)
    const stuckReading = (async () => {
      for await (const _chunk of stuck) await sleep(300)
    })()
    stuckReading.catch(() => {})
    assert.equal((await read(good)).length, 100_000)
    await closed
    await assert.rejects(stuckReading, { code: 'volume_unreachable' })
  })
})
