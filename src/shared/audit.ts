import { z } from 'zod'

/** A person, a token, whoever sits at the machine of the app, or the app itself. */
export const auditActor = z
  .object({
    kind: z.enum(['user', 'token', 'command-line', 'system']),
    id: z.string().nullable(),
    name: z.string(),
    owner: z
      .object({ id: z.string(), name: z.string() })
      .optional()
      .meta({ description: 'The user whose token it is' }),
  })
  .meta({ id: 'AuditActor' })
export type AuditActor = z.output<typeof auditActor>

export const auditTarget = z
  .object({
    kind: z.string().meta({ description: 'As in the action: server, plan …' }),
    id: z.string().nullable(),
    name: z.string().nullable(),
  })
  .meta({ id: 'AuditTarget' })
export type AuditTarget = z.output<typeof auditTarget>

export const auditEntry = z
  .object({
    number: z.int().meta({ description: 'Without gaps, over all organizations' }),
    id: z.string(),
    organizationId: z.string().nullable().meta({ description: 'Null: the instance' }),
    at: z.iso.datetime(),
    action: z.string().meta({ description: 'thing.verb, for instance server.change' }),
    outcome: z.string().meta({ description: 'succeeded, or the code of the error' }),
    actor: auditActor,
    address: z.string().nullable().meta({ description: 'Where the request came from' }),
    target: auditTarget.nullable(),
    details: z
      .record(z.string(), z.unknown())
      .meta({ description: 'before and after: the fields that differ, without any secret' }),
    hash: z.string().meta({ description: 'SHA-256 over the hash before it and this entry, in hex' }),
  })
  .meta({ id: 'AuditEntry' })
export type AuditEntry = z.output<typeof auditEntry>

const text = z.string().trim().min(1).max(200)

/** Which entries are shown: all of these must apply. */
export const auditFilter = z.object({
  action: text.optional().meta({ description: 'An action, or its beginning: server' }),
  actor: text.optional().meta({ description: 'The id of a user or a token, or a part of its name' }),
  target: text.optional().meta({ description: 'The id of a thing, or a part of its name' }),
  outcome: text
    .optional()
    .meta({ description: 'succeeded, failed (all that is not), or the code of an error' }),
  address: text.optional().meta({ description: 'Where the request came from' }),
  from: z.iso.datetime({ offset: true }).optional().meta({ description: 'Then or later' }),
  to: z.iso.datetime({ offset: true }).optional().meta({ description: 'Before' }),
  search: text.optional().meta({ description: 'A text in any part of the entry' }),
  instance: z
    .stringbool()
    .default(false)
    .meta({ description: 'Those of all organizations, and of the instance: only for who administers it' }),
})
export type AuditFilter = z.output<typeof auditFilter>

/** Where the chain does not fit, and how. */
const auditFault = z.object({
  number: z.int(),
  reason: z.string(),
})

export const auditVerification = z
  .object({
    isIntact: z.boolean(),
    entries: z.int().meta({ description: 'How many were looked at and fit' }),
    first: z.int().nullable().meta({ description: 'The number of the oldest entry; null: there is none' }),
    from: z.iso.datetime().nullable(),
    to: z.iso.datetime().nullable(),
    pruned: z.int().meta({ description: 'The number of the last entry whose time is over; 0: none' }),
    head: z.object({ number: z.int(), hash: z.string() }).nullable().meta({
      description: 'The last entry: note it elsewhere, to prove later that all before it is as it was',
    }),
    fault: auditFault.nullable().meta({ description: 'The first entry that does not fit' }),
  })
  .meta({ id: 'AuditVerification' })
export type AuditVerification = z.output<typeof auditVerification>

/** A head that was noted elsewhere, as `number:hash`. */
export const auditHead = z
  .string()
  .regex(/^[1-9]\d{0,15}:[0-9a-f]{64}$/, 'must be number:hash, as “holdfast audit verify” prints it')
  .transform((text) => {
    const [number = '', hash = ''] = text.split(':')
    return { number: Number(number), hash }
  })
