/** A moment as the viewer’s clock shows it in a field: `2026-11-28T09:05`. Undefined for what is none. */
export function localMinute(moment: string | undefined): string | undefined {
  const date = new Date(moment ?? '')
  if (Number.isNaN(date.getTime())) return undefined
  // Not by its offset, which has seconds for the years that are passed through while one is typed.
  const padded = (part: number, length = 2) => String(part).padStart(length, '0')
  const day = [padded(date.getFullYear(), 4), padded(date.getMonth() + 1), padded(date.getDate())]
  return `${day.join('-')}T${padded(date.getHours())}:${padded(date.getMinutes())}`
}

/** The moment that such a text means to the viewer; undefined for what is none. */
export function momentOf(minute: string | undefined): string | undefined {
  const date = new Date(minute ?? '')
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
