import { z } from 'zod'
import { name } from './fields.ts'
import { serverLimit } from './roles.ts'

export const organization = z
  .object({
    id: z.string(),
    name: z.string(),
    members: z.int(),
    servers: z.int(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Organization' })
export type Organization = z.output<typeof organization>

export const newOrganization = z.strictObject({ name }).meta({ id: 'NewOrganization' })
export const organizationChanges = z.strictObject({ name }).partial().meta({ id: 'OrganizationChanges' })

export const organizationRole = z
  .object({ id: z.string(), name: z.string() })
  .meta({ id: 'OrganizationRole' })

const names = z.array(z.string())
const person = z.object({ name: z.string(), email: z.string() })

/** Exactly what is lost with an organization. Of what lies on its volumes, nothing is touched. */
export const organizationLosses = z
  .object({
    organization: z.object({ id: z.string(), name: z.string() }),
    servers: names,
    plans: names,
    schedules: names,
    scheduledRestores: names,
    volumes: z
      .array(
        z.object({
          name: z.string(),
          location: z.string().nullable().meta({ description: 'Where its copies stay' }),
          copies: z.int(),
          bytes: z.number(),
        }),
      )
      .meta({ description: 'They are forgotten, with their copies; every object stays where it is' }),
    snapshots: z.int(),
    keys: names.meta({ description: 'What copies are encrypted with cannot be read without them' }),
    channels: names,
    notificationRules: names,
    hooks: names,
    roles: names,
    members: z.int(),
    membersWithout: z
      .array(person)
      .meta({ description: 'Those who would be in no organization any more; their accounts stay' }),
    tokens: names,
    invitations: names.meta({ description: 'To whom those that are open were sent' }),
    jobs: z.int().meta({ description: 'In its history, with their logs' }),
    runningJobs: z.int(),
    warnings: names.meta({ description: 'What nobody can make up for afterwards' }),
    obstacles: names.meta({ description: 'Why it cannot be deleted now' }),
  })
  .meta({ id: 'OrganizationLosses' })
export type OrganizationLosses = z.output<typeof organizationLosses>

export const organizationMerge = z
  .strictObject({
    into: z.string().min(1).max(200).meta({ description: 'The id of the organization that stays' }),
    confirmation: z
      .string()
      .max(200)
      .optional()
      .meta({ description: 'The name of the one that goes; not needed for a dry run' }),
    dryRun: z.boolean().default(false).meta({ description: 'Only say what would happen' }),
  })
  .meta({ id: 'OrganizationMerge' })
export type OrganizationMerge = z.output<typeof organizationMerge>

export const mergedOrganization = z
  .object({
    isDone: z.boolean().meta({ description: 'False: a dry run' }),
    from: z.object({ id: z.string(), name: z.string() }),
    into: z.object({ id: z.string(), name: z.string() }),
    moved: z
      .record(z.string(), z.int())
      .meta({ description: 'How many of each: servers, volumes, plans, snapshots, …' }),
    renamed: z.array(z.object({ what: z.string(), from: z.string(), to: z.string() })),
    unitedRoles: names.meta({ description: 'Both had them, and they allow the same' }),
    changedRoles: z
      .array(z.object({ name: z.string(), organization: z.string(), from: serverLimit, to: serverLimit }))
      .meta({ description: 'Limited to servers in other words, so that they reach the same ones as before' }),
    differentSettings: z.array(z.object({ name: z.string(), from: z.unknown(), into: z.unknown() })).meta({
      description: 'Those of the one that stays are for all: what they are in the two; null: not set',
    }),
    alreadyMembers: z.array(person).meta({ description: 'They keep the role that they have there' }),
    dropped: names.meta({ description: 'What does not come along, in words' }),
    obstacles: names.meta({ description: 'Why it cannot be done now' }),
  })
  .meta({ id: 'MergedOrganization' })
export type MergedOrganization = z.output<typeof mergedOrganization>
