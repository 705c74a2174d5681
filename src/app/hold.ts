import type { Transaction } from 'kysely'
import type { Tables } from '../store/tables.ts'

/**
 * Lets no other transaction that asks for the same go on before this one has ended: so what is looked at here, and found
 * to be there or not to be needed, is still so when it is used or deleted.
 */
export async function holdOrganization(trx: Transaction<Tables>, organizationId: string): Promise<void> {
  // Writing the row as it is locks it in both kinds of store.
  await trx
    .updateTable('organizations')
    .set((eb) => ({ createdAt: eb.ref('createdAt') }))
    .where('id', '=', organizationId)
    .execute()
}
