import type { Transaction } from 'kysely'
import { z } from 'zod'
import { engineNamed, parseSettings } from '../../engines/index.ts'
import type { NamedVolume } from '../../runner/copies.ts'
import { takeSnapshot } from '../../runner/take-snapshot.ts'
import { AppError, messageOf } from '../../shared/errors.ts'
import type { HookFacts } from '../../shared/hooks.ts'
import { describePolicy } from '../../shared/retention.ts'
import type { Tables } from '../../store/tables.ts'
import { nowOf } from '../clock.ts'
import { hooksAround, type HooksAround } from '../hooks/around.ts'
import { orderHooks } from '../hooks/failure-hooks.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { encryptionOf, keyRingOf } from '../keys/keys.ts'
import { planOf, type PlanRow } from '../plans/plans.ts'
import { enqueuePrune } from '../retention/prune.ts'
import { connectionOf, serverOf, type ServerRow } from '../servers/servers.ts'
import { recordSnapshot } from '../snapshots/record.ts'
import { throttleOf } from '../throttles.ts'
import { openVolumeOf, quotaReached, volumeOf, type VolumeRow } from '../volumes/volumes.ts'
import { tellAnomaly, tellFailure, tellStart, tellSuccess } from './notices.ts'
import { enqueueRepair } from './repair.ts'
import { noteFailure, noteSuccess } from './store.ts'
import { enqueueSweep, sweep } from './sweep.ts'

const payload = z.object({
  planId: z.string(),
  database: z.string(),
  trigger: z.string(),
  version: z.string().optional(),
  comment: z.string().optional(),
  /** Milliseconds since 1970: begun later than that it is left out. */
  notAfter: z.number().optional(),
})
export type BackupPayload = z.output<typeof payload>

const MINUTE = 60_000

/** Backs up one database of a plan to all its volumes at once. */
export const backup = defineJob({
  payload,
  async run(work) {
    const { context, organizationId, payload } = work
    const { notAfter = Infinity } = payload
    if (notAfter < Infinity && (await nowOf(context.store)) > notAfter) throw tooLate(payload.database)
    const plan = await planOf(context, organizationId, payload.planId)
    const server = await serverOf(context, organizationId, plan.serverId)
    const hooks = await hooksAround(work, {
      around: 'backup',
      planId: plan.id,
      server,
      database: payload.database,
      facts: {
        BACKUP_SERVER_ID: server.id,
        BACKUP_SERVER_NAME: server.name,
        BACKUP_DATABASE_NAME: payload.database,
        BACKUP_DATABASE_TYPE: server.engine,
        ...factsOf(payload),
      },
    })
    const stopped = await hooks.before()
    if (stopped) return stopped
    await backUpInTime(work, plan, server, hooks)
    return await hooks.after()
  },
  async endedBadly(context, trx, { id, organizationId, attempt, payload, ...end }) {
    const { planId, database } = payload
    if (end.state === 'failed') {
      await noteFailure(context.store, trx, { planId, databases: [database] }, id, end.error)
      await tellFailure(context, trx, { organizationId, planId, database, jobId: id }, end.error)
      const facts = factsOf(payload)
      await orderHooks(context.store, trx, { id, organizationId, around: 'backup', error: end.error, facts })
    }
    const isUnwanted = end.state === 'cancelled' && end.error === undefined && attempt > 0
    // A hook that keeps a further attempt from its work keeps it from looking for leftovers, too.
    const isKept = attempt > 1 && (end.error?.code === 'hook_skipped' || end.error?.code === 'hook_failed')
    const mayBeLeft = isUnwanted || isKept || end.error?.code === 'runner_lost'
    // A runner that was killed has left something behind, and no further attempt will find it.
    if (mayBeLeft) await enqueueSweep(context, trx, organizationId, { planId })
  },
})

/** The time that the plan gives is for the backup, not for the hooks around it. */
async function backUpInTime(
  work: Work<BackupPayload>,
  plan: PlanRow,
  server: ServerRow,
  hooks: HooksAround,
): Promise<void> {
  await using places = await openPlaces(work, plan)
  const timeout = AbortSignal.timeout(plan.settings.timeoutMinutes * MINUTE)
  const signal = AbortSignal.any([work.signal, timeout])
  try {
    await backUp({ ...work, signal }, plan, server, places, hooks)
  } catch (error) {
    if (timeout.aborted && !work.signal.aborted) throw timedOut(plan, work.payload.database, error)
    throw error
  }
}

async function backUp(
  work: Work<BackupPayload>,
  plan: PlanRow,
  server: ServerRow,
  places: Places,
  hooks: HooksAround,
): Promise<void> {
  const { context, id, organizationId, payload } = work
  const { store } = context
  const { settings } = plan
  const about = { organizationId, planId: plan.id, database: payload.database, jobId: id }
  if (work.attempt === 1) await store.db.transaction().execute((trx) => tellStart(context, trx, about))
  const engine = engineNamed(server.engine)
  const [encryption, keys] = await Promise.all([
    encryptionOf(context, organizationId, settings.encryption),
    keyRingOf(context, organizationId),
  ])
  for (const place of places.usable) await sweepQuietly(work, place)
  await takeSnapshot(
    {
      engine,
      engineName: server.engine,
      connection: connectionOf(context, server),
      database: payload.database,
      dumpOptions: parseSettings(engine.dumpOptions, settings.dumpOptions, `the options for ${engine.label}`),
      serverName: server.name,
      compression: settings.compression,
      ...(encryption && { encryption }),
      keys,
      volumes: places.usable,
      path: settings.path,
      fileName: settings.fileName,
      trigger: payload.trigger,
      ...(payload.version !== undefined && { releaseVersion: payload.version }),
      ...(payload.comment !== undefined && { comment: payload.comment }),
      catalogue: {
        organization: organizationId,
        serverId: server.id,
        plan: { id: plan.id, name: plan.name },
        policy: describePolicy(settings.retention),
      },
      stallAfter: settings.stallMinutes * MINUTE,
      ...(settings.bandwidth !== undefined && { throttle: throttleOf(context, plan.id, settings.bandwidth) }),
      async onComplete({ manifest, key, copies }) {
        const made = copies.map(({ failure }, i) => ({ volumeId: places.usable[i]?.row.id ?? '', failure }))
        const all = [...made, ...places.refused.map(({ row, failure }) => ({ volumeId: row.id, failure }))]
        const missing = all.filter(({ failure }) => failure)
        const { raw, stored, snapshot } = manifest
        const sizes = { id: snapshot, rawBytes: raw.bytes, storedBytes: stored.bytes }
        const done = {
          state: missing.length > 0 ? 'partial' : 'succeeded',
          result: {
            snapshotId: manifest.snapshot,
            key,
            rawBytes: manifest.raw.bytes,
            storedBytes: manifest.stored.bytes,
            sha256: manifest.stored.sha256,
            seconds: manifest.seconds,
            warnings: manifest.warnings ?? [],
            copies: all.map(({ volumeId, failure }) => ({
              volumeId,
              state: failure ? 'failed' : 'stored',
              ...(failure && { error: { code: failure.code, message: failure.message } }),
            })),
          },
          async record(trx: Transaction<Tables>) {
            await recordSnapshot(store, trx, {
              organizationId,
              manifest,
              key,
              serverId: server.id,
              plan: { id: plan.id, name: plan.name },
              jobId: id,
              copies: all,
            })
            await tellAnomaly(context, trx, about, sizes.rawBytes)
            await noteSuccess(store, trx, plan.id, payload.database, sizes)
            for (const { volumeId } of missing) {
              await enqueueRepair(store, trx, organizationId, sizes.id, volumeId)
            }
            await enqueuePrune(store, trx, organizationId, plan.id)
          },
          async tell(trx: Transaction<Tables>) {
            await tellSuccess(context, trx, about, {
              ...sizes,
              seconds: Object.values(manifest.seconds).reduce((sum, seconds) => sum + seconds, 0),
              missing: missing.map(({ volumeId, failure }) => ({
                volume: places.nameOf(volumeId),
                error: failure?.message ?? '',
              })),
            })
          },
        } as const
        await hooks.settle(done, {
          BACKUP_FILENAME: key,
          BACKUP_FILE_SIZE: String(manifest.stored.bytes),
          BACKUP_CHECKSUM: manifest.stored.sha256,
          BACKUP_VOLUME_NAME: copies
            .filter(({ failure }) => !failure)
            .map(({ name }) => name)
            .join(','),
          BACKUP_SNAPSHOT_ID: manifest.snapshot,
        })
      },
    },
    work,
  )
}

function factsOf({ trigger, version }: BackupPayload): HookFacts {
  return { BACKUP_TRIGGER: trigger, BACKUP_VERSION: version ?? '' }
}

interface Place extends NamedVolume {
  row: VolumeRow
}

/** The volumes of a plan, open; and those that take nothing now, with the reason. */
interface Places extends AsyncDisposable {
  usable: Place[]
  refused: { row: VolumeRow; failure: AppError }[]
  nameOf: (volumeId: string) => string
}

async function openPlaces(work: Work<unknown>, plan: PlanRow): Promise<Places> {
  const { context, organizationId } = work
  await using stack = new AsyncDisposableStack()
  const usable: Place[] = []
  const refused: Places['refused'] = []
  for (const { id } of plan.volumes) {
    const row = await volumeOf(context, organizationId, id)
    const failure = await quotaReached(context, row)
    if (failure && row.quotaAction === 'refuse') {
      refused.push({ row, failure })
      continue
    }
    if (failure) work.log('warning', failure.message)
    usable.push({ row, name: row.name, volume: stack.use(openVolumeOf(context, row)) })
  }
  const [first] = refused
  if (usable.length === 0 && first) throw first.failure
  const names = new Map([...usable, ...refused].map(({ row }) => [row.id, row.name]))
  const nameOf = (volumeId: string) => names.get(volumeId) ?? volumeId
  const cleanUp = stack.move()
  return { usable, refused, nameOf, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() }
}

/** What killed runs have left goes first. A volume that cannot be searched says so by itself when it is written to. */
async function sweepQuietly(work: Work<unknown>, { row, volume }: Place): Promise<void> {
  try {
    await sweep(work.context, work.organizationId, row, volume, work)
  } catch (error) {
    work.signal.throwIfAborted()
    work.log('info', `“${row.name}” could not be searched for leftovers: ${messageOf(error)}`)
  }
}

function tooLate(database: string): AppError {
  return new AppError('job_too_late', `The backup of “${database}” could not start within its window.`, {
    hint: 'Let more jobs run at once on the server and the volumes, or make the window longer.',
  })
}

function timedOut({ settings }: PlanRow, database: string, cause: unknown): AppError {
  return new AppError(
    'job_timed_out',
    `The backup of “${database}” took longer than ${settings.timeoutMinutes} minutes and was ended.`,
    { hint: 'Give the plan a longer timeout, or look at what makes it slow.', cause },
  )
}
