import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { decryptFile } from '../runner/decrypt-file.ts'
import { AppError } from '../shared/errors.ts'
import { findOutput } from './decrypt-output.ts'
import { keyRing } from './environment.ts'
import { interruption } from './interruption.ts'
import { print, printJson } from './terminal.ts'

interface Options {
  output?: string
  decompress?: boolean
  force?: boolean
  json?: boolean
}

export const decrypt = new Command('decrypt')
  .description('Take the encryption off a .7z or .age file: no app, no catalogue, only the key')
  .argument('<file>', 'the file')
  .option(
    '-o, --output <file>',
    'where to; - for standard output (default: beside the file; the name inside the .7z, or that without .age)',
  )
  .option('--decompress', 'take zstd or gzip off as well')
  .option('--force', 'replace the output if it exists')
  .option('--json', 'print the result as JSON')
  .action(async (path: string, options: Options) => {
    const signal = interruption()
    const force = options.force ?? false
    const isToStdout = options.output === '-'
    if (isToStdout && options.json) {
      throw new AppError('invalid_input', '--json and -o - both want standard output.', {
        hint: 'Name a file with -o.',
      })
    }
    // Before the file is read, if it is known already: to find the key may take a while.
    const named =
      options.output === undefined || isToStdout ? undefined : await findOutput(options.output, force)
    await using decrypted = await decryptFile(path, await keyRing(), signal, {
      decompress: options.decompress ?? false,
    })
    const { name, bytes } = decrypted
    if (isToStdout) {
      await pipeline(bytes, process.stdout, { signal, end: false })
      return
    }
    const output = options.output ?? join(dirname(path), name)
    const written = await (named ?? (await findOutput(output, force))).write(bytes, signal)
    if (options.json) printJson({ name, path: output, bytes: written })
    else print(output)
  })
