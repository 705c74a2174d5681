import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../shared/errors.ts'

/** What the command line of this machine signs in with: whoever can read it could read the store itself. */
const FILE = 'cli.token'

/** Undefined if the app has never been started with this data directory. */
export async function readTokenFile(dataDirectory: string): Promise<string | undefined> {
  const path = join(dataDirectory, FILE)
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new AppError('configuration_invalid', `${path} cannot be read.`, {
      hint: 'Run this as the user of the app, or set HOLDFAST_TOKEN.',
      cause: error,
    })
  }
}

export async function writeTokenFile(dataDirectory: string, token: string): Promise<void> {
  const path = join(dataDirectory, FILE)
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`
  await writeFile(temporary, `${token}\n`, { mode: 0o600 })
  await rename(temporary, path)
}
