import { AppError } from '../shared/errors.ts'

export interface TimeRange {
  /** In milliseconds. */
  from?: number | undefined
  /** That moment itself is not in it. */
  to?: number | undefined
}

/** What a query says of times that are valid each. Throws `invalid_input` if the end is not behind the beginning. */
export function timeRange(query: { from?: string | undefined; to?: string | undefined }): TimeRange {
  const [from, to] = [query.from, query.to].map((time) => (time === undefined ? undefined : Date.parse(time)))
  if (from === undefined || to === undefined || from < to) return { from, to }
  const message = 'must be later than “from”'
  throw new AppError('invalid_input', `to: ${message}`, { fields: [{ field: 'to', message }] })
}
