import { instanceSettingsChanges, shownInstanceSettings } from '../../shared/instance-settings.ts'
import type { AppRoutes } from '../app.ts'
import type { AppContext } from '../context.ts'
import { etagOf, revisionOf } from '../revisions.ts'
import { changeInstanceSettings, savedInstanceSettingsOf, showInstanceSettings } from './instance-settings.ts'

const tags = ['settings']

export function instanceSettingsRoutes(context: AppContext): AppRoutes {
  return async (app) => {
    app.get(
      '/api/v1/instance-settings',
      {
        config: { requires: 'administer-instance' },
        schema: {
          tags,
          summary: 'What applies to the whole installation: scripts, mail, how many app backups are kept',
          response: { 200: shownInstanceSettings },
        },
      },
      async (_request, reply) => {
        const { settings, revision } = await savedInstanceSettingsOf(context)
        return await reply.header('etag', etagOf(revision)).send(showInstanceSettings(context, settings))
      },
    )
    app.patch(
      '/api/v1/instance-settings',
      {
        config: { requires: 'administer-instance', audit: 'instance-settings.change' },
        schema: {
          tags,
          summary: 'Change them; null brings back the default; with If-Match only what was read',
          body: instanceSettingsChanges,
          response: { 200: shownInstanceSettings },
        },
      },
      async ({ body, headers }, reply) => {
        const ifMatch = revisionOf(headers['if-match'])
        const { settings, revision } = await changeInstanceSettings(context, body, ifMatch)
        return await reply.header('etag', etagOf(revision)).send(showInstanceSettings(context, settings))
      },
    )
  }
}
