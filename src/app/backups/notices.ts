import type { Transaction } from 'kysely'
import { formatBytes, formatSeconds } from '../../shared/units.ts'
import type { JobError } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { announce, announceEnd, apart, type Occasion } from '../notifications/announce.ts'
import { threadsAmong } from '../notifications/threads.ts'
import { settingsOf } from '../settings/settings.ts'
import { ANY_DATABASE, lastRawBytes, type PlanNames, planNames } from './store.ts'

/*
 * What people hear of backups. A database that fails again and again is one story; so is a plan whose server cannot even
 * be asked for its databases. Either ends with the next backup that succeeds.
 */

/** Whose backup it is, and the job that made it. */
export interface Backup {
  organizationId: string
  planId: string
  database: string
  jobId: string
}

/** The snapshot that was made. */
export interface Made {
  id: string
  rawBytes: number
  storedBytes: number
  seconds: number
  /** The volumes that have it not, and why. */
  missing: readonly { volume: string; error: string }[]
}

const NAMED = 10
/** For programs. */
const LISTED = 200
/** A small database may well double. */
const LITTLE = 1_048_576

/** What a database is missing since when is told by src/app/overview/watch.ts under this key. */
export function overdueKey(planId: string, database: string): string {
  return `overdue:${planId}:${database}`
}

export async function tellStart(
  context: AppContext,
  trx: Transaction<Tables>,
  backup: Backup,
): Promise<void> {
  const about = await aboutOf(trx, backup)
  if (!about) return
  const title = `The backup of ${about.what} begins`
  await announce(context, trx, { ...about.common, event: 'backup.started', title, text: `${title}.` })
}

/** That a backup has failed, after its last try. */
export async function tellFailure(
  context: AppContext,
  trx: Transaction<Tables>,
  backup: Backup,
  error: JobError,
): Promise<void> {
  const about = await aboutOf(trx, backup)
  if (!about) return
  await announce(context, trx, {
    ...about.common,
    event: 'backup.failed',
    title: `The backup of ${about.what} failed`,
    text: inWords(error),
    facts: [...about.common.facts, { label: 'Error', value: error.code }],
    data: { ...about.common.data, error },
    thread: { key: databaseKey(backup), is: 'going-on' },
  })
}

/** That the run of a plan has failed before it could order any backup. */
export async function tellRunFailure(
  context: AppContext,
  trx: Transaction<Tables>,
  { databases, ...run }: Omit<Backup, 'database'> & { databases: readonly string[] },
  error: JobError,
): Promise<void> {
  const { organizationId, planId } = run
  const [only] = databases
  if (databases.length === 1 && only !== undefined) {
    return await tellFailure(context, trx, { ...run, database: only }, error)
  }
  const names = await planNames(trx, planId)
  if (!names) return
  // Of databases that fail already, everybody has heard.
  const keys = databases.map((database) => databaseKey({ planId, database }))
  const told = await threadsAmong(trx, organizationId, keys)
  const isKnown = databases.length > 0 && told.length === databases.length
  const { common } = describe(names, { ...run, database: undefined })
  await announce(context, trx, {
    ...common,
    event: 'backup.failed',
    title: `No database of “${names.server}” could be backed up by the plan “${names.plan}”`,
    text: [inWords(error), namesOf(databases)].filter((text) => text !== '').join(' '),
    facts: [...common.facts, { label: 'Error', value: error.code }],
    data: { ...common.data, error, databases: databases.slice(0, LISTED) },
    thread: { key: planKey(planId), is: 'going-on', isKnown },
  })
}

/** That a backup has succeeded. */
export async function tellSuccess(
  context: AppContext,
  trx: Transaction<Tables>,
  backup: Backup,
  made: Made,
): Promise<void> {
  const about = await aboutOf(trx, backup)
  if (!about) return
  const { what, common } = about
  const { planId, database } = backup
  const { id: snapshotId, rawBytes, storedBytes, seconds, missing } = made
  const size = `${formatBytes(rawBytes)}, ${formatBytes(storedBytes)} stored, in ${formatSeconds(seconds)}.`
  const success = {
    ...common,
    text: size,
    facts: [...common.facts, { label: 'Size', value: formatBytes(rawBytes) }],
    data: { ...common.data, snapshotId, rawBytes, storedBytes, seconds },
  }
  const partialKey = `partial:${planId}:${database}`
  const overdue = [database, ANY_DATABASE].map((name) => overdueKey(planId, name))
  const failing = [databaseKey(backup), planKey(planId), ...overdue]
  await announceEnd(
    context,
    trx,
    { ...success, event: 'backup.recovered', title: `${what} is backed up again` },
    missing.length > 0 ? failing : [...failing, partialKey],
  )
  if (missing.length > 0) {
    const where = missing.map(({ volume, error }) => `“${volume}” has no copy: ${error}`)
    await announce(context, trx, {
      ...success,
      event: 'backup.partial',
      title: `The backup of ${what} is not on all of its volumes`,
      text: `${where.join(' ')} The copy is made from a good one as soon as that is possible.`,
      data: { ...success.data, missing },
      thread: { key: partialKey, is: 'going-on' },
    })
  } else {
    const title = `The backup of ${what} succeeded`
    await announce(context, trx, { ...success, event: 'backup.succeeded', title })
  }
}

/**
 * That a dump is much smaller or larger than the one before it: to be called before the catalogue knows its size for the
 * last one.
 */
export async function tellAnomaly(
  context: AppContext,
  trx: Transaction<Tables>,
  backup: Backup,
  rawBytes: number,
): Promise<void> {
  const { organizationId, planId, database } = backup
  const about = await aboutOf(trx, backup)
  if (!about) return
  const { what, common } = about
  const before = await lastRawBytes(trx, planId, database)
  if (before === null || before === 0) return
  const percent = Math.round(((rawBytes - before) / before) * 100)
  const isLittle = rawBytes > before && rawBytes - before < LITTLE
  if (percent === 0 || isLittle) return
  const title = `The backup of ${what} ${percent < 0 ? 'shrank' : 'grew'} by ${Math.abs(percent)} %`
  await apart(trx, { title }, async () => {
    const { sizeAnomalyPercent } = await settingsOf(context, organizationId, trx)
    if (sizeAnomalyPercent === 0 || Math.abs(percent) <= sizeAnomalyPercent) return
    await announce(context, trx, {
      ...common,
      event: 'size.anomaly',
      title,
      text: `It has ${formatBytes(rawBytes)}; the one before had ${formatBytes(before)}.`,
      data: { ...common.data, rawBytes, before, percent },
    })
  })
}

interface About {
  /** `“shop” on “db1”` */
  what: string
  common: Pick<Occasion, 'organizationId' | 'serverId' | 'database' | 'facts' | 'data' | 'path'>
}

/** Undefined if the plan was deleted meanwhile: then nobody waits for it. */
async function aboutOf(trx: Transaction<Tables>, backup: Backup): Promise<About | undefined> {
  const names = await planNames(trx, backup.planId)
  return names && describe(names, backup)
}

function describe(
  { plan, serverId, server }: PlanNames,
  { organizationId, planId, database, jobId }: Omit<Backup, 'database'> & { database: string | undefined },
): About {
  return {
    what: `“${database}” on “${server}”`,
    common: {
      organizationId,
      serverId,
      database: database ?? null,
      path: `/jobs/${jobId}`,
      facts: [
        { label: 'Server', value: server },
        ...(database === undefined ? [] : [{ label: 'Database', value: database }]),
        { label: 'Plan', value: plan },
      ],
      data: { jobId, plan: { id: planId, name: plan }, server: { id: serverId, name: server } },
    },
  }
}

function databaseKey({ planId, database }: Pick<Backup, 'planId' | 'database'>): string {
  return `backup:${planId}:${database}`
}

function planKey(planId: string): string {
  return `plan:${planId}`
}

function inWords({ message, hint }: JobError): string {
  return hint === undefined ? message : `${message} ${hint}`
}

function namesOf(databases: readonly string[]): string {
  if (databases.length === 0) return ''
  const named = databases.slice(0, NAMED).map((name) => `“${name}”`)
  const others = databases.length - named.length
  return `Concerned: ${named.join(', ')}${others > 0 ? ` and ${others} others` : ''}.`
}
