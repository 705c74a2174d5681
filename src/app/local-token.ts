import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { AppError } from '../shared/errors.ts'
import type { AppContext } from './context.ts'
import { callerOf, replaceToken } from './identity/tokens.ts'
import { readTokenFile, writeTokenFile } from './token-file.ts'

/** Makes sure that the data directory has a token that is valid. */
export async function keepLocalToken(
  { store, dataDirectory }: AppContext,
  organizationId: string,
): Promise<void> {
  const known = await readTokenFile(dataDirectory)
  if (known !== undefined && (await isValid(store, known))) return
  const token = await replaceToken(store, organizationId, nameOf(dataDirectory))
  await writeTokenFile(dataDirectory, token)
}

/** Of this directory alone: several nodes may share a store. A name has at most 100 characters. */
function nameOf(dataDirectory: string): string {
  const name = `the command line of ${hostname()}, ${dataDirectory}`
  if (name.length <= 100) return name
  const hash = createHash('sha256').update(name).digest('hex')
  return `${name.slice(0, 80).toWellFormed()}… ${hash.slice(0, 12)}`
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
