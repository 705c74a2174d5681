import { z } from 'zod'
import { wholeNumber } from './fields.ts'
import { secret } from './secrets.ts'

/** Run by `sh`, with `#!/bin/sh` put before it; empty: none. */
export const scriptText = z
  .string()
  .max(10_000)
  .refine((text) => !text.includes('\0'), 'A script has no NUL.')

/** The server that mail is handed to. */
export const smtp = z
  .strictObject({
    host: z.string().min(1).max(255).meta({ title: 'Host', addressee: true }),
    port: wholeNumber(1, 65_535).default(587).meta({ title: 'Port', addressee: true }),
    tls: z.enum(['starttls', 'tls', 'none']).default('starttls').meta({
      title: 'TLS',
      description:
        'starttls: begun in the clear, and ended if the server does not offer it; tls: from the start',
    }),
    user: z.string().min(1).max(320).optional().meta({ title: 'User', addressee: true }),
    password: secret('Password').max(1000).optional(),
    from: z.string().min(3).max(320).meta({ title: 'From', description: 'Holdfast <holdfast@example.com>' }),
  })
  .meta({ id: 'Smtp' })
export type Smtp = z.output<typeof smtp>

export const MOST_LOCAL_APP_BACKUPS = 15
/** So that nobody makes what they have done disappear by way of the settings. */
const LEAST_AUDIT_DAYS = 30

/** What applies to the whole installation, whatever the organization. */
const fields = {
  postBackupScript: scriptText.meta({ description: 'Run after every successful backup of one database' }),
  postRestoreScript: scriptText.meta({ description: 'Run after every successful restore' }),
  scriptTimeoutMinutes: wholeNumber(1, 1440).meta({
    description: 'A script that takes longer is ended, with all that it has started',
  }),
  localAppBackups: wholeNumber(0, MOST_LOCAL_APP_BACKUPS).meta({
    description: 'How many app backups each registration in a folder keeps; 0: all',
  }),
  remoteAppBackups: wholeNumber(0, 1_000_000_000).meta({
    description: 'How many app backups each other registration keeps; 0: all',
  }),
  sessionDays: wholeNumber(1, 400).meta({
    description: 'How many days somebody who has signed in stays so without doing anything',
  }),
  longestSessionDays: wholeNumber(0, 400).meta({
    description: 'After how many days somebody has to sign in again, whatever they do; 0: never',
  }),
  requireSecondFactor: z.boolean().meta({
    description:
      'Whether who signs in with a password needs an authenticator app, too; passkeys and identity providers count as they are',
  }),
  passwordSignIn: z.boolean().meta({
    description:
      'Whether people may sign in with a password; if not, only with passkeys and identity providers',
  }),
  auditDays: wholeNumber(0, 36_500)
    .refine((days) => days === 0 || days >= LEAST_AUDIT_DAYS, `must be 0, or at least ${LEAST_AUDIT_DAYS}`)
    .meta({ description: 'How many days entries of the audit log are kept; 0: for ever' }),
  smtp,
}

export const DEFAULT_INSTANCE_SETTINGS = {
  postBackupScript: '',
  postRestoreScript: '',
  scriptTimeoutMinutes: 10,
  localAppBackups: 7,
  remoteAppBackups: 30,
  sessionDays: 30,
  longestSessionDays: 0,
  requireSecondFactor: false,
  passwordSignIn: true,
  auditDays: 365,
} as const satisfies InstanceSettings

export const instanceSettings = z.object({ ...fields, smtp: smtp.optional() })
export type InstanceSettings = z.output<typeof instanceSettings>

/** As the API shows them: secrets are masked, those of the environment are not there at all. */
export const shownInstanceSettings = instanceSettings
  .extend({
    isSmtpFromEnvironment: z
      .literal(true)
      .optional()
      .meta({ description: 'SMTP is what SMTP_URL and MAIL_FROM say, and cannot be changed here' }),
  })
  .extend({
    isLocalAppBackupsFromEnvironment: z.literal(true).optional().meta({
      description: 'localAppBackups is what HOLDFAST_APP_BACKUP_KEEP says, and cannot be changed here',
    }),
  })
  .meta({ id: 'InstanceSettings' })
export type ShownInstanceSettings = z.output<typeof shownInstanceSettings>

/**
 * What is not there stays as it is; null brings back the default. Of SMTP all is given at once; a password that is the
 * mask of the stored one stays.
 */
export const instanceSettingsChanges = z
  .strictObject({
    postBackupScript: fields.postBackupScript.nullish(),
    postRestoreScript: fields.postRestoreScript.nullish(),
    scriptTimeoutMinutes: fields.scriptTimeoutMinutes.nullish(),
    localAppBackups: fields.localAppBackups.nullish(),
    remoteAppBackups: fields.remoteAppBackups.nullish(),
    sessionDays: fields.sessionDays.nullish(),
    longestSessionDays: fields.longestSessionDays.nullish(),
    requireSecondFactor: fields.requireSecondFactor.nullish(),
    passwordSignIn: fields.passwordSignIn.nullish(),
    auditDays: fields.auditDays.nullish(),
    smtp: z.record(z.string(), z.unknown()).nullish(),
  })
  .meta({ id: 'InstanceSettingsChanges' })
export type InstanceSettingsChanges = z.output<typeof instanceSettingsChanges>
