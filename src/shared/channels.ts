import { z } from 'zod'
import { name } from './fields.ts'
import { jobError } from './jobs.ts'

const settings = z.record(z.string(), z.unknown()).meta({
  description:
    'Those of its kind, see GET /api/v1/channel-kinds. A secret that equals its mask stays, unless it would be sent to another address',
})

const fields = {
  name,
  settings,
  isEnabled: z.boolean().meta({ description: 'A disabled channel takes nothing but tests' }),
  isShared: z.boolean().meta({ description: 'Rules of other organizations may use it' }),
}

export const newChannel = z
  .strictObject({
    ...fields,
    kind: z.string().meta({ description: 'A name of GET /api/v1/channel-kinds' }),
    isEnabled: fields.isEnabled.default(true),
    isShared: fields.isShared.default(false),
  })
  .meta({ id: 'NewChannel' })

/** What is not there stays as it is. The kind of a channel cannot change. */
export const channelChanges = z.strictObject(fields).partial().meta({ id: 'ChannelChanges' })

/** A channel as the API shows it: secrets are masked. */
export const channel = z
  .object({
    ...fields,
    id: z.uuid(),
    kind: z.string(),
    lastDeliveredAt: z.iso.datetime().nullable().meta({ description: 'A test counts' }),
    lastFailedAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When a delivery could not be made, if only in one of its tries' }),
    lastError: jobError.nullable().meta({ description: 'Why it could not' }),
    isFailing: z.boolean().meta({ description: 'The last delivery could not be made' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Channel' })

/** A channel of another organization that rules may use. */
export const sharedChannel = z
  .object({ id: z.uuid(), name, kind: z.string(), isEnabled: z.boolean() })
  .meta({ id: 'SharedChannel' })

/** A kind of channel, and the JSON schema of its settings: forms are drawn from it. */
export const channelKind = z
  .object({ name: z.string(), label: z.string(), settings: z.record(z.string(), z.unknown()) })
  .meta({ id: 'ChannelKind' })

/** Settings that are tried out before they are saved. */
export const channelTrial = z
  .strictObject({
    kind: z.string(),
    settings,
    channelId: z
      .string()
      .optional()
      .meta({ description: 'The channel whose secrets the masks in the settings stand for' }),
  })
  .meta({ id: 'ChannelTrial' })

export type NewChannel = z.output<typeof newChannel>
export type ChannelChanges = z.output<typeof channelChanges>
export type Channel = z.output<typeof channel>
export type ChannelTrial = z.output<typeof channelTrial>
