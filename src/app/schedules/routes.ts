import { z } from 'zod'
import { startedRun } from '../../shared/plans.ts'
import {
  namedSchedule,
  type NamedSchedule,
  newSchedule,
  ruleTrial,
  scheduleChanges,
  schedulePreview,
} from '../../shared/schedules.ts'
import type { AppRoutes } from '../app.ts'
import { nowOf } from '../clock.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { runPlansOf } from './run-plans.ts'
import {
  addSchedule,
  changeSchedule,
  explain,
  previewRule,
  removeSchedule,
  scheduleOf,
  type ScheduleRow,
} from './schedules.ts'
import { listSchedules } from './store.ts'

const tags = ['schedules']
const params = z.object({ id: z.string() })

export function scheduleRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/schedules',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Schedules, by name',
          querystring: pageQuery,
          response: { 200: pageOf(namedSchedule) },
        },
      },
      async ({ query: { limit, cursor }, own }) => {
        const after = readCursor(cursor)
        const rows = await listSchedules(own.store, own.organizationId, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        const now = await nowOf(own.store)
        return { items: items.map((row) => present(row, now)), nextCursor }
      },
    )
    app.post(
      '/api/v1/schedules',
      {
        config: { requires: 'manage-schedules', audit: 'schedule.add' },
        schema: { tags, summary: 'Add a schedule', body: newSchedule, response: { 201: namedSchedule } },
      },
      async ({ body, own }, reply) => {
        const row = await addSchedule(own, own.organizationId, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/schedules/${row.id}` })
          .send(present(row, await nowOf(own.store)))
      },
    )
    app.post(
      '/api/v1/schedules/preview',
      {
        config: { requires: 'view', audit: null },
        schema: {
          tags,
          summary: 'What a rule means in words, and when it runs next',
          body: ruleTrial,
          response: { 200: schedulePreview },
        },
      },
      async ({ body, own }) => await previewRule(own, own.organizationId, body),
    )
    app.get(
      '/api/v1/schedules/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One schedule', params, response: { 200: namedSchedule } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await scheduleOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(present(row, await nowOf(own.store)))
      },
    )
    app.patch(
      '/api/v1/schedules/:id',
      {
        config: { requires: 'manage-schedules', audit: 'schedule.change' },
        schema: {
          tags,
          summary: 'Change a schedule; a new rule counts from now on; with If-Match only what was read',
          params,
          body: scheduleChanges,
          response: { 200: namedSchedule },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changeSchedule(own, own.organizationId, id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(present(row, await nowOf(own.store)))
      },
    )
    app.delete(
      '/api/v1/schedules/:id',
      {
        config: { requires: 'manage-schedules', audit: 'schedule.delete' },
        schema: {
          tags,
          summary: 'Forget a schedule; refused, with the names, while anything uses it',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id }, own }, reply) => {
        await removeSchedule(own, own.organizationId, id)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      '/api/v1/schedules/:id/run',
      {
        config: { requires: 'run-backups', audit: 'schedule.run' },
        schema: {
          tags,
          summary: 'Run all now: every enabled plan of the schedule',
          params,
          response: {
            202: z.object({ items: z.array(startedRun.extend({ planId: z.uuid() })) }),
          },
        },
      },
      async ({ params: { id }, own }, reply) => {
        const items = await runPlansOf(own, own.organizationId, id)
        return await reply.code(202).send({ items })
      },
    )
  }
}

function present(row: ScheduleRow, now: number): NamedSchedule {
  const { id, name, rule, catchUpHours, plans, scheduledRestores, createdAt, updatedAt } = row
  return {
    id,
    name,
    rule,
    catchUpHours,
    ...explain(rule, now),
    usedBy: { plans, scheduledRestores },
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}
