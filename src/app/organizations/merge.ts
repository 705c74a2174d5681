import type { Transaction } from 'kysely'
import { isDeepStrictEqual } from 'node:util'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { MergedOrganization, OrganizationMerge } from '../../shared/organizations.ts'
import type { ServerLimit } from '../../shared/roles.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { settingsOf } from '../settings/settings.ts'
import { storedPlaceOf } from '../volumes/place.ts'
import { allVolumes, type VolumeRow } from '../volumes/volumes.ts'
import { type Asker, confirm, noOrganization, recordChange, refuseObstacles } from './changes.ts'
import { differing, keptLimit, type LimitedServer } from './limited-roles.ts'
import { runningJobsInWords } from './losses.ts'
import {
  countIn,
  deleteEmptyOrganization,
  deleteOpenInvitations,
  deleteVolumes,
  findOrganization,
  invitedToBoth,
  limitRole,
  lockJobs,
  lockOrganizations,
  membersOfBoth,
  type Move,
  moveMappings,
  moveMembers,
  moveNamed,
  moveUnnamed,
  namedTables,
  type NamedTable,
  namesIn,
  noteMerged,
  type OrganizationRow,
  rolesIn,
  serversIn,
  volumeUses,
} from './store.ts'

const LONGEST_NAME = 100
const nameds = Object.keys(namedTables) as NamedTable[]

/** What a merge would do, and do by. */
interface Course {
  told: MergedOrganization
  /** Of each kind, what gets another name. */
  names: Map<NamedTable, Map<string, string>>
  /** Roles that are replaced by those that allow the same. */
  roles: Map<string, string>
  /** Volumes that are nothing but a place which the other one has. */
  volumes: string[]
  invitations: string[]
  /** Of roles, what they are limited to from now on. */
  limits: Map<string, ServerLimit>
}

/** Two volumes that are one place. */
interface Twin {
  row: VolumeRow
  other: VolumeRow
}

/**
 * Moves everything of an organization into another one, and records that, or says what would happen. Throws `not_found`, `invalid_input` for
 * one and the same, and, unless it is a dry run, `in_use` with what is in the way, and `confirmation_needed`.
 */
export async function mergeOrganizations(
  context: AppContext,
  asker: Asker,
  from: string,
  { into, confirmation, dryRun }: OrganizationMerge,
): Promise<MergedOrganization> {
  if (from === into) {
    const message = 'must be another organization'
    throw new AppError('invalid_input', `into: ${message}`, { fields: [{ field: 'into', message }] })
  }
  return await lookingAtVolumes(context, { from, into }, async (trx, twins) => {
    const course = await plotCourse(context, trx, { from, into }, twins)
    const { told } = course
    if (dryRun) return told
    refuseObstacles(told.from.name, 'merged', told.obstacles)
    confirm(told.from.name, confirmation)
    await follow(trx, { from, into }, course)
    const merged = { ...told, isDone: true }
    await recordChange(context.store, trx, asker, 'organization.merge', told.from, merged)
    return merged
  })
}

/**
 * Which volumes of both are the same place is found out outside of any transaction. Should one have changed in between, it
 * is found out again.
 */
async function lookingAtVolumes<T>(
  { store }: AppContext,
  move: Move,
  then: (trx: Transaction<Tables>, twins: readonly Twin[]) => Promise<T>,
): Promise<T> {
  for (;;) {
    const seen = await Promise.all([allVolumes(store.db, move.from), allVolumes(store.db, move.into)])
    const twins = await twinsAmong(...seen)
    const done = await store.db.transaction().execute(async (trx) => {
      await lockOrganizations(store, trx, [move.from, move.into])
      const present = [await allVolumes(trx, move.from), await allVolumes(trx, move.into)]
      return versionsOf(present) === versionsOf(seen) ? { result: await then(trx, twins) } : undefined
    })
    if (done) return done.result
  }
}

async function twinsAmong(rows: readonly VolumeRow[], others: readonly VolumeRow[]): Promise<Twin[]> {
  const places = new Map<string, VolumeRow>()
  for (const other of others) {
    const place = await storedPlaceOf(other)
    if (place !== undefined) places.set(place, other)
  }
  const twins: Twin[] = []
  for (const row of rows) {
    const place = await storedPlaceOf(row)
    const other = place === undefined ? undefined : places.get(place)
    if (other) twins.push({ row, other })
  }
  return twins
}

function versionsOf(volumes: readonly (readonly VolumeRow[])[]): string {
  return volumes
    .flat()
    .map(({ id, revision }) => `${id} ${revision}`)
    .join()
}

async function plotCourse(
  context: AppContext,
  trx: Transaction<Tables>,
  move: Move,
  twins: readonly Twin[],
): Promise<Course> {
  const { store } = context
  const source = (await findOrganization(trx, move.from)) ?? throwNow(noOrganization())
  const target = (await findOrganization(trx, move.into)) ?? throwNow(noOrganization())
  const uses = new Map((await volumeUses(trx, move.from)).map((use) => [use.id, use]))
  const isUsed = ({ row }: Twin) => {
    const use = uses.get(row.id)
    return use !== undefined && (use.copies > 0 || use.plans > 0 || use.registrations.length > 0)
  }
  const dropped = twins.filter((twin) => !isUsed(twin))
  const roles = await sameRoles(trx, move)
  const gone = new Set([...roles.keys(), ...dropped.map(({ row }) => row.id)])
  const names = new Map<NamedTable, Map<string, string>>()
  const renamed: MergedOrganization['renamed'] = []
  const moved: Record<string, number> = {}
  for (const table of nameds) {
    const own = (await namesIn(trx, table, move.from)).filter(({ id }) => !gone.has(id))
    const others = await namesIn(trx, table, move.into)
    const changed = freeNames(own, others)
    names.set(table, changed)
    for (const { id, name } of own) {
      const to = changed.get(id)
      if (to !== undefined) renamed.push({ what: namedTables[table], from: name, to })
    }
    moved[table === 'encryptionKeys' ? 'keys' : table] = own.length
  }
  for (const table of ['plans', 'snapshots', 'jobs'] as const) {
    moved[table] = await countIn(trx, table, move.from)
  }
  const both = await membersOfBoth(trx, move)
  moved['members'] = (await countIn(trx, 'memberships', move.from)) - both.length
  const invitations = await invitedToBoth(store, trx, move)
  const united = await rolesIn(trx, move.from)
  const limited = await limitRoles(trx, [source, target], names)
  const running = await lockJobs(store, trx, move.from)
  const told: MergedOrganization = {
    isDone: false,
    from: { id: source.id, name: source.name },
    into: { id: target.id, name: target.name },
    moved,
    renamed,
    unitedRoles: united.filter(({ id }) => roles.has(id)).map(({ name }) => name),
    changedRoles: limited.changed.map(({ id, ...role }) => ({
      ...role,
      name: names.get('roles')?.get(id) ?? role.name,
    })),
    differentSettings: await settingsThatDiffer(context, trx, move),
    alreadyMembers: both.map(({ name, email }) => ({ name, email })),
    dropped: [
      `The settings of “${source.name}”: those of “${target.name}” are for all now.`,
      ...dropped.map(
        ({ row, other }) =>
          `The volume “${row.name}”, which nothing uses: it is the place of “${other.name}”.`,
      ),
      ...invitations.map((email) => `The invitation of ${email}, who is invited to “${target.name}”, too.`),
    ],
    obstacles: [
      ...runningJobsInWords(running),
      ...limited.obstacles,
      ...twins
        .filter(isUsed)
        .map(
          ({ row, other }) =>
            `Its volume “${row.name}” is the same place as “${other.name}” of “${target.name}”.`,
        ),
    ],
  }
  const limits = new Map(limited.changed.map(({ id, to }) => [id, to]))
  return { told, names, roles, volumes: dropped.map(({ row }) => row.id), invitations, limits }
}

async function follow(
  trx: Transaction<Tables>,
  move: Move,
  { names, roles, volumes, invitations, limits }: Course,
): Promise<void> {
  await deleteOpenInvitations(trx, move.from, invitations)
  await deleteVolumes(trx, volumes)
  await moveMappings(trx, move, roles)
  await moveMembers(trx, move, roles)
  for (const table of nameds) await moveNamed(trx, table, move, names.get(table) ?? new Map())
  for (const [id, limit] of limits) await limitRole(trx, id, JSON.stringify(limit))
  await noteMerged(trx, move)
  await moveUnnamed(trx, move)
  await deleteEmptyOrganization(trx, move.from)
}

interface Limited {
  changed: { id: string; name: string; organization: string; from: ServerLimit; to: ServerLimit }[]
  obstacles: string[]
}

/**
 * How roles that are limited to some servers go on to reach the same ones, though servers get other names, and others are
 * there that a pattern or a label fits.
 */
async function limitRoles(
  trx: Transaction<Tables>,
  [source, target]: [OrganizationRow, OrganizationRow],
  names: Course['names'],
): Promise<Limited> {
  const present = new Map<OrganizationRow, LimitedServer[]>()
  for (const organization of [source, target]) {
    const rows = await serversIn(trx, organization.id)
    const servers = rows.map(({ labels, ...row }) => ({
      ...row,
      labels: JSON.parse(labels) as Record<string, string>,
    }))
    present.set(organization, servers)
  }
  const merged = [...present.values()]
    .flat()
    .map((server) => ({ ...server, name: names.get('servers')?.get(server.id) ?? server.name }))
  const limited: Limited = { changed: [], obstacles: [] }
  for (const [organization, servers] of present) {
    for (const role of await rolesIn(trx, organization.id)) {
      if (role.servers === null) continue
      const { id, name } = role
      const from = JSON.parse(role.servers) as ServerLimit
      const to = keptLimit(from, servers, merged)
      if (!to) limited.obstacles.push(unlike(name, organization.name, differing(from, servers, merged)))
      else if (to !== from) limited.changed.push({ id, name, organization: organization.name, from, to })
    }
  }
  return limited
}

function unlike(role: string, organization: string, servers: readonly string[]): string {
  return `The role “${role}” of “${organization}” would not reach the same servers as before: it would be different for ${servers.join(', ')}. Change what it is limited to, or rename the servers, or give other labels to them.`
}

/** What the settings of both say, where that is not the same. */
async function settingsThatDiffer(
  context: AppContext,
  trx: Transaction<Tables>,
  { from, into }: Move,
): Promise<MergedOrganization['differentSettings']> {
  const own: Record<string, unknown> = await settingsOf(context, from, trx)
  const others: Record<string, unknown> = await settingsOf(context, into, trx)
  return [...new Set([...Object.keys(own), ...Object.keys(others)])]
    .map((name) => ({ name, from: own[name] ?? null, into: others[name] ?? null }))
    .filter((setting) => !isDeepStrictEqual(setting.from, setting.into))
}

/**
 * Those of the same name that allow the same, by their ids. What is limited to some servers stays a role of its own: it
 * goes on to reach those of its own organization.
 */
async function sameRoles(trx: Transaction<Tables>, { from, into }: Move): Promise<Map<string, string>> {
  const others = new Map((await rolesIn(trx, into)).map((role) => [role.name, role]))
  const same = new Map<string, string>()
  for (const role of await rolesIn(trx, from)) {
    const other = others.get(role.name)
    if (other && role.servers === null && powersIn(role) === powersIn(other)) same.set(role.id, other.id)
  }
  return same
}

function powersIn({ abilities, servers }: { abilities: string; servers: string | null }): string {
  return JSON.stringify([(JSON.parse(abilities) as string[]).sort(), sorted(JSON.parse(servers ?? 'null'))])
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, child]) => [name, sorted(child)] as const)
  return entries.sort(([a], [b]) => (a < b ? -1 : 1))
}

interface Named {
  id: string
  name: string
}

/** For those whose name is taken there, another one: “nightly (2)”. */
function freeNames(own: readonly Named[], others: readonly Named[]): Map<string, string> {
  const foreign = new Set(others.map(({ name }) => name))
  const taken = new Set([...foreign, ...own.map(({ name }) => name)])
  const changed = new Map<string, string>()
  for (const { id, name } of own) {
    if (!foreign.has(name)) continue
    let n = 2
    while (taken.has(suffixed(name, n))) n++
    changed.set(id, suffixed(name, n))
    taken.add(suffixed(name, n))
  }
  return changed
}

function suffixed(name: string, n: number): string {
  const suffix = ` (${n})`
  return (
    name
      .slice(0, LONGEST_NAME - suffix.length)
      .toWellFormed()
      .trimEnd() + suffix
  )
}
