import { asAppError } from '../../shared/errors.ts'
import type { CreatedInvitation } from '../../shared/invitations.ts'
import { openWith } from '../channels/channels.ts'
import type { AppContext } from '../context.ts'
import { mailOf } from '../instance-settings/instance-settings.ts'
import type { InvitationRow } from './store.ts'

/** Whoever invites waits for it. */
const TIMEOUT = 15_000

/** Whether the invitation was mailed; where a mail server is set that did not take it, why. */
export async function mailInvitation(
  context: AppContext,
  invitation: InvitationRow,
  { link, token }: { link: string; token: string },
): Promise<Pick<CreatedInvitation, 'mailed' | 'mailError'>> {
  const { id, email, organizationName, roleName, inviterName, expiresAt } = invitation
  const until = `${new Date(expiresAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  try {
    if (!(await mailOf(context))) return { mailed: false, mailError: null }
    const channel = await openWith(context, 'email', { to: [email] }, TIMEOUT)
    await channel.send(
      {
        id,
        event: 'invitation',
        severity: 'info',
        title: `Invitation to “${organizationName}” on Holdfast`,
        text: `${inviterName ?? 'An administrator'} invites you to the organization “${organizationName}”, with the role “${roleName}”.\nFollow the link to accept. It can be used once, until ${until}. If you did not expect it, do nothing.`,
        facts: [],
        url: link,
        at: new Date().toISOString(),
        data: {},
      },
      AbortSignal.timeout(2 * TIMEOUT),
    )
    return { mailed: true, mailError: null }
  } catch (error) {
    const { code, message, hint } = asAppError(error)
    const hide = (text: string) => text.replaceAll(token, '***')
    return {
      mailed: false,
      mailError: { code, message: hide(message), ...(hint !== undefined && { hint: hide(hint) }) },
    }
  }
}
