import { z } from 'zod'
import type { Ability } from '../../shared/abilities.ts'
import { createdToken, newToken, token, type Token } from '../../shared/tokens.ts'
import type { AppRoutes } from '../app.ts'
import type { Caller } from '../identity/callers.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { listTokens, type TokenRow } from './store.ts'
import { makeTokenFor, removeToken, tokenOf, whoseTokens } from './tokens.ts'

const tags = ['tokens']
const params = z.object({ id: z.string() })

export function tokenRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/tokens',
      {
        config: { requires: 'sign-in' },
        schema: {
          tags,
          summary: 'One’s own tokens, and with “manage-tokens” those of all, by name',
          querystring: pageQuery,
          response: { 200: pageOf(token) },
        },
      },
      async ({ query: { limit, cursor }, own }) => {
        const after = readCursor(cursor)
        const whose = whoseTokens(own.caller)
        const rows = await listTokens(own.store, own.organizationId, whose, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map((row) => present(row, own.caller)), nextCursor }
      },
    )
    app.post(
      '/api/v1/tokens',
      {
        config: { requires: 'sign-in', audit: 'token.add' },
        schema: {
          tags,
          summary: 'Make a token, which is shown this once; for people, and the token of the command line',
          body: newToken,
          response: { 201: createdToken },
        },
      },
      async ({ body, own }, reply) => {
        const { token, row } = await makeTokenFor(own, body)
        return await reply
          .code(201)
          .headers({ location: `/api/v1/tokens/${row.id}`, 'cache-control': 'no-store' })
          .send({ ...present(row, own.caller), token })
      },
    )
    app.get(
      '/api/v1/tokens/:id',
      {
        config: { requires: 'sign-in' },
        schema: { tags, summary: 'One token', params, response: { 200: token } },
      },
      async ({ params: { id }, own }) => present(await tokenOf(own, id), own.caller),
    )
    app.delete(
      '/api/v1/tokens/:id',
      {
        config: { requires: 'sign-in', audit: 'token.delete' },
        schema: {
          tags,
          summary: 'Delete a token: nobody signs in with it any more',
          params,
          querystring: z.object({
            force: z.stringbool().default(false).meta({ description: 'Also the one of this request' }),
          }),
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, query: { force }, own }, reply) => {
        await removeToken(own, id, { force })
        return await reply.code(204).send(null)
      },
    )
  }
}

function present(row: TokenRow, caller: Caller): Token {
  const { id, name, ownerId, ownerName, ownerEmail, scopes, networks, expiresAt, lastUsedAt } = row
  return {
    id,
    name,
    owner: ownerId === null ? null : { id: ownerId, name: ownerName ?? '', email: ownerEmail ?? '' },
    scopes: scopes === null ? null : (JSON.parse(scopes) as Ability[]),
    isInstanceAdministrator: row.isInstanceAdministrator === 1,
    networks: networks === null ? null : (JSON.parse(networks) as string[]),
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    isOwn: id === caller.credential.id,
    createdAt: new Date(row.createdAt).toISOString(),
    lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  }
}
