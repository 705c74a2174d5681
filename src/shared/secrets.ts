import { z } from 'zod'

/** A setting that is encrypted at rest, never sent back, never logged, and shown as a password field. */
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
