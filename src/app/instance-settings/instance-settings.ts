import {
  DEFAULT_INSTANCE_SETTINGS,
  instanceSettings,
  type InstanceSettings,
  type InstanceSettingsChanges,
  smtp,
} from '../../shared/instance-settings.ts'
import type { AppContext } from '../context.ts'
import { changeSettings, parseSettings } from '../driver-settings.ts'
import { changedMeanwhile } from '../revisions.ts'
import { maskSettings, openSettings, sealSettings, type Settings } from '../secrets.ts'
import { findInstanceSettings, type InstanceSettingsRow, saveInstanceSettings } from './store.ts'

const PLACE = 'instance-settings'

type Context = Pick<AppContext, 'store' | 'sealer'>

export interface SavedInstanceSettings {
  /** With its secrets in the clear. */
  settings: InstanceSettings
  revision: number
}

/** With the default of all that nobody has changed, and secrets in the clear. */
export async function instanceSettingsOf(context: Context): Promise<InstanceSettings> {
  return (await savedInstanceSettingsOf(context)).settings
}

export async function savedInstanceSettingsOf(context: Context): Promise<SavedInstanceSettings> {
  const row = await findInstanceSettings(context.store.db)
  return { settings: withDefaults(open(context, row)), revision: row?.revision ?? 0 }
}

/** Changes what is given; null brings back the default. Throws `invalid_input` and `changed_meanwhile`. */
export async function changeInstanceSettings(
  context: Context,
  { smtp: submitted, ...changes }: InstanceSettingsChanges,
  revision: number | undefined,
): Promise<SavedInstanceSettings> {
  const { store, sealer } = context
  return await store.db.transaction().execute(async (trx) => {
    const found = await findInstanceSettings(trx)
    const before = found?.revision ?? 0
    if (revision !== undefined && revision !== before) throw changedMeanwhile('The settings')
    const stored = open(context, found)
    const mail = submitted ? mailOf(stored['smtp'] as Settings | undefined, submitted) : submitted
    const changed = merge(stored, { ...changes, smtp: mail })
    const content = JSON.stringify(sealSettings(instanceSettings, changed, sealer, PLACE))
    const isSaved = await saveInstanceSettings(store, trx, { content, revision: before })
    if (!isSaved) throw changedMeanwhile('The settings')
    return { settings: withDefaults(changed), revision: before + 1 }
  })
}

/** What the API may show of them. */
export function maskInstanceSettings(settings: InstanceSettings): InstanceSettings {
  return instanceSettings.parse(maskSettings(instanceSettings, settings))
}

function open({ sealer }: Context, row: InstanceSettingsRow | undefined): Settings {
  return row ? openSettings(instanceSettings, JSON.parse(row.content) as Settings, sealer, PLACE) : {}
}

function withDefaults(stored: Settings): InstanceSettings {
  return instanceSettings.parse({ ...DEFAULT_INSTANCE_SETTINGS, ...stored })
}

function mailOf(stored: Settings | undefined, submitted: Settings): Settings {
  const place = { name: 'smtp', owner: 'SMTP' }
  return stored ? changeSettings(smtp, stored, submitted, place) : parseSettings(smtp, submitted, place)
}

/** What was set, and nothing else: so that a better default reaches all who never chose. */
function merge(stored: Settings, changes: Settings): Settings {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  const merged = Object.entries({ ...stored, ...Object.fromEntries(given) })
  return Object.fromEntries(merged.filter(([, value]) => value !== null))
}
