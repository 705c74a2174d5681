import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { decryptFile } from '../runner/decrypt-file.ts'
import { AppError } from '../shared/errors.ts'
import { keyRing } from './environment.ts'
import { interruption } from './interruption.ts'
import { print } from './terminal.ts'

export const decrypt = new Command('decrypt')
  .description('Take the encryption off a .7z or .age file: no app, no catalogue, only the key')
  .argument('<file>', 'the file')
  .option(
    '-o, --output <file>',
    'where to; - for standard output (default: the name inside, beside the file)',
  )
  .option('--decompress', 'take .zst or .gz off as well')
  .option('--force', 'replace the output if it exists')
  .action(async (path: string, options: { output?: string; decompress?: boolean; force?: boolean }) => {
    const signal = interruption()
    await using decrypted = await decryptFile(path, await keyRing(), signal, {
      decompress: options.decompress ?? false,
    })
    const { name, bytes } = decrypted
    if (options.output === '-') {
      await pipeline(bytes, process.stdout, { signal, end: false })
      return
    }
    const output = options.output ?? join(dirname(path), basename(name))
    await writeWhole(output, bytes, signal, options.force ?? false)
    print(output)
  })

/** The file appears under its name only when its last byte is on the disk. */
async function writeWhole(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  force: boolean,
): Promise<void> {
  if (!force && (await exists(path))) {
    throw new AppError('object_exists', `${path} exists already.`, {
      hint: 'Name another with -o, or use --force.',
    })
  }
  const temporary = `${path}.${process.pid}.part`
  try {
    await pipeline(bytes, createWriteStream(temporary, { mode: 0o600, flags: 'wx', flush: true }), { signal })
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
