import { z } from 'zod'
import { type Ability, abilities, abilityList, abilityNames } from './abilities.ts'
import { name } from './fields.ts'

const namePattern = z.string().trim().min(1, 'must not be empty').max(100, 'must have at most 100 characters')

/** The servers that a role is limited to: those whose name fits one of the patterns, and which have all the labels. */
export const serverLimit = z
  .strictObject({
    names: z
      .array(namePattern)
      .min(1, 'Give at least one pattern.')
      .max(100)
      .optional()
      .meta({ description: 'Patterns of names, as “team-a-*”; ? is any one character' }),
    labels: z
      .record(z.string().min(1).max(200), z.string().max(200))
      .refine((labels) => Object.keys(labels).length > 0, 'Give at least one label.')
      .optional(),
  })
  .refine(({ names, labels }) => names !== undefined || labels !== undefined, 'Give names or labels.')
  .meta({ id: 'ServerLimit' })
export type ServerLimit = z.output<typeof serverLimit>

const fields = {
  name,
  abilities: abilityList.refine((chosen) => chosen.includes('view'), 'must have “view”'),
  servers: serverLimit.nullable().meta({ description: 'Null: all servers' }),
}

export const newRole = z
  .strictObject({ ...fields, servers: fields.servers.default(null) })
  .meta({ id: 'NewRole' })
export type NewRole = z.output<typeof newRole>

export const roleChanges = z.strictObject(fields).partial().meta({ id: 'RoleChanges' })
export type RoleChanges = z.output<typeof roleChanges>

export const role = z
  .object({
    id: z.string(),
    ...fields,
    isBuiltIn: z
      .boolean()
      .meta({ description: 'It came with the organization: it can be changed, and not deleted' }),
    members: z.int().meta({ description: 'How many users have it' }),
    invitations: z.int().meta({ description: 'How many open invitations give it' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Role' })
export type Role = z.output<typeof role>

/** What a new organization begins with. Migration 0009 says the same for those that were there before. */
export const builtInRoles: readonly { slug: string; name: string; abilities: readonly Ability[] }[] = [
  { slug: 'viewer', name: 'Viewer', abilities: ['view'] },
  {
    slug: 'operator',
    name: 'Operator',
    abilities: ['view', 'run-backups', 'restore', 'download-snapshots', 'edit-snapshots'],
  },
  {
    slug: 'member',
    name: 'Member',
    abilities: [
      'view',
      'run-backups',
      'restore',
      'download-snapshots',
      'edit-snapshots',
      'delete-snapshots',
      'manage-servers',
      'manage-plans',
      'manage-schedules',
      'manage-volumes',
      'manage-agents',
    ],
  },
  { slug: 'admin', name: 'Admin', abilities: abilityNames },
]

/** Those of the abilities that a role which is limited to some servers cannot have. */
export function notForLimited(chosen: readonly Ability[]): Ability[] {
  return chosen.filter((name) => !abilities[name].isAboutServers)
}

/** Whether a server is among those that the limit names. Patterns are compared letter by letter, case included. */
export function isWithin(
  { names, labels }: ServerLimit,
  server: { name: string; labels: Readonly<Record<string, string>> },
): boolean {
  if (names && !names.some((pattern) => fits(pattern, server.name))) return false
  return Object.entries(labels ?? {}).every(([label, value]) => server.labels[label] === value)
}

/**
 * Whether every server within the one limit is within the other one, as far as that can be told from the limits alone.
 * Null: all servers.
 */
export function isNoWider(limit: ServerLimit | null, than: ServerLimit | null): boolean {
  if (than === null) return true
  if (limit === null) return false
  const labels = Object.entries(than.labels ?? {})
  if (!labels.every(([label, value]) => limit.labels?.[label] === value)) return false
  const wider = than.names
  if (!wider) return true
  // A pattern is taken for a text: whatever it may stand for fits, too, if each of its stars is met by a star.
  return (limit.names ?? ['*']).every((name) => wider.some((pattern) => fits(pattern, name, 'a pattern')))
}

/** Without regular expressions: no pattern is slow. */
function fits(pattern: string, text: string, what: 'a text' | 'a pattern' = 'a text'): boolean {
  let [at, p] = [0, 0]
  let star = -1
  let starAt = 0
  while (at < text.length) {
    if (pattern[p] === '*') {
      star = p++
      starAt = at
    } else if (
      p < pattern.length &&
      !(what === 'a pattern' && text[at] === '*') &&
      (pattern[p] === '?' || pattern[p] === text[at])
    ) {
      p++
      at++
    } else if (star >= 0) {
      p = star + 1
      at = ++starAt
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
