import type { Transaction } from 'kysely'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { MergedOrganization, OrganizationLosses } from '../../shared/organizations.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { actorOf, recordAudit } from '../audit/record.ts'
import type { AppContext } from '../context.ts'
import type { Caller } from '../identity/callers.ts'
import { keepLocalToken } from '../local-token.ts'
import { savingName } from '../names.ts'
import { readTokenFile } from '../token-file.ts'
import { lossesOf } from './losses.ts'
import { makeOrganization } from './organizations.ts'
import {
  type CountedOrganization,
  deleteOrganization,
  findOrganization,
  listOrganizations,
  lockJobs,
  lockOrganizations,
  renameOrganization,
} from './store.ts'

/** Throws `not_found`. */
export async function organizationOf({ store }: AppContext, id: string): Promise<CountedOrganization> {
  return (await findOrganization(store.db, id)) ?? throwNow(noOrganization())
}

/** It is yet to be prepared. Throws `name_taken`. */
export async function addOrganization(context: AppContext, name: string): Promise<CountedOrganization> {
  const { store } = context
  const id = await savingName(store, 'organization', name, () =>
    store.db.transaction().execute((trx) => makeOrganization(store, trx, name)),
  )
  return await organizationOf(context, id)
}

/** Throws `not_found` and `name_taken`. */
export async function changeOrganization(
  context: AppContext,
  id: string,
  { name }: { name?: string | undefined },
): Promise<CountedOrganization> {
  const { store } = context
  if (name !== undefined) {
    const isDone = await savingName(store, 'organization', name, () => renameOrganization(store.db, id, name))
    if (!isDone) throw noOrganization()
  }
  return await organizationOf(context, id)
}

/** What would be lost. Throws `not_found`. */
export async function lossesOfOrganization(context: AppContext, id: string): Promise<OrganizationLosses> {
  const { store } = context
  return await store.db.transaction().execute(async (trx) => {
    const found = (await findOrganization(trx, id)) ?? throwNow(noOrganization())
    return await lossesOf(store, trx, found, await lockJobs(store, trx, id))
  })
}

/**
 * Deletes an organization, and records that; what lies on its volumes stays there. Returns what was lost. Throws
 * `not_found`, `confirmation_needed` unless its name is given, and `in_use` with everything that is in the way.
 */
export async function removeOrganization(
  context: AppContext,
  asker: Asker,
  id: string,
  confirmation: string | undefined,
): Promise<OrganizationLosses> {
  const { store } = context
  return await store.db.transaction().execute(async (trx) => {
    await lockOrganizations(store, trx, [id])
    const found = (await findOrganization(trx, id)) ?? throwNow(noOrganization())
    const losses = await lossesOf(store, trx, found, await lockJobs(store, trx, id))
    refuseObstacles(found.name, 'deleted', losses.obstacles)
    refuseOwnToken(asker.caller, id, losses)
    confirm(found.name, confirmation)
    await deleteOrganization(trx, id)
    await recordChange(store, trx, asker, 'organization.delete', found, losses)
    return losses
  })
}

/** Who asks for a change, and from where. */
export interface Asker {
  caller: Caller
  address: string
}

/** As the last that the transaction does: whatever comes of the request, the log says what was done. */
export async function recordChange(
  store: Store,
  trx: Transaction<Tables>,
  { caller, address }: Asker,
  action: 'organization.delete' | 'organization.merge',
  { id, name }: { id: string; name: string },
  answer: OrganizationLosses | MergedOrganization,
): Promise<void> {
  await recordAudit(store, trx, {
    organizationId: null,
    action,
    outcome: 'succeeded',
    actor: actorOf(caller),
    address,
    target: { kind: 'organization', id, name },
    details: { answer },
  })
}

/** The token of the command line of this machine may have been in what is gone. */
export async function keepCommandLine(context: AppContext): Promise<void> {
  if ((await readTokenFile(context.dataDirectory)) === undefined) return
  const [oldest] = await listOrganizations(context.store)
  if (oldest) await keepLocalToken(context, oldest.id)
}

export function refuseObstacles(
  name: string,
  what: 'deleted' | 'merged',
  obstacles: readonly string[],
): void {
  if (obstacles.length === 0) return
  throw new AppError('in_use', `The organization “${name}” cannot be ${what} now. ${obstacles.join(' ')}`, {
    hint: 'Jobs can be cancelled; everything else must be changed first.',
  })
}

/** Throws `confirmation_needed`. */
export function confirm(name: string, confirmation: string | undefined): void {
  if (confirmation === name) return
  const message = `must be the name of the organization that goes, “${name}”`
  throw new AppError('confirmation_needed', `confirmation: ${message}`, {
    hint: 'Look first at what would be lost.',
    fields: [{ field: 'confirmation', message }],
  })
}

export function noOrganization(): AppError {
  return new AppError('not_found', 'There is no such organization.')
}

function refuseOwnToken(
  { credential, organizationId }: Caller,
  id: string,
  losses: OrganizationLosses,
): void {
  if (credential.kind !== 'token' || organizationId !== id) return
  throw new AppError('in_use', `This request is signed with a token of “${losses.organization.name}”.`, {
    hint: 'Use one of another organization, or sign in.',
  })
}
