import { AppError } from '../../shared/errors.ts'
import { type Caller, signedIn } from '../identity/callers.ts'

/** The user at the browser. Throws `forbidden` for a token: how somebody signs in is a matter of who has signed in. */
export function ownUser(caller: Caller | null): { id: string; name: string; email: string } {
  const { credential, user } = signedIn(caller)
  if (credential.kind === 'session' && user) return user
  throw new AppError('forbidden', 'A token may not change how somebody signs in.', {
    hint: 'Sign in with a browser.',
  })
}
