import { z } from 'zod'
import { AppError } from '../shared/errors.ts'
import { changedAddressees, keptSecrets, mergeMasked, type Settings } from './secrets.ts'

/** For sentences, and for the names of fields. */
export interface SettingsPlace {
  /** What the request calls them: `connection`, so that fields are `connection.host`. */
  name: string
  /** Whose they are: `this engine`. */
  owner: string
}

/** The settings as the driver's schema has them. Throws `invalid_input` with every field that is wrong. */
export function parseSettings(
  schema: z.ZodType,
  settings: Settings,
  { name, owner }: SettingsPlace,
): Settings {
  const parsed = schema.safeParse(settings)
  if (parsed.success) return parsed.data as Settings
  throw invalidFields(
    parsed.error.issues.flatMap((issue) => {
      const at = [name, ...issue.path]
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : undefined
      return unknown
        ? unknown.map((key) => ({ field: [...at, key].join('.'), message: `is not a setting of ${owner}` }))
        : [{ field: at.join('.'), message: issue.message }]
    }),
  )
}

/**
 * What the submitted settings mean where these are stored, see `mergeMasked`. A secret is kept only where it is sent to
 * the same addressee as before: whoever sees no more than its mask could otherwise have it sent to himself. Throws
 * `invalid_input` naming the secrets that must be entered again.
 */
export function changeSettings(
  schema: z.ZodType,
  stored: Settings,
  submitted: Settings,
  place: SettingsPlace,
): Settings {
  const changed = parseSettings(schema, mergeMasked(schema, stored, submitted), place)
  const kept = keptSecrets(schema, stored, submitted)
  const addressees = kept.length > 0 ? changedAddressees(schema, stored, changed) : []
  if (addressees.length === 0) return changed
  const message = `must be entered again, because ${addressees.join(', ')} would change, and with it who gets it`
  throw invalidFields(kept.map((secret) => ({ field: `${place.name}.${secret}`, message })))
}

/** What a form is drawn from. */
export function formOf(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
}

function invalidFields(fields: { field: string; message: string }[]): AppError {
  const [first] = fields
  return new AppError('invalid_input', `${first?.field}: ${first?.message}`, { fields })
}
