import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { AppError, messageOf } from '../shared/errors.ts'

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

/**
 * The value of an environment variable, or the contents of the file that `NAME_FILE` names, without the line break
 * at its end. Undefined if neither is set or the value is empty.
 */
export function fromEnvironment(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = environment[name]
  if (value) return value
  const file = environment[`${name}_FILE`]
  return file ? readSecretFile(`${name}_FILE`, file) : undefined
}

/** The contents of a file that a variable or setting names, without the line break at its end. */
function readSecretFile(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new AppError(
      'invalid_input',
      `${variable} names a file that cannot be read: ${messageOf(error)}.`,
      {
        cause: error,
      },
    )
  }
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
