import { sql, type Transaction } from 'kysely'
import type { Tables } from '../../store/tables.ts'

/** Lets no other transaction that asks for the same go on before this one has ended: a last way to sign in stays. */
export async function holdUser(trx: Transaction<Tables>, userId: string): Promise<void> {
  await sql`update users set updated_at = updated_at where id = ${userId}`.execute(trx)
}
