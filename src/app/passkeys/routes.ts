import { z } from 'zod'
import {
  newPasskey,
  passkey,
  type Passkey,
  passkeyChanges,
  passkeyCreationOptions,
  passkeyRequestOptions,
  passkeySignIn,
} from '../../shared/passkeys.ts'
import { signInResult } from '../../shared/sign-in.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { refuseOtherOrigins } from '../identity/same-origin.ts'
import { personOf } from '../identity/callers.ts'
import {
  addPasskey,
  beginAdding,
  beginSignIn,
  changePasskey,
  removePasskey,
  signInWithPasskey,
} from './passkeys.ts'
import { listPasskeys, type PasskeyRow } from './store.ts'

const tags = ['sign-in']
const params = z.object({ id: z.string().max(100) })

export function passkeyRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.post(
      '/api/v1/sign-in/passkey/options',
      {
        config: { isPublic: true, audit: null },
        schema: {
          tags,
          summary: 'Begin to sign in with a passkey: what the browser is asked for',
          response: { 200: passkeyRequestOptions },
        },
      },
      async (request, reply) => {
        refuseOtherOrigins(context, request)
        const options = await beginSignIn(context, request, reply)
        return await reply.header('cache-control', 'no-store').send(options)
      },
    )
    app.post(
      '/api/v1/sign-in/passkey',
      {
        config: { isPublic: true, audit: 'sign-in.passkey' },
        schema: {
          tags,
          summary: 'Sign in with a passkey',
          body: passkeySignIn,
          response: { 200: signInResult },
        },
      },
      async (request, reply) => {
        refuseOtherOrigins(context, request)
        await signInWithPasskey(context, request, reply, request.body)
        return {}
      },
    )
    app.get(
      '/api/v1/me/passkeys',
      {
        config: { requires: 'session' },
        schema: {
          tags,
          summary: 'One’s own passkeys, the oldest first',
          response: { 200: z.object({ items: z.array(passkey) }) },
        },
      },
      async ({ caller }) => {
        const rows = await listPasskeys(context.store.db, personOf(caller).id)
        return { items: rows.map(present) }
      },
    )
    app.post(
      '/api/v1/me/passkeys/options',
      {
        config: { requires: 'session', audit: null },
        schema: {
          tags,
          summary: 'Begin to add a passkey: what the browser is asked for',
          response: { 200: passkeyCreationOptions },
        },
      },
      async (request, reply) => {
        const options = await beginAdding(context, request, reply, personOf(request.caller))
        return await reply.header('cache-control', 'no-store').send(options)
      },
    )
    app.post(
      '/api/v1/me/passkeys',
      {
        config: { requires: 'session', audit: 'passkey.add' },
        schema: { tags, summary: 'Add a passkey', body: newPasskey, response: { 201: passkey } },
      },
      async (request, reply) => {
        const row = await addPasskey(context, request, reply, personOf(request.caller), request.body)
        return await reply.code(201).send(present(row))
      },
    )
    app.patch(
      '/api/v1/me/passkeys/:id',
      {
        config: { requires: 'session', audit: 'passkey.change' },
        schema: {
          tags,
          summary: 'Rename a passkey',
          params,
          body: passkeyChanges,
          response: { 200: passkey },
        },
      },
      async ({ params: { id }, body, caller }) =>
        present(await changePasskey(context, personOf(caller).id, id, body)),
    )
    app.delete(
      '/api/v1/me/passkeys/:id',
      {
        config: { requires: 'session', audit: 'passkey.delete' },
        schema: {
          tags,
          summary: 'Delete a passkey; not the last way to sign in',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, caller }, reply) => {
        await removePasskey(context, personOf(caller).id, id)
        return await reply.code(204).send(null)
      },
    )
  }
}

function present(row: PasskeyRow): Passkey {
  const { id, name, transports, mayBeBackedUp, isBackedUp, createdAt, lastUsedAt } = row
  return {
    id,
    name,
    transports: JSON.parse(transports) as string[],
    mayBeBackedUp: mayBeBackedUp === 1,
    isBackedUp: isBackedUp === 1,
    createdAt: new Date(createdAt).toISOString(),
    lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  }
}
