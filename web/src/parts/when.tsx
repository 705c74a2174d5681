import { Text, type TextProps, Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'
import { useLanguage, useT } from '../i18n/i18n.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const units = [
  ['year', 365 * DAY],
  ['month', 30 * DAY],
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
  ['second', SECOND],
] as const

/** `in 3 hours`, `5 minutes ago`. */
export function relativeTime(at: number, now: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const difference = at - now
  const [unit, length] =
    units.find(([, length]) => Math.abs(difference) >= length) ?? (['second', SECOND] as const)
  return format.format(Math.round(difference / length), unit)
}

/** By language: to make one takes longer than to use it, and a log has thousands of lines. */
const exactFormats = new Map<string, Intl.DateTimeFormat>()

/** The date and the time to the second, in the viewer's time zone, which is named. */
export function exactTime(at: string, language: string): string {
  const format =
    exactFormats.get(language) ??
    new Intl.DateTimeFormat(language, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'short',
    })
  exactFormats.set(language, format)
  return format.format(new Date(at))
}

/** `Nov 27, 03:00`; of another year with its year. */
export function shortTime(at: string, language: string): string {
  const date = new Date(at)
  return new Intl.DateTimeFormat(language, {
    ...(date.getFullYear() !== new Date().getFullYear() && { year: 'numeric' }),
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }).format(date)
}

/** How long ago or how soon, with the exact time on hover. Null is “never”. */
export function When({ at, ...rest }: { at: string | null } & Omit<TextProps, 'children'>) {
  const t = useT()
  const language = useLanguage()
  const now = useNow(at)
  if (at === null) {
    return (
      <Text span inherit c="dimmed" {...rest}>
        {t('never')}
      </Text>
    )
  }
  return (
    <Tooltip label={exactTime(at, language)}>
      <Text span inherit {...rest}>
        <time dateTime={at}>{relativeTime(Date.parse(at), now, language)}</time>
      </Text>
    </Tooltip>
  )
}

/** `Nov 27, 03:00`, with the exact time on hover. */
export function Moment({ at }: { at: string }) {
  const language = useLanguage()
  return (
    <Tooltip label={exactTime(at, language)}>
      <time dateTime={at}>{shortTime(at, language)}</time>
    </Tooltip>
  )
}

/** `1 h 12 min`, `3.4 s`. */
export function durationText(milliseconds: number, language: string): string {
  const unit = (value: number, unit: string, digits = 0) =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit,
      unitDisplay: 'short',
      maximumFractionDigits: digits,
    }).format(value)
  if (milliseconds < MINUTE) return unit(milliseconds / SECOND, 'second', milliseconds < 10 * SECOND ? 1 : 0)
  const seconds = Math.round(milliseconds / SECOND)
  const [large, small, count] =
    milliseconds < HOUR
      ? (['minute', 'second', seconds] as const)
      : (['hour', 'minute', Math.round(seconds / 60)] as const)
  const parts = [unit(Math.floor(count / 60), large), ...(count % 60 === 0 ? [] : [unit(count % 60, small)])]
  return parts.join(' ')
}

/** Milliseconds since 1970, again each second for what is near, and each minute for the rest. */
export function useNow(near: string | null = null): number {
  const [now, setNow] = useState(() => Date.now())
  const isNear = near !== null && Math.abs(Date.parse(near) - now) < 2 * MINUTE
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), isNear ? SECOND : MINUTE)
    return () => clearInterval(timer)
  }, [isNear])
  return now
}
