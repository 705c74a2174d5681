import { AppError } from '../../shared/errors.ts'
import type { AppContext } from '../context.ts'
import { refuseLastWay } from '../sign-in/last-way.ts'
import { holdUser } from '../sign-in/ways-store.ts'
import { accountsOf, deleteAccount } from './store.ts'

/** Throws `not_found`, and `last_way_to_sign_in`. */
export async function removeIdentity(
  { store }: Pick<AppContext, 'store'>,
  userId: string,
  id: string,
): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await holdUser(trx, userId)
    const own = await accountsOf(trx, userId)
    if (!own.some((account) => account.id === id)) {
      throw new AppError('not_found', 'You have no such account at a provider.')
    }
    await deleteAccount(trx, userId, id)
    await refuseLastWay(store, trx, userId)
  })
}
