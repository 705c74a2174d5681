import { z } from 'zod'
import {
  appBackup,
  appBackupRegistration,
  appBackupRegistrationChanges,
  appBackupTrial,
  newAppBackupRegistration,
} from '../../shared/app-backups.ts'
import { job } from '../../shared/jobs.ts'
import { testReport, type TestStep } from '../../shared/test-report.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { presentJob } from '../jobs/jobs.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import {
  addRegistration,
  changeRegistration,
  presentBackup,
  presentRegistrations,
  recommendation,
  registrationOf,
  type RegistrationRow,
  removeRegistration,
  runRegistration,
  testRegistration,
  testTrial,
} from './registrations.ts'
import { listBackups, listRegistrations } from './store.ts'

const tags = ['app backups']
const params = z.object({ id: z.string() })
const URL = '/api/v1/app-backup-registrations'

const registrationPage = pageOf(appBackupRegistration).extend({
  recommendation: z.string().nullable().meta({
    description:
      'What is to be recommended of all of them together: that one makes backups before migrations',
  }),
})

export function appBackupRoutes(context: AppContext): AppRoutes {
  const show = async (row: RegistrationRow) => {
    const [shown] = await presentRegistrations(context, [row])
    if (!shown) throw new Error('presentRegistrations has lost a registration')
    return shown
  }
  return async (app) => {
    app.get(
      URL,
      {
        config: { requires: 'administer-instance' },
        schema: {
          tags,
          summary: 'Where and when the app’s own database is backed up, by name',
          querystring: pageQuery,
          response: { 200: registrationPage },
        },
      },
      async ({ query: { limit, cursor } }) => {
        const after = readCursor(cursor)
        const rows = await listRegistrations(context.store, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return {
          items: await presentRegistrations(context, items),
          nextCursor,
          recommendation: await recommendation(context),
        }
      },
    )
    app.post(
      URL,
      {
        config: { requires: 'administer-instance', audit: 'app-backup-registration.add' },
        schema: {
          tags,
          summary: 'Add a registration; a folder is tried out first',
          body: newAppBackupRegistration,
          response: { 201: appBackupRegistration },
        },
      },
      async ({ body, own }, reply) => {
        const row = await addRegistration(context, own.organizationId, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `${URL}/${row.id}` })
          .send(await show(row))
      },
    )
    app.post(
      `${URL}/test`,
      {
        config: { requires: 'administer-instance', audit: null },
        schema: {
          tags,
          summary: 'Write and remove a small object with settings that are not saved',
          body: appBackupTrial,
          response: { 200: testReport },
        },
      },
      async (request) =>
        asReport(await testTrial(context, request.own.organizationId, request.body, request.signal)),
    )
    app.get(
      `${URL}/:id`,
      {
        config: { requires: 'administer-instance' },
        schema: { tags, summary: 'One registration', params, response: { 200: appBackupRegistration } },
      },
      async ({ params: { id } }, reply) => {
        const row = await registrationOf(context, id)
        return await reply.header('etag', etagOf(row.revision)).send(await show(row))
      },
    )
    app.patch(
      `${URL}/:id`,
      {
        config: { requires: 'administer-instance', audit: 'app-backup-registration.change' },
        schema: {
          tags,
          summary: 'Change a registration; with If-Match only what was read',
          params,
          body: appBackupRegistrationChanges,
          response: { 200: appBackupRegistration },
        },
      },
      async ({ params: { id }, body, headers, own }, reply) => {
        const revision = revisionOf(headers['if-match'])
        const row = await changeRegistration(context, own.organizationId, id, body, revision)
        return await reply.header('etag', etagOf(row.revision)).send(await show(row))
      },
    )
    app.delete(
      `${URL}/:id`,
      {
        config: { requires: 'administer-instance', audit: 'app-backup-registration.delete' },
        schema: {
          tags,
          summary: 'Delete a registration; the backups that it has made stay where they are',
          params,
          response: { 204: z.null() },
        },
      },
      async ({ params: { id } }, reply) => {
        await removeRegistration(context, id)
        return await reply.code(204).send(null)
      },
    )
    app.post(
      `${URL}/:id/test`,
      {
        config: { requires: 'administer-instance', audit: null },
        schema: {
          tags,
          summary: 'Write and remove a small object where the registration puts its backups',
          params,
          response: { 200: testReport },
        },
      },
      async (request) => {
        const row = await registrationOf(context, request.params.id)
        return asReport(await testRegistration(context, row, request.signal))
      },
    )
    app.post(
      `${URL}/:id/run`,
      {
        config: { requires: 'administer-instance', audit: 'app-backup-registration.run' },
        schema: { tags, summary: 'Make an app backup now', params, response: { 202: job } },
      },
      async ({ params: { id } }, reply) => {
        const row = await runRegistration(context, id)
        return await reply
          .code(202)
          .header('location', `/api/v1/jobs/${row.id}`)
          .send(await presentJob(context, row))
      },
    )
    app.get(
      '/api/v1/app-backups',
      {
        config: { requires: 'administer-instance' },
        schema: {
          tags,
          summary: 'Backups of the app’s own database, the newest first',
          querystring: pageQuery.extend({
            registration: z.string().optional().meta({ description: 'Its id' }),
          }),
          response: { 200: pageOf(appBackup) },
        },
      },
      async ({ query: { limit, cursor, registration } }) => {
        const after = readCursor(cursor, 'number')
        const rows = await listBackups(context.store, registration, { after, limit })
        const { items, nextCursor } = page(rows, limit, ({ startedAt, id }) => [startedAt, id])
        return { items: items.map(presentBackup), nextCursor }
      },
    )
  }
}

function asReport(steps: TestStep[]) {
  return { passed: steps.every(({ outcome }) => outcome !== 'failed'), steps }
}
