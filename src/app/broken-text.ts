import type { FastifyInstance } from 'fastify'
import { AppError } from '../shared/errors.ts'

/** What nobody nests by hand; what recurs over it later would come to its end much deeper. */
const DEEPEST = 100

/**
 * Refuses requests with text that cannot be stored: PostgreSQL has no NUL, and neither store has half a character.
 * Each feature would have to think of it else.
 */
export function refuseBrokenText(app: FastifyInstance): void {
  app.addHook('preValidation', async ({ params, query, body }) => {
    for (const part of [params, query, body]) check(part)
  })
}

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
