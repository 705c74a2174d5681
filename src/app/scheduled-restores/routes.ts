import { z } from 'zod'
import {
  describeSkip,
  newScheduledRestore,
  scheduledRestore,
  type ScheduledRestore,
  scheduledRestoreChanges,
} from '../../shared/scheduled-restores.ts'
import type { AppRoutes } from '../app.ts'
import { refuseFileElsewhere } from '../this-machine.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import {
  addScheduledRestore,
  changeScheduledRestore,
  removeScheduledRestore,
  runNow,
  scheduledRestoreOf,
  type ScheduledRestoreRow,
} from './scheduled-restores.ts'
import { listScheduledRestores } from './store.ts'

const tags = ['scheduled restores']
const params = z.object({ id: z.string() })

export function scheduledRestoreRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/scheduled-restores',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Scheduled restores, by name',
          querystring: pageQuery.extend({
            server: z.string().optional().meta({ description: 'The source’s, or the target’s' }),
            schedule: z.string().optional(),
          }),
          response: { 200: pageOf(scheduledRestore) },
        },
      },
      async ({ query: { limit, cursor, server, schedule }, own }) => {
        const filter = { serverId: server, scheduleId: schedule }
        const after = readCursor(cursor)
        const rows = await listScheduledRestores(own.store, own.organizationId, filter, {
          after,
          limit,
        })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(present), nextCursor }
      },
    )
    app.post(
      '/api/v1/scheduled-restores',
      {
        config: { requires: 'manage-plans', audit: 'scheduled-restore.add' },
        schema: {
          tags,
          summary: 'Add a restore that repeats',
          body: newScheduledRestore,
          response: { 201: scheduledRestore },
        },
      },
      async ({ body, own }, reply) => {
        await refuseFileElsewhere(own, body.targetServerId, body.targetDatabase)
        const row = await addScheduledRestore(own, own.organizationId, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/scheduled-restores/${row.id}` })
          .send(present(row))
      },
    )
    app.get(
      '/api/v1/scheduled-restores/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One scheduled restore', params, response: { 200: scheduledRestore } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await scheduledRestoreOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.patch(
      '/api/v1/scheduled-restores/:id',
      {
        config: { requires: 'manage-plans', audit: 'scheduled-restore.change' },
        schema: {
          tags,
          summary: 'Change a scheduled restore; with If-Match only what was read',
          params,
          body: scheduledRestoreChanges,
          response: { 200: scheduledRestore },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const revision = revisionOf(headers['if-match'])
        if (body.targetServerId !== undefined || body.targetDatabase !== undefined) {
          const known = present(await scheduledRestoreOf(own, own.organizationId, id))
          const { targetServerId, targetDatabase } = { ...known, ...body }
          await refuseFileElsewhere(own, targetServerId, targetDatabase)
        }
        const row = await changeScheduledRestore(own, own.organizationId, id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(present(row))
      },
    )
    app.delete(
      '/api/v1/scheduled-restores/:id',
      {
        config: { requires: 'manage-plans', audit: 'scheduled-restore.delete' },
        schema: { tags, summary: 'Delete a scheduled restore', params, response: { 204: z.null() } },
      },
      async ({ params: { id }, own }, reply) => {
        await removeScheduledRestore(own, own.organizationId, id)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/scheduled-restores/:id/run',
      {
        config: { requires: 'restore', audit: 'scheduled-restore.run' },
        schema: {
          tags,
          summary: 'Restore the newest snapshot now',
          params,
          response: { 202: z.object({ jobId: z.uuid() }) },
        },
      },
      async ({ params: { id }, own }, reply) => {
        const started = await runNow(own, own.organizationId, id)
        return await reply.code(202).header('location', `/api/v1/restores/${started.jobId}`).send(started)
      },
    )
  }
}

function present(row: ScheduledRestoreRow): ScheduledRestore {
  const { id, name, sourceServerId, sourceDatabase, targetServerId, scheduleId, settings } = row
  const { targetDatabase, planId, mode, options, endSessions, safetySnapshot, runAfter } = settings
  const { newestWithinHours, skipUnchanged } = settings
  const { lastJobId, lastSnapshotId, lastSkippedAt, lastSkip } = row
  return {
    id,
    name,
    sourceServerId,
    sourceDatabase,
    planId,
    targetServerId,
    targetDatabase,
    scheduleId,
    isEnabled: row.isEnabled === 1,
    mode,
    options,
    endSessions,
    safetySnapshot,
    runAfter,
    newestWithinHours,
    skipUnchanged,
    lastJobId,
    lastSnapshotId,
    lastSkippedAt: lastSkippedAt === null ? null : new Date(lastSkippedAt).toISOString(),
    lastSkipReason: lastSkip && describeSkip(lastSkip, 'UTC'),
    lastSkip,
    createdAt: new Date(row.createdAt).toISOString(),
    updatedAt: new Date(row.updatedAt).toISOString(),
  }
}
