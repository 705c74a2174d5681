import { sql, type Transaction } from 'kysely'
import type { Tables } from '../../store/tables.ts'

/** Lets no other transaction that asks for the same go on before this one has ended: a last way to sign in stays. */
export async function holdUser(trx: Transaction<Tables>, userId: string): Promise<void> {
  await sql`update users set updated_at = updated_at where id = ${userId}`.execute(trx)
}

/** How a user can sign in: with a password, if that is one of the ways, by providers that are enabled, and with passkeys. */
export async function countWays(
  trx: Transaction<Tables>,
  userId: string,
  { password }: { password: boolean },
): Promise<number> {
  const { accounts } = await trx
    .selectFrom('accounts')
    .leftJoin('identityProviders', 'identityProviders.id', 'accounts.providerId')
    .select((eb) => eb.fn.countAll<number>().as('accounts'))
    .where('accounts.userId', '=', userId)
    .where((eb) => {
      const isEnabled = eb('identityProviders.isEnabled', '=', 1)
      return password ? eb.or([isEnabled, eb('accounts.password', 'is not', null)]) : isEnabled
    })
    .executeTakeFirstOrThrow()
  const { passkeys } = await trx
    .selectFrom('passkeys')
    .select((eb) => eb.fn.countAll<number>().as('passkeys'))
    .where('userId', '=', userId)
    .executeTakeFirstOrThrow()
  return accounts + passkeys
}
