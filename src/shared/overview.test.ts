import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type BackupHistory, overdueAt, standingOf, standings } from './overview.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-22T12:00Z')
const ago = (hours: number) => NOW - hours * HOUR

function history(facts: Partial<BackupHistory>): BackupHistory {
  return { lastSuccessAt: null, lastFailureAt: null, firstSeenAt: null, ...facts }
}

describe('how a database fares', () => {
  const after = 26 * HOUR
  for (const [facts, standing] of [
    [{}, 'never'],
    [{ firstSeenAt: ago(1000) }, 'never'],
    [{ firstSeenAt: ago(9), lastSuccessAt: ago(3) }, 'protected'],
    [{ lastSuccessAt: ago(26) }, 'protected'],
    [{ lastSuccessAt: ago(26) - 1 }, 'overdue'],
    [{ lastFailureAt: ago(1) }, 'failing'],
    [{ lastFailureAt: ago(1), lastSuccessAt: ago(3) }, 'failing'],
    [{ lastFailureAt: ago(90), lastSuccessAt: ago(100) }, 'failing'],
    [{ lastFailureAt: ago(3), lastSuccessAt: ago(1) }, 'protected'],
    [{ lastFailureAt: ago(40), lastSuccessAt: ago(30) }, 'overdue'],
    [{ lastFailureAt: ago(2), lastSuccessAt: ago(2) }, 'protected'],
    // The clock was set back.
    [{ lastSuccessAt: ago(-5) }, 'protected'],
  ] as const) {
    it(`is ${standing}: ${JSON.stringify(facts)}`, () => {
      assert.equal(standingOf(history(facts), after, NOW), standing)
    })
  }

  it('is never overdue where it is only backed up by hand', () => {
    assert.equal(standingOf(history({ lastSuccessAt: 0 }), undefined, NOW), 'protected')
    assert.equal(overdueAt(history({ lastSuccessAt: 0 }), undefined), undefined)
  })

  it('becomes an alarm so long after the last success, or after it came to be known', () => {
    assert.equal(overdueAt(history({ firstSeenAt: 5, lastSuccessAt: 7 }), 10), 17)
    assert.equal(overdueAt(history({ firstSeenAt: 5 }), 10), 15)
    assert.equal(overdueAt(history({}), 10), undefined)
  })
})

describe('whatever has happened, standingOf', () => {
  const time = fc.option(fc.integer({ min: 0, max: 1000 }))
  const facts = fc.record({ lastSuccessAt: time, lastFailureAt: time, firstSeenAt: time })
  const after = fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined })
  const now = fc.integer({ min: 0, max: 2000 })

  it('says one word, and protected only after a success that nothing has gone wrong behind', () => {
    fc.assert(
      fc.property(facts, after, now, (facts, after, now) => {
        const standing = standingOf(facts, after, now)
        assert.ok(standings.includes(standing))
        const { lastSuccessAt, lastFailureAt } = facts
        if (standing === 'protected') {
          assert.ok(lastSuccessAt !== null && (lastFailureAt ?? 0) <= lastSuccessAt)
        }
        assert.equal(standing === 'never', lastSuccessAt === null && lastFailureAt === null)
        if (after === undefined) assert.notEqual(standing, 'overdue')
      }),
    )
  })

  it('turns from protected to overdue as time goes by, once, at overdueAt, and else stays', () => {
    fc.assert(
      fc.property(facts, after, now, fc.nat(1000), (facts, after, now, later) => {
        const before = standingOf(facts, after, now)
        const then = standingOf(facts, after, now + later)
        const at = overdueAt(facts, after)
        const isSilent = before === 'protected' && at !== undefined && now + later > at
        assert.equal(then, isSilent ? 'overdue' : before)
      }),
    )
  })

  it('is never worse for a success at this moment, and failing for a failure', () => {
    fc.assert(
      fc.property(facts, after, now, (facts, after, now) => {
        fc.pre((facts.lastSuccessAt ?? 0) < now && (facts.lastFailureAt ?? 0) <= now)
        assert.equal(standingOf({ ...facts, lastSuccessAt: now }, after, now), 'protected')
        assert.equal(standingOf({ ...facts, lastFailureAt: now }, after, now), 'failing')
      }),
    )
  })
})
