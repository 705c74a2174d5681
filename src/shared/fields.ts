import { z } from 'zod'

/*
 * Kinds of settings, with sentences for people: they are read behind the setting's name, on the command line, in the
 * form and in the API's answers alike.
 */

/** A number without a fraction, both ends included. */
export function wholeNumber(from: number, to: number) {
  const error = `must be a whole number from ${from} to ${to}`
  return z.number(error).int(error).min(from, error).max(to, error)
}

/** What people call a thing. */
export const name = z.string().trim().min(1, 'must not be empty').max(100, 'must have at most 100 characters')

export function httpUrl() {
  return z.url({ protocol: /^https?$/, error: 'must be a URL that begins with http:// or https://' })
}
