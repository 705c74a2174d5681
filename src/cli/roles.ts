import { Command } from 'commander'
import type { Role, ServerLimit } from '../shared/roles.ts'
import { listOf, showOf, type Things } from './named-things.ts'

export const roleThings: Things<Role> = {
  list: 'GET /api/v1/roles',
  one: 'role',
  many: 'roles',
  columns: {
    ID: ({ id }) => id,
    NAME: ({ name }) => name,
    'ABILITIES ': ({ abilities }) => String(abilities.length),
    SERVERS: ({ servers }) => (servers === null ? 'all' : limitInWords(servers)),
    'MEMBERS ': ({ members }) => String(members),
    MARKS: ({ isBuiltIn }) => (isBuiltIn ? 'built in' : ''),
  },
}

export const roles = new Command('roles')
  .description('What people may do')
  .addCommand(listOf(roleThings).alias('list'))
  .addCommand(showOf(roleThings))

/** `team-a-*, env=test` */
function limitInWords({ names = [], labels = {} }: ServerLimit): string {
  return [...names, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)].join(', ')
}
