import { z } from 'zod'
import { createdInvitation, invitation, newInvitation } from '../../shared/invitations.ts'
import type { AppRoutes } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { invitationOf, invite, removeInvitation, renew } from './invitations.ts'
import { originOf } from './links.ts'
import { presentInvitation, presentInvited } from './present.ts'
import { listInvitations } from './store.ts'

const tags = ['invitations']
const params = z.object({ id: z.string() })

export function invitationRoutes(context: RouteContext): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/invitations',
      {
        config: { requires: 'manage-users' },
        schema: {
          tags,
          summary: 'Invitations, the newest first, without their links',
          querystring: pageQuery,
          response: { 200: pageOf(invitation) },
        },
      },
      async ({ query: { limit, cursor }, own }) => {
        const after = readCursor(cursor, 'number')
        const rows = await listInvitations(own.store, own.organizationId, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ createdAt, id }) => [createdAt, id])
        return { items: items.map(presentInvitation), nextCursor }
      },
    )
    app.post(
      '/api/v1/invitations',
      {
        config: { requires: 'manage-users', audit: 'invitation.add' },
        schema: {
          tags,
          summary: 'Invite somebody: the link is shown this once, and mailed where a mail server is set',
          body: newInvitation,
          response: { 201: createdInvitation },
        },
      },
      async (request, reply) => {
        const { own, body } = request
        const { organizationId, caller } = own
        const invited = await invite(own, caller, { organizationId, ...body }, originOf(context, request))
        return await reply
          .code(201)
          .headers({ location: `/api/v1/invitations/${invited.row.id}`, 'cache-control': 'no-store' })
          .send(presentInvited(invited))
      },
    )
    app.get(
      '/api/v1/invitations/:id',
      {
        config: { requires: 'manage-users' },
        schema: { tags, summary: 'One invitation', params, response: { 200: invitation } },
      },
      async ({ params: { id }, own }) => presentInvitation(await invitationOf(own, id)),
    )
    app.post(
      '/api/v1/invitations/:id/renew',
      {
        config: { requires: 'manage-users', audit: 'invitation.renew' },
        schema: {
          tags,
          summary: 'Another link, in the place of the one before',
          params,
          response: { 200: createdInvitation },
        },
      },
      async (request, reply) => {
        const invited = await renew(request.own, request.params.id, originOf(context, request))
        return await reply.header('cache-control', 'no-store').send(presentInvited(invited))
      },
    )
    app.delete(
      '/api/v1/invitations/:id',
      {
        config: { requires: 'manage-users', audit: 'invitation.delete' },
        schema: {
          tags,
          summary: 'Take an invitation back',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, own }, reply) => {
        await removeInvitation(own, id)
        return await reply.code(204).send(null)
      },
    )
  }
}
