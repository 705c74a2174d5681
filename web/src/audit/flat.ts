/** `{ connection: { host: 'a' } }` → `connection.host`: `a`. Lists of plain values stay together. */
export function flat(value: unknown, path = ''): Map<string, string> {
  const found = new Map<string, string>()
  if (!isFields(value)) {
    if (path !== '' && value !== undefined) found.set(path, textOf(value))
    return found
  }
  for (const [name, inner] of Object.entries(value)) {
    const below = path === '' ? name : `${path}.${name}`
    if (isFields(inner) && Object.keys(inner).length > 0) {
      for (const [field, text] of flat(inner, below)) found.set(field, text)
    } else if (inner !== undefined) found.set(below, textOf(inner))
  }
  return found
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  const isPlain = Array.isArray(value) && value.every((item) => typeof item !== 'object')
  return isPlain ? value.join(', ') : JSON.stringify(value)
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
