import {
  IconActivity,
  IconArchive,
  IconBell,
  IconBuilding,
  IconCalendarTime,
  IconCode,
  IconDatabase,
  IconDatabaseExport,
  IconHistory,
  IconHome,
  IconKey,
  IconLock,
  IconPlus,
  IconRestore,
  IconServer,
  IconSettings,
  IconStack2,
  IconTicket,
  IconUsers,
  IconUserShield,
} from '@tabler/icons-react'
import type { Ability } from '../../../src/shared/abilities.ts'
import { msg } from '../i18n/i18n.ts'

export interface Place {
  title: string
  to: string
  icon: typeof IconHome
  /** Behind the question mark. */
  search?: Record<string, string>
  /** Not shown to who may not see what is there. */
  requires?: Ability | 'administer-instance'
}

/** Where one can go, in the order of the navigation. */
export const places: readonly Place[] = [
  { title: msg('Overview'), to: '/', icon: IconHome },
  { title: msg('Databases'), to: '/databases', icon: IconDatabase },
  { title: msg('Servers'), to: '/servers', icon: IconServer },
  { title: msg('Plans'), to: '/plans', icon: IconStack2 },
  { title: msg('Snapshots'), to: '/snapshots', icon: IconArchive },
  { title: msg('Restores'), to: '/restores', icon: IconRestore },
  { title: msg('Jobs'), to: '/jobs', icon: IconActivity },
  { title: msg('Volumes'), to: '/volumes', icon: IconDatabaseExport },
  { title: msg('Schedules'), to: '/schedules', icon: IconCalendarTime },
]

export const configuration: readonly Place[] = [
  { title: msg('Backup'), to: '/settings/backup', icon: IconSettings },
  { title: msg('Hook scripts'), to: '/settings/hooks', icon: IconCode },
  { title: msg('Notifications'), to: '/settings/notifications', icon: IconBell },
  { title: msg('Keys'), to: '/settings/keys', icon: IconKey },
  { title: msg('DB Backup'), to: '/settings/db-backup', icon: IconHistory, requires: 'administer-instance' },
  {
    title: msg('Authentication'),
    to: '/settings/authentication',
    icon: IconLock,
    requires: 'administer-instance',
  },
  { title: msg('Users'), to: '/settings/users', icon: IconUsers, requires: 'manage-users' },
  { title: msg('Roles'), to: '/settings/roles', icon: IconUserShield },
  {
    title: msg('Organizations'),
    to: '/settings/organizations',
    icon: IconBuilding,
    requires: 'administer-instance',
  },
  { title: msg('API tokens'), to: '/settings/tokens', icon: IconTicket },
  { title: msg('Audit log'), to: '/settings/audit', icon: IconHistory, requires: 'view-audit' },
]

/** What people do there most often, for the search. */
export const deeds: readonly Place[] = [
  { title: msg('Add server'), to: '/servers/new', icon: IconPlus, requires: 'manage-servers' },
  { title: msg('Add plan'), to: '/plans/new', icon: IconPlus, requires: 'manage-plans' },
  { title: msg('Add volume'), to: '/volumes/new', icon: IconPlus, requires: 'manage-volumes' },
  { title: msg('Restore a snapshot'), to: '/restores/new', icon: IconRestore, requires: 'restore' },
  {
    title: msg('Add scheduled restore'),
    to: '/restores/scheduled/new',
    icon: IconPlus,
    requires: 'manage-plans',
  },
  {
    title: msg('Add schedule'),
    to: '/schedules',
    search: { form: 'new' },
    icon: IconPlus,
    requires: 'manage-schedules',
  },
  {
    title: msg('Add channel'),
    to: '/settings/notifications',
    search: { edit: 'new' },
    icon: IconPlus,
    requires: 'manage-channels',
  },
]
