import { z } from 'zod'
import { name } from './fields.ts'

export const newToken = z.strictObject({ name }).meta({ id: 'NewToken' })

/** A token as the API shows it: never itself. */
export const token = z
  .object({
    id: z.uuid(),
    name,
    isOwn: z.boolean().meta({ description: 'This request is signed with it' }),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().meta({ description: 'To the minute; null: never' }),
  })
  .meta({ id: 'Token' })
export type Token = z.output<typeof token>

export const createdToken = token
  .extend({ token: z.string().meta({ description: 'The token itself, which is shown this once' }) })
  .meta({ id: 'CreatedToken' })
