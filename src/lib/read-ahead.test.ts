import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { readAhead } from './read-ahead.ts'

describe('reading ahead', () => {
  it('changes nothing but the size of the pieces', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 50 }), async (chunks, size) => {
        const pieces = await Array.fromAsync(readAhead(source(chunks), size))
        assert.deepEqual(Buffer.concat(pieces), Buffer.concat(chunks))
        for (const piece of pieces.slice(0, -1)) assert.ok(piece.length >= size)
        for (const piece of pieces) assert.ok(piece.length > 0)
      }),
    )
  })

  it('goes on while the reader is busy, but not beyond twice the size', async () => {
    let given = 0
    const endless = (async function* () {
      for (;;) {
        given += 10
        yield Buffer.alloc(10)
      }
    })()
    for await (const piece of readAhead(endless, 100)) {
      const before = given
      for (let i = 0; i < 100; i++) await turn()
      assert.ok(given > before || piece.length === 200)
      assert.ok(given <= piece.length + 200, `${given} bytes were read`)
      break
    }
  })

  it('throws the very error that the source threw, whenever that was', async () => {
    for (const after of [0, 1, 5]) {
      const error = new Error('the source failed')
      const failing = (async function* () {
        for (let i = 0; i < after; i++) yield Buffer.alloc(60)
        throw error
      })()
      await assert.rejects(Array.fromAsync(readAhead(failing, 100)), (thrown) => thrown === error)
    }
  })

  it('has closed the source when the reader has left', async () => {
    let isClosed = false
    const slow = (async function* () {
      try {
        for (;;) {
          await turn()
          yield Buffer.alloc(60)
        }
      } finally {
        await turn()
        isClosed = true
      }
    })()
    for await (const _ of readAhead(slow, 100)) break
    assert.ok(isClosed)
  })

  it('reads nothing before it is asked', async () => {
    let wasAsked = false
    const shy = (async function* () {
      wasAsked = true
      yield Buffer.alloc(1)
    })()
    const pieces = readAhead(shy, 1)
    await turn()
    assert.equal(wasAsked, false)
    assert.equal((await Array.fromAsync(pieces)).length, 1)
  })
})

async function* source(chunks: Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  for (const [i, chunk] of chunks.entries()) {
    if (i % 3 === 0) await turn()
    yield chunk
  }
}
