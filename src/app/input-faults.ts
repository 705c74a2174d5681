import { AppError, type FieldError } from '../shared/errors.ts'

/** Gathers what is wrong with what was given, so that all of it is told at once. */
export class InputFaults {
  readonly #fields: FieldError[] = []

  add(field: string, message: string): void {
    this.#fields.push({ field, message })
  }

  /** What it returns; undefined, and one more fault of the field, if it throws a fault of what was given. */
  async check<T>(field: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof AppError) || error.status >= 500) throw error
      this.#fields.push(...(error.fields ?? [{ field, message: error.message }]))
      return undefined
    }
  }

  /** Throws `invalid_input` with every field that is wrong, if there is one. */
  throwIfAny(): void {
    const [first] = this.#fields
    if (!first) return
    throw new AppError('invalid_input', `${first.field}: ${first.message}`, { fields: this.#fields })
  }
}
