import type { Store } from '../store/database.ts'
import { AppError } from '../shared/errors.ts'

/** Saves what has a name, unique among its kind. Throws `name_taken`. */
export async function savingName<T>(
  store: Store,
  what: string,
  name: string | undefined,
  save: () => Promise<T>,
): Promise<T> {
  try {
    return await save()
  } catch (error) {
    if (!store.isUniqueViolation(error)) throw error
    throw nameTaken(what, name, error)
  }
}

export function nameTaken(what: string, name: string | undefined, cause?: unknown): AppError {
  return new AppError('name_taken', `There is a ${what} “${name}” already.`, {
    hint: 'Choose another name.',
    fields: [{ field: 'name', message: `Another ${what} has this name.` }],
    cause,
  })
}
