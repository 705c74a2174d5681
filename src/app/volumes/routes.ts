import { z } from 'zod'
import { job } from '../../shared/jobs.ts'
import { testReport, type TestStep } from '../../shared/test-report.ts'
import {
  forgottenVolume,
  newVolume,
  type Volume,
  volume,
  volumeChanges,
  volumeKind,
  volumeLosses,
  volumeTrial,
  volumeUsage,
} from '../../shared/volumes.ts'
import { volumes } from '../../volumes/index.ts'
import type { AppRoutes } from '../app.ts'
import type { RouteContext } from '../context.ts'
import { formOf } from '../driver-settings.ts'
import { jobOf, presentJob } from '../jobs/jobs.ts'
import { refuseFolder } from '../this-machine.ts'
import { page, pageOf, pageQuery, readCursor } from '../pages.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { maskSettings, mergeMasked } from '../secrets.ts'
import { locationOf } from './place.ts'
import { startScan } from './scan.ts'
import { listVolumes, type VolumeRow } from './store.ts'
import {
  addVolume,
  changeVolume,
  lossesOf,
  removeVolume,
  schemaOf,
  settingsOf,
  testSettings,
  testStoredVolume,
  usageOf,
  volumeOf,
} from './volumes.ts'

const tags = ['volumes']
const params = z.object({ id: z.string() })

export function volumeRoutes(context: RouteContext): AppRoutes {
  const show = (row: VolumeRow) => present(context, row)
  return async (app) => {
    app.get(
      '/api/v1/volume-kinds',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'The kinds of volumes, and their settings',
          response: { 200: z.object({ items: z.array(volumeKind) }) },
        },
      },
      async () => ({ items: describeKinds() }),
    )
    app.get(
      '/api/v1/volumes',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'Volumes, by name',
          querystring: pageQuery.extend({ kind: z.string().optional() }),
          response: { 200: pageOf(volume) },
        },
      },
      async ({ query: { limit, cursor, kind }, own }) => {
        const after = readCursor(cursor)
        const rows = await listVolumes(own.store, own.organizationId, { after, limit, kind })
        const { items, nextCursor } = page(rows, limit, ({ name, id }) => [name, id])
        return { items: items.map(show), nextCursor }
      },
    )
    app.post(
      '/api/v1/volumes',
      {
        config: { requires: 'manage-volumes', audit: 'volume.add' },
        schema: { tags, summary: 'Add a volume', body: newVolume, response: { 201: volume } },
      },
      async ({ body, own }, reply) => {
        await refuseFolder(own, body.kind, body.settings)
        const row = await addVolume(own, own.organizationId, body)
        return await reply
          .code(201)
          .headers({ etag: etagOf(row.revision), location: `/api/v1/volumes/${row.id}` })
          .send(show(row))
      },
    )
    app.post(
      '/api/v1/volumes/test',
      {
        config: { requires: 'manage-volumes', audit: null },
        schema: {
          tags,
          summary: 'Try settings out before they are saved; nothing is stored',
          body: volumeTrial,
          response: { 200: testReport },
        },
      },
      async (request) => {
        const { own, body, signal } = request
        const { organizationId } = own
        const { kind, settings, volumeId } = body
        const stored = volumeId === undefined ? undefined : await volumeOf(own, organizationId, volumeId)
        const merged =
          stored?.kind === kind
            ? mergeMasked(schemaOf(kind), settingsOf(context, stored), settings)
            : settings
        await refuseFolder(own, kind, merged)
        return asReport(await testSettings(own, organizationId, body, signal))
      },
    )
    app.get(
      '/api/v1/volumes/:id',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'One volume', params, response: { 200: volume } },
      },
      async ({ params: { id }, own }, reply) => {
        const row = await volumeOf(own, own.organizationId, id)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.patch(
      '/api/v1/volumes/:id',
      {
        config: { requires: 'manage-volumes', audit: 'volume.change' },
        schema: {
          tags,
          summary: 'Change a volume; with If-Match only what was read',
          params,
          body: volumeChanges,
          response: { 200: volume },
        },
      },
      async (request, reply) => {
        const { params, body, headers, signal } = request
        const revision = revisionOf(headers['if-match'])
        const organizationId = request.own.organizationId
        if (body.settings) {
          const found = await volumeOf(request.own, organizationId, params.id)
          const settings = mergeMasked(schemaOf(found.kind), settingsOf(context, found), body.settings)
          await refuseFolder(request.own, found.kind, settings)
        }
        const row = await changeVolume(request.own, organizationId, params.id, body, revision, signal)
        return await reply.header('etag', etagOf(row.revision)).send(show(row))
      },
    )
    app.delete(
      '/api/v1/volumes/:id',
      {
        config: { requires: 'manage-volumes', audit: 'volume.delete' },
        schema: {
          tags,
          summary: 'Forget a volume; what lies on it is not touched',
          params,
          querystring: z.object({
            copies: z
              .enum(['forget'])
              .optional()
              .meta({ description: 'forget: also if it keeps copies, which the catalogue then forgets' }),
          }),
          response: { 200: forgottenVolume },
        },
      },
      async ({ params: { id }, query: { copies }, own }) =>
        await removeVolume(own, own.organizationId, id, { forgetsCopies: copies === 'forget' }),
    )
    app.get(
      '/api/v1/volumes/:id/losses',
      {
        config: { requires: 'manage-volumes' },
        schema: {
          tags,
          summary: 'What would be forgotten with the volume',
          params,
          response: { 200: volumeLosses },
        },
      },
      async ({ params: { id }, own }) => await lossesOf(own, own.organizationId, id),
    )
    app.post(
      '/api/v1/volumes/:id/test',
      {
        config: { requires: 'run-backups', audit: null },
        schema: {
          tags,
          summary: 'Try out all that backups need of the volume, step by step',
          params,
          response: { 200: testReport },
        },
      },
      async (request) => {
        const row = await volumeOf(request.own, request.own.organizationId, request.params.id)
        return asReport(await testStoredVolume(request.own, row, request.signal))
      },
    )
    app.get(
      '/api/v1/volumes/:id/usage',
      {
        config: { requires: 'view' },
        schema: {
          tags,
          summary: 'What the volume holds, as the catalogue knows it',
          params,
          response: { 200: volumeUsage },
        },
      },
      async ({ params: { id }, own }) => await usageOf(own, await volumeOf(own, own.organizationId, id)),
    )
    app.post(
      '/api/v1/volumes/:id/scan',
      {
        config: { requires: 'manage-volumes', audit: 'volume.scan' },
        schema: {
          tags,
          summary: 'Read all manifests on the volume, and adopt what the catalogue does not know',
          params,
          response: { 202: job },
        },
      },
      async ({ params: { id }, own }, reply) => {
        const organizationId = own.organizationId
        const jobId = await startScan(own, organizationId, id)
        return await reply
          .code(202)
          .header('location', `/api/v1/jobs/${jobId}`)
          .send(await presentJob(own, await jobOf(own, organizationId, jobId)))
      },
    )
  }
}

function present(context: RouteContext, row: VolumeRow): Volume {
  const { id, name, kind, quota, quotaAction, bandwidth, maxRunning, isReadOnly, createdAt, updatedAt } = row
  return {
    id,
    name,
    kind,
    settings: maskSettings(schemaOf(kind), settingsOf(context, row)),
    location: locationOf(row),
    quota,
    quotaAction,
    bandwidth,
    maxRunning,
    isReadOnly: isReadOnly === 1,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}

function asReport(steps: TestStep[]) {
  return { passed: steps.every(({ outcome }) => outcome !== 'failed'), steps }
}

function describeKinds() {
  return Object.entries(volumes).map(([name, { label, config }]) => ({
    name,
    label,
    settings: formOf(config),
  }))
}
