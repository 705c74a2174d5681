import type { Kysely } from 'kysely'
import {
  DEFAULT_INSTANCE_SETTINGS,
  instanceSettings,
  type InstanceSettings,
  type InstanceSettingsChanges,
  type ShownInstanceSettings,
  type Smtp,
  smtp,
} from '../../shared/instance-settings.ts'
import { AppError } from '../../shared/errors.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { changeSettings, parseSettings } from '../driver-settings.ts'
import { changedMeanwhile } from '../revisions.ts'
import { maskSettings, openSettings, sealSettings, type Settings } from '../secrets.ts'
import { refuseToLockOut } from '../sign-in/ways.ts'
import { findInstanceSettings, type InstanceSettingsRow, saveInstanceSettings } from './store.ts'

const PLACE = 'instance-settings'

type Context = Pick<AppContext, 'store' | 'sealer' | 'smtp' | 'managed'>

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

/** What runs behind backups and restores. A secret that cannot be opened is nothing to it. */
export async function scriptsOf({
  store,
}: Context): Promise<
  Pick<InstanceSettings, 'postBackupScript' | 'postRestoreScript' | 'scriptTimeoutMinutes'>
> {
  return await withoutSecrets(store.db)
}

/** How people sign in. A secret that cannot be opened keeps nobody out. */
export async function signInSettingsOf(
  { store }: Pick<Context, 'store'>,
  db: Kysely<Tables> = store.db,
): Promise<
  Pick<InstanceSettings, 'sessionDays' | 'longestSessionDays' | 'requireSecondFactor' | 'passwordSignIn'>
> {
  return await withoutSecrets(db)
}

/** How many days the audit log goes back; 0: to its beginning. */
export async function auditDaysOf({ store }: Pick<Context, 'store'>): Promise<number> {
  return (await withoutSecrets(store.db)).auditDays
}

async function withoutSecrets(db: Kysely<Tables>): Promise<InstanceSettings> {
  const row = await findInstanceSettings(db)
  const { smtp: _, ...stored } = row ? (JSON.parse(row.content) as Settings) : {}
  return withDefaults(stored)
}

/** The server that mail is handed to: that of the environment, else that of the settings. Undefined: none is known. */
export async function mailOf(context: Context): Promise<Smtp | undefined> {
  return context.smtp ?? (await instanceSettingsOf(context)).smtp
}

/** Changes what is given; null brings back the default. Throws `invalid_input` and `changed_meanwhile`. */
export async function changeInstanceSettings(
  context: Context,
  { smtp: submitted, ...changes }: InstanceSettingsChanges,
  revision: number | undefined,
): Promise<SavedInstanceSettings> {
  const { store, sealer } = context
  if (submitted !== undefined && context.smtp) throw smtpIsFixed()
  if (changes.localAppBackups !== undefined && context.managed) throw limitIsFixed()
  return await store.db.transaction().execute(async (trx) => {
    const found = await findInstanceSettings(trx)
    const before = found?.revision ?? 0
    if (revision !== undefined && revision !== before) throw changedMeanwhile('The settings')
    if (changes.passwordSignIn === false) await refuseToLockOut(trx)
    const stored = open(context, found)
    const mail = submitted ? smtpOf(stored['smtp'] as Settings | undefined, submitted) : submitted
    const changed = merge(stored, { ...changes, smtp: mail })
    const content = JSON.stringify(sealSettings(instanceSettings, changed, sealer, PLACE))
    const isSaved = await saveInstanceSettings(store, trx, { content, revision: before })
    if (!isSaved) throw changedMeanwhile('The settings')
    return { settings: withDefaults(changed), revision: before + 1 }
  })
}

/** What the API may show of them. */
export function showInstanceSettings(context: Context, settings: InstanceSettings): ShownInstanceSettings {
  const masked = instanceSettings.parse(maskSettings(instanceSettings, settings))
  const shown: ShownInstanceSettings = context.managed
    ? { ...masked, localAppBackups: context.managed.keep, isLocalAppBackupsFromEnvironment: true }
    : masked
  if (!context.smtp) return shown
  const { password: _, ...smtp } = context.smtp
  return { ...shown, smtp, isSmtpFromEnvironment: true }
}

function limitIsFixed(): AppError {
  const message = 'is what HOLDFAST_APP_BACKUP_KEEP says'
  return new AppError('invalid_input', 'The environment says how many app backups a folder keeps.', {
    hint: 'HOLDFAST_MANAGED is set: change HOLDFAST_APP_BACKUP_KEEP, and start the app again.',
    fields: [{ field: 'localAppBackups', message }],
  })
}

function smtpIsFixed(): AppError {
  const message = 'is what SMTP_URL and MAIL_FROM say'
  return new AppError('invalid_input', 'SMTP is set by the environment, and cannot be changed here.', {
    hint: 'Change SMTP_URL and MAIL_FROM and start the app again, or remove them to use the settings.',
    fields: [{ field: 'smtp', message }],
  })
}

function open({ sealer }: Context, row: InstanceSettingsRow | undefined): Settings {
  return row ? openSettings(instanceSettings, JSON.parse(row.content) as Settings, sealer, PLACE) : {}
}

function withDefaults(stored: Settings): InstanceSettings {
  return instanceSettings.parse({ ...DEFAULT_INSTANCE_SETTINGS, ...stored })
}

function smtpOf(stored: Settings | undefined, submitted: Settings): Settings {
  const place = { name: 'smtp', owner: 'SMTP' }
  return stored ? changeSettings(smtp, stored, submitted, place) : parseSettings(smtp, submitted, place)
}

/** What was set, and nothing else: so that a better default reaches all who never chose. */
function merge(stored: Settings, changes: Settings): Settings {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  const merged = Object.entries({ ...stored, ...Object.fromEntries(given) })
  return Object.fromEntries(merged.filter(([, value]) => value !== null))
}
