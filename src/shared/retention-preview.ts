import { z } from 'zod'
import { retentionPolicy, retentionReason } from './retention.ts'

const instant = z.iso.datetime()

const judgedCopy = {
  snapshotId: z.uuid(),
  takenAt: instant,
  volumeId: z.string(),
  volumeName: z.string(),
  key: z.string(),
  bytes: z.int(),
  reasons: z.array(z.string()).meta({ description: 'In words' }),
  why: z.array(retentionReason).meta({ description: 'The same reasons, which the words are made from' }),
}

/** What retention does with the copies of one database of a plan, if nothing new comes. */
export const databaseRetention = z
  .object({
    planId: z.string(),
    database: z.string(),
    timeZone: z.string().meta({ description: 'In which days, weeks and months are counted' }),
    goes: z.array(
      z.object({
        ...judgedCopy,
        goesAt: instant,
        isLast: z.boolean().meta({ description: 'With it, or before it, all copies of the snapshot go' }),
      }),
    ),
    stays: z.array(z.object(judgedCopy)),
    bytes: z.int().meta({ description: 'Of what goes' }),
  })
  .meta({ id: 'DatabaseRetention' })
export type DatabaseRetention = z.output<typeof databaseRetention>

/** A policy to try out before it is saved. */
export const retentionTrial = z
  .strictObject({
    retention: retentionPolicy,
    volumes: z
      .array(z.strictObject({ id: z.string(), retention: retentionPolicy }))
      .max(10)
      .optional()
      .meta({ description: 'With a policy of their own; absent: those that have one now' }),
    schedules: z.array(z.string()).max(100).optional().meta({
      description:
        'Its schedules: days are counted in the time zone of the first; absent: those that it has now',
    }),
    database: z.string().min(1).max(1000).optional(),
    until: instant.optional().meta({ description: 'What goes until then; absent: what goes now' }),
    onlyMore: z.boolean().default(false).meta({
      description:
        'Of what goes, only what does not go as the plan is saved; and only databases of which something does',
    }),
  })
  .meta({ id: 'RetentionTrial' })
