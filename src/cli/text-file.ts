import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { AppError, messageOf } from '../shared/errors.ts'

/** What is in the file, or on standard input where it is called `-`. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8')
  } catch (error) {
    throw new AppError('invalid_input', `${path} cannot be read: ${messageOf(error)}.`, { cause: error })
  }
}
