import { basename } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { pipeThrough, ToolFailure, type Command } from '../process.ts'
import { damaged, wrongPassword } from './failures.ts'

/** The only file in an archive that the 7-Zip program reads. */
export interface ForeignEntry {
  /** As the archive says: not to be used as a path. */
  name: string
  /** Reads all of it. Throws what `content` would throw. */
  test(signal: AbortSignal): Promise<void>
  /**
   * Throws `key_wrong` or `decryption_failed` before the end if the program finds fault with the archive. Of what is
   * stored rather than packed it finds out only at the end: what came before it may be the garbage of a wrong password.
   */
  content(signal: AbortSignal): AsyncGenerator<Uint8Array, void>
}

/**
 * Opens any 7z archive with a single file in it by the 7-Zip program (`7zz` or `7z`), which gets the password on
 * standard input. Throws `key_wrong` if the names are encrypted with another password; names in the clear open with
 * any. Throws `unsupported` unless the archive contains exactly one file: the program would give several one after
 * the other, as if they were one.
 */
export async function openForeignSevenzip(
  programPath: string,
  filePath: string,
  password: string,
  signal: AbortSignal,
): Promise<ForeignEntry> {
  if (password === '' || /[\r\n\0]/.test(password)) {
    throw new AppError(
      'unsupported',
      `${basename(programPath)} cannot be given this password: it is empty or has several lines.`,
    )
  }
  const through = (args: string[], signal: AbortSignal) =>
    throughProgram({ file: programPath, args: [...args, '-spd', '--', filePath] }, password, signal)
  const { files, name } = await filesIn(through(['l', '-slt', '-ba'], signal))
  if (files !== 1) {
    throw new AppError('unsupported', `The 7z archive contains ${files} files; exactly one is expected.`, {
      hint: `Extract the right one with: 7zz x ${basename(filePath)}`,
    })
  }
  return {
    name,
    async test(signal) {
      for await (const _report of through(['t'], signal)); // what it says on standard output is not needed
    },
    content: (signal) => through(['x', '-so'], signal),
  }
}

/** How many files a listing has, and what the last of them is called. */
async function filesIn(listing: AsyncIterable<Uint8Array>): Promise<{ files: number; name: string }> {
  const decoder = new TextDecoder()
  let line = ''
  let files = 0
  let name = ''
  let nameBefore = ''
  for await (const chunk of listing) {
    const lines = (line + decoder.decode(chunk, { stream: true })).split('\n')
    line = lines.pop() ?? ''
    for (const text of lines) {
      if (text.startsWith('Path = ')) {
        files += 1
        nameBefore = name
        name = text.slice('Path = '.length)
      } else if (text.startsWith('Attributes = D')) {
        files -= 1 // a folder
        name = nameBefore
      }
    }
  }
  return { files, name }
}

async function* throughProgram(
  command: Command,
  password: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* pipeThrough(command, oneLine(password), signal)
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    if (/Wrong password/i.test(error.exit.stderr)) throw wrongPassword(error)
    throw damaged(
      `${error.exit.tool} says: ${error.exit.stderr.replaceAll(/\s*\n\s*/g, ' ').slice(-300)}`,
      error,
    )
  }
}

async function* oneLine(text: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(`${text}\n`)
}
