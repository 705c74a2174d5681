import { z } from 'zod'
import { ability, abilityList } from './abilities.ts'
import { name } from './fields.ts'

const network = z
  .union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], 'must be an address or a network, as 10.0.0.0/8')
  .meta({ description: 'An address, or a network as 10.0.0.0/8' })

const expiresAt = z.iso.datetime({ offset: true })

const fields = {
  name,
  scopes: abilityList
    .nullable()
    .meta({ description: 'What it may do, and never more than its owner; null: all that its owner may' }),
  isInstanceAdministrator: z.boolean().meta({ description: 'Administers the instance, if its owner does' }),
  networks: z
    .array(network)
    .min(1, 'Give at least one network.')
    .max(100)
    .nullable()
    .meta({ description: 'From where it may be used; null: everywhere' }),
  expiresAt: expiresAt.nullable().meta({ description: 'Null: never' }),
}

export const newToken = z
  .strictObject({
    name,
    scopes: fields.scopes.optional().meta({
      description: 'What it may do; ["view"] only reads. Null, or absent: all that its owner may',
    }),
    isInstanceAdministrator: fields.isInstanceAdministrator.default(false),
    networks: fields.networks.default(null),
    expiresAt: fields.expiresAt.default(null),
  })
  .meta({ id: 'NewToken' })
export type NewToken = z.output<typeof newToken>

/** A token as the API shows it: never itself. */
export const token = z
  .object({
    id: z.uuid(),
    name,
    owner: z
      .object({ id: z.string(), name: z.string(), email: z.string() })
      .nullable()
      .meta({ description: 'Null: nobody’s, as that of the command line' }),
    scopes: z.array(ability).nullable(),
    isInstanceAdministrator: fields.isInstanceAdministrator,
    networks: z.array(z.string()).nullable(),
    expiresAt: fields.expiresAt,
    isOwn: z.boolean().meta({ description: 'This request is signed with it' }),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().meta({ description: 'To the minute; null: never' }),
  })
  .meta({ id: 'Token' })
export type Token = z.output<typeof token>

export const createdToken = token
  .extend({ token: z.string().meta({ description: 'The token itself, which is shown this once' }) })
  .meta({ id: 'CreatedToken' })
