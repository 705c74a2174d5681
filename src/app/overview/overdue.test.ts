import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { schedule, type Schedule } from '../../shared/schedules.ts'
import { nextRuns } from '../schedules/occurrences.ts'
import { overdueAfterOf } from './overdue.ts'

const HOUR = 3_600_000
const at = (time: string) => Date.parse(`${time}Z`)
const rule = (rule: object): Schedule => schedule.parse({ timeZone: 'UTC', ...rule })
const nightly = rule({ type: 'daily', times: ['03:00'] })
const workingDays = rule({ type: 'cron', expression: '0 3 * * 1-5' })

function hoursAfter(madeAt: string, ...rules: Schedule[]): number | undefined {
  const after = overdueAfterOf(undefined, rules)(at(madeAt))
  return after === undefined ? undefined : after / HOUR
}

describe('when the next backup is missing', () => {
  it('is what the plan says', () => {
    assert.equal(overdueAfterOf(90, [nightly])(0), 1.5 * HOUR)
    assert.equal(overdueAfterOf(90, [])(0), 1.5 * HOUR)
  })

  it('is else two hours more than the interval of its schedule', () => {
    assert.equal(hoursAfter('2026-11-22T03:10', nightly), 26)
    assert.equal(hoursAfter('2026-11-22T03:00', nightly), 26)
    assert.equal(hoursAfter('2026-11-22T02:59', nightly), 26)
    assert.equal(hoursAfter('2026-11-22T17:20', rule({ type: 'hourly', every: 6 })), 8)
    assert.equal(
      hoursAfter('2026-02-10T00:00', rule({ type: 'monthly', days: [1], times: ['00:00'] })),
      28 * 24 + 2,
    )
  })

  it('is that interval in which the backup was made: over the week-end longer than on working days', () => {
    assert.equal(hoursAfter('2026-11-19T03:10', workingDays), 26, 'Thursday')
    assert.equal(hoursAfter('2026-11-20T03:10', workingDays), 74, 'Friday')
    assert.equal(hoursAfter('2026-11-22T12:00', workingDays), 41, 'Sunday, by hand: until Tuesday’s')
  })

  it('counts the runs of all its schedules together', () => {
    const weekEnd = rule({ type: 'weekly', weekdays: ['saturday', 'sunday'], times: ['03:00'] })
    assert.equal(hoursAfter('2026-11-20T03:10', workingDays, weekEnd), 26)
    const migration = rule({ type: 'migration' })
    assert.equal(hoursAfter('2026-11-20T03:10', nightly, migration), 26)
  })

  it('is never, where nothing runs by itself', () => {
    assert.equal(hoursAfter('2026-11-20T03:10'), undefined)
    assert.equal(hoursAfter('2026-11-20T03:10', rule({ type: 'migration' })), undefined)
  })

  it('is behind the next run, and asks again for other intervals as if for the first time', () => {
    const rules = fc.subarray([nightly, workingDays, rule({ type: 'hourly', every: 5, minute: 7 })], {
      minLength: 1,
    })
    const time = fc.integer({ min: at('2026-01-01T00:00'), max: at('2027-01-01T00:00') })
    fc.assert(
      fc.property(rules, fc.array(time, { minLength: 1, maxLength: 20 }), (rules, times) => {
        const after = overdueAfterOf(undefined, rules)
        for (const madeAt of times) {
          const next = Math.min(
            ...rules.map((rule) => nextRuns(rule, new Date(madeAt), 1)[0]?.getTime() ?? Infinity),
          )
          const limit = after(madeAt) ?? assert.fail('there is always a next run')
          assert.ok(madeAt + limit >= next + 2 * HOUR)
          assert.equal(limit, overdueAfterOf(undefined, rules)(madeAt))
        }
      }),
      { numRuns: 30 },
    )
  })
})
