import { z } from 'zod'
import { AppError } from '../shared/errors.ts'

/**
 * The settings in a URL's query, by their names in the schema: `path-style=true` is `pathStyle`. Names that the
 * schema does not have are refused. Values stay text unless the schema wants a number or a yes or no.
 */
export function settingsFromQuery(schema: z.ZodType, query: string): Record<string, unknown> {
  const fields = fieldsOf(schema)
  const settings: Record<string, unknown> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    const field = name.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase())
    const type = fields[field]?.type
    if (!Object.hasOwn(fields, field)) {
      throw new AppError('invalid_input', `“${name}” is not a setting of this kind of volume.`, {
        hint: `It can be one of: ${Object.keys(fields).map(kebab).join(', ')}.`,
      })
    }
    settings[field] =
      type === 'boolean'
        ? asBoolean(name, value)
        : type === 'number' || type === 'integer'
          ? Number(value)
          : value
  }
  return settings
}

/** `publicEndpoint` → `public-endpoint`: as it is written in a URL. */
export function kebab(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function fieldsOf(schema: z.ZodType): Record<string, { type?: string }> {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return (json.properties ?? {}) as Record<string, { type?: string }>
}

function asBoolean(name: string, value: string): boolean {
  if (/^(true|yes|on|1|)$/i.test(value)) return true
  if (/^(false|no|off|0)$/i.test(value)) return false
  throw new AppError('invalid_input', `“${name}” must be true or false.`)
}

/** A part of a URL without its percent signs. Throws `invalid_input`, which does not quote it: it may be a secret. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AppError(
      'invalid_input',
      'The volume URL has a % that is not followed by two hexadecimal digits.',
      { hint: 'Write a percent sign itself as %25.' },
    )
  }
}
