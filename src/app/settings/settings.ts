import type { Kysely } from 'kysely'
import { DEFAULT_SETTINGS, settings, type Settings, type SettingsChanges } from '../../shared/settings.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { changedMeanwhile } from '../revisions.ts'
import { findSettings, saveSettings, type SettingsRow } from './store.ts'

export interface SavedSettings {
  settings: Settings
  revision: number
}

/** The organization's settings, with the default of all that nobody has changed. */
export async function settingsOf(
  context: AppContext,
  organizationId: string,
  db: Kysely<Tables> = context.store.db,
): Promise<Settings> {
  return (await savedSettingsOf(context, organizationId, db)).settings
}

export async function savedSettingsOf(
  context: AppContext,
  organizationId: string,
  db: Kysely<Tables> = context.store.db,
): Promise<SavedSettings> {
  return read(context, await findSettings(db, organizationId))
}

/** Changes what is given; null brings back the default. Throws `changed_meanwhile`. */
export async function changeSettings(
  context: AppContext,
  organizationId: string,
  changes: SettingsChanges,
  revision: number | undefined,
): Promise<SavedSettings> {
  const { store } = context
  return await store.db.transaction().execute(async (trx) => {
    const found = await findSettings(trx, organizationId)
    const before = found?.revision ?? 0
    if (revision !== undefined && revision !== before) throw changedMeanwhile('The settings')
    const content = JSON.stringify(merge(found, changes))
    const isSaved = await saveSettings(store, trx, organizationId, { content, revision: before })
    if (!isSaved) throw changedMeanwhile('The settings')
    return read(context, { content, revision: before + 1 })
  })
}

/** What was set, and nothing else: so that a better default reaches all who never chose. */
function merge(found: SettingsRow | undefined, changes: SettingsChanges): Record<string, unknown> {
  const stored = found ? (JSON.parse(found.content) as Record<string, unknown>) : {}
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  const merged = Object.entries({ ...stored, ...Object.fromEntries(given) })
  return Object.fromEntries(merged.filter(([, value]) => value !== null))
}

function read({ timeZone }: AppContext, row: SettingsRow | undefined): SavedSettings {
  const stored = row ? (JSON.parse(row.content) as object) : {}
  return {
    settings: settings.parse({ ...DEFAULT_SETTINGS, displayTimeZone: timeZone, ...stored }),
    revision: row?.revision ?? 0,
  }
}
