import { createHash, randomBytes } from 'node:crypto'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { forgetAnswers } from '../idempotency/idempotency.ts'
import { savingName } from '../names.ts'
import { addDefaultRule } from '../notifications/default-rule.ts'
import {
  countOrganizations,
  deleteToken,
  deleteTokensNamed,
  findToken,
  findTokenById,
  insertOrganization,
  insertToken,
  listOrganizations,
  noteTokenUse,
  type TokenRow,
} from './store.ts'

export { listOrganizations } from './store.ts'

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
    const token = makeToken()
    const organizationId = await insertOrganization(store, trx, 'Default')
    await addDefaultRule(store, trx, organizationId)
    await insertToken(store, trx, { organizationId, name: 'administrator', hash: hashOf(token) })
    return token
  })
}

/** Makes another token. The token itself is returned this one time. Throws `name_taken`. */
export async function addToken(
  store: Store,
  organizationId: string,
  name: string,
): Promise<{ token: string; row: TokenRow }> {
  const token = makeToken()
  const row = await savingName(store, 'token', name, () =>
    insertToken(store, store.db, { organizationId, name, hash: hashOf(token) }),
  )
  return { token, row }
}

/** Makes a token in the place of those with that name. The token itself is returned this one time. */
export async function replaceToken(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  name: string,
): Promise<string> {
  const token = makeToken()
  for (const id of await deleteTokensNamed(trx, organizationId, name)) await forgetAnswers(trx, id)
  await insertToken(store, trx, { organizationId, name, hash: hashOf(token) })
  return token
}

export async function isToken(trx: Transaction<Tables>, token: string): Promise<boolean> {
  return (await findToken(trx, hashOf(token))) !== undefined
}

/** Throws `not_found`. */
export async function tokenOf(store: Store, organizationId: string, id: string): Promise<TokenRow> {
  return (await findTokenById(store, organizationId, id)) ?? throwNow(noToken())
}

/**
 * From now on nobody signs in with it any more. Throws `not_found`, and `in_use` for the caller’s own, unless that is
 * what the caller wants.
 */
export async function removeToken(
  store: Store,
  { organizationId, token }: Caller,
  id: string,
  { force }: { force: boolean },
): Promise<void> {
  if (id === token.id && !force) {
    throw new AppError('in_use', 'This request is signed with that token.', {
      hint: 'Use another token to delete it, or add ?force=true. The next one can be made with: holdfast token create',
    })
  }
  await store.db.transaction().execute(async (trx) => {
    if (!(await deleteToken(trx, organizationId, id))) throw noToken()
    await forgetAnswers(trx, id)
  })
}

/** Whether the caller’s token is still there: for what goes on for longer than a request. */
export async function isStillValid(store: Store, { organizationId, token }: Caller): Promise<boolean> {
  return (await findTokenById(store, organizationId, token.id)) !== undefined
}

/**
 * The organization of that name; without one, the only one that there is. Throws `not_found`, and `invalid_input` where
 * there are several.
 */
export async function organizationNamed(store: Store, name: string | undefined): Promise<string> {
  const organizations = await listOrganizations(store)
  const found = organizations.filter((organization) => name === undefined || organization.name === name)
  const [only, ...others] = found
  if (!only) {
    const sentence =
      name === undefined ? 'The store has no organization yet.' : `There is no organization “${name}”.`
    const hint =
      name === undefined
        ? 'Start the app once: it makes one, and its first token.'
        : `There are: ${organizations.map(({ name }) => name).join(', ')}.`
    throw new AppError('not_found', sentence, { hint })
  }
  if (others.length > 0) {
    const names = found.map(({ name }) => name).join(', ')
    throw new AppError('invalid_input', `There are ${found.length} organizations: ${names}.`, {
      hint: 'Say which one with --organization.',
    })
  }
  return only.id
}

/**
 * The caller whose token an `Authorization` header carries. Throws `not_signed_in`. The token is looked for by its
 * hash, so that nothing can be learned from how long that takes.
 */
export async function callerOf(store: Store, authorization: string | undefined): Promise<Caller> {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw notSignedIn('The request has no token.')
  const found = FORM.test(token) ? await findToken(store.db, hashOf(token)) : undefined
  if (!found) throw notSignedIn('The token is not valid.')
  await noteTokenUse(store, found.id)
  const { organizationId, id, name } = found
  return { organizationId, token: { id, name } }
}

/** The organization that a request is about: that of its caller. On public routes there is none: `not_signed_in`. */
export function organizationOf(caller: Caller | null): string {
  return signedIn(caller).organizationId
}

/** On public routes there is none: `not_signed_in`. */
export function signedIn(caller: Caller | null): Caller {
  return caller ?? throwNow(notSignedIn('The request has no token.'))
}

function makeToken(): string {
  return PREFIX + randomBytes(32).toString('base64url')
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

function notSignedIn(sentence: string): AppError {
  return new AppError('not_signed_in', sentence, {
    hint: 'Send it as: Authorization: Bearer hf_… The first one was printed when the app was started for the first time; if it is lost, make another one with: holdfast token create',
  })
}

function noToken(): AppError {
  return new AppError('not_found', 'There is no such token.')
}
