import { z } from 'zod'
import { endedSessions, me, myChanges, organizationChoice, passwordChange, session } from '../../shared/me.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { personOf, renewCaller, signedIn } from '../identity/callers.ts'
import {
  changeMe,
  changePassword,
  endOtherSessions,
  endSession,
  presentMe,
  presentSessions,
  switchOrganization,
} from './me.ts'

const tags = ['me']

export function meRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/me',
      {
        config: { requires: 'self' },
        schema: { tags, summary: 'Who sends the request, and what it may do', response: { 200: me } },
      },
      async ({ caller }) => await presentMe(context, signedIn(caller)),
    )
    app.patch(
      '/api/v1/me',
      {
        config: { requires: 'session', audit: 'me.change' },
        schema: { tags, summary: 'Change one’s name', body: myChanges, response: { 200: me } },
      },
      async (request) => {
        const caller = signedIn(request.caller)
        await changeMe(context, personOf(caller), request.body)
        return await presentMe(context, (await renewCaller(context.store, caller)) ?? caller)
      },
    )
    app.post(
      '/api/v1/me/password',
      {
        config: { requires: 'session', audit: 'me.change-password' },
        schema: {
          tags,
          summary: 'Choose another password: all other sessions end',
          body: passwordChange,
          response: { 204: z.null() },
        },
      },
      async ({ caller, body, ip }, reply) => {
        await changePassword(context, personOf(caller), body, ip)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/me/organization',
      {
        config: { requires: 'session', audit: 'me.switch-organization' },
        schema: {
          tags,
          summary: 'Switch to another organization, in this session',
          body: organizationChoice,
          response: { 200: me },
        },
      },
      async (request) => {
        const caller = signedIn(request.caller)
        const switched = await switchOrganization(context, personOf(caller), caller, request.body.id)
        return await presentMe(context, switched)
      },
    )
    app.get(
      '/api/v1/me/sessions',
      {
        config: { requires: 'session' },
        schema: {
          tags,
          summary: 'Where one is signed in',
          response: { 200: z.object({ items: z.array(session) }) },
        },
      },
      async ({ caller }) => ({ items: await presentSessions(context, personOf(caller)) }),
    )
    app.delete(
      '/api/v1/me/sessions',
      {
        config: { requires: 'session', audit: 'me.end-sessions' },
        schema: { tags, summary: 'Sign out everywhere else', response: { 200: endedSessions } },
      },
      async ({ caller }) => ({ ended: await endOtherSessions(context, personOf(caller)) }),
    )
    app.delete(
      '/api/v1/me/sessions/:id',
      {
        config: { requires: 'session', audit: 'me.end-session' },
        schema: {
          tags,
          summary: 'Sign out in one other browser',
          params: z.object({ id: z.string().max(100) }),
          response: { 204: z.null() },
        },
      },
      async ({ caller, params }, reply) => {
        await endSession(context, personOf(caller), params.id)
        return await reply.code(204).send(null)
      },
    )
  }
}
