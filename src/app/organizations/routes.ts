import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  mergedOrganization,
  newOrganization,
  organization,
  type Organization,
  organizationChanges,
  organizationLosses,
  organizationMerge,
  organizationRole,
} from '../../shared/organizations.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { signedIn } from '../identity/callers.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import {
  addOrganization,
  type Asker,
  changeOrganization,
  keepCommandLine,
  lossesOfOrganization,
  organizationOf,
  removeOrganization,
} from './changes.ts'
import { mergeOrganizations } from './merge.ts'
import { prepareOrganization } from './prepare.ts'
import { type CountedOrganization, pageOrganizations, rolesIn } from './store.ts'

const tags = ['organizations']
const params = z.object({ id: z.string() })

export function organizationRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/organizations',
      {
        config: { requires: 'administer-instance' },
        schema: {
          tags,
          summary: 'Organizations, by name',
          querystring: pageQuery,
          response: { 200: pageOf(organization) },
        },
      },
      async ({ query: { limit, cursor } }) => {
        const rows = await pageOrganizations(context.store, { after: readCursor(cursor), limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(present), nextCursor }
      },
    )
    app.post(
      '/api/v1/organizations',
      {
        config: { requires: 'administer-instance', audit: 'organization.add' },
        schema: {
          tags,
          summary: 'Add an organization, with its roles, a notification rule and a first volume',
          body: newOrganization,
          response: { 201: organization },
        },
      },
      async (request, reply) => {
        const row = await addOrganization(context, request.body.name)
        await afterwards(request, () => prepareOrganization(context, row.id))
        return await reply.code(201).header('location', `/api/v1/organizations/${row.id}`).send(present(row))
      },
    )
    app.get(
      '/api/v1/organizations/:id',
      {
        config: { requires: 'administer-instance' },
        schema: { tags, summary: 'One organization', params, response: { 200: organization } },
      },
      async ({ params: { id } }) => present(await organizationOf(context, id)),
    )
    app.patch(
      '/api/v1/organizations/:id',
      {
        config: { requires: 'administer-instance', audit: 'organization.change' },
        schema: {
          tags,
          summary: 'Rename an organization',
          params,
          body: organizationChanges,
          response: { 200: organization },
        },
      },
      async ({ params: { id }, body }) => present(await changeOrganization(context, id, body)),
    )
    app.get(
      '/api/v1/organizations/:id/roles',
      {
        config: { requires: 'administer-instance' },
        schema: {
          tags,
          summary: 'The roles of an organization, by name: those that an identity provider may give in it',
          params,
          response: { 200: z.object({ items: z.array(organizationRole) }) },
        },
      },
      async ({ params: { id } }) => {
        await organizationOf(context, id)
        const roles = await rolesIn(context.store.db, id)
        return { items: roles.map(({ id, name }) => ({ id, name })) }
      },
    )
    app.get(
      '/api/v1/organizations/:id/losses',
      {
        config: { requires: 'administer-instance' },
        schema: {
          tags,
          summary: 'Exactly what would be lost with an organization',
          params,
          response: { 200: organizationLosses },
        },
      },
      async ({ params: { id } }) => await lossesOfOrganization(context, id),
    )
    app.delete(
      '/api/v1/organizations/:id',
      {
        config: { requires: 'administer-instance', audit: 'organization.delete' },
        schema: {
          tags,
          summary: 'Delete an organization; nothing on its volumes is touched; says what was lost',
          params,
          querystring: z.object({
            confirmation: z.string().max(200).optional().meta({ description: 'Its name' }),
          }),
          response: { 200: organizationLosses },
        },
      },
      async (request) => {
        const { params, query } = request
        const lost = await removeOrganization(context, askerOf(request), params.id, query.confirmation)
        request.auditNote = { isRecorded: true }
        await afterwards(request, () => keepCommandLine(context))
        return lost
      },
    )
    app.post(
      '/api/v1/organizations/:id/merge',
      {
        config: { requires: 'administer-instance', audit: 'organization.merge' },
        schema: {
          tags,
          summary: 'Move everything of an organization into another one, or say what would happen',
          params,
          body: organizationMerge,
          response: { 200: mergedOrganization },
        },
      },
      async (request) => {
        const { params, body } = request
        if (body.dryRun) request.auditNote = { isUnfinished: true }
        const merged = await mergeOrganizations(context, askerOf(request), params.id, body)
        if (!merged.isDone) return merged
        request.auditNote = { isRecorded: true }
        await afterwards(request, () => keepCommandLine(context))
        return merged
      },
    )
  }
}

function askerOf({ caller, ip }: FastifyRequest): Asker {
  return { caller: signedIn(caller), address: ip }
}

/** What follows from a change that is done, and is made up for when the app starts: its failure is none of the change. */
async function afterwards({ log }: FastifyRequest, follow: () => Promise<void>): Promise<void> {
  try {
    await follow()
  } catch (error) {
    log.error({ err: error }, 'What follows from a change of organizations could not be done.')
  }
}

function present({ id, name, members, servers, createdAt }: CountedOrganization): Organization {
  return { id, name, members, servers, createdAt: new Date(createdAt).toISOString() }
}
