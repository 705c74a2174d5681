import { z } from 'zod'
import {
  credentials,
  passwordReset,
  passwordResetConfirmation,
  setup,
  setupState,
  signInLink,
  signInMethods,
  signInResult,
} from '../../shared/sign-in.ts'
import { asAppError } from '../../shared/errors.ts'
import type { AppRoutes } from '../app.ts'
import { actorOfUser } from '../audit/record.ts'
import type { AppContext } from '../context.ts'
import { signedIn } from '../identity/callers.ts'
import { refuseOtherOrigins } from '../identity/same-origin.ts'
import { startSession } from './auth.ts'
import { proofOf } from './credentials.ts'
import { startMail } from './limits.ts'
import { confirmReset, mailReset, signInWithLink } from './reset.ts'
import { isSetupOpen, setUp } from './setup.ts'
import { noteOf, refuseIfSwitchedOff, signInWithPassword, signOut, waysToSignIn } from './sign-in.ts'

const tags = ['sign-in']

export function signInRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    const mails = new Set<Promise<void>>()
    app.addHook('onClose', async () => void (await Promise.all(mails)))
    app.get(
      '/api/v1/setup',
      {
        config: { isPublic: true },
        schema: {
          tags,
          summary: 'Whether the first account is still to be made',
          response: { 200: setupState },
        },
      },
      async () => ({ isOpen: await isSetupOpen(context.store) }),
    )
    app.post(
      '/api/v1/setup',
      {
        config: { isPublic: true, audit: 'setup.complete' },
        schema: {
          tags,
          summary: 'Make the first account, which administers the instance, and sign in',
          body: setup,
          response: { 200: signInResult },
        },
      },
      async (request, reply) => {
        refuseOtherOrigins(context, request)
        request.auditNote = { organizationId: null, details: { email: request.body.email } }
        const userId = await setUp(context, request.body, request.ip)
        request.auditNote = await noteOf(context, request.body.email)
        await startSession(context, request, reply, {
          proof: await proofOf(context.store.db, userId),
          method: 'password',
        })
        return {}
      },
    )
    app.get(
      '/api/v1/sign-in',
      {
        config: { isPublic: true },
        schema: { tags, summary: 'Which ways to sign in there are', response: { 200: signInMethods } },
      },
      async () => await waysToSignIn(context),
    )
    app.post(
      '/api/v1/sign-in',
      {
        config: { isPublic: true, audit: 'sign-in.password' },
        schema: {
          tags,
          summary: 'Sign in with a password: a cookie carries the session',
          body: credentials,
          response: { 200: signInResult },
        },
      },
      async (request, reply) => {
        refuseOtherOrigins(context, request)
        return await signInWithPassword(context, request, reply, request.body)
      },
    )
    app.post(
      '/api/v1/sign-in/link',
      {
        config: { isPublic: true, audit: 'sign-in.link' },
        schema: {
          tags,
          summary: 'Sign in with what a link carries that was made on the machine of the app',
          body: signInLink,
          response: { 200: signInResult },
        },
      },
      async (request, reply) => {
        refuseOtherOrigins(context, request)
        await signInWithLink(context, request, reply, request.body.token)
        return {}
      },
    )
    app.post(
      '/api/v1/password-reset',
      {
        config: { isPublic: true, audit: 'password.order-reset' },
        schema: {
          tags,
          summary: 'Mail a link to set a new password with; whether there is such an account is not said',
          body: passwordReset,
          response: { 202: z.null() },
        },
      },
      async (request, reply) => {
        refuseOtherOrigins(context, request)
        await refuseIfSwitchedOff(context)
        const { email } = request.body
        request.auditNote = { organizationId: null, details: { email } }
        await startMail(context.store, { email, address: request.ip })
        // Nobody waits for it: how long it takes would tell whether there is such an account.
        const mail = mailReset(context, email).catch((error: unknown) => {
          const { code } = asAppError(error)
          request.log.warn({ code }, 'A link to set a new password with could not be mailed.')
        })
        mails.add(mail)
        void mail.finally(() => mails.delete(mail))
        return await reply.code(202).send(null)
      },
    )
    app.post(
      '/api/v1/password-reset/confirm',
      {
        config: { isPublic: true, audit: 'password.reset' },
        schema: {
          tags,
          summary: 'Set the password that a link was mailed for: all sessions end',
          body: passwordResetConfirmation,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        refuseOtherOrigins(context, request)
        await refuseIfSwitchedOff(context)
        request.auditNote = { organizationId: null }
        const user = await confirmReset(context, request.body, request.ip)
        request.auditNote.actor = actorOfUser(user)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/sign-out',
      {
        config: { requires: 'session', audit: 'sign-in.end' },
        schema: { tags, summary: 'End the session of this browser', response: { 204: z.null() } },
      },
      async (request, reply) => {
        await signOut(context, signedIn(request.caller), reply)
        return await reply.code(204).send(null)
      },
    )
  }
}
