import type { FastifyInstance } from 'fastify'
import { AppError } from '../shared/errors.ts'

/*
 * What cannot be stored: PostgreSQL has no NUL, and neither store has half a character, a lone surrogate, as it is left
 * where a text is cut.
 */

/** What nobody nests by hand; what recurs over it later would come to its end much deeper. */
const DEEPEST = 100

/** Refuses requests with text that cannot be stored. Each feature would have to think of it else. */
export function refuseBrokenText(app: FastifyInstance): void {
  app.addHook('preValidation', async ({ params, query, body }) => {
    for (const part of [params, query, body]) check(part)
  })
}

/** The text, with U+FFFD for each character that cannot be stored. What a tool says is not in our hands. */
export function mendText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}

/** A value that becomes JSON, with the same in all its texts and names. */
export function mendJson<T>(value: T): T {
  const json = JSON.stringify(value) as string | undefined
  const mended = json?.replaceAll(BROKEN_ESCAPE, String.raw`$1\ufffd`)
  return mended === undefined || mended === json ? value : (JSON.parse(mended) as T)
}

/** As JSON.stringify writes NUL and half characters; behind an even number of backslashes, which are text. */
const BROKEN_ESCAPE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g

interface Place {
  value: unknown
  name: string
  parent: Place | undefined
  depth: number
}

/** Without recursion, which what is nested too deeply would end. */
function check(input: unknown): void {
  const places: Place[] = [{ value: input, name: '', parent: undefined, depth: 0 }]
  for (let place = places.pop(); place; place = places.pop()) {
    const { value, depth } = place
    if (typeof value === 'string' && isBroken(value)) throw broken(place)
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) continue
    if (depth === DEEPEST) throw new AppError('invalid_input', 'The request is nested too deeply.')
    for (const [name, child] of Object.entries(value)) {
      const below = { value: child as unknown, name, parent: place, depth: depth + 1 }
      if (isBroken(name)) throw broken(place)
      places.push(below)
    }
  }
}

function isBroken(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed()
}

function broken(place: Place): AppError {
  const names: string[] = []
  for (let at: Place | undefined = place; at?.parent; at = at.parent) names.unshift(at.name)
  const field = names.join('.')
  const message = 'must not contain a NUL character, or half of a character (a lone surrogate)'
  return new AppError('invalid_input', `${field || 'The request'} ${message}.`, {
    fields: [{ field, message }],
  })
}
