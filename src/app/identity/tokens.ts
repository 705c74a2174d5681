import { createHash, randomBytes } from 'node:crypto'
import { AppError } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import { countOrganizations, findToken, insertOrganization, insertToken, noteTokenUse } from './store.ts'

/** Who sends a request: everything that it sees and changes belongs to this organization. */
export interface Caller {
  organizationId: string
  token: { id: string; name: string }
}

/** Before each token, so that whoever searches for leaked secrets finds it. */
const PREFIX = 'hf_'
const FORM = /^hf_[A-Za-z0-9_-]{43}$/

/** Whether nobody has worked with the store yet. */
export async function isUnused(store: Store): Promise<boolean> {
  return (await store.db.transaction().execute(countOrganizations)) === 0
}

/**
 * Makes the first organization, and the administrator's token for it, in a store that has none. The token is returned
 * this one time; undefined if there is an organization already.
 */
export async function firstToken(store: Store): Promise<string | undefined> {
  return await store.db.transaction().execute(async (trx) => {
    if ((await countOrganizations(trx)) > 0) return undefined
    const token = PREFIX + randomBytes(32).toString('base64url')
    const organizationId = await insertOrganization(store, trx, 'Default')
    await insertToken(store, trx, { organizationId, name: 'administrator', hash: hashOf(token) })
    return token
  })
}

/**
 * The caller whose token an `Authorization` header carries. Throws `not_signed_in`. The token is looked for by its
 * hash, so that nothing can be learned from how long that takes.
 */
export async function callerOf(store: Store, authorization: string | undefined): Promise<Caller> {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw notSignedIn('The request has no token.')
  const found = FORM.test(token) ? await findToken(store, hashOf(token)) : undefined
  if (!found) throw notSignedIn('The token is not valid.')
  await noteTokenUse(store, found.id)
  const { organizationId, id, name } = found
  return { organizationId, token: { id, name } }
}

/** The organization that a request is about: that of its caller. On public routes there is none: `not_signed_in`. */
export function organizationOf(caller: Caller | null): string {
  if (!caller) throw notSignedIn('The request has no token.')
  return caller.organizationId
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function notSignedIn(sentence: string): AppError {
  return new AppError('not_signed_in', sentence, {
    hint: 'Send it as: Authorization: Bearer hf_… The first one was printed when the app was started for the first time.',
  })
}
