import { z } from 'zod'

interface AbilityDescription {
  /** What it allows, in words for people who choose. */
  title: string
  /**
   * Whether it is about single servers, and what belongs to them: then a role that is limited to some servers may have
   * it. The others are about what the whole organization shares.
   */
  isAboutServers: boolean
}

/** What a role may allow. Each route names the one that it asks for. */
export const abilities = {
  view: { title: 'See servers, snapshots, jobs and how all is set up', isAboutServers: true },
  'run-backups': { title: 'Start backups and checks, cancel jobs', isAboutServers: true },
  restore: { title: 'Restore, and run scheduled restores and drills', isAboutServers: true },
  'download-snapshots': { title: 'Download snapshots', isAboutServers: true },
  'edit-snapshots': { title: 'Comment on snapshots and lock them', isAboutServers: true },
  'delete-snapshots': { title: 'Delete snapshots', isAboutServers: true },
  'manage-servers': { title: 'Add, change and delete servers', isAboutServers: true },
  'manage-plans': { title: 'Add, change and delete plans and scheduled restores', isAboutServers: true },
  'manage-schedules': { title: 'Add, change and delete schedules', isAboutServers: false },
  'manage-volumes': { title: 'Add, change and delete volumes', isAboutServers: false },
  'manage-agents': { title: 'Add, change and delete agents', isAboutServers: false },
  'manage-settings': {
    title: 'Change the settings of the organization, and its hooks',
    isAboutServers: false,
  },
  'manage-channels': {
    title: 'Add, change and delete channels and notification rules',
    isAboutServers: false,
  },
  'manage-keys': { title: 'Add, change and delete encryption keys', isAboutServers: false },
  'manage-users': { title: 'Invite users, give them roles, remove them', isAboutServers: false },
  'manage-roles': { title: 'Add, change and delete roles', isAboutServers: false },
  'manage-tokens': { title: 'See and delete the tokens of others', isAboutServers: false },
  'view-audit': { title: 'Read the audit log', isAboutServers: false },
} as const satisfies Record<string, AbilityDescription>
export type Ability = keyof typeof abilities

export const abilityNames = Object.keys(abilities) as [Ability, ...Ability[]]

export const ability = z.enum(abilityNames, 'must be an ability, see GET /api/v1/abilities')

/** Each once, in the order of the list above. */
export const abilityList = z
  .array(ability)
  .overwrite((chosen) => abilityNames.filter((name) => chosen.includes(name)))

export const abilityDescription = z
  .object({ name: ability, title: z.string(), isAboutServers: z.boolean() })
  .meta({ id: 'Ability' })
