import { z } from 'zod'
import {
  newRecoveryCodes,
  passwordConfirmation,
  secondFactor,
  secondFactorState,
  totpCode,
  totpEnrolment,
  totpRemoval,
} from '../../shared/second-factor.ts'
import { signInResult } from '../../shared/sign-in.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { refuseOtherOrigins } from '../identity/same-origin.ts'
import { personOf } from '../identity/callers.ts'
import { refuseIfSwitchedOff } from '../sign-in/sign-in.ts'
import {
  confirmTotp,
  enrolTotp,
  removeTotp,
  renewRecoveryCodes,
  secondFactorOf,
  signInWithSecondFactor,
} from './second-factor.ts'

const tags = ['sign-in']

export function secondFactorRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.post(
      '/api/v1/sign-in/second-factor',
      {
        config: { isPublic: true, audit: 'sign-in.second-factor' },
        schema: {
          tags,
          summary: 'The second half of a sign-in with a password: a code, or a recovery code',
          body: secondFactor,
          response: { 200: signInResult },
        },
      },
      async (request, reply) => {
        refuseOtherOrigins(context, request)
        await refuseIfSwitchedOff(context)
        await signInWithSecondFactor(context, request, reply, request.body)
        return {}
      },
    )
    app.get(
      '/api/v1/me/totp',
      {
        config: { requires: 'session' },
        schema: {
          tags,
          summary: 'Whether one is asked for a code of an authenticator app',
          response: { 200: secondFactorState },
        },
      },
      async ({ caller }) => await secondFactorOf(context, personOf(caller).id),
    )
    app.post(
      '/api/v1/me/totp',
      {
        config: { requires: 'session', audit: null },
        schema: {
          tags,
          summary: 'Make a secret for an authenticator app; it counts once a code of it was right',
          body: passwordConfirmation,
          response: { 200: totpEnrolment },
        },
      },
      async (request, reply) => {
        const user = personOf(request.caller)
        const made = await enrolTotp(context, request, user, request.body.password)
        return await reply.header('cache-control', 'no-store').send(made)
      },
    )
    app.post(
      '/api/v1/me/totp/verify',
      {
        config: { requires: 'session', audit: 'totp.add' },
        schema: {
          tags,
          summary: 'Enter the first code: from now on one is asked for behind the password',
          body: totpCode,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await confirmTotp(context, request, reply, personOf(request.caller), request.body.code)
        return await reply.code(204).send(null)
      },
    )
    app.delete(
      '/api/v1/me/totp',
      {
        config: { requires: 'session', audit: 'totp.delete' },
        schema: {
          tags,
          summary: 'Remove the authenticator app, and the recovery codes: the password alone signs in again',
          body: totpRemoval,
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await removeTotp(context, request, reply, personOf(request.caller), request.body)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/me/recovery-codes',
      {
        config: { requires: 'session', audit: 'recovery-codes.renew' },
        schema: {
          tags,
          summary: 'Make new recovery codes: the former ones are worth nothing any more',
          body: passwordConfirmation,
          response: { 200: newRecoveryCodes },
        },
      },
      async (request, reply) => {
        const { password } = request.body
        const recoveryCodes = await renewRecoveryCodes(context, request, personOf(request.caller), password)
        return await reply.header('cache-control', 'no-store').send({ recoveryCodes })
      },
    )
  }
}
