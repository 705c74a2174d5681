import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  DEFAULT_TIERS,
  retentionPolicy,
  tiers,
  type RetentionPolicy,
  type Tier,
} from '../../shared/retention.ts'
import { applyRetention, previewRetention, type RetentionFacts } from './retention.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const timeZone = 'Europe/Berlin'

function snapshot(takenAt: string | number, facts: Partial<RetentionFacts> = {}): RetentionFacts {
  const at = new Date(takenAt)
  return { id: at.toISOString(), takenAt: at, state: 'succeeded', isProven: false, inUse: false, ...facts }
}

/** One each day at 03:00 UTC, the last on the day. */
function daily(last: string, days: number, facts: Partial<RetentionFacts> = {}): RetentionFacts[] {
  const end = Date.parse(`${last}T03:00Z`)
  return Array.from({ length: days }, (_, i) => snapshot(end - (days - 1 - i) * DAY, facts))
}

function kept(
  snapshots: RetentionFacts[],
  rules: Partial<RetentionPolicy>,
  now: string | Date,
  zone = timeZone,
): string[] {
  return applyRetention(snapshots, { minimumKept: 1, ...rules }, new Date(now), zone)
    .filter(({ keep }) => keep)
    .map(({ snapshot }) => snapshot.id.slice(0, 10))
}

describe('a retention policy', () => {
  const year = daily('2026-11-22', 365)
  const now = '2026-11-22T12:00Z'

  it('keeps the last so many', () => {
    assert.deepEqual(kept(year, { keepLast: 2 }, now), ['2026-11-21', '2026-11-22'])
    assert.equal(kept(year, { keepLast: 0 }, now).length, 365)
    assert.equal(kept(year, { keepLast: 0, daily: 1 }, now).length, 365)
  })

  it('keeps what is younger than so many days', () => {
    assert.deepEqual(kept(year, { keepDays: 2 }, '2026-11-22T02:59Z'), [
      '2026-11-20',
      '2026-11-21',
      '2026-11-22',
    ])
    assert.deepEqual(kept(year, { keepDays: 2 }, '2026-11-22T03:00Z'), ['2026-11-21', '2026-11-22'])
  })

  it('keeps the newest of each of the last periods, and says which', () => {
    const verdicts = applyRetention(year, { ...DEFAULT_TIERS, minimumKept: 1 }, new Date(now), timeZone)
    const reasons = new Map(verdicts.map(({ snapshot, reasons }) => [snapshot.id.slice(0, 10), reasons]))
    assert.deepEqual(reasons.get('2026-11-22'), [
      { rule: 'newest' },
      { rule: 'daily', period: '2026-11-22' },
      { rule: 'weekly', period: '2026-W47' },
      { rule: 'monthly', period: '2026-11' },
    ])
    assert.deepEqual(reasons.get('2026-11-08'), [{ rule: 'weekly', period: '2026-W45' }])
    assert.deepEqual(reasons.get('2025-12-31'), [{ rule: 'monthly', period: '2025-12' }])
    assert.deepEqual(reasons.get('2026-10-30'), [
      { rule: 'outlived', tier: 'daily', period: '2026-10-30', count: 7 },
      { rule: 'replaced', tier: 'weekly', period: '2026-W44' },
      { rule: 'replaced', tier: 'monthly', period: '2026-10' },
    ])
    assert.equal(verdicts.filter(({ keep }) => keep).length, 7 + 3 + 11)
  })

  it('counts only periods that contain a snapshot, so a pause prunes nothing', () => {
    const before = daily('2026-01-10', 5)
    const later = [...before, snapshot('2026-11-22T03:00Z')]
    assert.deepEqual(kept(later, { daily: 3 }, now), ['2026-01-09', '2026-01-10', '2026-11-22'])
  })

  it('has the days, weeks and months of the plan’s time zone', () => {
    const around = [
      snapshot('2026-05-31T12:00Z'),
      snapshot('2026-05-31T22:30Z'),
      snapshot('2026-06-30T21:59Z'),
    ]
    assert.deepEqual(kept(around, { monthly: 2 }, now, 'Europe/Berlin'), ['2026-05-31', '2026-06-30'])
    const inBerlin = applyRetention(around, { monthly: 3, minimumKept: 1 }, new Date(now), 'Europe/Berlin')
    assert.deepEqual(
      inBerlin.map(({ keep }) => keep),
      [true, false, true],
    )
    const inUtc = applyRetention(around, { monthly: 3, minimumKept: 1 }, new Date(now), 'UTC')
    assert.deepEqual(
      inUtc.map(({ keep }) => keep),
      [false, true, true],
    )
  })

  it('has ISO weeks, which do not end with the year', () => {
    const around = [
      snapshot('2026-12-28T12:00Z'),
      snapshot('2027-01-03T12:00Z'),
      snapshot('2027-01-04T12:00Z'),
    ]
    assert.deepEqual(kept(around, { weekly: 5 }, '2027-02-01T00:00Z'), ['2027-01-03', '2027-01-04'])
  })

  it('has 25 hours on the day on which the clocks are put back, and 23 on the other', () => {
    const hours = (day: string) =>
      Array.from({ length: 30 }, (_, i) => snapshot(Date.parse(`${day}T00:15Z`) - 3 * HOUR + i * HOUR))
    for (const [day, count] of [
      ['2026-10-25', 25],
      ['2026-03-29', 23],
    ] as const) {
      const verdicts = applyRetention(hours(day), { hourly: 1000, minimumKept: 1 }, new Date(now), timeZone)
      const periods = verdicts.flatMap(({ reasons }) =>
        reasons.flatMap((reason) => (reason.rule === 'hourly' ? [reason.period] : [])),
      )
      assert.equal(new Set(periods.filter((period) => period.startsWith(day))).size, count)
    }
  })

  it('keeps one of a day that a clock, put back at midnight, shows twice', () => {
    // 2010 in St. John’s: at 00:01 on 7 November the clocks went back to 23:01 on the 6th.
    const night = ['2010-11-07T02:00Z', '2010-11-07T02:30:30Z', '2010-11-07T02:45Z', '2010-11-07T12:00Z']
    const verdicts = applyRetention(
      night.map((at) => snapshot(at)),
      { daily: 9, minimumKept: 1 },
      new Date(now),
      'America/St_Johns',
    )
    assert.deepEqual(
      verdicts.map(({ keep }) => keep),
      [false, false, true, true],
    )
  })

  it('answers in the order in which it was asked', () => {
    const mixed = [year[3]!, year[364]!, year[0]!]
    assert.deepEqual(
      applyRetention(mixed, { keepLast: 1, minimumKept: 1 }, new Date(now), timeZone).map(
        (verdict) => verdict.snapshot,
      ),
      mixed,
    )
  })

  it('keeps everything if nothing is chosen', () => {
    assert.equal(kept(year, {}, now).length, 365)
  })
})

describe('what retention never takes', () => {
  const now = '2027-11-22T12:00Z'

  it('is the last good one, after a year of failures', () => {
    const good = daily('2026-11-22', 3)
    const failed = daily('2027-11-22', 365, { state: 'failed' })
    for (const rules of [{ keepLast: 1 }, { keepDays: 1 }, { daily: 1 }, { hourly: 1, yearly: 1 }]) {
      assert.deepEqual(kept([...good, ...failed], rules, now), ['2026-11-22'], JSON.stringify(rules))
    }
  })

  it('is the last that succeeded and the last that can be restored, after a year of partial ones', () => {
    const good = daily('2026-11-22', 3)
    const partial = daily('2027-11-22', 365, { state: 'partial' })
    assert.deepEqual(kept([...good, ...partial], { keepLast: 1 }, now), ['2026-11-22', '2027-11-22'])
    assert.deepEqual(kept([...good, ...partial], { keepLast: 3 }, now), [
      '2026-11-20',
      '2026-11-21',
      '2026-11-22',
      '2027-11-20',
      '2027-11-21',
      '2027-11-22',
    ])
    assert.deepEqual(kept([...good, ...partial], { keepDays: 1 }, '2028-01-01'), ['2026-11-22', '2027-11-22'])
  })

  it('is the newest proven one, locked ones, those in use, and the minimum', () => {
    const year = daily('2027-11-22', 365)
    const facts: Record<string, Partial<RetentionFacts>> = {
      '2027-01-01': { isProven: true },
      '2027-01-02': { isProven: true },
      '2027-02-01': { lockedUntil: 'forever' },
      '2027-02-02': { lockedUntil: new Date('2027-11-23') },
      '2027-02-03': { lockedUntil: new Date('2027-11-21') },
      '2027-03-01': { inUse: true },
      '2027-04-01': { objectLockedUntil: new Date('2027-11-23') },
      '2027-04-02': { objectLockedUntil: new Date('2027-11-21') },
    }
    const snapshots = year.map((one) => ({ ...one, ...facts[one.id.slice(0, 10)] }))
    assert.deepEqual(kept(snapshots, { keepLast: 1, minimumKept: 2 }, now), [
      '2027-01-02',
      '2027-02-01',
      '2027-02-02',
      '2027-03-01',
      '2027-04-01',
      '2027-11-21',
      '2027-11-22',
    ])
  })

  it('is anything from the future, which also pushes nothing out', () => {
    const real = daily('2027-11-22', 3)
    const wrong = daily('2031-01-05', 5)
    assert.deepEqual(kept([...wrong, ...real], { keepLast: 2 }, now).toSorted(), [
      '2027-11-21',
      '2027-11-22',
      ...wrong.map(({ id }) => id.slice(0, 10)),
    ])
    assert.deepEqual(kept(real, { keepDays: 1 }, '1970-01-02').length, 3)
  })

  it('is anything at all if a date or the time zone makes no sense', () => {
    const policy = { daily: 1, minimumKept: 1 }
    const broken = [{ ...snapshot(0), takenAt: new Date(Number.NaN) }]
    assert.throws(() => applyRetention(broken, policy, new Date(now), timeZone), RangeError)
    assert.throws(
      () => applyRetention(daily('2027-11-22', 3), policy, new Date(Number.NaN), timeZone),
      RangeError,
    )
    assert.throws(
      () => applyRetention(daily('2027-11-22', 3), policy, new Date(now), 'Mars/Base'),
      RangeError,
    )
  })
})

const start = Date.UTC(2026, 9, 1)
const now = new Date(Date.UTC(2026, 10, 25, 12))

/** From minutes to months apart, some in the future, many around the change of the clocks on 25 October. */
const takenAt = fc
  .oneof(
    fc.integer({ min: 0, max: 60 * 24 * 60 }),
    fc.integer({ min: 23 * 24 * 60, max: 26 * 24 * 60 }),
    fc.integer({ min: -3 * 365 * 24 * 60, max: 0 }),
  )
  .map((minutes) => new Date(start + minutes * 60_000))
const lock = fc.option(
  fc.integer({ min: -20, max: 40 }).map((days) => new Date(now.getTime() + days * DAY)),
  { nil: undefined, freq: 6 },
)
const facts = fc.record({
  takenAt,
  state: fc.constantFrom<RetentionFacts['state']>('succeeded', 'succeeded', 'succeeded', 'partial', 'failed'),
  isProven: fc.nat(5).map((n) => n === 0),
  lockedUntil: fc.oneof(
    { weight: 9, arbitrary: lock },
    { weight: 1, arbitrary: fc.constant('forever' as const) },
  ),
  inUse: fc.nat(15).map((n) => n === 0),
  objectLockedUntil: lock,
})
const snapshots = fc
  .array(facts, { maxLength: 40 })
  .map((all) => all.map((one, i): RetentionFacts => ({ ...one, id: String(i).padStart(3, '0') })))

const some = (max: number) => fc.option(fc.integer({ min: 1, max }), { nil: undefined })
const policy: fc.Arbitrary<RetentionPolicy> = fc
  .record({
    keepLast: some(8),
    keepDays: some(60),
    hourly: some(8),
    daily: some(8),
    weekly: some(5),
    monthly: some(5),
    yearly: some(3),
    minimumKept: fc.integer({ min: 1, max: 4 }),
  })
  .filter((policy) => retentionPolicy.safeParse(policy).success)
const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'UTC', 'Pacific/Auckland')

function keptIds(all: readonly RetentionFacts[], policy: RetentionPolicy, at: Date, zone: string): string[] {
  return applyRetention(all, policy, at, zone)
    .filter(({ keep }) => keep)
    .map(({ snapshot }) => snapshot.id)
    .sort()
}

function newest(all: RetentionFacts[]): RetentionFacts | undefined {
  return all.toSorted((a, b) => a.takenAt.getTime() - b.takenAt.getTime() || (a.id < b.id ? -1 : 1)).at(-1)
}

describe('retention, whatever the snapshots and the policy', () => {
  const many = { numRuns: 300 }

  it('never prunes the newest good one, the newest proven one, nor what is held', () => {
    fc.assert(
      fc.property(snapshots, policy, zone, (all, policy, zone) => {
        const stays = new Set(keptIds(all, policy, now, zone))
        const succeeded = all.filter(({ state }) => state === 'succeeded')
        const usable = all.filter(({ state }) => state !== 'failed')
        const past = (some: RetentionFacts[]) => some.filter(({ takenAt }) => takenAt <= now)
        const sacred = [
          newest(succeeded),
          newest(usable),
          newest(past(succeeded)),
          newest(past(usable)),
          newest(past(succeeded).filter(({ isProven }) => isProven)),
          newest(past(usable).filter(({ isProven }) => isProven)),
          ...usable.filter(({ takenAt }) => takenAt > now),
          ...all.filter(({ inUse }) => inUse),
          ...all.filter(({ lockedUntil }) => lockedUntil === 'forever' || (lockedUntil && lockedUntil > now)),
          ...all.filter(({ objectLockedUntil }) => objectLockedUntil && objectLockedUntil > now),
        ]
        for (const one of sacred) assert.ok(!one || stays.has(one.id), one?.id)
        const count = past(succeeded).filter(({ id }) => stays.has(id)).length
        assert.ok(count >= Math.min(policy.minimumKept, past(succeeded).length))
      }),
      many,
    )
  })

  it('gives a reason for every verdict', () => {
    fc.assert(
      fc.property(snapshots, policy, zone, (all, policy, zone) => {
        for (const { reasons } of applyRetention(all, policy, now, zone)) assert.ok(reasons.length > 0)
      }),
      many,
    )
  })

  it('prunes no more when a count is raised or a rule added', () => {
    const more = fc.record({
      rule: fc.constantFrom<keyof RetentionPolicy>('keepLast', 'keepDays', 'minimumKept', ...tiers),
      by: fc.integer({ min: 1, max: 20 }),
    })
    fc.assert(
      fc.property(snapshots, policy, more, zone, (all, policy, { rule, by }, zone) => {
        const raised = { ...policy, [rule]: Number(policy[rule] ?? 0) + by }
        const stays = new Set(keptIds(all, raised, now, zone))
        for (const id of keptIds(all, policy, now, zone)) assert.ok(stays.has(id), id)
      }),
      many,
    )
  })

  it('keeps all of what it has kept', () => {
    fc.assert(
      fc.property(snapshots, policy, zone, (all, policy, zone) => {
        const stays = keptIds(all, policy, now, zone)
        const left = all.filter(({ id }) => stays.includes(id))
        assert.deepEqual(keptIds(left, policy, now, zone), stays)
      }),
      many,
    )
  })

  it('does not depend on the order', () => {
    fc.assert(
      fc.property(
        snapshots.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        policy,
        zone,
        ([all, shuffled], policy, zone) => {
          assert.deepEqual(keptIds(shuffled, policy, now, zone), keptIds(all, policy, now, zone))
        },
      ),
      many,
    )
  })

  it('is not led by failed ones', () => {
    fc.assert(
      fc.property(snapshots, policy, zone, (all, policy, zone) => {
        const usable = all.filter(({ state }) => state !== 'failed')
        const ids = new Set(usable.map(({ id }) => id))
        assert.deepEqual(
          keptIds(all, policy, now, zone).filter((id) => ids.has(id)),
          keptIds(usable, policy, now, zone),
        )
      }),
      many,
    )
  })

  it('keeps all that is newer than a clock that is set back, and judges the rest as if that were not there', () => {
    fc.assert(
      fc.property(snapshots, policy, zone, fc.integer({ min: 1, max: 400 }), (all, policy, zone, days) => {
        const earlier = new Date(now.getTime() - days * DAY)
        const known = all.filter(({ takenAt }) => takenAt <= earlier)
        const ids = new Set(known.map(({ id }) => id))
        const setBack = keptIds(all, policy, earlier, zone)
        assert.deepEqual(
          setBack.filter((id) => ids.has(id)),
          keptIds(known, policy, earlier, zone),
        )
        for (const { id, state } of all) assert.ok(ids.has(id) || state === 'failed' || setBack.includes(id))
      }),
      many,
    )
  })

  it('agrees with a naive reading of the tiers', () => {
    const onlyTiers = policy.map((all) => ({
      ...all,
      keepLast: undefined,
      keepDays: undefined,
      minimumKept: 1,
    }))
    fc.assert(
      fc.property(fc.array(takenAt, { maxLength: 40 }), onlyTiers, zone, (times, policy, zone) => {
        if (!tiers.some((tier) => policy[tier])) return
        const all = times.map((takenAt, i) => snapshot(takenAt.getTime(), { id: String(i).padStart(3, '0') }))
        const past = all.filter(({ takenAt }) => takenAt <= now)
        const expected = new Set(all.filter(({ takenAt }) => takenAt > now).map(({ id }) => id))
        const last = newest(past)
        if (last) expected.add(last.id)
        for (const tier of tiers) {
          const groups = Map.groupBy(past, ({ takenAt }) => naivePeriod(tier, takenAt, zone))
          const heads = [...groups.values()].map((group) => newest(group)!)
          const latest = heads.sort((a, b) => b.takenAt.getTime() - a.takenAt.getTime())
          for (const head of latest.slice(0, policy[tier] ?? 0)) expected.add(head.id)
        }
        assert.deepEqual(keptIds(all, policy, now, zone), [...expected].sort())
      }),
      many,
    )
  })
})

const formats = new Map<string, Intl.DateTimeFormat>()

/** A period's name by the platform's calendar; a week is named after its Thursday. */
function naivePeriod(tier: Tier, at: Date, timeZone: string): string {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'long' })
  formats.set(timeZone, format)
  const [date = '', time = '', abbreviation = ''] = format.format(at).split(' ')
  if (tier === 'yearly') return date.slice(0, 4)
  if (tier === 'monthly') return date.slice(0, 7)
  if (tier === 'daily') return date
  if (tier === 'hourly') return `${date} ${time.slice(0, 2)} ${abbreviation}`
  const day = new Date(`${date}T00:00Z`)
  const thursday = new Date(day.getTime() + (3 - ((day.getUTCDay() + 6) % 7)) * DAY)
  return thursday.toISOString().slice(0, 10)
}

describe('the preview of retention', () => {
  const week = daily('2026-11-22', 7)

  it('says when each goes, and why', () => {
    const forecast = previewRetention(
      week,
      { keepDays: 7, minimumKept: 2 },
      new Date('2026-11-22T12:00Z'),
      timeZone,
      new Date('2026-11-25T12:00Z'),
    )
    assert.deepEqual(
      forecast.map(({ snapshot, goesAt, reasons }) => [
        snapshot.id.slice(0, 10),
        goesAt.toISOString().slice(0, 10),
        reasons,
      ]),
      [
        ['2026-11-16', '2026-11-23', [{ rule: 'tooOld', days: 7 }]],
        ['2026-11-17', '2026-11-24', [{ rule: 'tooOld', days: 7 }]],
        ['2026-11-18', '2026-11-25', [{ rule: 'tooOld', days: 7 }]],
      ],
    )
  })

  it('knows what goes now, and what a lock holds for a while', () => {
    const locked = week.map((one, i) => (i === 0 ? { ...one, lockedUntil: new Date('2026-12-01') } : one))
    const forecast = previewRetention(
      locked,
      { keepLast: 5, minimumKept: 1 },
      new Date('2026-11-22T12:00Z'),
      timeZone,
      new Date('2027-01-01'),
    )
    assert.deepEqual(
      forecast.map(({ snapshot, goesAt }) => [snapshot.id.slice(0, 10), goesAt.toISOString().slice(0, 10)]),
      [
        ['2026-11-17', '2026-11-22'],
        ['2026-11-16', '2026-12-01'],
      ],
    )
  })

  it('agrees with waiting and looking', () => {
    fc.assert(
      fc.property(snapshots, policy, zone, fc.integer({ min: 0, max: 80 }), (all, policy, zone, days) => {
        const until = new Date(now.getTime() + days * DAY)
        const forecast = previewRetention(all, policy, now, zone, until)
        const moments = [
          now,
          ...all.flatMap(({ takenAt, lockedUntil, objectLockedUntil }) => [
            takenAt,
            new Date(takenAt.getTime() + (policy.keepDays ?? 0) * DAY),
            ...(lockedUntil && lockedUntil !== 'forever' ? [lockedUntil] : []),
            ...(objectLockedUntil ? [objectLockedUntil] : []),
          ]),
        ]
          .filter((at) => at >= now && at <= until)
          .sort((a, b) => a.getTime() - b.getTime())
        const gone = new Map<string, number>()
        let left = all
        for (const at of moments) {
          const stays = new Set(keptIds(left, policy, at, zone))
          for (const { id } of left) if (!stays.has(id)) gone.set(id, at.getTime())
          left = left.filter(({ id }) => stays.has(id))
        }
        assert.deepEqual(
          new Map(forecast.map(({ snapshot, goesAt }) => [snapshot.id, goesAt.getTime()])),
          gone,
        )
        for (const { reasons } of forecast) assert.ok(reasons.length > 0)
      }),
      { numRuns: 100 },
    )
  })
})
