import { z } from 'zod'

/**
 * A setting that is encrypted at rest, never sent back, never logged, and shown as a password field; with `multiline` in
 * its `meta`, as one of several lines.
 */
export function secret(title: string, description?: string) {
  return z.string().meta({ title, description, secret: true, format: 'password', writeOnly: true })
}

/** The names of the fields that a schema made by `z.object` declares as secret. */
export function secretFields(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
    properties?: Record<string, { secret?: boolean }>
  }
  return Object.entries(json.properties ?? {})
    .filter(([, field]) => field.secret === true)
    .map(([name]) => name)
}

/**
 * What may be shown of a secret: its first four characters and `****`, which is not how long it is. One with less than
 * eight characters is all stars; an empty one is empty, so that nobody takes it for one that is set.
 */
export function maskSecret(secret: string): string {
  if (secret === '') return ''
  const characters = Array.from(secret)
  return characters.length < 8 ? '********' : `${characters.slice(0, 4).join('')}****`
}
