import { z } from 'zod'
import {
  addedEncryptionKey,
  type EncryptionKey,
  encryptionKey,
  encryptionKeyChanges,
  keyCheck,
  newEncryptionKey,
} from '../../shared/encryption-keys.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { organizationOf } from '../identity/tokens.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { addKey, changeKey, checkKeys, keyOf, protectedBy, recipientsOf, removeKey } from './keys.ts'
import { type KeyRow, listKeys } from './store.ts'

const tags = ['keys']
const params = z.object({ id: z.string() })

export function keyRoutes(context: AppContext): AppRoutes {
  const showAll = async (organizationId: string, rows: readonly KeyRow[]) => {
    const counts = await protectedBy(context, organizationId, rows)
    return rows.map((row) => present(row, counts.get(row.id) ?? 0))
  }
  const show = async (organizationId: string, row: KeyRow) =>
    present(row, (await protectedBy(context, organizationId, [row])).get(row.id) ?? 0)
  return async (app) => {
    app.get(
      '/api/v1/keys',
      {
        schema: {
          tags,
          summary: 'Encryption keys, by name',
          querystring: pageQuery,
          response: { 200: pageOf(encryptionKey) },
        },
      },
      async ({ query: { limit, cursor }, caller }) => {
        const organizationId = organizationOf(caller)
        const rows = await listKeys(context.store, organizationId, { after: readCursor(cursor), limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: await showAll(organizationId, items), nextCursor }
      },
    )
    app.post(
      '/api/v1/keys',
      {
        schema: {
          tags,
          summary: 'Add an encryption key',
          body: newEncryptionKey,
          response: { 201: addedEncryptionKey },
        },
      },
      async ({ body, caller }, reply) => {
        const organizationId = organizationOf(caller)
        const { row, made } = await addKey(context, organizationId, body)
        return await reply
          .code(201)
          .headers({
            etag: etagOf(row.revision),
            location: `/api/v1/keys/${row.id}`,
            'cache-control': 'no-store',
          })
          .send({ ...(await show(organizationId, row)), ...(made !== undefined && { secret: made }) })
      },
    )
    app.get(
      '/api/v1/keys/check',
      {
        schema: {
          tags,
          summary: 'Which snapshots each key protects, and which keys are missing',
          response: { 200: z.object({ items: z.array(keyCheck) }) },
        },
      },
      async ({ caller }) => ({ items: await checkKeys(context, organizationOf(caller)) }),
    )
    app.get(
      '/api/v1/keys/:id',
      { schema: { tags, summary: 'One encryption key', params, response: { 200: encryptionKey } } },
      async ({ params: { id }, caller }, reply) => {
        const organizationId = organizationOf(caller)
        const row = await keyOf(context, organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(await show(organizationId, row))
      },
    )
    app.patch(
      '/api/v1/keys/:id',
      {
        schema: {
          tags,
          summary: 'Rename an encryption key, or retire it; with If-Match only what was read',
          params,
          body: encryptionKeyChanges,
          response: { 200: encryptionKey },
        },
      },
      async ({ params: { id }, body, headers, caller }, reply) => {
        const organizationId = organizationOf(caller)
        const row = await changeKey(context, organizationId, id, body, revisionOf(headers['if-match']))
        return await reply.header('etag', etagOf(row.revision)).send(await show(organizationId, row))
      },
    )
    app.delete(
      '/api/v1/keys/:id',
      {
        schema: {
          tags,
          summary: 'Forget an encryption key that protects nothing',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, caller }, reply) => {
        await removeKey(context, organizationOf(caller), id)
        return await reply.code(204).send(null)
      },
    )
  }
}

function present(row: KeyRow, snapshots: number): EncryptionKey {
  const { id, name, kind, state, fingerprint, createdAt, updatedAt } = row
  const recipients = recipientsOf(row)
  return {
    id,
    name,
    kind,
    state,
    fingerprint,
    ...(recipients && { recipients }),
    snapshots,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}
