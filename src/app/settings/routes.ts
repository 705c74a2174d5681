import { settings, settingsChanges } from '../../shared/settings.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { organizationOf } from '../identity/tokens.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { changeSettings, savedSettingsOf } from './settings.ts'

const tags = ['settings']

export function settingsRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/settings',
      { schema: { tags, summary: 'What people change while the app runs', response: { 200: settings } } },
      async ({ caller }, reply) => {
        const { settings, revision } = await savedSettingsOf(context, organizationOf(caller))
        return await reply.header('etag', etagOf(revision)).send(settings)
      },
    )
    app.patch(
      '/api/v1/settings',
      {
        schema: {
          tags,
          summary: 'Change settings; null brings back the default; with If-Match only what was read',
          body: settingsChanges,
          response: { 200: settings },
        },
      },
      async ({ body, headers, caller }, reply) => {
        const ifMatch = revisionOf(headers['if-match'])
        const { settings, revision } = await changeSettings(context, organizationOf(caller), body, ifMatch)
        return await reply.header('etag', etagOf(revision)).send(settings)
      },
    )
  }
}
