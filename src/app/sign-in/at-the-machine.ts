import { AppError, throwNow } from '../../shared/errors.ts'
import { emailAddress } from '../../shared/sign-in.ts'
import type { Store } from '../../store/database.ts'
import { actorAtCommandLine, recordAudit } from '../audit/record.ts'
import type { Configuration } from '../configuration.ts'
import { signInSettingsOf } from '../instance-settings/instance-settings.ts'
import { organizationNamed } from '../organizations/organizations.ts'
import { voidProofs } from './credentials.ts'
import { makeLinkFor } from './links.ts'
import { refuseBadPassword } from './password-policy.ts'
import { hashPassword } from './passwords.ts'
import { linkTo } from './reset.ts'
import {
  deleteSecondFactor,
  deleteSessionsOf,
  findRole,
  findUser,
  insertMembership,
  listMemberships,
  listUsers as listRows,
  listWays,
  updateUser,
  type UserRow,
} from './store.ts'
import { addUser, setPassword } from './users.ts'

/*
 * What whoever sits at the machine of the app may do: they have its store anyway. So nobody is locked out for good, also
 * where passwords are switched off and the identity provider is down.
 */

export interface UserInList {
  id: string
  email: string
  name: string
  isInstanceAdministrator: boolean
  isDisabled: boolean
  hasPassword: boolean
  hasSecondFactor: boolean
  passkeys: number
  /** Names of identity providers. */
  providers: string[]
  organizations: { name: string; role: string }[]
}

export async function listUsers({ db }: Store): Promise<UserInList[]> {
  const memberships = await listMemberships(db)
  const ways = await listWays(db)
  return (await listRows(db)).map((user) => ({
    id: user.id,
    email: user.email,
    name: user.name,
    isInstanceAdministrator: user.isInstanceAdministrator === 1,
    isDisabled: user.isDisabled === 1,
    hasPassword: user.password !== null,
    hasSecondFactor: user.twoFactorEnabled === 1,
    passkeys: ways.passkeys.get(user.id) ?? 0,
    providers: ways.providers.get(user.id) ?? [],
    organizations: memberships
      .filter(({ userId }) => userId === user.id)
      .map(({ organization, role }) => ({ name: organization, role })),
  }))
}

/** Throws `invalid_input`, `name_taken`, and `not_found` for an organization or a role that is not there. */
export async function addUserHere(
  store: Store,
  order: {
    email: string
    name: string
    organization: string | undefined
    role: string
    isInstanceAdministrator: boolean
    password: string
  },
): Promise<{ id: string; email: string; organization: string; role: string }> {
  const email = readEmail(order.email)
  const { name, role, isInstanceAdministrator } = order
  const organizationId = await organizationNamed(store, order.organization)
  const found = (await findRole(store.db, organizationId, role)) ?? throwNow(noRole(role))
  await refuseBadPassword(order.password, { email, name })
  const passwordHash = await hashPassword(order.password)
  return await store.db.transaction().execute(async (trx) => {
    const user = { name, email, passwordHash, isInstanceAdministrator, isEmailVerified: true }
    const id = await addUser(store, trx, user)
    await insertMembership(store, trx, { organizationId, userId: id, roleId: found.id })
    await recordAudit(store, trx, {
      organizationId: null,
      action: 'user.add',
      outcome: 'succeeded',
      actor: actorAtCommandLine(),
      address: null,
      target: { kind: 'user', id, name: email },
      details: { organization: found.organization, role: found.name, isInstanceAdministrator },
    })
    return { id, email, organization: found.organization, role: found.name }
  })
}

/** Throws `not_found`. */
export async function userHere({ db }: Store, text: string): Promise<UserRow> {
  const email = readEmail(text)
  return (await findUser(db, { email })) ?? throwNow(noUser(email))
}

export async function hasPasswordSignIn(store: Store): Promise<boolean> {
  return (await signInSettingsOf({ store })).passwordSignIn
}

/**
 * Ends all sessions of an account, and gives it a password; without one, the token of a link that signs in. Throws
 * `invalid_input` for a password that others would guess.
 */
export async function letIn(
  store: Store,
  user: UserRow,
  options: { password: string | undefined; isEnabled: boolean; withoutSecondFactor: boolean },
): Promise<{ token: string | undefined; warnings: string[] }> {
  const { password, isEnabled, withoutSecondFactor } = options
  if (password !== undefined) await refuseBadPassword(password, user)
  const passwordHash = password === undefined ? undefined : await hashPassword(password)
  const token = await store.db.transaction().execute(async (trx) => {
    if (isEnabled && user.isDisabled === 1) await updateUser(store, trx, user.id, { isDisabled: 0 })
    if (withoutSecondFactor) await deleteSecondFactor(store, trx, user.id)
    if (passwordHash !== undefined) await setPassword(store, trx, user.id, passwordHash)
    else {
      await voidProofs(trx, user.id)
      await deleteSessionsOf(trx, user.id)
    }
    const made =
      passwordHash === undefined ? await makeLinkFor(store, trx, 'sign-in-link', user.id) : undefined
    await recordAudit(store, trx, {
      organizationId: null,
      action: 'user.reset-password',
      outcome: 'succeeded',
      actor: actorAtCommandLine(),
      address: null,
      target: { kind: 'user', id: user.id, name: user.email },
      details: { by: made === undefined ? 'password' : 'link', isEnabled, withoutSecondFactor },
    })
    return made
  })
  const warnings: string[] = []
  if (user.isDisabled === 1 && !isEnabled) {
    warnings.push('The account is disabled, and signs in with nothing: add --enable.')
  }
  if (user.twoFactorEnabled === 1 && !withoutSecondFactor && token === undefined) {
    warnings.push('Signing in asks for the second factor, too: if it is lost, add --without-second-factor.')
  }
  return { token, warnings }
}

/** As APP_URL says, or as it is reached on this machine. */
export function signInLinkTo({ appUrl, tls, host, port, basePath }: Configuration, token: string): string {
  const everywhere = ['0.0.0.0', '::'].includes(host)
  const name = everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return linkTo(appUrl ?? `${tls ? 'https' : 'http'}://${name}:${port}${basePath}`, 'sign-in/link', token)
}

function readEmail(text: string): string {
  const parsed = emailAddress.safeParse(text)
  if (parsed.success) return parsed.data
  throw new AppError('invalid_input', `“${text.slice(0, 100)}” is not an e-mail address.`)
}

function noUser(email: string): AppError {
  return new AppError('not_found', `There is no account with the e-mail ${email}.`, {
    hint: 'All accounts: holdfast users ls',
  })
}

function noRole(name: string): AppError {
  return new AppError('not_found', `There is no role “${name}” in this organization.`, {
    hint: 'An organization begins with Viewer, Operator, Member and Admin.',
  })
}
