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
import type { OwnContext } from '../identity/callers.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { addKey, changeKey, checkKeys, keyOf, protectedBy, recipientsOf, removeKey } from './keys.ts'
import { type KeyRow, listKeys } from './store.ts'

const tags = ['keys']
const params = z.object({ id: z.string() })

export function keyRoutes(): AppRoutes {
  const showAll = async (own: OwnContext, rows: readonly KeyRow[]) => {
    const counts = await protectedBy(own, own.organizationId, rows)
    return rows.map((row) => present(row, counts.get(row.id) ?? 0))
  }
  const show = async (own: OwnContext, row: KeyRow) =>
    present(row, (await protectedBy(own, own.organizationId, [row])).get(row.id) ?? 0)
  return async (app) => {
    app.get(
      '/api/v1/keys',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Encryption keys, by name',
          querystring: pageQuery,
          response: { 200: pageOf(encryptionKey) },
        },
      },
      async ({ query: { limit, cursor }, own }) => {
        const rows = await listKeys(own.store, own.organizationId, { after: readCursor(cursor), limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: await showAll(own, items), nextCursor }
      },
    )
    app.post(
      '/api/v1/keys',
      {
        config: { requires: 'manage-keys', audit: 'key.add' },
        schema: {
          tags,
          summary: 'Add an encryption key',
          body: newEncryptionKey,
          response: { 201: addedEncryptionKey },
        },
      },
      async ({ body, own }, reply) => {
        const { row, made } = await addKey(own, own.organizationId, body)
        return await reply
          .code(201)
          .headers({
            etag: etagOf(row.revision),
            location: `/api/v1/keys/${row.id}`,
            'cache-control': 'no-store',
          })
          .send({ ...(await show(own, row)), ...(made !== undefined && { secret: made }) })
      },
    )
    app.get(
      '/api/v1/keys/check',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Which snapshots each key protects, and which keys are missing',
          response: { 200: z.object({ items: z.array(keyCheck) }) },
        },
      },
      async ({ own }) => ({ items: await checkKeys(own, own.organizationId) }),
    )
    app.get(
      '/api/v1/keys/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One encryption key', params, response: { 200: encryptionKey } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await keyOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(await show(own, row))
      },
    )
    app.patch(
      '/api/v1/keys/:id',
      {
        config: { requires: 'manage-keys', audit: 'key.change' },
        schema: {
          tags,
          summary: 'Rename an encryption key, or retire it; with If-Match only what was read',
          params,
          body: encryptionKeyChanges,
          response: { 200: encryptionKey },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const row = await changeKey(own, own.organizationId, id, body, revisionOf(headers['if-match']))
        return await reply.header('etag', etagOf(row.revision)).send(await show(own, row))
      },
    )
    app.delete(
      '/api/v1/keys/:id',
      {
        config: { requires: 'manage-keys', audit: 'key.delete' },
        schema: {
          tags,
          summary: 'Forget an encryption key that protects nothing',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, own }, reply) => {
        await removeKey(own, own.organizationId, id)
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
