import type { Transaction } from 'kysely'
import { AppError, throwNow } from '../../shared/errors.ts'
import type { MergedOrganization, OrganizationMerge } from '../../shared/organizations.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { storedPlaceOf } from '../volumes/place.ts'
import { allVolumes, type VolumeRow } from '../volumes/volumes.ts'
import { confirm, keepCommandLine, noOrganization, refuseObstacles } from './changes.ts'
import { runningJobsInWords } from './losses.ts'
import {
  countIn,
  deleteEmptyOrganization,
  deleteOpenInvitations,
  deleteVolumes,
  findOrganization,
  invitedToBoth,
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
  rolesIn,
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
}

/** Two volumes that are one place. */
interface Twin {
  row: VolumeRow
  other: VolumeRow
}

/**
 * Moves everything of an organization into another one, or says what would happen. Throws `not_found`, `invalid_input` for
 * one and the same, and, unless it is a dry run, `in_use` with what is in the way, and `confirmation_needed`.
 */
export async function mergeOrganizations(
  context: AppContext,
  from: string,
  { into, confirmation, dryRun }: OrganizationMerge,
): Promise<MergedOrganization> {
  if (from === into) {
    const message = 'must be another organization'
    throw new AppError('invalid_input', `into: ${message}`, { fields: [{ field: 'into', message }] })
  }
  const merged = await lookingAtVolumes(context, { from, into }, async (trx, twins) => {
    const course = await plotCourse(context, trx, { from, into }, twins)
    const { told } = course
    if (dryRun) return told
    refuseObstacles(told.from.name, 'merged', told.obstacles)
    confirm(told.from.name, confirmation)
    await follow(trx, { from, into }, course)
    return { ...told, isDone: true }
  })
  if (merged.isDone) await keepCommandLine(context)
  return merged
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
  { store }: AppContext,
  trx: Transaction<Tables>,
  move: Move,
  twins: readonly Twin[],
): Promise<Course> {
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
  const running = await lockJobs(store, trx, move.from)
  const told: MergedOrganization = {
    isDone: false,
    from: { id: source.id, name: source.name },
    into: { id: target.id, name: target.name },
    moved,
    renamed,
    unitedRoles: united.filter(({ id }) => roles.has(id)).map(({ name }) => name),
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
      ...twins
        .filter(isUsed)
        .map(
          ({ row, other }) =>
            `Its volume “${row.name}” is the same place as “${other.name}” of “${target.name}”.`,
        ),
    ],
  }
  return { told, names, roles, volumes: dropped.map(({ row }) => row.id), invitations }
}

async function follow(
  trx: Transaction<Tables>,
  move: Move,
  { names, roles, volumes, invitations }: Course,
): Promise<void> {
  await deleteOpenInvitations(trx, move.from, invitations)
  await deleteVolumes(trx, volumes)
  await moveMappings(trx, move, roles)
  await moveMembers(trx, move, roles)
  for (const table of nameds) await moveNamed(trx, table, move, names.get(table) ?? new Map())
  await moveUnnamed(trx, move)
  await deleteEmptyOrganization(trx, move.from)
}

/** Those of the same name that allow the same, by their ids. */
async function sameRoles(trx: Transaction<Tables>, { from, into }: Move): Promise<Map<string, string>> {
  const others = new Map((await rolesIn(trx, into)).map((role) => [role.name, role]))
  const same = new Map<string, string>()
  for (const role of await rolesIn(trx, from)) {
    const other = others.get(role.name)
    if (other && powersIn(role) === powersIn(other)) same.set(role.id, other.id)
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
