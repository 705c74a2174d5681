import type { Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { mayGive, powersOf } from '../roles/powers.ts'
import { deleteInvitation, type GivenRow, givenByPeople } from './store.ts'

/*
 * An invitation is worth what whoever sent it may give: it goes with their powers, and is looked at again when somebody
 * accepts it. One of a token that is nobody’s stays.
 */

/** Deletes open invitations whose senders could not send them any more, of an organization, or of one sender. */
export async function withdrawInvitations(
  trx: Transaction<Tables>,
  which: { organizationId: string } | { inviterId: string },
): Promise<void> {
  for (const row of await givenByPeople(trx, which)) {
    if (!isStillGiven(row)) await deleteInvitation(trx, row.id)
  }
}

/** Whether nobody has sent it, or whoever did could send it now. */
export async function isCovered(db: Store['db'] | Transaction<Tables>, id: string): Promise<boolean> {
  return (await givenByPeople(db, { id })).every(isStillGiven)
}

function isStillGiven({ isDisabled, isInstanceAdministrator, given, inviters }: GivenRow): boolean {
  if (isDisabled === 1) return false
  if (isInstanceAdministrator === 1) return true
  return inviters !== null && mayGive(powersOf(inviters), powersOf(given))
}
