import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { schedule } from './schedules.ts'

const timeZone = 'Europe/Berlin'

function complaint(input: unknown): string {
  const parsed = schedule.safeParse(input)
  assert.ok(!parsed.success, 'it was taken')
  return parsed.error.issues.map(({ message }) => message).join(' ')
}

describe('a schedule as it enters', () => {
  it('has its times and days in order, each once', () => {
    const times = ['15:00', '03:00', '15:00']
    assert.deepEqual(schedule.parse({ type: 'monthly', days: [31, 1, 31], times, timeZone }), {
      type: 'monthly',
      days: [1, 31],
      times: ['03:00', '15:00'],
      timeZone,
    })
    assert.deepEqual(schedule.parse({ type: 'weekly', weekdays: ['sunday', 'monday'], times, timeZone }), {
      type: 'weekly',
      weekdays: ['monday', 'sunday'],
      times: ['03:00', '15:00'],
      timeZone,
    })
  })

  it('knows the zones of every kind, and UTC', () => {
    for (const zone of ['UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/Argentina/Buenos_Aires']) {
      assert.ok(schedule.safeParse({ type: 'migration', timeZone: zone }).success, zone)
    }
    for (const zone of ['', '+02:00', 'Europe/Atlantis', '../etc/passwd', 'local', 'x'.repeat(4096)]) {
      assert.match(complaint({ type: 'migration', timeZone: zone }), /is not a time zone. Use a name such as/)
    }
  })

  it('says in a sentence what is wrong', () => {
    const times = ['03:00']
    assert.match(complaint({ type: 'sometimes' }), /Choose when it runs/)
    assert.match(complaint({ type: 'daily', times: [], timeZone }), /Choose at least one time of day/)
    assert.match(complaint({ type: 'daily', times: ['24:00'], timeZone }), /“24:00” is not a time of day/)
    assert.match(complaint({ type: 'daily', times: ['3:00'], timeZone }), /“3:00” is not a time of day/)
    assert.match(complaint({ type: 'weekly', weekdays: [], times, timeZone }), /at least one weekday/)
    assert.match(complaint({ type: 'weekly', weekdays: ['mo'], times, timeZone }), /“mo” is not a weekday/)
    assert.match(complaint({ type: 'monthly', days: [32], times, timeZone }), /from 1 to 31/)
    assert.match(complaint({ type: 'monthly', days: [], times, timeZone }), /at least one day/)
    assert.match(complaint({ type: 'hourly', every: 24, minute: 0, timeZone }), /hours from 1 to 23/)
    assert.match(complaint({ type: 'hourly', every: 1.5, minute: 60, timeZone }), /minutes from 0 to 59/)
  })

  it('takes five fields of cron and refuses what only some programs know', () => {
    const cron = (expression: string) => ({ type: 'cron', expression, timeZone })
    const tidy = schedule.parse(cron('  30  2,14 * JAN-mar\tMon-Fri '))
    assert.equal(tidy.type === 'cron' && tidy.expression, '30 2,14 * JAN-mar Mon-Fri')
    assert.match(complaint(cron('')), /Enter a cron expression/)
    assert.match(complaint(cron('0 0 3 * * *')), /has 6 fields, not five: .* none for seconds/)
    assert.match(complaint(cron('0 3')), /has 2 fields, not five/)
    assert.match(complaint(cron('@daily')), /must be written as five fields/)
    for (const field of ['L', 'LW', '15W', '?', '1L']) {
      assert.match(complaint(cron(`0 3 ${field} * *`)), /cannot be used.*monthly schedule/)
    }
    for (const field of ['FRI#2', '5L', '+MON', 'MONDAY', 'jan']) {
      assert.match(complaint(cron(`0 3 * * ${field}`)), /cannot be used/)
    }
  })

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary-ascii', maxLength: 250 }), (anything, text) => {
        assert.equal(schedule.safeParse(anything).success, false)
        schedule.safeParse({ type: 'cron', expression: text, timeZone })
        schedule.safeParse({ type: 'daily', times: [text], timeZone: text })
      }),
      { numRuns: 30 },
    )
  })

  it('can be told as a JSON schema, from which forms are drawn', () => {
    assert.ok(z.toJSONSchema(schedule, { io: 'input' }).oneOf)
  })
})
