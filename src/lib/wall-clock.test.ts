import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { IANAZone } from 'luxon'
import { momentOf } from './wall-clock.ts'

function utc(wall: string, zone: string): string {
  return new Date(momentOf(Date.parse(`${wall}Z`), IANAZone.create(zone))).toISOString().slice(0, 16)
}

describe('the moment of a time on the wall', () => {
  for (const [zone, wall, moment, why] of [
    ['Europe/Berlin', '2026-01-15T03:00', '2026-01-15T02:00', 'in winter'],
    ['Europe/Berlin', '2026-03-29T01:59', '2026-03-29T00:59', 'before the gap'],
    ['Europe/Berlin', '2026-03-29T02:00', '2026-03-29T01:00', 'at the gap’s begin'],
    ['Europe/Berlin', '2026-03-29T02:59', '2026-03-29T01:00', 'at the gap’s end'],
    ['Europe/Berlin', '2026-03-29T03:00', '2026-03-29T01:00', 'after the gap'],
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30', 'the first of two'],
    ['Europe/Berlin', '2026-10-25T03:00', '2026-10-25T02:00', 'after the second'],
    ['America/New_York', '2026-03-08T02:30', '2026-03-08T07:00', 'in the gap'],
    ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30', 'the first of two'],
    ['Australia/Lord_Howe', '2026-10-04T02:15', '2026-10-03T15:30', 'in a gap of half an hour'],
    ['Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-04T14:45', 'the first of two, half an hour apart'],
    ['America/Sao_Paulo', '2018-11-04T00:00', '2018-11-04T03:00', 'in a gap at midnight'],
    ['America/Sao_Paulo', '2018-02-17T23:30', '2018-02-18T01:30', 'the first of two before midnight'],
    ['Pacific/Apia', '2011-12-30T12:00', '2011-12-30T10:00', 'on a day that was left out'],
    ['Asia/Kathmandu', '2026-06-01T00:00', '2026-05-31T18:15', 'at 5:45 from Greenwich'],
  ] as const) {
    it(`${wall} in ${zone}, ${why}`, () => assert.equal(utc(wall, zone), moment))
  }
})
