import { AppError } from '../../shared/errors.ts'
import type { Caller, Requirement } from '../identity/callers.ts'

/** Everybody may know these: they are shown where people sign in. */
export const DEMO_EMAIL = 'demo@holdfast.example'
export const DEMO_PASSWORD = 'look-around'

/** Throws `forbidden` for the account of a demonstration where it would change itself, or make tokens: others use it, too. */
export function refuseDemoAccount({ user }: Caller, requires: Requirement | undefined): void {
  if (user?.email !== DEMO_EMAIL || (requires !== 'session' && requires !== 'sign-in')) return
  throw new AppError('forbidden', 'Everybody uses this account: it cannot be changed.', {
    hint: 'Try it in an installation of your own.',
  })
}
