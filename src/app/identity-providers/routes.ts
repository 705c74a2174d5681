import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asAppError } from '../../shared/errors.ts'
import {
  type Identity,
  identity,
  identityProvider,
  type IdentityProvider,
  identityProviderChanges,
  identityProviderKind,
  localPath,
  newIdentity,
  newIdentityProvider,
  providerKinds,
} from '../../shared/identity-providers.ts'
import { testReport } from '../../shared/test-report.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { formOf } from '../driver-settings.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { maskSettings } from '../secrets.ts'
import { personOf } from '../identity/callers.ts'
import { removeIdentity } from './identities.ts'
import {
  addProvider,
  changeProvider,
  FROM_ENVIRONMENT,
  providerOf,
  type ProviderRow,
  removeProvider,
  rulesOf,
  schemaOf,
  settingsOf,
} from './identity-providers.ts'
import { beginSignIn, callbackQuery, finishSignIn, pendingSignIn, redirectUrl } from './sign-in.ts'
import { type AccountRow, accountsOf, listProviders } from './store.ts'
import { testProvider } from './test-provider.ts'

const tags = ['sign-in']
const params = z.object({ id: z.string().max(100) })

export function identityProviderRoutes(context: AppContext): AppRoutes {
  const show = (row: ProviderRow, request: FastifyRequest) => present(context, row, request)
  return async (app) => {
    app.get(
      '/api/v1/identity-provider-kinds',
      {
        config: { requires: 'administer-instance' },
        schema: {
          tags,
          summary: 'The kinds of identity providers, and their settings',
          response: { 200: z.object({ items: z.array(identityProviderKind) }) },
        },
      },
      async () => ({ items: describeKinds() }),
    )
    app.get(
      '/api/v1/identity-providers',
      {
        config: { requires: 'administer-instance' },
        schema: {
          tags,
          summary: 'Identity providers, by name',
          querystring: pageQuery,
          response: { 200: pageOf(identityProvider) },
        },
      },
      async (request) => {
        const { limit, cursor } = request.query
        const rows = await listProviders(context.store.db, { after: readCursor(cursor), limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map((row) => show(row, request)), nextCursor }
      },
    )
    app.post(
      '/api/v1/identity-providers',
      {
        config: { requires: 'administer-instance', audit: 'identity-provider.add' },
        schema: {
          tags,
          summary: 'Add an identity provider',
          body: newIdentityProvider,
          response: { 201: identityProvider },
        },
      },
      async (request, reply) => {
        const row = await addProvider(context, request.body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/identity-providers/${row.id}` })
          .send(show(row, request))
      },
    )
    app.get(
      '/api/v1/identity-providers/:id',
      {
        config: { requires: 'administer-instance' },
        schema: { tags, summary: 'One identity provider', params, response: { 200: identityProvider } },
      },
      async (request, reply) => {
        const row = await providerOf(context, request.params.id)
        return await reply.header('etag', etagOf(row.revision)).send(show(row, request))
      },
    )
    app.patch(
      '/api/v1/identity-providers/:id',
      {
        config: { requires: 'administer-instance', audit: 'identity-provider.change' },
        schema: {
          tags,
          summary: 'Change an identity provider; with If-Match only what was read',
          params,
          body: identityProviderChanges,
          response: { 200: identityProvider },
        },
      },
      async (request, reply) => {
        const { params, body, headers } = request
        const row = await changeProvider(context, params.id, body, revisionOf(headers['if-match']))
        return await reply.header('etag', etagOf(row.revision)).send(show(row, request))
      },
    )
    app.delete(
      '/api/v1/identity-providers/:id',
      {
        config: { requires: 'administer-instance', audit: 'identity-provider.delete' },
        schema: {
          tags,
          summary: 'Delete an identity provider: nobody signs in by it any more; roles that it gave stay',
          params,
          querystring: z.object({
            force: z
              .stringbool()
              .default(false)
              .meta({ description: 'Also where it is the only way to sign in for somebody' }),
          }),
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, query: { force } }, reply) => {
        await removeProvider(context, id, { force })
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/identity-providers/:id/test',
      {
        config: { requires: 'administer-instance', audit: null },
        schema: {
          tags,
          summary: 'Ask an identity provider what it says of itself, and say what was found',
          params,
          response: { 200: testReport },
        },
      },
      async (request) => {
        const row = await providerOf(context, request.params.id)
        return await testProvider(context, row, redirectUrl(context, request, row.id), request.signal)
      },
    )

    app.get(
      '/api/v1/sign-in/providers/:id',
      {
        config: { isPublic: true },
        schema: {
          tags,
          summary: 'Sign in by an identity provider: sends the browser there',
          params,
          querystring: z.object({
            to: localPath.default('/').meta({ description: 'The page that follows' }),
          }),
          response: { 303: z.null() },
        },
      },
      async (request, reply) => {
        const { params, query } = request
        let to: string
        try {
          to = await beginSignIn(context, request, reply, { id: params.id, to: query.to })
        } catch (error) {
          to = failedAt(context, request, error)
        }
        return await reply.header('cache-control', 'no-store').code(303).redirect(to)
      },
    )
    app.get(
      '/api/v1/sign-in/providers/:id/callback',
      {
        config: { isPublic: true },
        schema: {
          tags,
          summary: 'Where the identity provider sends the browser back to, and where it is signed in',
          params,
          querystring: callbackQuery,
          response: { 303: z.null() },
        },
      },
      async (request, reply) => {
        const { params, query } = request
        const { id } = params
        let to: string
        try {
          const begun = await pendingSignIn(context, request, reply, { id, state: query.state })
          to =
            (context.basePath ?? '') + (await finishSignIn(context, request, reply, { begun, answer: query }))
        } catch (error) {
          to = failedAt(context, request, error)
        }
        return await reply.header('cache-control', 'no-store').code(303).redirect(to)
      },
    )

    app.get(
      '/api/v1/me/identities',
      {
        config: { requires: 'session' },
        schema: {
          tags,
          summary: 'One’s own accounts at identity providers',
          response: { 200: z.object({ items: z.array(identity) }) },
        },
      },
      async ({ caller }) => {
        const rows = await accountsOf(context.store.db, personOf(caller).id)
        return { items: rows.map(presentIdentity) }
      },
    )
    app.post(
      '/api/v1/me/identities',
      {
        config: { requires: 'session', audit: null },
        schema: {
          tags,
          summary:
            'Begin to add an identity provider to one’s own ways to sign in: says where the browser goes',
          body: newIdentity,
          response: { 200: z.object({ url: z.url() }) },
        },
      },
      async (request, reply) => {
        const person = personOf(request.caller)
        const { providerId: id, to } = request.body
        return { url: await beginSignIn(context, request, reply, { id, to, person }) }
      },
    )
    app.delete(
      '/api/v1/me/identities/:id',
      {
        config: { requires: 'session', audit: 'identity.delete' },
        schema: {
          tags,
          summary: 'Take an account at an identity provider away; not the last way to sign in',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, caller }, reply) => {
        await removeIdentity(context, personOf(caller).id, id)
        return await reply.code(204).send(null)
      },
    )
  }
}

/** The page says what the code means. */
function failedAt(context: AppContext, request: FastifyRequest, thrown: unknown): string {
  const { code, message } = asAppError(thrown)
  if (code === 'internal') request.log.error({ err: thrown }, 'A sign-in failed unexpectedly.')
  else request.log.warn({ code }, message)
  return `${context.basePath ?? ''}/sign-in?error=${code}`
}

function present(context: AppContext, row: ProviderRow, request: FastifyRequest): IdentityProvider {
  const { id, name, kind, isEnabled, users } = row
  return {
    id,
    name,
    kind,
    settings: maskSettings(schemaOf(kind), settingsOf(context, row)),
    isEnabled: isEnabled === 1,
    ...rulesOf(row),
    redirectUrl: redirectUrl(context, request, id),
    isFromEnvironment: id === FROM_ENVIRONMENT && context.oidc !== undefined,
    users,
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
  }
}

function presentIdentity(row: AccountRow): Identity {
  const { id, subject, providerId, providerName: name, providerKind: kind } = row
  return {
    id,
    subject,
    provider: name === null || kind === null ? null : { id: providerId, name, kind },
    createdAt: new Date(row.createdAt).toISOString(),
    lastUsedAt: new Date(row.updatedAt).toISOString(),
  }
}

function describeKinds() {
  return Object.entries(providerKinds).map(([name, { label, claim, settings }]) => ({
    name,
    label,
    claim,
    settings: formOf(settings),
  }))
}
