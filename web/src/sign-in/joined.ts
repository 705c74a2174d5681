import type { AcceptedInvitation } from '../../../src/shared/invitations.ts'
import { useEnter } from './enter.ts'
import { forgetInvitation } from './kept-invitation.ts'
import { tryOnce } from './use-try.ts'

/** Leads whoever has joined into the organization: signed in with the password, if it was given. */
export function useJoined(): (accepted: AcceptedInvitation, password?: string) => Promise<void> {
  const enter = useEnter()
  return async ({ organization: { id }, email }, password) => {
    forgetInvitation()
    if (password !== undefined) await tryOnce('POST /api/v1/sign-in', { body: { email, password } })
    await tryOnce('POST /api/v1/me/organization', { body: { id } })
    await enter()
  }
}
