import { z } from 'zod'
import { abilities, type Ability, abilityDescription, abilityNames } from '../../shared/abilities.ts'
import { newRole, role, type Role, roleChanges } from '../../shared/roles.ts'
import type { AppRoutes } from '../app.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { powersOf } from './powers.ts'
import { addRole, changeRole, removeRole, roleOf } from './roles.ts'
import { type CountedRole, listRoles } from './store.ts'

const tags = ['roles']
const params = z.object({ id: z.string() })

export function roleRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/abilities',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'What a role may allow',
          response: { 200: z.object({ items: z.array(abilityDescription) }) },
        },
      },
      async () => ({ items: abilityNames.map(describeAbility) }),
    )
    app.get(
      '/api/v1/roles',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Roles, by name',
          querystring: pageQuery,
          response: { 200: pageOf(role) },
        },
      },
      async ({ query: { limit, cursor }, own }) => {
        const rows = await listRoles(own.store, own.organizationId, { after: readCursor(cursor), limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(present), nextCursor }
      },
    )
    app.post(
      '/api/v1/roles',
      {
        config: { requires: 'manage-roles', audit: 'role.add' },
        schema: {
          tags,
          summary: 'Add a role, with no more than one may do oneself',
          body: newRole,
          response: { 201: role },
        },
      },
      async ({ body, own }, reply) => {
        const row = await addRole(own, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/roles/${row.id}` })
          .send(present(row))
      },
    )
    app.get(
      '/api/v1/roles/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One role', params, response: { 200: role } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await roleOf(own, id)
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.patch(
      '/api/v1/roles/:id',
      {
        config: { requires: 'manage-roles', audit: 'role.change' },
        schema: {
          tags,
          summary: 'Change a role, also a built-in one; with If-Match only what was read',
          params,
          body: roleChanges,
          response: { 200: role },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const row = await changeRole(own, id, body, revisionOf(headers['if-match']))
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.delete(
      '/api/v1/roles/:id',
      {
        config: { requires: 'manage-roles', audit: 'role.delete' },
        schema: {
          tags,
          summary: 'Delete a role that nobody has',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, own }, reply) => {
        await removeRole(own, id)
        return await reply.code(204).send(null)
      },
    )
  }
}

function describeAbility(name: Ability) {
  const { title, isAboutServers } = abilities[name]
  return { name, title, isAboutServers }
}

function present(row: CountedRole): Role {
  const { id, name, isBuiltIn, members, invitations, createdAt, updatedAt } = row
  const { abilities, servers } = powersOf(row)
  return {
    id,
    name,
    abilities: [...abilities],
    servers,
    isBuiltIn: isBuiltIn === 1,
    members,
    invitations,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}
