import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../shared/errors.ts'
import type { AppContext } from './context.ts'
import { callerOf, replaceToken } from './identity/tokens.ts'

/** What the command line of this machine signs in with: whoever can read it could read the store itself. */
const FILE = 'cli.token'
const NAME = 'the command line of this machine'

/** Makes sure that the data directory has a token that is valid. */
export async function keepLocalToken(
  { store, dataDirectory }: AppContext,
  organizationId: string,
): Promise<void> {
  const path = join(dataDirectory, FILE)
  const known = await readLocalToken(dataDirectory)
  if (known !== undefined && (await isValid(store, known))) return
  const token = await replaceToken(store, organizationId, NAME)
  const temporary = `${path}.${process.pid}`
  await writeFile(temporary, `${token}\n`, { mode: 0o600 })
  await rename(temporary, path)
}

/** Undefined if the app has never been started with this data directory. */
export async function readLocalToken(dataDirectory: string): Promise<string | undefined> {
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

async function isValid(store: AppContext['store'], token: string): Promise<boolean> {
  try {
    await callerOf(store, `Bearer ${token}`)
    return true
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_signed_in') return false
    throw error
  }
}
