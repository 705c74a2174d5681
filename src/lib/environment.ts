import { readFileSync } from 'node:fs'
import { AppError, messageOf } from '../shared/errors.ts'

/**
 * The value of an environment variable, or the contents of the file that `NAME_FILE` names, without the line break
 * at its end. Undefined if neither is set or the value is empty. Throws `invalid_input` for a file that cannot be read.
 */
export function fromEnvironment(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = environment[name]
  if (value) return value
  const path = environment[`${name}_FILE`]
  return path ? readNamedFile(`${name}_FILE`, path).replace(/\r?\n$/, '') : undefined
}

/** The text of a file that a variable or a setting names. Throws `invalid_input`, saying which. */
export function readNamedFile(named: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new AppError('invalid_input', `${named} names a file that cannot be read: ${messageOf(error)}.`, {
      cause: error,
    })
  }
}
