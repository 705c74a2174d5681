import type { Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'
import { signInSettingsOf } from '../instance-settings/instance-settings.ts'
import { countWays } from './ways-store.ts'

/** Throws `last_way_to_sign_in` if, after what was taken away, nothing works any more: one that is switched off does not. */
export async function refuseLastWay(store: Store, trx: Transaction<Tables>, userId: string): Promise<void> {
  const { passwordSignIn: password } = await signInSettingsOf({ store }, trx)
  if ((await countWays(trx, userId, { password })) > 0) return
  throw new AppError('last_way_to_sign_in', 'Without this one you could not sign in any more.', {
    hint: 'Add another way first: a password, a passkey or an identity provider.',
  })
}
