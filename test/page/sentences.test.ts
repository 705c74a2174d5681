import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { meaningOf } from '../../src/app/schedules/meaning.ts'
import { checkSchedule } from '../../src/app/schedules/occurrences.ts'
import { describeWait, fullResource } from '../../src/shared/jobs.ts'
import { describeReason, type RetentionReason, retentionReason, tiers } from '../../src/shared/retention.ts'
import { describeSchedule } from '../../src/shared/schedule-words.ts'
import { describeSkip, type Skip, skip } from '../../src/shared/scheduled-restores.ts'
import { type Schedule, schedule, weekdays } from '../../src/shared/schedules.ts'
import { describeFinding, describeStep, testFinding, testStepNames } from '../../src/shared/test-report.ts'
import { english, type Speech } from '../../src/shared/words.ts'
import { dictionaryOf } from './words.ts'

/** As the page says it; a word that the language lacks, and a value that is not given, is an error. */
function speechOf(language: string, dictionary: Record<string, string> | undefined): Speech {
  return {
    language,
    t: (words, values = {}) => {
      const said = dictionary === undefined ? words : dictionary[words]
      assert.ok(said !== undefined, `${language} lacks “${words}”`)
      return said.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
        const value = values[name]
        const isGiven = typeof value === 'number' || (typeof value === 'string' && value !== '')
        assert.ok(isGiven, `${language}: “${words}” is given no ${name}`)
        return String(value)
      })
    },
  }
}

const speeches = [
  english,
  speechOf('en-US', undefined),
  ...['de', 'es', 'fr', 'zh'].map((language) => speechOf(language, dictionaryOf(language))),
]

const timeZone = 'Europe/Berlin'
const time = fc
  .tuple(fc.nat(23), fc.nat(59))
  .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'))
const times = fc.array(time, { minLength: 1, maxLength: 5 })

/** One field of a cron expression. */
const field = (from: number, to: number) => {
  const value = fc.integer({ min: from, max: to })
  const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
  const step = fc
    .tuple(fc.oneof(fc.constant('*'), range), fc.integer({ min: 1, max: to }))
    .map((parts) => parts.join('/'))
  const list = fc
    .array(fc.oneof(value.map(String), range), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join(','))
  return fc.oneof(fc.constant('*'), list, step)
}

const rules: fc.Arbitrary<Schedule> = fc
  .oneof(
    fc.constant({ type: 'migration' }),
    fc.record({ type: fc.constant('hourly'), every: fc.integer({ min: 1, max: 23 }), minute: fc.nat(59) }),
    fc.record({ type: fc.constant('daily'), times }),
    fc.record({ type: fc.constant('weekly'), weekdays: fc.subarray([...weekdays], { minLength: 1 }), times }),
    fc.record({
      type: fc.constant('monthly'),
      days: fc.array(fc.integer({ min: 1, max: 31 }), { minLength: 1, maxLength: 6 }),
      times,
    }),
    fc.record({
      type: fc.constant('cron'),
      expression: fc
        .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
        .map((fields) => fields.join(' ')),
    }),
  )
  .map((rule) => schedule.parse({ ...rule, timeZone }))

/** What is wrong with a sentence, whatever it says. */
function check(sentence: string, { language }: Speech): void {
  assert.doesNotMatch(sentence, /[{}]|undefined|NaN|Invalid| {2}|^\s|\s$/, `${language}: ${sentence}`)
  assert.notEqual(sentence, '')
  if (language !== 'zh') return
  const latin = sentence.replaceAll(/Europe\/Berlin|UTC|GMT|“[^”]*”|\bprod\b|\bIt is so\.$/g, '')
  assert.doesNotMatch(latin, /[a-z]{2}/i, sentence)
}

describe('sentences that are made from data', () => {
  it('tell every rule of a schedule in every language', () => {
    fc.assert(
      fc.property(rules, (rule) => {
        try {
          checkSchedule(rule)
        } catch {
          fc.pre(false) // 30 February
        }
        for (const speech of speeches) check(describeSchedule(meaningOf(rule), speech), speech)
      }),
      { numRuns: 200 },
    )
  })

  it('tell every reason to keep or to prune in every language', () => {
    const until = '2026-11-22T02:00:00.000Z'
    const periods = {
      hourly: '2026-10-25T02+01:00',
      daily: '2026-11-22',
      weekly: '2026-W07',
      monthly: '2026-11',
      yearly: '2026',
    }
    const fields = (rule: string, more: object = {}) => ({ rule, until, count: 1, days: 1, ...more })
    const known = retentionReason.options.flatMap(({ options }) =>
      options.flatMap(({ shape }) => ('value' in shape.rule ? [shape.rule.value] : [])),
    )
    const reasons: RetentionReason[] = [
      ...known.flatMap((rule) =>
        tiers.flatMap((tier) =>
          [1, 12].map((count) => fields(rule, { tier, period: periods[tier], count, days: count })),
        ),
      ),
      ...tiers.map((tier) => ({ rule: tier, period: periods[tier] })),
      { rule: 'locked' },
    ].map((reason) => retentionReason.parse(reason))
    assert.ok(reasons.length > 100, String(reasons.length))
    for (const speech of speeches) {
      for (const reason of reasons) check(describeReason(reason, timeZone, speech), speech)
    }
  })

  it('tell why a scheduled restore was skipped, and what a job waits for, in every language', () => {
    const values = {
      database: 'shop',
      isOfPlan: true,
      takenAt: '2026-11-22T02:00:00.000Z',
      hours: 48,
      message: 'It is so.',
    }
    const skips: Skip[] = skip.options.flatMap(({ shape }) =>
      [true, false].map((isOfPlan) => skip.parse({ ...values, isOfPlan, why: shape.why.value })),
    )
    for (const speech of speeches) {
      for (const one of skips) check(describeSkip(one, undefined, speech), speech)
      for (const kind of fullResource.shape.kind.options) {
        for (const name of ['prod', null]) check(describeWait({ kind, name, capacity: 2 }, speech), speech)
      }
    }
  })

  it('tell the steps of a test and what they have found in every language', () => {
    const values = {
      user: 'prod',
      freeBytes: 2 ** 31,
      totalBytes: 2 ** 32,
      bytes: 2 ** 31,
      seconds: 90,
      location: '/srv',
      database: 'prod',
      issuer: 'https://prod',
      expected: 'https://prod',
      count: 2,
      scopes: ['a', 'b'],
      url: 'https://prod',
    }
    // Of one database, and of many.
    const privilegesOf = (databases: { names: string[]; others: number }) => ({
      lacking: [{ databases, words: 'ID' }],
      elsewhere: databases,
      unseen: databases,
      gone: databases,
      good: databases,
    })
    const findings = testFinding.options.flatMap(({ shape: { what } }) =>
      [true, false].map((is) =>
        testFinding.parse({
          ...values,
          ...privilegesOf({ names: ['prod'], others: is ? 3 : 0 }),
          keyFits: is,
          isSettled: is,
          what: what.value,
        }),
      ),
    )
    const loan = /APP_URL|URL|MiB|GiB|https|srv|prod|ID|S256|PKCE|“[^”]*”/g
    for (const speech of speeches) {
      for (const finding of findings) check(describeFinding(finding, speech).replaceAll(loan, '…'), speech)
      for (const step of testStepNames)
        check(describeStep({ step, of: '“shop”' }, speech).replaceAll(loan, '…'), speech)
    }
  })
})
