import type { Things } from './seed.ts'

/** `/servers/{server}` with the id of one. */
export function addressOf(path: string, things: Partial<Things>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: keyof Things) => encodeURIComponent(things[name] ?? name))
}

/** Every page, with the name of its picture. Those outside are for who has not signed in. */
export const allPages: readonly { path: string; name: string; isOutside?: true }[] = [
  { path: '/sign-in', name: 'sign-in', isOutside: true },
  { path: '/', name: 'overview' },
  { path: '/welcome', name: 'welcome' },
  { path: '/databases', name: 'databases' },
  { path: '/databases/{plan}?name={database}', name: 'database' },
  { path: '/servers', name: 'servers' },
  { path: '/servers/new', name: 'new-server' },
  { path: '/servers/{server}', name: 'server' },
  { path: '/servers/{server}/edit', name: 'edit-server' },
  { path: '/plans', name: 'plans' },
  { path: '/plans/new?server={server}', name: 'new-plan' },
  { path: '/plans/{plan}', name: 'plan' },
  { path: '/plans/{plan}/edit', name: 'edit-plan' },
  { path: '/snapshots', name: 'snapshots' },
  { path: '/snapshots/{snapshot}', name: 'snapshot' },
  { path: '/restores', name: 'restores' },
  { path: '/restores/new?snapshot={snapshot}', name: 'new-restore' },
  { path: '/restores/{restore}', name: 'restore' },
  { path: '/restores/scheduled', name: 'scheduled-restores' },
  { path: '/restores/scheduled/new', name: 'new-scheduled-restore' },
  { path: '/restores/scheduled/{scheduledRestore}', name: 'scheduled-restore' },
  { path: '/jobs', name: 'jobs' },
  { path: '/jobs/{job}', name: 'job' },
  { path: '/volumes', name: 'volumes' },
  { path: '/volumes/new', name: 'new-volume' },
  { path: '/volumes/{volume}', name: 'volume' },
  { path: '/volumes/{volume}/edit', name: 'edit-volume' },
  { path: '/schedules', name: 'schedules' },
  { path: '/settings/backup', name: 'backup-settings' },
  { path: '/settings/hooks', name: 'hooks' },
  { path: '/settings/notifications', name: 'notifications' },
  { path: '/settings/keys', name: 'keys' },
  { path: '/settings/db-backup', name: 'db-backup' },
  { path: '/settings/authentication', name: 'authentication' },
  { path: '/settings/users', name: 'users' },
  { path: '/settings/roles', name: 'roles' },
  { path: '/settings/organizations', name: 'organizations' },
  { path: '/settings/tokens', name: 'tokens' },
  { path: '/settings/audit', name: 'audit' },
  { path: '/profile', name: 'profile' },
]
