import { isDeepStrictEqual } from 'node:util'

type Fields = Record<string, unknown>

/** They differ after every change, and say nothing of it. */
const ALWAYS_DIFFERENT = new Set(['revision', 'updatedAt'])

/** Of two states of a thing only the fields that differ; those of objects within them likewise. */
export function differences(before: Fields, after: Fields): { before: Fields; after: Fields } {
  const found: { before: Fields; after: Fields } = { before: {}, after: {} }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [former, present] = [before[name], after[name]]
    if (ALWAYS_DIFFERENT.has(name) || isDeepStrictEqual(former, present)) continue
    const inner = isFields(former) && isFields(present) ? differences(former, present) : undefined
    if (former !== undefined) found.before[name] = inner?.before ?? former
    if (present !== undefined) found.after[name] = inner?.after ?? present
  }
  return found
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
