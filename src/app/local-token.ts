import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { AppContext } from './context.ts'
import { holdOrganization } from './hold.ts'
import { isToken, replaceToken } from './tokens/tokens.ts'
import { readTokenFile, writeTokenFile } from './token-file.ts'

/** Makes sure that the data directory has a token that is valid. */
export async function keepLocalToken(
  { store, dataDirectory }: AppContext,
  organizationId: string,
): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    // Others that share the directory may start now, too: each must find what the one before has written.
    await holdOrganization(trx, organizationId)
    const known = await readTokenFile(dataDirectory)
    if (known !== undefined && (await isToken(trx, known))) return
    const token = await replaceToken(store, trx, organizationId, nameOf(dataDirectory))
    await writeTokenFile(dataDirectory, token)
  })
}

/** Of this directory alone: several nodes may share a store. A name has at most 100 characters. */
function nameOf(dataDirectory: string): string {
  const name = `the command line of ${hostname()}, ${dataDirectory}`
  if (name.length <= 100) return name
  const hash = createHash('sha256').update(name).digest('hex')
  return `${name.slice(0, 80).toWellFormed()}… ${hash.slice(0, 12)}`
}
