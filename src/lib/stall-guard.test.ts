import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { StallGuard } from './stall-guard.ts'

const LIMIT = 500

describe('a stall guard', { concurrency: true }, () => {
  it('begins at rest', async () => {
    using guard = newGuard()
    await sleep(LIMIT * 1.5)
    assert.equal(guard.signal.aborted, false)
  })

  it('aborts with its reason when it was touched once and then no more', async () => {
    using guard = newGuard()
    guard.touch()
    assert.equal(guard.signal.aborted, false)
    await sleep(LIMIT * 1.5)
    assert.equal((guard.signal.reason as Error).message, 'stalled')
  })

  it('waits the whole time from the last touch', async () => {
    using guard = newGuard()
    for (let i = 0; i < 8; i++) {
      guard.touch()
      await sleep(LIMIT / 5)
    }
    assert.equal(guard.signal.aborted, false)
    await sleep(LIMIT)
    assert.equal(guard.signal.aborted, true)
  })

  it('rests when it is told to, for as long as it takes, until it is touched again', async () => {
    using guard = newGuard()
    guard.touch()
    guard.rest()
    await sleep(LIMIT * 1.5)
    assert.equal(guard.signal.aborted, false)
    guard.touch()
    await sleep(LIMIT * 1.5)
    assert.equal(guard.signal.aborted, true)
  })

  it('does nothing any more when it is disposed', async () => {
    let signal: AbortSignal
    {
      using guard = newGuard()
      signal = guard.signal
      guard.touch()
    }
    await sleep(LIMIT * 1.5)
    assert.equal(signal.aborted, false)
  })
})

function newGuard(): StallGuard {
  return new StallGuard(LIMIT, () => new Error('stalled'))
}
