import type { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import {
  auditEntry,
  auditFilter,
  type AuditFilter,
  auditHead,
  auditVerification,
} from '../../shared/audit.ts'
import type { Store } from '../../store/database.ts'
import type { AppRoutes } from '../app.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { type OwnContext, refuseUnless } from '../identity/callers.ts'
import { mergedInto } from '../organizations/organizations.ts'
import { pageOf, pageQuery, readCursor, writeCursor } from '../pages.ts'
import { exportEntries, type ExportForm } from './export.ts'
import { timeRange } from '../time-range.ts'
import { present } from './present.ts'
import { type EntryFilter, listEntries } from './store.ts'
import { verifyChain } from './verify.ts'

const tags = ['audit']

export function auditRoutes({ store }: AppContext): AppRoutes {
  /**
   * Whose entries are shown: of the organization, with those that were merged into it, or of all for who administers the
   * instance. What is merged in is nobody else's any more, and out of the scope of any request.
   */
  const shown = async (own: OwnContext, query: AuditFilter): Promise<[Store, EntryFilter]> => {
    if (!query.instance) {
      const { organizationId } = own
      const organizationIds = [organizationId, ...(await mergedInto(store.db, organizationId))]
      return [store, { ...filterOf(query), organizationIds }]
    }
    refuseUnless(own.caller, 'administer-instance')
    return [store, filterOf(query)]
  }
  return async (app) => {
    app.get(
      '/api/v1/audit',
      {
        config: { requires: 'view-audit' },
        schema: {
          tags,
          summary: 'What people and programs have done, the newest first',
          description:
            'A page may be shorter than asked for, and even empty, where many had to be looked through: go on as long as there is a nextCursor.',
          querystring: pageQuery.extend(auditFilter.shape),
          response: { 200: pageOf(auditEntry) },
        },
      },
      async ({ query: { limit, cursor, ...query }, own }) => {
        const before = readCursor(cursor, 'number')?.[0] as number | undefined
        const { rows, next } = await listEntries(...(await shown(own, query)), { before, limit })
        return { items: rows.map(present), nextCursor: next === null ? null : writeCursor([next, '']) }
      },
    )
    app.get(
      '/api/v1/audit/export',
      {
        config: { requires: 'view-audit', audit: 'audit.export' },
        exposeHeadRoute: false, // it would read all of them
        schema: {
          tags,
          summary: 'All of them, as one file: JSON lines, or CSV',
          querystring: auditFilter.extend({ as: z.enum(['jsonl', 'csv']).default('jsonl') }),
          response: {
            200: {
              description: 'The entries, the newest first',
              content: {
                'application/jsonl': { schema: z.string().meta({ format: 'binary' }) },
                'text/csv': { schema: z.string().meta({ format: 'binary' }) },
              },
            },
          },
        },
      },
      async ({ query: { as, ...query }, own }, reply) => {
        const body = exportEntries(...(await shown(own, query)), as)
        const day = new Date(await nowOf(own.store)).toISOString().slice(0, 10)
        return await sendExport(reply, body, as, day)
      },
    )
    app.get(
      '/api/v1/audit/verify',
      {
        config: { requires: 'administer-instance' },
        exposeHeadRoute: false, // it would read all of them
        schema: {
          tags,
          summary: 'Whether the log is what was recorded: goes through the whole chain of its hashes',
          querystring: z.object({
            expect: auditHead
              .optional()
              .meta({ description: 'A head that was noted earlier, as number:hash, must be in it, too' }),
          }),
          response: { 200: auditVerification },
        },
      },
      async ({ query: { expect }, signal }) => await verifyChain(store, { expected: expect, signal }),
    )
  }
}

function sendExport(reply: FastifyReply, body: Readable, form: ExportForm, day: string): FastifyReply {
  return reply
    .type(form === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/jsonl')
    .headers({
      'content-disposition': `attachment; filename="audit-${day}.${form}"`,
      'cache-control': 'no-store',
    })
    .send(body)
}

function filterOf(query: AuditFilter): EntryFilter {
  const { from, to, instance: _, ...texts } = query
  return { ...texts, ...timeRange({ from, to }) }
}
