import { z } from 'zod'
import { newUser, user, type User, userChanges } from '../../shared/users.ts'
import type { AppRoutes } from '../app.ts'
import type { OwnContext } from '../identity/callers.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { listMembers, type MemberRow } from './store.ts'
import { addUser, changeUser, removeUser, userOf } from './users.ts'

const tags = ['users']
const params = z.object({ id: z.string() })

export function userRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/users',
      {
        config: { requires: 'manage-users' },
        schema: {
          tags,
          summary: 'The members of the organization, by name',
          querystring: pageQuery,
          response: { 200: pageOf(user) },
        },
      },
      async ({ query: { limit, cursor }, own }) => {
        const rows = await listMembers(own.store, own.organizationId, { after: readCursor(cursor), limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map((row) => present(own, row)), nextCursor }
      },
    )
    app.post(
      '/api/v1/users',
      {
        config: { requires: 'manage-users', audit: 'user.add' },
        schema: {
          tags,
          summary: 'Make somebody a member who has an account: for instance administrators; others invite',
          body: newUser,
          response: { 201: user },
        },
      },
      async ({ body, own }, reply) => {
        const row = await addUser(own, body)
        return await reply.code(201).header('location', `/api/v1/users/${row.id}`).send(present(own, row))
      },
    )
    app.get(
      '/api/v1/users/:id',
      {
        config: { requires: 'manage-users' },
        schema: { tags, summary: 'One member', params, response: { 200: user } },
      },
      async ({ params: { id }, own }) => present(own, await userOf(own, id)),
    )
    app.patch(
      '/api/v1/users/:id',
      {
        config: { requires: 'manage-users', audit: 'user.change' },
        schema: {
          tags,
          summary: 'Give a member another role',
          params,
          body: userChanges,
          response: { 200: user },
        },
      },
      async ({ params: { id }, body, own }) => present(own, await changeUser(own, id, body)),
    )
    app.delete(
      '/api/v1/users/:id',
      {
        config: { requires: 'manage-users', audit: 'user.remove' },
        schema: {
          tags,
          summary: 'Take a member out of the organization, with their tokens; the account stays',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, own }, reply) => {
        await removeUser(own, id)
        return await reply.code(204).send(null)
      },
    )
  }
}

/** What an account is beyond the organization, is for those who administer the instance. */
function present({ caller }: OwnContext, row: MemberRow): User {
  const { id, name, email, roleId, roleName, providerId, providerName, lastSignInAt } = row
  return {
    id,
    name,
    email,
    role: { id: roleId, name: roleName },
    identityProvider: providerId === null ? null : { id: providerId, name: providerName ?? '' },
    isInstanceAdministrator: caller.isInstanceAdministrator ? row.isInstanceAdministrator === 1 : null,
    isDisabled: caller.isInstanceAdministrator ? row.isDisabled === 1 : null,
    hasSecondFactor: row.twoFactorEnabled === 1 || row.passkeys > 0,
    lastSignInAt: lastSignInAt === null ? null : new Date(lastSignInAt).toISOString(),
    joinedAt: new Date(row.joinedAt).toISOString(),
  }
}
