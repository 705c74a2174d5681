import { z } from 'zod'
import { name } from './fields.ts'

export const severities = ['started', 'success', 'recovery', 'warning', 'failure', 'info'] as const
export type Severity = (typeof severities)[number]

interface EventDescription {
  severity: Severity
  /** What has happened, in a sentence for people who choose. */
  description: string
  /** Whether the rule that every organization begins with has it. */
  isDefault: boolean
}

/** What people may want to hear of. A new one is a line here, and an `announce` where it happens. */
export const events = {
  'backup.started': about('started', 'A backup of a database has begun.'),
  'backup.succeeded': about('success', 'A backup of a database is complete on every volume.'),
  'backup.partial': byDefault('warning', 'A backup could not be stored on all of its volumes.'),
  'backup.failed': byDefault('failure', 'A backup of a database has failed, after its last try.'),
  'backup.recovered': byDefault('recovery', 'A database that could not be backed up is backed up again.'),
  'backup.overdue': byDefault('failure', 'A backup that should have been made was not.'),
  'restore.succeeded': about('success', 'A restore is complete.'),
  'restore.failed': byDefault('failure', 'A restore has failed.'),
  'restore.recovered': byDefault('recovery', 'A scheduled restore that had failed succeeds again.'),
  'copy.missing': byDefault('failure', 'A copy is not on its volume any more.'),
  'copy.corrupt': byDefault('failure', 'A copy on a volume is not what was written there.'),
  'retention.failed': byDefault('warning', 'What retention does not keep could not be deleted.'),
  'volume.nearly-full': byDefault('warning', 'A volume is nearly full.'),
  'volume.unreachable': byDefault('failure', 'A volume cannot be reached.'),
  'volume.recovered': byDefault('recovery', 'A volume that could not be reached can be reached again.'),
  'size.anomaly': about('warning', 'A backup is much smaller or larger than those before it.'),
  'app-backup.failed': byDefault('failure', 'A backup of Holdfast’s own database has failed.'),
  'digest.weekly': about('info', 'How the backups of the last week went.'),
} as const satisfies Record<string, EventDescription>
export type EventName = keyof typeof events

export const eventNames = Object.keys(events) as [EventName, ...EventName[]]
export const defaultEvents = eventNames.filter((name) => events[name].isDefault)

/** The name of the rule that every organization begins with. */
export const DEFAULT_RULE_NAME = 'Failures and overdue backups'

function about(severity: Severity, description: string): EventDescription {
  return { severity, description, isDefault: false }
}

function byDefault(severity: Severity, description: string): EventDescription {
  return { ...about(severity, description), isDefault: true }
}

export const notificationEvent = z
  .object({
    name: z.enum(eventNames),
    description: z.string(),
    severity: z.enum(severities),
    isDefault: z
      .boolean()
      .meta({ description: 'Whether the rule that every organization begins with has it' }),
  })
  .meta({ id: 'NotificationEvent' })

const label = z.string().min(1).max(200)

/** Of which servers a rule wants to hear. What is about no server, as a volume, is told whatever is chosen here. */
export const serverChoice = z
  .union([
    z.strictObject({ all: z.literal(true) }),
    z.strictObject({
      ids: z
        .array(z.string())
        .min(1, 'Choose at least one server.')
        .max(1000)
        .overwrite((ids) => [...new Set(ids)]),
    }),
    z.strictObject({
      labels: z
        .record(label, z.string().max(200))
        .refine((labels) => Object.keys(labels).length > 0, 'Choose at least one label.')
        .meta({ description: 'The servers that have all of these labels' }),
    }),
  ])
  .meta({ id: 'ServerChoice' })
export type ServerChoice = z.output<typeof serverChoice>

const fields = {
  name,
  isEnabled: z.boolean(),
  events: z
    .array(z.enum(eventNames, 'must be an event, see GET /api/v1/notification-events'))
    .min(1, 'Choose at least one event.')
    .overwrite((names) => [...new Set(names)])
    .meta({ description: 'Names of GET /api/v1/notification-events' }),
  servers: serverChoice,
  channels: z
    .array(z.string())
    .min(1, 'Choose at least one channel, or null for all.')
    .max(100)
    .overwrite((ids) => [...new Set(ids)])
    .nullable()
    .meta({ description: 'Ids; null: all channels of the organization, also those that come later' }),
}

export const newNotificationRule = z
  .strictObject({
    ...fields,
    isEnabled: fields.isEnabled.default(true),
    servers: fields.servers.default({ all: true }),
    channels: fields.channels.default(null),
  })
  .meta({ id: 'NewNotificationRule' })
export type NewNotificationRule = z.output<typeof newNotificationRule>

/** What is not there stays as it is. */
export const notificationRuleChanges = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'NotificationRuleChanges' })
export type NotificationRuleChanges = z.output<typeof notificationRuleChanges>

/** Which events of which servers go to which channels. */
export const notificationRule = z
  .object({ ...fields, id: z.uuid(), createdAt: z.iso.datetime(), updatedAt: z.iso.datetime() })
  .meta({ id: 'NotificationRule' })
export type NotificationRule = z.output<typeof notificationRule>
