import { basename } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import { pipeThrough, ToolFailure, type Command } from '../process.ts'
import { damaged, wrongPassword } from './failures.ts'

/**
 * The content of any 7z archive with a single file in it, by the 7-Zip program (`7zz` or `7z`), which gets the
 * password on standard input. Throws `key_wrong` or `decryption_failed` before the end if the program finds fault
 * with the archive, and `unsupported` before the first byte unless it contains exactly one file: the program would
 * give several one after the other, as if they were one.
 */
export async function* extractForeignSevenzip(
  programPath: string,
  filePath: string,
  password: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  if (password === '' || /[\r\n\0]/.test(password)) {
    throw new AppError(
      'unsupported',
      `${basename(programPath)} cannot be given this password: it is empty or has several lines.`,
    )
  }
  const files = await countFiles(
    { file: programPath, args: ['l', '-slt', '-ba', '-spd', '--', filePath] },
    password,
    signal,
  )
  if (files !== 1) {
    throw new AppError('unsupported', `The 7z archive contains ${files} files; exactly one is expected.`, {
      hint: `Extract the right one with: 7zz x ${basename(filePath)}`,
    })
  }
  yield* throughProgram({ file: programPath, args: ['x', '-so', '-spd', '--', filePath] }, password, signal)
}

async function countFiles(command: Command, password: string, signal: AbortSignal): Promise<number> {
  let files = 0
  let line = ''
  for await (const chunk of throughProgram(command, password, signal)) {
    const lines = (line + Buffer.from(chunk).toString('latin1')).split('\n')
    line = lines.pop() ?? ''
    files += lines.filter((text) => text.startsWith('Path = ')).length
    files -= lines.filter((text) => text.startsWith('Attributes = D')).length
  }
  return files
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
