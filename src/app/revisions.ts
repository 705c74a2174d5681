import { AppError } from '../shared/errors.ts'

/** What a change refers to: `"3"`. */
export function etagOf(revision: number): string {
  return `"${revision}"`
}

/**
 * The revision that an `If-Match` header asks for; undefined if whatever is there may be changed. Throws
 * `changed_meanwhile` for one that was never ours.
 */
export function revisionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined
  const revision = /^\s*"(\d{1,15})"\s*$/.exec(ifMatch)?.[1]
  if (revision === undefined) throw changedMeanwhile('It')
  return Number(revision)
}

export function changedMeanwhile(what: string): AppError {
  return new AppError('changed_meanwhile', `${what} has been changed since it was read.`, {
    hint: 'Read it again, and make the change to what it is now.',
  })
}
