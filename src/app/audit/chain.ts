import { createHash } from 'node:crypto'

/** All that an entry says, and that its hash is made of. */
export interface ChainedEntry {
  number: number
  id: string
  organizationId: string | null
  at: number
  action: string
  outcome: string
  actor: unknown
  actorId: string | null
  address: string | null
  target: unknown
  targetId: string | null
  details: unknown
}

/** The hash of the chain before its first entry. */
export const BEGINNING = ''

/** SHA-256, in hex, over the hash of the entry before and the entry itself. */
export function hashOfEntry(former: string, entry: ChainedEntry): string {
  return createHash('sha256')
    .update(`${former}\n${canonical(entry)}`)
    .digest('hex')
}

/** The same text for the same content, in whatever order a store keeps the names of an object. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`)
  return `{${fields.join(',')}}`
}
