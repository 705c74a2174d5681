import { z } from 'zod'
import { createdToken, newToken, token, type Token } from '../../shared/tokens.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { listTokens, type TokenRow } from './store.ts'
import { addToken, type Caller, organizationOf, removeToken, signedIn, tokenOf } from './tokens.ts'

const tags = ['tokens']
const params = z.object({ id: z.string() })

export function tokenRoutes({ store }: AppContext): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/tokens',
      {
        schema: {
          tags,
          summary: 'Tokens, by name',
          querystring: pageQuery,
          response: { 200: pageOf(token) },
        },
      },
      async ({ query: { limit, cursor }, caller }) => {
        const rows = await listTokens(store, organizationOf(caller), { after: readCursor(cursor), limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map((row) => present(row, caller)), nextCursor }
      },
    )
    app.post(
      '/api/v1/tokens',
      {
        schema: {
          tags,
          summary: 'Make a token, which is shown this once',
          body: newToken,
          response: { 201: createdToken },
        },
      },
      async ({ body: { name }, caller }, reply) => {
        const { token, row } = await addToken(store, organizationOf(caller), name)
        return await reply
          .code(201)
          .header('location', `/api/v1/tokens/${row.id}`)
          .send({ ...present(row, caller), token })
      },
    )
    app.get(
      '/api/v1/tokens/:id',
      { schema: { tags, summary: 'One token', params, response: { 200: token } } },
      async ({ params: { id }, caller }) => present(await tokenOf(store, organizationOf(caller), id), caller),
    )
    app.delete(
      '/api/v1/tokens/:id',
      {
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
      async ({ params: { id }, query: { force }, caller }, reply) => {
        await removeToken(store, signedIn(caller), id, { force })
        return await reply.code(204).send(null)
      },
    )
  }
}

function present({ id, name, createdAt, lastUsedAt }: TokenRow, caller: Caller | null): Token {
  return {
    id,
    name,
    isOwn: id === caller?.token.id,
    createdAt: new Date(createdAt).toISOString(),
    lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  }
}
