import type { AppBackupCause, AppBackupRegistration } from '../../../src/shared/app-backups.ts'
import { msg, type Translate } from '../i18n/i18n.ts'

const providers: Record<string, string> = { local: msg('FileSystem'), s3: msg('S3') }

/** FileSystem, S3, or what the kind of volume is called. */
export function providerText(
  t: Translate,
  { kind, kindLabel }: Pick<AppBackupRegistration, 'kind' | 'kindLabel'>,
): string {
  return t(providers[kind] ?? kindLabel)
}

export const causes: Record<AppBackupCause, string> = {
  manual: msg('by hand'),
  first: msg('the first one'),
  migration: msg('before a migration'),
  daily: msg('daily'),
  weekly: msg('weekly'),
  monthly: msg('monthly'),
}
