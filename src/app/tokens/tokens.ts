import { randomBytes } from 'node:crypto'
import type { Transaction } from 'kysely'
import type { Ability } from '../../shared/abilities.ts'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { NewToken } from '../../shared/tokens.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import { forgetAnswers } from '../idempotency/idempotency.ts'
import { type Caller, hashOf, may, type OwnContext } from '../identity/callers.ts'
import { savingName } from '../names.ts'
import { deleteToken, deleteTokensNamed, findToken, hasToken, insertToken, type TokenRow } from './store.ts'

/** Before each token, so that whoever searches for leaked secrets finds it. */
const PREFIX = 'hf_'

/** What a token is for, and whose it is. */
export interface TokenOrder {
  name: string
  /** Null: nobody's, as that of the command line. */
  ownerId: string | null
  /** Null: whatever its owner may do; of one that belongs to nobody, all. */
  scopes: readonly Ability[] | null
  isInstanceAdministrator: boolean
  /** Networks from which it may be used; null: everywhere. */
  networks: readonly string[] | null
  /** Milliseconds since 1970. */
  expiresAt: number | null
}

/** Of one that belongs to nobody, and may do everything. */
export const unrestricted = {
  ownerId: null,
  scopes: null,
  isInstanceAdministrator: true,
  networks: null,
  expiresAt: null,
} as const satisfies Omit<TokenOrder, 'name'>

/** Makes a token. The token itself is returned this one time. Throws `name_taken`. */
export async function addToken(
  store: Store,
  organizationId: string,
  order: TokenOrder,
): Promise<{ token: string; id: string }> {
  const token = makeToken()
  const id = await savingName(store, 'token', order.name, () =>
    insertToken(store, store.db, { organizationId, ...valuesOf(order), hash: hashOf(token) }),
  )
  return { token, id }
}

/**
 * Makes a token of the caller’s, which may do no more than they may. Throws `forbidden` where it would, and for what is
 * asked with a token that is less than all, `invalid_input` for a time that is over, and `name_taken`.
 */
export async function makeTokenFor(
  own: OwnContext,
  { name, scopes, isInstanceAdministrator, networks, expiresAt }: NewToken,
): Promise<{ token: string; row: TokenRow }> {
  const { store, organizationId, caller } = own
  refuseHeirs(caller)
  const beyond = (scopes ?? []).filter((scope) => !may(caller, scope))
  if (beyond.length > 0) throw mayNotGive(`it has not “${beyond.join('”, “')}” itself`)
  if (isInstanceAdministrator && !caller.isInstanceAdministrator) {
    throw mayNotGive('it does not administer the instance itself')
  }
  const until = expiresAt === null ? null : Date.parse(expiresAt)
  if (until !== null && until <= (await nowOf(store))) {
    const message = 'must be in the future'
    throw new AppError('invalid_input', `expiresAt: ${message}`, {
      fields: [{ field: 'expiresAt', message }],
    })
  }
  const { token, id } = await addToken(store, organizationId, {
    name,
    ownerId: caller.user?.id ?? null,
    scopes: scopes ?? null,
    isInstanceAdministrator,
    networks,
    expiresAt: until,
  })
  return { token, row: await tokenOf(own, id) }
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
  const values = valuesOf({ name, ...unrestricted })
  await insertToken(store, trx, { organizationId, ...values, hash: hashOf(token) })
  return token
}

export async function isToken(trx: Transaction<Tables>, token: string): Promise<boolean> {
  return await hasToken(trx, hashOf(token))
}

/** Whose tokens the caller may see; undefined: all of the organization. */
export function whoseTokens(caller: Caller): string | undefined {
  if (may(caller, 'manage-tokens')) return undefined
  return caller.user?.id ?? 'nobody'
}

/** One that the caller may see. Throws `not_found`. */
export async function tokenOf({ store, organizationId, caller }: OwnContext, id: string): Promise<TokenRow> {
  return (await findToken(store, organizationId, whoseTokens(caller), id)) ?? throwNow(noToken())
}

/**
 * From now on nobody signs in with it any more. Throws `not_found`, and `in_use` for the caller’s own, unless that is
 * what the caller wants.
 */
export async function removeToken(own: OwnContext, id: string, { force }: { force: boolean }): Promise<void> {
  const { store, organizationId, caller } = own
  if (id === caller.credential.id && !force) {
    throw new AppError('in_use', 'This request is signed with that token.', {
      hint: 'Use another token to delete it, or add ?force=true. The next one can be made with: holdfast token create',
    })
  }
  if (id !== caller.credential.id) await tokenOf(own, id)
  await store.db.transaction().execute(async (trx) => {
    if (!(await deleteToken(trx, organizationId, id))) throw noToken()
    await forgetAnswers(trx, id)
  })
}

/**
 * What a token has made would outlive it: whoever found one could keep a way in. So only people make tokens, and the token
 * of the command line, which is everything already.
 */
function refuseHeirs({ credential, user }: Caller): void {
  const { kind, limits } = credential
  const isWhole =
    user === null && limits?.scopes === null && limits.networks === null && limits.expiresAt === null
  if (kind === 'session' || isWhole) return
  throw new AppError('forbidden', 'A token makes no other tokens: they would outlive it.', {
    hint: 'Sign in with a browser, or make one on the machine of the app: holdfast token create',
  })
}

function makeToken(): string {
  return PREFIX + randomBytes(32).toString('base64url')
}

function valuesOf({ scopes, networks, isInstanceAdministrator, ...rest }: TokenOrder) {
  return {
    ...rest,
    scopes: scopes === null ? null : JSON.stringify(scopes),
    networks: networks === null ? null : JSON.stringify(networks),
    isInstanceAdministrator: Number(isInstanceAdministrator),
  }
}

function noToken(): AppError {
  return new AppError('not_found', 'There is no such token.')
}

function mayNotGive(why: string): AppError {
  return new AppError('forbidden', `This request cannot make such a token: ${why}.`)
}
