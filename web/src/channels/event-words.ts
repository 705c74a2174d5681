import type { EventName } from '../../../src/shared/notifications.ts'
import { msg } from '../i18n/i18n.ts'

/** Events in two words; what they mean is the app's own sentence. */
export const eventTitles: Record<EventName, string> = {
  'backup.started': msg('Backup started'),
  'backup.succeeded': msg('Backup succeeded'),
  'backup.partial': msg('Backup partial'),
  'backup.failed': msg('Backup failed'),
  'backup.recovered': msg('Backup recovered'),
  'backup.overdue': msg('Backup overdue'),
  'restore.succeeded': msg('Restore succeeded'),
  'restore.failed': msg('Restore failed'),
  'restore.recovered': msg('Restore recovered'),
  'copy.missing': msg('Copy missing'),
  'copy.corrupt': msg('Copy corrupt'),
  'retention.failed': msg('Retention could not delete'),
  'volume.nearly-full': msg('Volume nearly full'),
  'volume.unreachable': msg('Volume unreachable'),
  'volume.recovered': msg('Volume recovered'),
  'size.anomaly': msg('Unusual size'),
  'app-backup.failed': msg('DB backup failed'),
  'digest.weekly': msg('Weekly digest'),
}

/** In the order of the form. An event goes to the group whose name its own begins with, else to the last. */
export const eventGroups: readonly { title: string; prefixes: readonly string[] }[] = [
  { title: msg('Backups'), prefixes: ['backup.', 'size.'] },
  { title: msg('Restores'), prefixes: ['restore.'] },
  { title: msg('Copies and volumes'), prefixes: ['copy.', 'retention.', 'volume.'] },
  { title: msg('Everything else'), prefixes: [''] },
]
