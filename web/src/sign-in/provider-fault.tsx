import { Navigate } from '@tanstack/react-router'
import type { ErrorCode } from '../../../src/shared/errors.ts'
import { msg, useT } from '../i18n/i18n.ts'
import { Failed } from '../parts/failed.tsx'
import { isLinking } from './linking.ts'

interface Fault {
  sentence: string
  hint: string
}

/** The app's log has more of it; the address has only the code. */
const faults: Partial<Record<ErrorCode, Fault>> = {
  sign_in_expired: {
    sentence: msg('The sign-in took too long, or was begun in another tab or before somebody signed out.'),
    hint: msg('Begin again.'),
  },
  account_unknown: {
    sentence: msg('The provider knows you, but you have no account here that fits.'),
    hint: msg(
      'Ask an administrator for an invitation. Whoever has an account signs in to it and adds the provider in the profile.',
    ),
  },
  email_not_verified: {
    sentence: msg('There is an account with your e-mail address, but it is not proven to be yours.'),
    hint: msg('Sign in to that account in another way, and add the provider in the profile.'),
  },
  no_role: {
    sentence: msg('The provider knows you, but no role here follows from it.'),
    hint: msg('An administrator can add you to a group there, or give you a role here.'),
  },
  identity_taken: {
    sentence: msg('This account at the provider belongs to another user here.'),
    hint: msg('Sign in with it, and take it away in that user’s profile first.'),
  },
  provider_unreachable: {
    sentence: msg('The identity provider cannot be reached.'),
    hint: msg('Try again later, or sign in another way.'),
  },
  provider_refused: {
    sentence: msg('The identity provider has refused the sign-in.'),
    hint: msg('Try again, or ask an administrator: the log of Holdfast says why.'),
  },
  forbidden: {
    sentence: msg('This account is disabled.'),
    hint: msg('Ask an administrator of the instance.'),
  },
  not_found: {
    sentence: msg('There is no such identity provider.'),
    hint: msg('Sign in another way.'),
  },
}

const other: Fault = {
  sentence: msg('Signing in with the identity provider has failed.'),
  hint: msg('Try again, or ask an administrator: the log of Holdfast says why.'),
}

/** Why a provider has not signed somebody in; where it was to be added to a profile, it is said there. */
export function ProviderFault({ code }: { code: string }) {
  if (isLinking()) return <Navigate to="/profile" search={{ error: code }} replace />
  return <ProviderFailed code={code} />
}

export function ProviderFailed({ code }: { code: string }) {
  const t = useT()
  const { sentence, hint } = faults[code as ErrorCode] ?? other
  return (
    <Failed error={{ code: code as ErrorCode, message: t(sentence), hint: t(hint), fields: undefined }} />
  )
}
