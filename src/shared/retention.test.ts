import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import {
  DEFAULT_RETENTION,
  DEFAULT_TIERS,
  describePolicy,
  describeReason,
  retentionPolicy,
} from './retention.ts'

function complaint(input: unknown): string {
  const parsed = retentionPolicy.safeParse(input)
  assert.ok(!parsed.success, 'it was taken')
  return parsed.error.issues.map(({ message }) => message).join(' ')
}

describe('a retention policy as it enters', () => {
  it('keeps one snapshot at least, unless more are asked for', () => {
    assert.deepEqual(retentionPolicy.parse({ keepLast: 7 }), DEFAULT_RETENTION)
    assert.deepEqual(retentionPolicy.parse({ ...DEFAULT_TIERS, minimumKept: 3 }), {
      ...DEFAULT_TIERS,
      minimumKept: 3,
    })
    assert.deepEqual(retentionPolicy.parse({ keepLast: 0 }), { keepLast: 0, minimumKept: 1 })
    assert.deepEqual(retentionPolicy.parse({ forever: true }), { forever: true, minimumKept: 1 })
  })

  it('says in a sentence what is wrong', () => {
    for (const empty of [{}, { minimumKept: 5 }, { forever: false }]) {
      assert.match(complaint(empty), /Choose at least one rule/)
    }
    assert.match(complaint({ keepDays: 0 }), /days from 1 to 3650/)
    assert.match(complaint({ keepDays: 3651 }), /days from 1 to 3650/)
    assert.match(complaint({ keepLast: -1 }), /snapshots from 0/)
    assert.match(complaint({ daily: 0 }), /Daily snapshots from 1/)
    assert.match(complaint({ daily: 7, minimumKept: 0 }), /from 1/)
  })

  it('refuses what it does not know: a rule that is misspelt would keep too little, or too much', () => {
    assert.equal(retentionPolicy.safeParse({ keepLast: 0, gfs: { daily: 7 } }).success, false)
  })

  it('can be told as a JSON schema, from which forms are drawn', () => {
    assert.ok(z.toJSONSchema(retentionPolicy, { io: 'input' }).properties)
  })
})

it('a policy in words names every rule', () => {
  const words = (input: object) => describePolicy(retentionPolicy.parse(input))
  assert.equal(words({ keepLast: 7 }), 'the newest 7; at least 1')
  assert.equal(
    words({ keepDays: 1, daily: 7, yearly: 1, minimumKept: 3 }),
    'those younger than 1 day; 7 daily; 1 yearly; at least 3',
  )
  assert.equal(words({ keepLast: 0, daily: 7 }), 'everything')
  assert.equal(words({ forever: true }), 'everything')
})

describe('a reason in words', () => {
  const until = '2026-11-22T02:00:00.000Z'
  for (const [reason, words] of [
    [{ rule: 'daily', period: '2026-11-22' }, 'newest of Sunday, 22 November 2026'],
    [{ rule: 'weekly', period: '2026-W07' }, 'newest of week 7 of 2026'],
    [{ rule: 'monthly', period: '2026-11' }, 'newest of November 2026'],
    [{ rule: 'yearly', period: '2026' }, 'newest of 2026'],
    [
      { rule: 'hourly', period: '2026-10-25T02+01:00' },
      'newest of the hour from 02:00 (UTC+01:00) on Sunday, 25 October 2026',
    ],
    [{ rule: 'last', count: 7 }, 'among the newest 7'],
    [{ rule: 'days', days: 30, until }, 'younger than 30 days, until 22 November 2026 at 03:00 CET'],
    [{ rule: 'locked', until }, 'locked until 22 November 2026 at 03:00 CET'],
    [{ rule: 'locked' }, 'locked'],
    [{ rule: 'tooOld', days: 1 }, '1 day old or older'],
    [{ rule: 'notLast', count: 7 }, 'not among the newest 7'],
    [
      { rule: 'replaced', tier: 'daily', period: '2026-11-22' },
      'a newer one stands for Sunday, 22 November 2026',
    ],
    [
      { rule: 'outlived', tier: 'monthly', period: '2025-10', count: 12 },
      'October 2025 is not among the last 12 months',
    ],
  ] as const) {
    it(words, () => assert.equal(describeReason(reason, 'Europe/Berlin'), words))
  }
})
