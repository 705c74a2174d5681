import {
  acceptedInvitation,
  invitationAnswer,
  invitationLook,
  shownInvitation,
} from '../../shared/invitations.ts'
import type { AppRoutes } from '../app.ts'
import { actorOfUser } from '../audit/record.ts'
import type { AppContext } from '../context.ts'
import { refuseOtherOrigins } from '../identity/same-origin.ts'
import { sessionOf } from '../identity/sessions.ts'
import { acceptInvitation, lookAtInvitation, openInvitation } from './accept.ts'

const tags = ['invitations']

/** For whoever has the link. It is sent in bodies, so that no log of addresses has it. */
export function invitationAcceptRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.post(
      '/api/v1/invitations/look',
      {
        config: { isPublic: true, audit: null },
        schema: {
          tags,
          summary: 'What an invitation is for',
          body: invitationLook,
          response: { 200: shownInvitation },
        },
      },
      async ({ body: { token }, ip }, reply) =>
        await reply.header('cache-control', 'no-store').send(await lookAtInvitation(context, token, ip)),
    )
    app.post(
      '/api/v1/invitations/accept',
      {
        config: { isPublic: true, audit: 'invitation.accept' },
        schema: {
          tags,
          summary: 'Accept an invitation, with a new account, or the one that there is',
          body: invitationAnswer,
          response: { 200: acceptedInvitation },
        },
      },
      async (request, reply) => {
        const session = await sessionOf(context, request, reply)
        if (session) refuseOtherOrigins(context, request)
        const { body, ip } = request
        const invitation = await openInvitation(context, body.token, ip)
        const { id, email, organizationId } = invitation
        request.auditNote = {
          organizationId,
          actor: { kind: 'user', id: null, name: email },
          target: { kind: 'invitation', id, name: email },
        }
        const asker = { address: ip, userId: session?.userId }
        const { userId, ...accepted } = await acceptInvitation(context, invitation, body, asker)
        request.auditNote.actor = actorOfUser({ id: userId, email })
        return accepted
      },
    )
  }
}
