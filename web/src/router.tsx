import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router'
import type { Ability } from '../../src/shared/abilities.ts'
import type { Me } from '../../src/shared/me.ts'
import { AppError } from '../../src/shared/errors.ts'
import { queryClient, asking } from './api.ts'
import { basePath } from './base-path.ts'
import { askingMe, useMay } from './me.ts'
import { NotAllowed } from './shell/not-allowed.tsx'
import { NotFound } from './shell/not-found.tsx'
import { Shell } from './shell/shell.tsx'
import { Broken } from './shell/broken.tsx'

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound, errorComponent: Broken })

/** Who has not signed in is led there, and comes back. */
async function whoAsks(href: string, isAskedAnew: boolean): Promise<Me> {
  try {
    return await (isAskedAnew
      ? queryClient.fetchQuery({ ...askingMe(), staleTime: 0 })
      : queryClient.ensureQueryData(askingMe()))
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'not_signed_in') throw error
    const { isOpen } = await queryClient.fetchQuery(asking('GET /api/v1/setup'))
    if (isOpen) throw redirect({ to: '/setup' })
    throw redirect({ to: '/sign-in', search: { to: href } })
  }
}

/** All but signing in. */
const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ location: { href } }) => {
    const { lacksSecondFactor } = await whoAsks(href, false)
    if (lacksSecondFactor) throw redirect({ to: '/second-factor', search: { to: href } })
  },
})

/** Before anything else, for who has to add one. */
const secondFactor = createRoute({
  getParentRoute: () => root,
  path: '/second-factor',
  component: lazyRouteComponent(() => import('./sign-in/second-factor-page.tsx'), 'SecondFactorPage'),
  beforeLoad: async ({ location: { href } }) => {
    const { lacksSecondFactor } = await whoAsks(href, true)
    if (!lacksSecondFactor) throw redirect({ to: '/' })
  },
})

type Load = Parameters<typeof lazyRouteComponent>[0]

const outside = (path: string, load: Load, name: string) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load, name) })

/** `requires` is what its form does in the end: who may not do that need not fill it in. */
const page = (path: string, load: Load, name: string, requires?: Ability) => {
  const Shown = lazyRouteComponent(load, name)
  const Allowed = () => {
    const may = useMay()
    return requires === undefined || may(requires) ? <Shown /> : <NotAllowed />
  }
  const component = Object.assign(Allowed, { preload: Shown.preload })
  return createRoute({ getParentRoute: () => shell, path, component })
}

const routes = root.addChildren([
  outside('/setup', () => import('./setup/setup-page.tsx'), 'SetupPage'),
  outside('/sign-in', () => import('./sign-in/sign-in-page.tsx'), 'SignInPage'),
  outside('/sign-in/link', () => import('./sign-in/link-page.tsx'), 'LinkPage'),
  outside('/invitation', () => import('./sign-in/invitation-page.tsx'), 'InvitationPage'),
  outside('/reset-password', () => import('./sign-in/reset-password-page.tsx'), 'ResetPasswordPage'),
  secondFactor,
  shell.addChildren([
    page('/', () => import('./overview/overview-page.tsx'), 'OverviewPage'),
    page('/welcome', () => import('./setup/welcome-page.tsx'), 'WelcomePage'),
    page('/databases', () => import('./databases/databases-page.tsx'), 'DatabasesPage'),
    page('/databases/$planId', () => import('./databases/database-page.tsx'), 'DatabasePage'),
    page('/servers', () => import('./servers/servers-page.tsx'), 'ServersPage'),
    page('/servers/new', () => import('./servers/new-server-page.tsx'), 'NewServerPage', 'manage-servers'),
    page('/servers/$id', () => import('./servers/server-page.tsx'), 'ServerPage'),
    page(
      '/servers/$id/edit',
      () => import('./servers/edit-server-page.tsx'),
      'EditServerPage',
      'manage-servers',
    ),
    page('/plans', () => import('./plans/plans-page.tsx'), 'PlansPage'),
    page('/plans/new', () => import('./plans/new-plan-page.tsx'), 'NewPlanPage', 'manage-plans'),
    page('/plans/$id', () => import('./plans/plan-page.tsx'), 'PlanPage'),
    page('/plans/$id/edit', () => import('./plans/edit-plan-page.tsx'), 'EditPlanPage', 'manage-plans'),
    page('/snapshots', () => import('./snapshots/snapshots-page.tsx'), 'SnapshotsPage'),
    page('/snapshots/$id', () => import('./snapshots/snapshot-page.tsx'), 'SnapshotPage'),
    page('/restores', () => import('./restores/restores-page.tsx'), 'RestoresPage'),
    page('/restores/new', () => import('./restores/new-restore-page.tsx'), 'NewRestorePage', 'restore'),
    page('/restores/$id', () => import('./restores/restore-page.tsx'), 'RestorePage'),
    page(
      '/restores/scheduled',
      () => import('./restores/scheduled-restores-page.tsx'),
      'ScheduledRestoresPage',
    ),
    page(
      '/restores/scheduled/new',
      () => import('./restores/new-scheduled-restore-page.tsx'),
      'NewScheduledRestorePage',
      'manage-plans',
    ),
    page(
      '/restores/scheduled/$id',
      () => import('./restores/scheduled-restore-page.tsx'),
      'ScheduledRestorePage',
    ),
    page(
      '/restores/scheduled/$id/edit',
      () => import('./restores/edit-scheduled-restore-page.tsx'),
      'EditScheduledRestorePage',
      'manage-plans',
    ),
    page('/jobs', () => import('./jobs/jobs-page.tsx'), 'JobsPage'),
    page('/jobs/$id', () => import('./jobs/job-page.tsx'), 'JobPage'),
    page('/volumes', () => import('./volumes/volumes-page.tsx'), 'VolumesPage'),
    page('/volumes/new', () => import('./volumes/new-volume-page.tsx'), 'NewVolumePage', 'manage-volumes'),
    page('/volumes/$id', () => import('./volumes/volume-page.tsx'), 'VolumePage'),
    page(
      '/volumes/$id/edit',
      () => import('./volumes/edit-volume-page.tsx'),
      'EditVolumePage',
      'manage-volumes',
    ),
    page('/schedules', () => import('./schedules/schedules-page.tsx'), 'SchedulesPage'),
    page('/settings/backup', () => import('./settings/backup-settings-page.tsx'), 'BackupSettingsPage'),
    page('/settings/hooks', () => import('./hooks/hooks-page.tsx'), 'HooksPage'),
    page('/settings/notifications', () => import('./channels/notifications-page.tsx'), 'NotificationsPage'),
    page('/settings/keys', () => import('./keys/keys-page.tsx'), 'KeysPage'),
    page('/settings/db-backup', () => import('./app-backups/app-backups-page.tsx'), 'AppBackupsPage'),
    page(
      '/settings/authentication',
      () => import('./authentication/authentication-page.tsx'),
      'AuthenticationPage',
    ),
    page('/settings/users', () => import('./users/users-page.tsx'), 'UsersPage'),
    page('/settings/roles', () => import('./roles/roles-page.tsx'), 'RolesPage'),
    page(
      '/settings/organizations',
      () => import('./organizations/organizations-page.tsx'),
      'OrganizationsPage',
    ),
    page('/settings/tokens', () => import('./tokens/tokens-page.tsx'), 'TokensPage'),
    page('/settings/audit', () => import('./audit/audit-page.tsx'), 'AuditPage'),
    page('/profile', () => import('./profile/profile-page.tsx'), 'ProfilePage'),
  ]),
])

export const router = createRouter({
  routeTree: routes,
  basepath: basePath,
  defaultPreload: 'intent',
  scrollRestoration: true,
  // Everything in an address is text: a database may be called 123.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const given = Object.entries(search).filter(
      ([, value]) => value !== undefined && value !== null && value !== '',
    )
    const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
    return text === '' ? '' : `?${text}`
  },
})
