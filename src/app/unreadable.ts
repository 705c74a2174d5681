import { AppError } from '../shared/errors.ts'

/** Of a row whose JSON is not as its schema wants it. */
export function unreadable(what: string, name: string, cause: unknown): AppError {
  return new AppError('unsupported', `This release cannot read the ${what} “${name}”.`, {
    hint: 'Another release may have written it: run that one, or save it again.',
    cause,
  })
}
