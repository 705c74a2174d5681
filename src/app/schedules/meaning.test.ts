import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeSchedule } from '../../shared/schedule-words.ts'
import type { Schedule } from '../../shared/schedules.ts'
import { meaningOf } from './meaning.ts'

const timeZone = 'Europe/Berlin'

const inWords = (rule: Schedule) => describeSchedule(meaningOf(rule))

describe('a schedule in words', () => {
  it('tells each kind', () => {
    const times = ['03:00', '15:00']
    assert.equal(inWords({ type: 'migration', timeZone }), 'When a release is about to change the database')
    assert.equal(inWords({ type: 'daily', times, timeZone }), 'Every day at 03:00 and 15:00 (Europe/Berlin)')
    assert.equal(
      inWords({ type: 'weekly', weekdays: ['monday', 'sunday'], times, timeZone }),
      'Every Monday and Sunday at 03:00 and 15:00 (Europe/Berlin)',
    )
    assert.equal(
      inWords({ type: 'monthly', days: [31], times, timeZone }),
      'On the last day of every month at 03:00 and 15:00 (Europe/Berlin)',
    )
    assert.equal(
      inWords({ type: 'monthly', days: [1, 30], times: ['03:00'], timeZone }),
      'On the 1st and 30th (or the last day of a shorter month) of every month at 03:00 (Europe/Berlin)',
    )
    assert.equal(
      inWords({ type: 'hourly', every: 1, minute: 5, timeZone }),
      'Every hour at minute 5 (Europe/Berlin)',
    )
    assert.equal(
      inWords({ type: 'hourly', every: 6, minute: 5, timeZone }),
      'Every 6 hours from 00:05 (Europe/Berlin)',
    )
    assert.equal(
      inWords({ type: 'hourly', every: 5, minute: 0, timeZone }),
      'Every 5 hours from 00:00, counted anew each day (Europe/Berlin)',
    )
  })

  for (const [expression, words] of [
    ['0 3 * * *', 'Every day at 03:00'],
    ['30 2,14 * * 1-5', 'From Monday to Friday at 02:30 and 14:30'],
    ['0 0 * * 6,7', 'Every Saturday and Sunday at 00:00'],
    ['0 0 * * 0-7', 'Every day at 00:00'],
    ['* * * * *', 'Every minute'],
    ['*/15 * * * *', 'Every 15 minutes'],
    ['7-59/10 * * * *', 'Every 10 minutes from minute 7'],
    ['10-20 * * * *', 'Every day, at minutes 10 to 20 of every hour'],
    ['*/10 8-18 * * 1-5', 'From Monday to Friday, every 10 minutes from 08:00 to 18:50'],
    ['0 * * * *', 'Every hour, on the hour'],
    ['4 * * * *', 'Every hour at minute 4'],
    ['5 */2 * * *', 'Every 2 hours from 00:05'],
    ['5 */9 * * *', 'Every day at 00:05, 09:05 and 18:05'],
    ['0 8-18 * * *', 'Every hour from 08:00 to 18:00'],
    ['5,17,40 1,3,9 * * *', 'Every day, at minutes 5, 17 and 40 of the hours 01, 03 and 09'],
    ['* 3 * * *', 'Every minute from 03:00 to 03:59'],
    ['0 0 1,15 * *', 'On the 1st and 15th of every month at 00:00'],
    ['0 0 1-7,21 * *', 'On the 1st to 7th and 21st of every month at 00:00'],
    ['0 0 31 * *', 'On the 31st of every month (where it exists) at 00:00'],
    ['0 4 29 2 *', 'On the 29th of February (where it exists) at 04:00'],
    ['0 12 25 DEC *', 'On the 25th of December at 12:00'],
    ['0 4 * 1,7 *', 'Every day in January and July at 04:00'],
    ['0 0 13 * FRI', 'On the 13th of every month, and also every Friday at 00:00'],
    ['0 0 1-31 * MON', 'Every day at 00:00'],
  ] as const) {
    it(`tells ${expression}`, () => {
      assert.equal(inWords({ type: 'cron', expression, timeZone: 'UTC' }), `${words} (UTC)`)
    })
  }
})
