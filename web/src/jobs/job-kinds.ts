import type { Translate } from '../i18n/i18n.ts'
import { msg } from '../i18n/i18n.ts'

/** What each kind of job does, in words. A test compares them with the kinds that the app has. */
export const jobKinds: Readonly<Record<string, string>> = {
  'app-backup': msg('Backup of Holdfast itself'),
  backup: msg('Backup'),
  'clean-up': msg('Daily clean-up'),
  'content-check': msg('Check of contents'),
  'delete-snapshots': msg('Deletion of copies'),
  'deliver-notice': msg('Notification'),
  'file-check': msg('Check of files'),
  prune: msg('Retention'),
  'repair-copy': msg('Repair of a copy'),
  restore: msg('Restore'),
  'run-hooks': msg('Hooks after a failure'),
  'run-plan': msg('Run of a plan'),
  'run-schedule': msg('Run of a schedule'),
  'scan-volume': msg('Scan of a volume'),
  'sweep-volume': msg('Sweep of a volume'),
  'tidy-app-backups': msg('Clean-up of app backups'),
  'tidy-restore': msg('Clean-up after a restore'),
  verify: msg('Verification'),
  'weekly-digest': msg('Weekly digest'),
}

/** A newer app may have kinds that this page does not know. */
export function kindText(t: Translate, kind: string): string {
  return t(jobKinds[kind] ?? kind)
}
