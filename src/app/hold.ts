import { type SqlBool, sql, type Transaction } from 'kysely'
import type { Tables } from '../store/tables.ts'
import { changedMeanwhile } from './revisions.ts'

/**
 * Lets no other transaction that asks for the same go on before this one has ended: so what is looked at here, and found
 * to be there or not to be needed, is still so when it is used or deleted.
 */
export async function holdOrganization(trx: Transaction<Tables>, organizationId: string): Promise<void> {
  // Writing the row as it is locks it in both kinds of store. In plain SQL, because another organization, whose channel is
  // shared, may be held as well: see store/scope.ts.
  await sql`update organizations set created_at = created_at where id = ${organizationId}`.execute(trx)
}

/** Ids. */
export interface References {
  servers?: readonly string[]
  schedules?: readonly string[]
  volumes?: readonly string[]
  plans?: readonly string[]
  /** Retired ones are as good as gone. */
  encryptionKeys?: readonly string[]
}

/**
 * Holds the organization, and throws `changed_meanwhile` unless all is there that `who` would refer to: what was found to
 * be there before the transaction must still be there, and stay until its end.
 */
export async function holdReferences(
  trx: Transaction<Tables>,
  organizationId: string,
  who: string,
  references: References,
): Promise<void> {
  await holdOrganization(trx, organizationId)
  for (const [table, ids] of Object.entries(references) as [keyof References, readonly string[]][]) {
    const wanted = [...new Set(ids)]
    if (wanted.length === 0) continue
    const found = await trx
      .selectFrom(table)
      .select('id')
      .where('organizationId', '=', organizationId)
      .where('id', 'in', wanted)
      .where(table === 'encryptionKeys' ? sql<SqlBool>`state = 'active'` : sql<SqlBool>`true`)
      .execute()
    if (found.length < wanted.length) throw changedMeanwhile(`What ${who} refers to`)
  }
}
