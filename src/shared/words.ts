/** English words in the language that is spoken, with their values: `t('every {{weekdays}}', { weekdays })`. */
export type Translate = (english: string, values?: Record<string, unknown>) => string

/**
 * How a sentence is said that is made from data. English is the key; API, CLI and logs say it as it stands, and the page has the other
 * languages.
 */
export interface Speech {
  t: Translate
  /** For numbers, days and times. */
  language: string
}

export const english: Speech = {
  t: (words, values = {}) => words.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => String(values[name])),
  language: 'en-GB',
}

/** `a, b and c` */
export function listOf(parts: readonly string[], { language }: Speech): string {
  return new Intl.ListFormat(language).format(parts)
}

/** `3 days`, for what is counted in whole units. */
export function unitsOf(
  value: number,
  unit: 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year',
  { language }: Speech,
): string {
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(value)
}

/** How the language writes a time of day: `03:00`, or `3:00 AM`. */
export function clockIn(language: string): Intl.DateTimeFormatOptions {
  const { hour12 } = new Intl.DateTimeFormat(language, { hour: 'numeric' }).resolvedOptions()
  return { hour: hour12 ? 'numeric' : '2-digit', minute: '2-digit' }
}

/** `22 November 2026 at 03:00`; in the viewer's time zone, unless another one is given. */
export function momentOf(
  at: string,
  zone: Pick<Intl.DateTimeFormatOptions, 'timeZone' | 'timeZoneName'>,
  { language }: Speech,
): string {
  return new Intl.DateTimeFormat(language, {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    ...clockIn(language),
    ...zone,
  }).format(new Date(at))
}
