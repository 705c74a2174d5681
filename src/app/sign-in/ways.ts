import type { Transaction } from 'kysely'
import { AppError } from '../../shared/errors.ts'
import type { Tables } from '../../store/tables.ts'
import { holdEnabledProviders } from './store.ts'

/**
 * Throws `invalid_input` where passwords cannot be switched off, since there is no identity provider to sign in with
 * instead. Until the transaction ends, none is switched off.
 */
export async function refuseToLockOut(trx: Transaction<Tables>): Promise<void> {
  if (await holdEnabledProviders(trx)) return
  const message = 'cannot be switched off without an identity provider'
  throw new AppError('invalid_input', `passwordSignIn: ${message}`, {
    hint: 'Add one, sign in with it, and then switch passwords off.',
    fields: [{ field: 'passwordSignIn', message }],
  })
}
