import type { Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { Setup } from '../../shared/sign-in.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { hashOf } from '../identity/callers.ts'
import { listOrganizations, makeOrganization, renameOrganization } from '../organizations/organizations.ts'
import { builtInRoleId } from '../roles/built-in.ts'
import { forgetTries, startGuess } from './limits.ts'
import { makeLinkToken } from './links.ts'
import { faultOf, refuseBadPassword } from './password-policy.ts'
import { hashPassword } from './passwords.ts'
import { closeSetup, findSetup, hasAdministrator, insertMembership, saveSetup, takeSetup } from './store.ts'
import { addUser } from './users.ts'

/** Who administers the instance from its start on, as the environment says. */
export interface FirstAdministrator {
  email: string
  password: string
}

/**
 * At each start while nobody has an account: makes the token with which the first one is made. A former one is void.
 * Undefined if somebody has an account.
 */
export async function openSetup(store: Store): Promise<string | undefined> {
  const token = makeLinkToken()
  return await store.db.transaction().execute(async (trx) => {
    if (await hasAdministrator(trx)) {
      await closeSetup(trx)
      return undefined
    }
    await saveSetup(store, trx, hashOf(token))
    return token
  })
}

export async function isSetupOpen({ db }: Store): Promise<boolean> {
  return (await findSetup(db)) !== undefined && !(await hasAdministrator(db))
}

/**
 * Makes the first account, which administers the instance; returns its id. Of several at once one succeeds. Throws
 * `setup_closed`, `forbidden` for a wrong token, `too_many_requests`, and `invalid_input`.
 */
export async function setUp(
  { store }: AppContext,
  { token, name, email, password, organization }: Setup,
  address: string,
): Promise<string> {
  const kept = await findSetup(store.db)
  if (kept === undefined || (await hasAdministrator(store.db))) throw setupClosed()
  const guess = await startGuess(store, address)
  const hash = hashOf(token)
  if (hash !== kept) throw wrongToken()
  await forgetTries(store, guess)
  await refuseBadPassword(password, { email, name })
  const passwordHash = await hashPassword(password)
  return await store.db.transaction().execute(async (trx) => {
    if (!(await takeSetup(trx, hash)) || (await hasAdministrator(trx))) throw setupClosed()
    return await addAdministrator(store, trx, { name, email, passwordHash, organization })
  })
}

/**
 * Makes the first account as the environment says, where there is none; returns whether it did. Throws
 * `configuration_invalid` for a password that others would guess.
 */
export async function makeFirstAdministrator(
  store: Store,
  { email, password }: FirstAdministrator,
): Promise<boolean> {
  if (await hasAdministrator(store.db)) return false
  const [name = email] = email.split('@')
  const fault = faultOf(password, { email, name })
  if (fault !== undefined) {
    throw new AppError('configuration_invalid', `HOLDFAST_ADMIN_PASSWORD: the password ${fault}`, {
      hint: 'It is for the first account, which there is none of yet. Choose another one.',
    })
  }
  const passwordHash = await hashPassword(password)
  return await store.db.transaction().execute(async (trx) => {
    // Others may start now, too: whoever takes the row makes the account.
    const token = hashOf(makeLinkToken())
    await saveSetup(store, trx, token)
    if ((await hasAdministrator(trx)) || !(await takeSetup(trx, token))) {
      await closeSetup(trx)
      return false
    }
    await addAdministrator(store, trx, { name, email, passwordHash })
    return true
  })
}

async function addAdministrator(
  store: Store,
  trx: Transaction<Tables>,
  {
    organization,
    ...user
  }: { name: string; email: string; passwordHash: string; organization?: string | undefined },
): Promise<string> {
  const userId = await addUser(store, trx, {
    ...user,
    isInstanceAdministrator: true,
    // Whoever sets the installation up says what their own address is.
    isEmailVerified: true,
  })
  const [first] = await listOrganizations({ ...store, db: trx })
  const organizationId = first?.id ?? (await makeOrganization(store, trx, organization ?? 'Default'))
  if (first && organization !== undefined) await renameOrganization(trx, first.id, organization)
  const roleId = builtInRoleId(organizationId, 'admin')
  await insertMembership(store, trx, { organizationId, userId, roleId })
  return userId
}

function setupClosed(): AppError {
  return new AppError('setup_closed', 'The first account has been made already.', {
    hint: 'Sign in, or ask an administrator for an invitation. On the machine of the app: holdfast users add',
  })
}

function wrongToken(): AppError {
  return new AppError('forbidden', 'This is not the token of the setup.', {
    hint: 'The app prints it when it starts, a new one each time, as long as nobody has an account.',
  })
}
