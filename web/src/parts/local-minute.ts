/** A moment as the viewer’s clock shows it, for addresses and fields: `2026-11-28T09:05`. */
export function localMinute(moment: string | undefined): string | undefined {
  if (moment === undefined) return undefined
  const date = new Date(moment)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

/** The moment that such a text means to the viewer; undefined for what is none. */
export function momentOf(minute: string | undefined): string | undefined {
  const date = new Date(minute ?? '')
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}
