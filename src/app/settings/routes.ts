import { settings, settingsChanges } from '../../shared/settings.ts'
import type { AppRoutes } from '../app.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { changeSettings, savedSettingsOf } from './settings.ts'

const tags = ['settings']

export function settingsRoutes(): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/settings',
      {
        config: { requires: 'view' },
        schema: { tags, summary: 'What people change while the app runs', response: { 200: settings } },
      },
      async ({ own }, reply) => {
        const { settings, revision } = await savedSettingsOf(own, own.organizationId)
        return await reply.header('etag', etagOf(revision)).send(settings)
      },
    )
    app.patch(
      '/api/v1/settings',
      {
        config: { requires: 'manage-settings', audit: 'settings.change' },
        schema: {
          tags,
          summary: 'Change settings; null brings back the default; with If-Match only what was read',
          body: settingsChanges,
          response: { 200: settings },
        },
      },
      async ({ body, headers, own }, reply) => {
        const ifMatch = revisionOf(headers['if-match'])
        const { settings, revision } = await changeSettings(own, own.organizationId, body, ifMatch)
        return await reply.header('etag', etagOf(revision)).send(settings)
      },
    )
  }
}
