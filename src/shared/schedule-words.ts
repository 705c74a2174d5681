import { type ScheduleMeaning, weekdays as weekdaysInOrder } from './schedules.ts'
import { clockIn, english, listOf, type Speech, unitsOf } from './words.ts'

type CronMeaning = Extract<ScheduleMeaning, { type: 'cron' }>

/** More times of day than this are told by their pattern instead of one by one. */
const MOST_TIMES = 6

const shortestMonths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * What a schedule means, in words: `Every day at 03:00 and 15:00 (Europe/Berlin)`. Cron expressions too are told in words, all
 * of them.
 */
export function describeSchedule(meaning: ScheduleMeaning, speech: Speech = english): string {
  const { t, language } = speech
  if (meaning.type === 'migration') return t('When a release is about to change the database')
  const rule = phrase(meaning, speech)
  return t('{{rule}} ({{timeZone}})', {
    rule: rule.charAt(0).toLocaleUpperCase(language) + rule.slice(1),
    timeZone: meaning.timeZone,
  })
}

function phrase(meaning: Exclude<ScheduleMeaning, { type: 'migration' }>, speech: Speech): string {
  const { t } = speech
  switch (meaning.type) {
    case 'hourly': {
      const { every, minute } = meaning
      if (every === 1) return everyHour(minute, speech)
      const values = { often: unitsOf(every, 'hour', speech), first: clock(minute, speech) }
      return 24 % every === 0
        ? t('every {{often}} from {{first}}', values)
        : t('every {{often}} from {{first}}, counted anew each day', values)
    }
    case 'daily':
      return at(t('every day'), meaning.times.map(minutesOf), speech)
    case 'weekly': {
      const indexes = meaning.weekdays.map((weekday) => weekdaysInOrder.indexOf(weekday))
      return at(onWeekdays(indexes, speech), meaning.times.map(minutesOf), speech)
    }
    case 'monthly':
      return at(onDaysOfMonth(meaning.days, speech), meaning.times.map(minutesOf), speech)
    case 'cron': {
      const times = timesOf(meaning)
      if (times) return at(daysOf(meaning, speech), times, speech)
      const { isInterval, often } = frequencyOf(meaning, speech)
      const isEveryDay =
        !meaning.days && (meaning.weekdays ?? []).length % 7 === 0 && meaning.months.length === 12
      return isEveryDay && isInterval
        ? often
        : t('{{days}}, {{often}}', { days: daysOf(meaning, speech), often })
    }
    default: {
      const never: never = meaning
      return never
    }
  }
}

function everyHour(minute: number, { t }: Speech): string {
  return minute === 0 ? t('every hour, on the hour') : t('every hour at minute {{minute}}', { minute })
}

/** `every day at 03:00 and 15:00` */
function at(days: string, times: number[], speech: Speech): string {
  return speech.t('{{days}} at {{times}}', {
    days,
    times: listOf(
      times.map((time) => clock(time, speech)),
      speech,
    ),
  })
}

function onDaysOfMonth(days: number[], speech: Speech): string {
  const { t } = speech
  const [only] = days
  if (days.length === 1 && only === 31) return t('on the last day of every month')
  const names = days.map((day) => {
    if (day === 31) return t('last day')
    const name = dayOfMonth(day, speech)
    return day > 28 ? t('{{day}} (or the last day of a shorter month)', { day: name }) : name
  })
  return onDates(names, days.length === 1, [], speech)
}

function daysOf({ days, weekdays, months }: CronMeaning, speech: Speech): string {
  const { t } = speech
  const chosenMonths = months.length === 12 ? [] : months
  if (!days) return inMonths(onWeekdays(mondayFirst(weekdays ?? []), speech), chosenMonths, speech)
  const someLack = months.some((month) => days.some((day) => day > (shortestMonths[month - 1] ?? 0)))
  const listed = onDates(
    runs(days, (day) => dayOfMonth(day, speech), speech),
    days.length === 1,
    chosenMonths,
    speech,
  )
  const dates = !someLack
    ? listed
    : days.length === 1
      ? t('{{dates}} (where it exists)', { dates: listed })
      : t('{{dates}} (where they exist)', { dates: listed })
  if (!weekdays) return dates
  const also = inMonths(onWeekdays(mondayFirst(weekdays), speech), chosenMonths, speech)
  return t('{{dates}}, and also {{weekdays}}', { dates, weekdays: also })
}

/** No months are all of them. Languages tell one day or month from several. */
function onDates(names: string[], isOneDay: boolean, months: number[], speech: Speech): string {
  const { t } = speech
  const days = listOf(names, speech)
  if (months.length === 0) {
    return isOneDay
      ? t('on the {{day}} of every month', { day: days })
      : t('on the {{days}} of every month', { days })
  }
  const inWords = monthsIn(months, speech)
  if (months.length === 1) {
    return isOneDay
      ? t('on the {{day}} of {{month}}', { day: days, month: inWords })
      : t('on the {{days}} of {{month}}', { days, month: inWords })
  }
  return isOneDay
    ? t('on the {{day}} of {{months}}', { day: days, months: inWords })
    : t('on the {{days}} of {{months}}', { days, months: inWords })
}

function inMonths(days: string, months: number[], speech: Speech): string {
  const { t } = speech
  if (months.length === 0) return days
  return months.length === 1
    ? t('{{days}} in {{month}}', { days, month: monthsIn(months, speech) })
    : t('{{days}} in {{months}}', { days, months: monthsIn(months, speech) })
}

/** The times of day, if they are few enough to be told one by one, in minutes since midnight. */
function timesOf({ minutes, hours }: CronMeaning): number[] | undefined {
  if (minutes.length * hours.length > MOST_TIMES) return undefined
  return hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute))
}

/** How often, where that is too often to tell each time. `isInterval`: it says of itself that it is so all day. */
function frequencyOf(
  { minutes, hours }: CronMeaning,
  speech: Speech,
): { often: string; isInterval: boolean } {
  const { t } = speech
  const [minute = 0] = minutes
  const [hour = 0] = hours
  const first = clock(hour * 60 + minute, speech)
  const last = clock((hours.at(-1) ?? 0) * 60 + (minutes.at(-1) ?? 0), speech)
  const hourStep = stepOf(hours)
  const interval = (often: string) => ({ often, isInterval: true })
  if (minutes.length === 1 && hourStep !== undefined) {
    if (hours.length === 24) return interval(everyHour(minute, speech))
    if (hourStep === 1) return interval(t('every hour from {{first}} to {{last}}', { first, last }))
    const often = unitsOf(hourStep, 'hour', speech)
    return interval(
      hours.length * hourStep === 24
        ? t('every {{often}} from {{first}}', { often, first })
        : t('every {{often}} from {{first}} to {{last}}', { often, first, last }),
    )
  }
  const step = stepOf(minutes)
  const isEven = step !== undefined && step * minutes.length === 60
  if (isEven && hours.length === 24) {
    if (step === 1) return interval(t('every minute'))
    const often = unitsOf(step, 'minute', speech)
    return interval(
      minute === 0
        ? t('every {{often}}', { often })
        : t('every {{often}} from minute {{minute}}', { often, minute }),
    )
  }
  if (isEven && (hourStep === 1 || hours.length === 1)) {
    if (step === 1) return interval(t('every minute from {{first}} to {{last}}', { first, last }))
    return interval(
      t('every {{often}} from {{first}} to {{last}}', {
        often: unitsOf(step, 'minute', speech),
        first,
        last,
      }),
    )
  }
  const chosen = listOf(runs(minutes, String, speech), speech)
  if (hours.length === 24) {
    return { often: t('at minutes {{minutes}} of every hour', { minutes: chosen }), isInterval: false }
  }
  const of = listOf(
    runs(hours, (hour) => hourOf(hour, speech), speech),
    speech,
  )
  const often =
    minutes.length === 1
      ? t('at minute {{minute}} of the hours {{hours}}', { minute, hours: of })
      : minutes.length === 60
        ? t('every minute of the hours {{hours}}', { hours: of })
        : t('at minutes {{minutes}} of the hours {{hours}}', { minutes: chosen, hours: of })
  return { often, isInterval: false }
}

/** The distance between neighbours, if it is always the same. */
function stepOf(values: number[]): number | undefined {
  const [first = 0, second] = values
  if (second === undefined) return undefined
  return values.every((value, i) => value === first + i * (second - first)) ? second - first : undefined
}

/** By their place in `weekdays`; none are all. */
function onWeekdays(indexes: number[], speech: Speech): string {
  const { t } = speech
  if (indexes.length % 7 === 0) return t('every day')
  const names = indexes.map((index) => weekday(index, speech))
  if (names.length > 2 && stepOf(indexes) === 1) {
    return t('from {{first}} to {{last}}', { first: names[0], last: names.at(-1) })
  }
  return t('every {{weekdays}}', { weekdays: listOf(names, speech) })
}

function mondayFirst(sundayIsZero: number[]): number[] {
  return sundayIsZero.map((number) => (number + 6) % 7).sort((a, b) => a - b)
}

/** Three or more that follow each other as one: `1st to 7th`, `15th`. */
function runs(values: number[], name: (value: number) => string, { t }: Speech): string[] {
  const parts: string[] = []
  for (let i = 0; i < values.length;) {
    let end = i
    while (values[end + 1] === (values[end] ?? 0) + 1) end++
    const from = values[i] ?? 0
    if (end - i >= 2)
      parts.push(t('{{first}} to {{last}}', { first: name(from), last: name(values[end] ?? 0) }))
    else for (let at = i; at <= end; at++) parts.push(name(values[at] ?? 0))
    i = end + 1
  }
  return parts
}

/** As the language counts days: `1st`, `2.`, `3日`. */
function dayOfMonth(day: number, { t, language }: Speech): string {
  const form = new Intl.PluralRules(language, { type: 'ordinal' }).select(day)
  if (form === 'one') return t('{{day}}st', { day })
  if (form === 'two') return t('{{day}}nd', { day })
  return form === 'few' ? t('{{day}}rd', { day }) : t('{{day}}th', { day })
}

/** 1 January 2024 was a Monday. */
function weekday(index: number, { language }: Speech): string {
  return date(language, { weekday: length(language) }, 2024, 0, 1 + index)
}

function monthsIn(months: number[], speech: Speech): string {
  const { language } = speech
  const name = (month: number) => date(language, { month: length(language) }, 2024, month - 1, 1)
  return listOf(runs(months, name, speech), speech)
}

/** Chinese says 周一 and 1月 in sentences; its long names, 星期一 and 一月, do not go with 每 and with days. */
function length(language: string): 'long' | 'short' {
  return language.startsWith('zh') ? 'short' : 'long'
}

function clock(minutes: number, { language }: Speech): string {
  return date(language, clockIn(language), 2024, 0, 1, minutes)
}

function hourOf(hour: number, { language }: Speech): string {
  return date(language, { hour: 'numeric' }, 2024, 0, 1, hour * 60)
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3))
}

function date(
  language: string,
  options: Intl.DateTimeFormatOptions,
  year: number,
  month: number,
  day: number,
  minutes = 0,
): string {
  return new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' }).format(
    Date.UTC(year, month, day, 0, minutes),
  )
}
