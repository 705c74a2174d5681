import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { AppError, throwNow } from '../../shared/errors.ts'
import {
  databaseSnapshots,
  deletion,
  deletionOrder,
  downloadLink,
  snapshot,
  snapshotChanges,
  snapshotContents,
  snapshotDetails,
  type SnapshotQuery,
  snapshotQuery,
  usualOrders,
  verification,
} from '../../shared/snapshots-api.ts'
import type { AppRoutes } from '../app.ts'
import { nowOf } from '../clock.ts'
import type { OwnContext } from '../identity/callers.ts'
import { pageOf, pageQuery, readCursor, readCursorInGroup, writeCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { serverOf } from '../servers/servers.ts'
import { deleteSnapshots } from './deletion.ts'
import {
  dispositionOf,
  type Download,
  linkTo,
  openDownload,
  plainBytes,
  readRange,
  storedBytes,
} from './download.ts'
import { listSnapshots, type SnapshotFilter } from './listing.ts'
import { present, presentContents, presentDetails } from './present.ts'
import { changeSnapshot, type SnapshotRow, snapshotOf } from './snapshots.ts'
import { copiesOf, countByDatabase } from './store.ts'
import { orderVerification } from './verify.ts'

const tags = ['snapshots']
const params = z.object({ id: z.string() })
const yes = z.enum(['true', 'false']).default('false')

export function snapshotRoutes(): AppRoutes {
  const show = async ({ store }: OwnContext, row: SnapshotRow) =>
    presentDetails(row, await copiesOf(store.db, [row.id]), await nowOf(store))
  return async (app) => {
    app.get(
      '/api/v1/snapshots',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Snapshots, by time, size or name; unless something else is said, the newest first',
          description:
            'A page may be shorter than asked for, and even empty, where many had to be looked through: go on as long as there is a nextCursor.',
          querystring: pageQuery.extend(snapshotQuery.shape),
          response: { 200: pageOf(snapshot) },
        },
      },
      async ({ query: { limit, cursor, ...query }, own }) => {
        const listed = await listSnapshots(own.store, own.organizationId, filterOf(query), {
          sort: query.sort,
          order: query.order ?? usualOrders[query.sort],
          after: query.sort === 'database' ? readCursorInGroup(cursor) : readCursor(cursor, 'number'),
          limit,
        })
        const ids = listed.rows.map(({ id }) => id)
        const copies = Map.groupBy(await copiesOf(own.store.db, ids), ({ snapshotId }) => snapshotId)
        const now = await nowOf(own.store)
        return {
          items: listed.rows.map((row) => present(row, copies.get(row.id) ?? [], now)),
          nextCursor: listed.next && writeCursor(listed.next),
        }
      },
    )
    app.get(
      '/api/v1/servers/:id/snapshots',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'How many snapshots there are of each database of a server, and how old the newest is',
          params,
          response: { 200: z.object({ items: z.array(databaseSnapshots) }) },
        },
      },
      async ({ params: { id }, own }) => {
        await serverOf(own, own.organizationId, id)
        const counted = await countByDatabase(own.store, id)
        return {
          items: counted.map(({ newestAt, ...count }) => ({
            ...count,
            newestAt: new Date(newestAt).toISOString(),
          })),
        }
      },
    )
    app.get(
      '/api/v1/snapshots/:id',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'One snapshot, with its manifest',
          params,
          response: { 200: snapshotDetails },
        },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await snapshotOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(await show(own, row))
      },
    )
    app.patch(
      '/api/v1/snapshots/:id',
      {
        config: { requires: 'edit-snapshots', audit: 'snapshot.change' },
        schema: {
          tags,
          summary: 'Lock or unlock a snapshot, or comment on it; with If-Match only what was read',
          params,
          body: snapshotChanges,
          response: { 200: snapshotDetails },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changeSnapshot(own, own.organizationId, id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(await show(own, row))
      },
    )
    app.get(
      '/api/v1/snapshots/:id/contents',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'The tables of a snapshot', params, response: { 200: snapshotContents } },
      },
      async ({ params: { id }, own }) =>
        presentContents((await snapshotOf(own, own.organizationId, id)).manifest),
    )
    app.delete(
      '/api/v1/snapshots/:id',
      {
        config: { requires: 'delete-snapshots', audit: 'snapshot.delete' },
        schema: {
          tags,
          summary: 'Delete a snapshot from all its volumes',
          params,
          querystring: z.object({
            newest: yes.meta({ description: 'Also if it is the newest good one of its database' }),
          }),
          response: { 202: deletion },
        },
      },
      async ({ params: { id }, query, own }, reply) => {
        const newest = query.newest === 'true'
        const deleted = await deleteSnapshots(own, own.organizationId, [id], { newest })
        return await reply.code(202).send(deleted)
      },
    )
    app.post(
      '/api/v1/snapshots/delete',
      {
        config: { requires: 'delete-snapshots', audit: 'snapshot.delete' },
        schema: {
          tags,
          summary: 'Delete snapshots, all of them or none; with dryRun say what would go',
          body: deletionOrder,
          response: { 200: deletion, 202: deletion },
        },
      },
      async (request, reply) => {
        const { body, own } = request
        const { ids, ...options } = body
        if (options.dryRun) request.auditNote = { isUnfinished: true }
        const deleted = await deleteSnapshots(own, own.organizationId, ids, options)
        return await reply.code(options.dryRun ? 200 : 202).send(deleted)
      },
    )
    app.post(
      '/api/v1/snapshots/:id/verify',
      {
        config: { requires: 'run-backups', audit: 'snapshot.verify' },
        schema: {
          tags,
          summary: 'Read its copies from the first byte to the last, and compare them with the manifest',
          params,
          body: verification.nullish(),
          response: { 202: z.object({ jobId: z.string() }) },
        },
      },
      async ({ params: { id }, body, own }, reply) => {
        const order = await orderVerification(own, own.organizationId, id, body?.volumeId)
        return await reply.code(202).header('location', `/api/v1/jobs/${order.jobId}`).send(order)
      },
    )
    app.get(
      '/api/v1/snapshots/:id/download',
      {
        config: { requires: 'download-snapshots', audit: 'snapshot.download' },
        exposeHeadRoute: false, // it would read the whole object
        schema: {
          tags,
          summary:
            'The object as it is stored, or the dump in it; by a link to the volume where there is one',
          description:
            'Stored objects have an ETag and answer Range. If the bytes turn out not to be those of the snapshot, the connection breaks before the last of them.',
          params,
          querystring: z.object({
            volume: z.string().optional().meta({ description: 'From there; absent: from the best one' }),
            as: z.enum(['stored', 'plain']).default('stored').meta({
              description: 'As it lies on the volume, or decrypted and decompressed on the way',
            }),
            link: yes.meta({ description: 'Answer with the link, instead of going to it' }),
            direct: yes.meta({ description: 'Through the app, also where the volume has links' }),
          }),
          response: { 200: downloadLink, 206: z.string().meta({ format: 'binary' }) },
        },
      },
      async (request, reply) => {
        const { query, headers, signal } = request
        const organizationId = request.own.organizationId
        const copy = await openDownload(request.own, organizationId, request.params.id, query.volume, signal)
        let isSent = false
        try {
          if (query.as === 'stored' && query.direct === 'false') {
            const link = await linkTo(copy)
            if (query.link === 'true') return link ?? throwNow(noLinks())
            if (link) return await reply.header('cache-control', 'no-store').redirect(link.url, 302)
          }
          if (query.link === 'true') throw noLinks()
          const range = query.as === 'stored' ? rangeOf(headers, copy.manifest.stored) : undefined
          if (range === null) throw behindTheEnd(reply, copy.manifest.stored.bytes)
          const download =
            query.as === 'plain'
              ? await plainBytes(request.own, organizationId, copy, signal)
              : storedBytes(copy, range, signal)
          isSent = true
          if (range) reply.code(206).header('content-range', contentRange(range, copy.manifest.stored.bytes))
          return await sendDownload(reply, download, query.as === 'stored')
        } finally {
          if (!isSent) await copy.volume[Symbol.asyncDispose]()
        }
      },
    )
  }
}

function filterOf(query: SnapshotQuery): SnapshotFilter {
  const yesNo = (value: 'true' | 'false' | undefined) => (value === undefined ? undefined : value === 'true')
  return {
    serverId: query.server,
    planId: query.plan === 'none' ? null : query.plan,
    database: query.database,
    volumeId: query.volume,
    engine: query.engine,
    from: query.from === undefined ? undefined : Date.parse(query.from),
    to: query.to === undefined ? undefined : Date.parse(query.to),
    isLocked: yesNo(query.locked),
    isProven: yesNo(query.proven),
    copy: query.copy,
    search: query.search,
  }
}

/** `If-Range` asks for the whole if the object has changed since. */
function rangeOf(
  headers: { range?: string | undefined; 'if-range'?: string | undefined },
  { bytes, sha256 }: { bytes: number; sha256: string },
) {
  const ifRange = headers['if-range']
  if (ifRange !== undefined && ifRange !== `"${sha256}"`) return undefined
  return readRange(headers.range, bytes)
}

function contentRange({ start, end }: { start: number; end: number }, bytes: number): string {
  return `bytes ${start}-${end}/${bytes}`
}

async function sendDownload(reply: FastifyReply, download: Download, hasRanges: boolean) {
  if (download.bytes !== undefined) reply.header('content-length', download.bytes)
  return await reply
    .type('application/octet-stream')
    .header('etag', download.etag)
    .header('accept-ranges', hasRanges ? 'bytes' : 'none')
    .header('content-disposition', dispositionOf(download.fileName))
    .header('cache-control', 'no-store')
    .send(download.body)
}

function behindTheEnd(reply: FastifyReply, bytes: number): AppError {
  reply.header('content-range', `bytes */${bytes}`)
  return new AppError('range_not_satisfiable', `The object has ${bytes} bytes: the range begins behind them.`)
}

function noLinks(): AppError {
  return new AppError(
    'unsupported',
    'There is no link to this: the volume has none, or it must be unpacked first.',
    {
      hint: 'Leave “link” out: then it comes through the app.',
    },
  )
}
