import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Cron } from 'croner'
import fc from 'fast-check'
import { weekdays, type Schedule } from '../../shared/schedules.ts'
import { checkSchedule, dueRun, latestRun, nextRuns, runsBetween, runsByDay } from './occurrences.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const timeZone = 'Europe/Berlin'

function cron(expression: string, zone = timeZone): Schedule {
  return { type: 'cron', expression, timeZone: zone }
}

function iso(dates: Date[]): string[] {
  return dates.map((date) => date.toISOString().slice(0, 16))
}

function runs(schedule: Schedule, after: string, count: number): string[] {
  return iso(nextRuns(schedule, new Date(after), count))
}

describe('the runs of a schedule', () => {
  it('has none for a migration', () => {
    const migration: Schedule = { type: 'migration', timeZone }
    assert.deepEqual(nextRuns(migration, new Date(), 5), [])
    assert.equal(latestRun(migration, new Date()), undefined)
    assert.equal(dueRun(migration, new Date(0), new Date()), undefined)
  })

  it('falls on the last day of a month that does not have the day, once', () => {
    const monthly: Schedule = { type: 'monthly', days: [29, 30, 31], times: ['03:00'], timeZone: 'UTC' }
    assert.deepEqual(
      runs(monthly, '2027-02-01T00:00Z', 7).map((run) => run.slice(0, 10)),
      ['2027-02-28', '2027-03-29', '2027-03-30', '2027-03-31', '2027-04-29', '2027-04-30', '2027-05-29'],
    )
    const thirtieth: Schedule = { ...monthly, days: [30] }
    assert.deepEqual(
      runs(thirtieth, '2027-02-01T00:00Z', 3).map((run) => run.slice(0, 10)),
      ['2027-02-28', '2027-03-30', '2027-04-30'],
    )
    const last: Schedule = { ...monthly, days: [31] }
    assert.deepEqual(
      runs(last, '2028-01-31T04:00Z', 3).map((run) => run.slice(0, 10)),
      ['2028-02-29', '2028-03-31', '2028-04-30'],
    )
  })

  it('counts every n hours anew from midnight, and each hour of the clock once', () => {
    const every = (n: number): Schedule => ({ type: 'hourly', every: n, minute: 30, timeZone })
    const hours = (n: number, after: string, count: number) =>
      runs(every(n), after, count).map((run) => run.slice(11))
    assert.deepEqual(hours(5, '2026-06-01T22:00Z', 6), ['22:30', '03:30', '08:30', '13:30', '18:30', '22:30'])
    assert.deepEqual(hours(1, '2026-03-29T00:00Z', 4), ['00:30', '01:00', '01:30', '02:30'])
    assert.deepEqual(hours(1, '2026-10-25T00:00Z', 3), ['00:30', '02:30', '03:30'])
  })

  it('has times in the gap at its end, and times that occur twice once', () => {
    const daily: Schedule = { type: 'daily', times: ['02:30'], timeZone }
    for (const schedule of [cron('30 2 * * *'), daily]) {
      assert.deepEqual(runs(schedule, '2026-03-28T02:00Z', 2), ['2026-03-29T01:00', '2026-03-30T00:30'])
      assert.deepEqual(runs(schedule, '2026-10-24T02:00Z', 2), ['2026-10-25T00:30', '2026-10-26T01:30'])
    }
    assert.deepEqual(runs(cron('*/15 2,3 * * *'), '2026-03-28T12:00Z', 2), [
      '2026-03-29T01:00',
      '2026-03-29T01:15',
    ])
  })

  it('has one rule for all of cron, where croner has another for lists and steps', () => {
    const [spring, autumn] = ['2026-03-29T00:45Z', '2026-10-24T23:45Z']
    const croner = (expression: string, after: string, count: number) =>
      iso(new Cron(expression, { mode: '5-part', timezone: timeZone }).nextRuns(count, new Date(after)))
    assert.deepEqual(croner('30 2 * * *', spring, 1), ['2026-03-29T01:00'])
    assert.deepEqual(croner('30 2,5 * * *', spring, 1), ['2026-03-29T03:30'])
    assert.deepEqual(runs(cron('30 2,5 * * *'), spring, 2), ['2026-03-29T01:00', '2026-03-29T03:30'])
    assert.deepEqual(croner('30 2,5 * * *', autumn, 2), ['2026-10-25T00:30', '2026-10-25T01:30'])
    assert.deepEqual(runs(cron('30 2,5 * * *'), autumn, 2), ['2026-10-25T00:30', '2026-10-25T04:30'])
  })

  it('takes a day of the month or a weekday in cron, either will do', () => {
    const days = (expression: string) =>
      runs(cron(expression, 'UTC'), '2026-11-09T12:00Z', 4).map((run) => run.slice(8, 10))
    assert.deepEqual(days('0 0 13 * FRI'), ['13', '20', '27', '04'])
    assert.deepEqual(days('0 0 12 * FRI'), ['12', '13', '20', '27'])
    assert.deepEqual(days('0 0 * * FRI'), ['13', '20', '27', '04'])
    for (const all of ['0 0 13 * 0-7', '0 0 1-31 * FRI', '0 0 1-31 * *', '0 0 * * 0-6']) {
      assert.deepEqual(days(all), ['10', '11', '12', '13'], all)
    }
  })

  it('finds the rarest day, also over a century without its leap year', () => {
    assert.deepEqual(runs(cron('0 0 29 2 *', 'UTC'), '2096-03-01T00:00Z', 1), ['2104-02-29T00:00'])
    assert.equal(
      latestRun(cron('0 0 29 2 *', 'UTC'), new Date('2104-02-28'))?.toISOString().slice(0, 10),
      '2096-02-29',
    )
  })

  it('throws rather than looks for ever', () => {
    const daily: Schedule = { type: 'daily', times: ['03:00'], timeZone }
    assert.throws(() => nextRuns(daily, new Date(Number.NaN), 1), RangeError)
    assert.throws(() => latestRun(daily, new Date(Number.NaN)), RangeError)
  })
})

describe('the runs of each day', () => {
  const days = (schedule: Schedule, from: string, until: string, zone = timeZone) =>
    runsByDay(schedule, new Date(from), new Date(until), zone)

  it('are counted, and told one by one only while they are few', () => {
    const [often] = days(cron('*/5 * * * *'), '2026-06-01T22:00Z', '2026-06-02T21:59Z')
    assert.deepEqual(often, {
      day: '2026-06-02',
      runs: 287, // that at midnight is not after it
      times: ['2026-06-01T22:05:00.000Z', '2026-06-02T21:55:00.000Z'],
    })
    const [seldom] = days(cron('0 1,2,3,4 * * *'), '2026-06-01T22:00Z', '2026-06-02T21:59Z')
    assert.equal(seldom?.runs, 4)
    assert.equal(seldom.times.length, 4)
  })

  it('are as many as the day has hours, where the clocks are changed', () => {
    const hourly: Schedule = { type: 'hourly', every: 1, minute: 0, timeZone: 'UTC' }
    const counts = (from: string, until: string, zone: string) =>
      days(hourly, from, until, zone).map(({ day, runs }) => [day.slice(5), runs])
    assert.deepEqual(counts('2026-03-27T22:59Z', '2026-03-30T21:59Z', 'Europe/Berlin'), [
      ['03-28', 24],
      ['03-29', 23],
      ['03-30', 24],
    ])
    assert.deepEqual(counts('2026-10-24T21:59Z', '2026-10-25T22:59Z', 'Europe/Berlin'), [['10-25', 25]])
    // There, the day begins at one o'clock.
    assert.deepEqual(counts('2026-04-23T20:59Z', '2026-04-24T20:59Z', 'Africa/Cairo'), [
      ['04-23', 1],
      ['04-24', 23],
    ])
  })

  it('lie on the day of the viewer, also on the 29th of February', () => {
    const nightly: Schedule = { type: 'daily', times: ['03:00'], timeZone: 'Europe/Berlin' }
    assert.deepEqual(
      days(nightly, '2028-02-28T12:00Z', '2028-03-01T12:00Z', 'America/Los_Angeles').map(({ day }) => day),
      ['2028-02-28', '2028-02-29'],
    )
  })

  it('are together those between the two moments', () => {
    const rules = ['*/7 * * * *', '0 2,3 * * *', '30 2 * * 0', '0 0 29 2 *', '59 23 31 * *']
    const start = fc.integer({ min: Date.parse('2027-01-01'), max: Date.parse('2029-01-01') })
    fc.assert(
      fc.property(
        fc.constantFrom(...rules),
        start,
        fc.nat(40),
        fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu', 'Africa/Cairo'),
        (rule, from, length, zone) => {
          const [after, until] = [new Date(from), new Date(from + length * DAY)]
          const all = runsBetween(cron(rule), after, until, Number.POSITIVE_INFINITY)
          const format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone: zone })
          const expected = [...Map.groupBy(all, (run) => format.format(run))]
          const found = runsByDay(cron(rule), after, until, zone)
          assert.deepEqual(
            found.map(({ day, runs, times }) => [day, runs, times[0], times.at(-1)]),
            expected.map(([day, runs]) => [
              day,
              runs.length,
              runs[0]?.toISOString(),
              runs.at(-1)?.toISOString(),
            ]),
          )
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('the check of a cron expression', () => {
  for (const [expression, why] of [
    ['0 0 30 2 *', /never fires: no such day exists/],
    ['0 0 31 4,6,9,11 *', /never fires/],
    ['60 * * * *', /cannot be read: Invalid value for minute: 60/],
    ['0 24 * * *', /cannot be read/],
    ['0 0 0 * *', /cannot be read/],
    ['0 0 * 13 *', /cannot be read/],
    ['0 0 * * 8', /cannot be read/],
    ['5-1 * * * *', /cannot be read/],
    ['*/0 * * * *', /cannot be read/],
    ['5/5 * * * *', /cannot be read/],
    ['1,,2 * * * *', /cannot be read/],
  ] as const) {
    it(`refuses “${expression}”`, () => {
      assert.throws(() => checkSchedule(cron(expression)), { code: 'invalid_input', message: why })
    })
  }

  it('takes what fires in some years only', () => {
    for (const expression of ['0 0 29 2 *', '0 0 30 2 1', '0 0 31 * *']) checkSchedule(cron(expression))
  })

  it('answers any text with a sentence', () => {
    const field = fc.stringMatching(/^[0-9*,/-]{1,6}$/)
    fc.assert(
      fc.property(fc.tuple(field, field, field, field, field), (fields) => {
        try {
          checkSchedule(cron(fields.join(' ')))
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'invalid_input', String(error))
        }
      }),
    )
  })
})

const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 59))
  .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'))
const times = fc.uniqueArray(time, { minLength: 1, maxLength: 4 })
const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'UTC',
  'America/Sao_Paulo',
  'Africa/Cairo',
  'America/Santiago',
]
const zone = fc.constantFrom(...zones)
const cronFields = fc.tuple(
  fc.constantFrom('0', '30', '*/20', '5,45', '10-12', '*'),
  fc.constantFrom('*', '2', '1-3', '*/5', '0,2,23'),
  fc.constantFrom('*', '1', '*/9', '29-31', '1-31'),
  fc.constantFrom('*', '2', '3,10', '*/3'),
  fc.constantFrom('*', '0', '7', '1-5', 'SUN,WED', '0-7'),
)
const expression = cronFields.map((fields) => fields.join(' '))
const anySchedule: fc.Arbitrary<Schedule> = fc.oneof(
  fc.record({
    type: fc.constant('hourly' as const),
    every: fc.integer({ min: 1, max: 23 }),
    minute: fc.integer({ min: 0, max: 59 }),
    timeZone: zone,
  }),
  fc.record({ type: fc.constant('daily' as const), times, timeZone: zone }),
  fc.record({
    type: fc.constant('weekly' as const),
    weekdays: fc.uniqueArray(fc.constantFrom(...weekdays), { minLength: 1 }),
    times,
    timeZone: zone,
  }),
  fc.record({
    type: fc.constant('monthly' as const),
    days: fc.uniqueArray(fc.integer({ min: 1, max: 31 }), { minLength: 1, maxLength: 5 }),
    times,
    timeZone: zone,
  }),
  fc.record({ type: fc.constant('cron' as const), expression, timeZone: zone }),
)

const formats = new Map(
  zones.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }),
  ]),
)

/** What clocks in the zone show, by the platform's own calendar: `2026-11-22 03:00`. */
function shown(at: number, timeZone: string): string {
  return formats.get(timeZone)?.format(at) ?? ''
}

function wallOf(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`)
}

/** The hours, in milliseconds, in which clocks in the zone are changed in the years 2024 to 2040. */
function changesIn(timeZone: string): number[] {
  const changes: number[] = []
  const offset = (at: number) => wallOf(shown(at, timeZone)) - at
  for (let day = Date.UTC(2024, 0, 1); day < Date.UTC(2041, 0, 1); day += DAY) {
    if (offset(day) === offset(day + DAY)) continue
    for (let hour = day; hour < day + DAY; hour += HOUR) {
      if (offset(hour) !== offset(hour + HOUR)) changes.push(hour)
    }
  }
  return changes
}

const changes = new Map(zones.map((timeZone) => [timeZone, changesIn(timeZone)]))

/** Any minute of the years 2024 to 2040; as often as not, one within ten hours of a change of the zone's clocks. */
const scheduleAndMoment = anySchedule.chain((schedule) => {
  const known = changes.get(schedule.timeZone) ?? []
  const anytime = fc.integer({ min: Date.UTC(2024, 0, 1) / 60_000, max: Date.UTC(2040, 11, 31) / 60_000 })
  const nearChange = known.map((change) =>
    fc.integer({ min: change / 60_000 - 600, max: change / 60_000 + 120 }),
  )
  const minute = nearChange.length > 0 ? fc.oneof(anytime, fc.oneof(...nearChange)) : anytime
  return fc.tuple(
    fc.constant(schedule),
    minute.map((minute) => new Date(minute * 60_000)),
  )
})

/** An independent reading of when a schedule runs: by asking of a time on the wall whether it is one. */
function chooser(schedule: Schedule): (wall: string) => boolean {
  const pattern =
    schedule.type === 'cron' ? new Cron(schedule.expression, { mode: '5-part', timezone: 'UTC' }) : undefined
  return (wall) => {
    const [date = '', time = ''] = wall.split(' ')
    const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
    const [hour = 0, minute = 0] = time.split(':').map(Number)
    switch (schedule.type) {
      case 'migration':
        return false
      case 'hourly':
        return minute === schedule.minute && hour % schedule.every === 0
      case 'daily':
        return schedule.times.includes(time)
      case 'weekly': {
        const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: 'UTC' }).format(
          wallOf(wall),
        )
        return (
          schedule.times.includes(time) &&
          schedule.weekdays.some((chosen) => chosen === weekday.toLowerCase())
        )
      }
      case 'monthly': {
        const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
        return (
          schedule.times.includes(time) && schedule.days.some((chosen) => Math.min(chosen, length) === day)
        )
      }
      case 'cron':
        return pattern?.match(new Date(wallOf(wall))) === true
      default: {
        const never: never = schedule
        return never
      }
    }
  }
}

describe('runs of every kind of schedule', () => {
  const few = { numRuns: 150 }

  it('come one after the other, never in the past', () => {
    fc.assert(
      fc.property(scheduleAndMoment, ([schedule, after]) => {
        let last = after
        const next = nextRuns(schedule, after, 6)
        assert.equal(next.length, 6)
        for (const run of next) {
          assert.ok(run > last)
          last = run
        }
      }),
      few,
    )
  })

  it('are the same forwards and backwards', () => {
    fc.assert(
      fc.property(scheduleAndMoment, fc.nat(HOUR), ([schedule, after], past) => {
        const [first, second] = nextRuns(schedule, after, 2)
        assert.ok(first && second)
        assert.deepEqual(latestRun(schedule, first), first)
        const between = new Date(Math.min(first.getTime() + past, second.getTime() - 1))
        assert.deepEqual(latestRun(schedule, between), first)
        const before = latestRun(schedule, after)
        assert.ok(before && before <= after)
        const again = nextRuns(schedule, new Date(before.getTime() - 1), 2)
        assert.deepEqual(again, [before, first])
      }),
      few,
    )
  })

  it('go on from each other as from the start', () => {
    fc.assert(
      fc.property(scheduleAndMoment, ([schedule, after]) => {
        const together = nextRuns(schedule, after, 4)
        const single: Date[] = []
        for (let at = after; single.length < 4; at = single.at(-1)!) single.push(...nextRuns(schedule, at, 1))
        assert.deepEqual(single, together)
      }),
      few,
    )
  })

  it('do not depend on the order in which times and days were chosen', () => {
    fc.assert(
      fc.property(scheduleAndMoment, ([schedule, after]) => {
        const turned = structuredClone(schedule)
        if ('times' in turned) turned.times.reverse()
        if ('days' in turned) turned.days.reverse()
        if ('weekdays' in turned) turned.weekdays.reverse()
        assert.deepEqual(nextRuns(turned, after, 5), nextRuns(schedule, after, 5))
      }),
      few,
    )
  })

  it('are exactly the minutes at which the clock first shows a chosen time, or skips one', () => {
    fc.assert(
      fc.property(scheduleAndMoment, ([schedule, after]) => {
        const isChosen = chooser(schedule)
        const from = after.getTime()
        const until = new Date(from + 10 * HOUR)
        const expected: string[] = []
        // Three hours back, to know what the clock has already shown once.
        let newest = shown(from - 3 * HOUR, schedule.timeZone)
        for (let at = from - 3 * HOUR; at <= until.getTime(); at += 60_000) {
          const wall = shown(at, schedule.timeZone)
          if (wall <= newest) continue
          // Usually one minute; more where the clock has been put forward.
          const passed: string[] = []
          for (let minute = wallOf(newest) + 60_000; minute <= wallOf(wall); minute += 60_000) {
            passed.push(new Date(minute).toISOString().slice(0, 16).replace('T', ' '))
          }
          newest = wall
          if (at > from && passed.some(isChosen)) expected.push(new Date(at).toISOString().slice(0, 16))
        }
        const actual = nextRuns(schedule, after, expected.length + 1).filter((run) => run <= until)
        assert.deepEqual(iso(actual), expected)
      }),
      { numRuns: 60 },
    )
  })
})

describe('what is due', () => {
  const daily: Schedule = { type: 'daily', times: ['03:00', '15:00'], timeZone: 'UTC' }
  const at = (text: string) => new Date(`2026-11-${text}Z`)

  it('is the newest run since the last that was fired, and only that', () => {
    assert.equal(dueRun(daily, at('20T15:00'), at('21T02:59:59')), undefined)
    assert.deepEqual(dueRun(daily, at('20T15:00'), at('21T03:00')), at('21T03:00'))
    assert.equal(dueRun(daily, at('21T03:00'), at('21T03:00:01')), undefined)
    assert.deepEqual(dueRun(daily, at('01T15:00'), at('21T16:00')), at('21T15:00'))
  })

  it('is nothing of the time before the schedule came into use', () => {
    assert.equal(dueRun(daily, at('21T03:00:01'), at('21T04:00')), undefined)
  })

  it('is not caught up once it is too old', () => {
    const weekly: Schedule = { type: 'weekly', weekdays: ['friday'], times: ['03:00'], timeZone: 'UTC' }
    assert.deepEqual(dueRun(weekly, at('14T00:00'), at('21T02:59')), at('20T03:00'))
    assert.equal(dueRun(weekly, at('14T00:00'), at('21T03:00')), undefined)
    assert.deepEqual(dueRun(weekly, at('14T00:00'), at('21T03:00'), 48 * HOUR), at('20T03:00'))
  })

  it('is on time for a minute even if nothing is ever caught up', () => {
    assert.deepEqual(dueRun(daily, at('20T15:00'), at('21T03:00:59'), 0), at('21T03:00'))
    assert.equal(dueRun(daily, at('20T15:00'), at('21T03:01'), 0), undefined)
  })

  it('does not wait for years after a clock that was wrong, and fires nothing twice after one put back a little', () => {
    assert.deepEqual(dueRun(daily, new Date('2031-01-01'), at('21T03:00:10')), at('21T03:00'))
    assert.equal(dueRun(daily, new Date('2031-01-01'), at('21T04:00')), undefined)
    assert.equal(dueRun(daily, at('21T15:00'), at('21T03:00:10')), undefined)
  })

  it('fires each run once, whatever the ticks, and never two for one', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 40 * 60 }), { maxLength: 20 })
    fc.assert(
      fc.property(scheduleAndMoment, gaps, ([schedule, start], gaps) => {
        let since = start
        let now = start.getTime()
        for (const minutes of gaps) {
          now += minutes * 60_000
          const due = dueRun(schedule, since, new Date(now))
          const missed = latestRun(schedule, new Date(now))
          const isDue = missed && missed > since && now - missed.getTime() < DAY
          assert.deepEqual(due, isDue ? missed : undefined)
          if (due) since = due
          assert.equal(dueRun(schedule, since, new Date(now)), undefined)
        }
      }),
      { numRuns: 50 },
    )
  })
})
