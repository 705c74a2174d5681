import type { Transaction } from 'kysely'
import { restoreSnapshot } from '../../runner/restore-snapshot.ts'
import type { HookFacts } from '../../shared/hooks.ts'
import type { RestoreResult } from '../../shared/restores.ts'
import type { Tables } from '../../store/tables.ts'
import { hooksAround } from '../hooks/around.ts'
import { orderHooks } from '../hooks/failure-hooks.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { keyRingOf } from '../keys/keys.ts'
import { noteRestored } from '../scheduled-restores/scheduled-restores.ts'
import { connectionOf, serverOf } from '../servers/servers.ts'
import { settingsOf } from '../settings/settings.ts'
import { readableCopy, snapshotOf } from '../snapshots/snapshots.ts'
import { tellNotRestored, tellRestored } from './notices.ts'
import { forgetKeysOf, type RestorePayload, restorePayload, takeKeys } from './order.ts'
import { keepTarget } from './safety.ts'
import {
  isProtected,
  isUnconfirmed,
  needsConfirmation,
  ownPlaces,
  readOptions,
  type ServerRow,
} from './target.ts'
import { enqueueTidying } from './tidy.ts'

const MINUTE = 60_000

/** Writes a snapshot into a database. */
export const restore = defineJob({
  payload: restorePayload,
  isNeverRepeated: true,
  async run(work) {
    const { context, organizationId, payload } = work
    const server = await serverOf(context, organizationId, payload.serverId)
    checkAgain(server, payload)
    const snapshot = await snapshotOf(context, organizationId, payload.snapshotId)
    const hooks = await hooksAround(work, {
      around: 'restore',
      planId: null,
      server,
      database: payload.database,
      facts: {
        RESTORE_SERVER_ID: server.id,
        RESTORE_SERVER_NAME: server.name,
        RESTORE_DATABASE_NAME: payload.database ?? '',
        RESTORE_DATABASE_TYPE: server.engine,
        RESTORE_SOURCE_DATABASE: snapshot.database,
        RESTORE_SNAPSHOT_ID: snapshot.id,
      },
    })
    const stopped = await hooks.before()
    if (stopped) return stopped
    const { result, facts } = await restoreInto(work)
    const { scheduledRestoreId, snapshotId, serverId, database, mode, owesTidying } = payload
    const done = {
      result,
      record: async (trx: Transaction<Tables>) => {
        if (scheduledRestoreId !== null) {
          await noteRestored(trx, scheduledRestoreId, { jobId: work.id, snapshotId })
        }
        // What others have left beside a database is in nobody's way who adds to it.
        if (owesTidying && mode === 'existing' && database !== null) {
          await enqueueTidying(context.store, trx, work.organizationId, { serverId, database })
        }
      },
      tell: async (trx: Transaction<Tables>) => {
        const told = { organizationId: work.organizationId, jobId: work.id, payload }
        await tellRestored(context, trx, told, result)
      },
    }
    await hooks.settle(done, facts)
    return await hooks.after()
  },
  async endedBadly(context, trx, { id, organizationId, attempt, payload, ...end }) {
    const { store } = context
    await forgetKeysOf(store, trx, id)
    if (end.state === 'failed') {
      await tellNotRestored(context, trx, { organizationId, jobId: id, payload }, end.error)
    }
    const { serverId, database, owesTidying, snapshotId } = payload
    if (end.state === 'failed') {
      const facts = { RESTORE_SNAPSHOT_ID: snapshotId }
      await orderHooks(store, trx, { id, organizationId, around: 'restore', error: end.error, facts })
    }
    // A runner that was killed has dropped nothing of what was half restored; one that was cancelled may have been, too.
    const isUnwanted = end.state === 'cancelled' && end.error === undefined && attempt > 0
    const mayBeLeft = isUnwanted || end.error?.code === 'runner_lost'
    if ((mayBeLeft || owesTidying) && database !== null) {
      await enqueueTidying(store, trx, organizationId, { serverId, database })
    }
  },
})

async function restoreInto(work: Work<RestorePayload>): Promise<{ result: RestoreResult; facts: HookFacts }> {
  const { context, id, organizationId, payload, signal } = work
  const { snapshotId, database, mode, runAfter } = payload
  const keys = await takeKeys(work, await keyRingOf(context, organizationId))
  const server = await serverOf(context, organizationId, payload.serverId)
  checkAgain(server, payload)
  const snapshot = await snapshotOf(context, organizationId, snapshotId)
  const { stallMinutes } = await settingsOf(context, organizationId)
  const volumeId = payload.volumeId ?? undefined
  const copy = await readableCopy(context, organizationId, snapshotId, { volumeId, signal })
  await using volume = copy.volume
  const what = `“${snapshot.database}” of “${snapshot.serverName}” as it was at ${new Date(snapshot.takenAt).toISOString()}`
  work.log('info', `${what} goes into ${database === null ? '' : `“${database}” of `}“${server.name}”.`)
  work.log('info', `It is read from the volume “${copy.volumeRow.name}”.`, { key: copy.key })
  const restored = await restoreSnapshot(
    {
      ...readOptions(server.engine, payload.options),
      engineName: server.engine,
      connection: connectionOf(context, server),
      database: database ?? undefined,
      mode,
      endSessions: payload.endSessions,
      ...(runAfter !== null && { runAfter }),
      own: await ownPlaces(context),
      snapshot: { key: copy.key, manifest: copy.manifest, volume },
      keys,
      ...(payload.safetySnapshot && {
        takeSafetySnapshot: (target, job) =>
          keepTarget(
            context,
            { organizationId, jobId: id, server, database: target, snapshot, copy, keys },
            job,
          ),
      }),
      stallAfter: stallMinutes * MINUTE,
    },
    work,
  )
  const { rows, seconds, safetySnapshot } = restored
  work.log(
    'info',
    rows ? `Restored: ${rows.rows} rows in ${rows.tables} tables, as in the snapshot.` : 'Restored.',
  )
  return {
    result: {
      database: restored.database ?? null,
      rows: rows ? { tables: rows.tables, rows: rows.rows } : null,
      seconds,
      rawBytes: copy.manifest.raw.bytes,
      safetySnapshotId: safetySnapshot ?? null,
    },
    facts: {
      RESTORE_DATABASE_NAME: restored.database ?? '',
      RESTORE_SNAPSHOT_FILENAME: copy.key,
      RESTORE_VOLUME_NAME: copy.volumeRow.name,
    },
  }
}

/** The server may have become another one since the restore was ordered. */
function checkAgain(server: ServerRow, { mode, database, isConfirmed }: RestorePayload): void {
  if (server.isProtected === 1) throw isProtected(server)
  if (needsConfirmation(server, mode) && !isConfirmed) throw isUnconfirmed(server, database)
}
