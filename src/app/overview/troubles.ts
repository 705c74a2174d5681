import { type Trouble, troubleKinds } from '../../shared/overview.ts'
import { appBackupTroubles } from '../app-backups/troubles.ts'
import { isFailing } from '../channels/channels.ts'
import { nowOf } from '../clock.ts'
import type { AppContext } from '../context.ts'
import { stoppedLoops } from '../health/loops.ts'
import { missingKeys } from '../keys/keys.ts'
import { goingOnWith } from '../volumes/notices.ts'
import { doubtfulChannels, failedCheck, failedScheduledRestores, faultyCopies, volumeNames } from './store.ts'

/*
 * What needs attention besides the databases. Nothing is tried for it: it is what jobs have found out and noted. How much
 * it costs depends on how much is wrong, not on how much there is.
 */

const ofCopies = {
  corrupt: 'copies-corrupt',
  missing: 'copies-missing',
  failed: 'copies-not-stored',
} as const

/** The worst first. What is of the whole instance is only for who administers it. */
export async function troublesOf(
  context: AppContext,
  organizationId: string,
  { isAdministrator }: { isAdministrator: boolean },
): Promise<Trouble[]> {
  const found = await Promise.all([
    volumeTroubles(context, organizationId),
    keyTroubles(context, organizationId),
    restoreTroubles(context, organizationId),
    channelTroubles(context, organizationId),
    isAdministrator ? instanceTroubles(context) : [],
  ])
  return found.flat().sort((a, b) => troubleKinds.indexOf(a.kind) - troubleKinds.indexOf(b.kind))
}

async function volumeTroubles(context: AppContext, organizationId: string): Promise<Trouble[]> {
  const { store } = context
  const volumes = await volumeNames(store, organizationId)
  const ids = volumes.map(({ id }) => id)
  const goingOn = await goingOnWith(context, organizationId, ids)
  const copies = Map.groupBy(await faultyCopies(store, ids), ({ volumeId }) => volumeId)
  const troubles = await Promise.all(
    volumes.map(async (volume) => {
      const { unreachable, filling, missing, undeleted } = goingOn.get(volume.id) ?? {}
      const check = unreachable && (await failedCheck(store, organizationId, volume.id, unreachable.lastAt))
      return [
        ...(unreachable
          ? [
              trouble('volume-unreachable', volume, unreachable.since, {
                message: messageOf(check?.error),
                jobId: check?.id ?? null,
              }),
            ]
          : []),
        ...(copies.get(volume.id) ?? []).map(({ state, count }) =>
          trouble(ofCopies[state], volume, state === 'missing' ? missing : undefined, { count }),
        ),
        ...(filling === undefined ? [] : [trouble('volume-nearly-full', volume, filling)]),
        ...(undeleted === undefined ? [] : [trouble('deletion-failed', volume, undeleted)]),
      ]
    }),
  )
  return troubles.flat()
}

async function keyTroubles(context: AppContext, organizationId: string): Promise<Trouble[]> {
  const missing = await missingKeys(context, organizationId)
  return missing.map(({ keyId, fingerprint, name, snapshots }) =>
    trouble('key-missing', { id: keyId, name: name ?? fingerprint ?? keyId }, undefined, {
      count: snapshots,
    }),
  )
}

async function restoreTroubles({ store }: AppContext, organizationId: string): Promise<Trouble[]> {
  const failed = await failedScheduledRestores(store, organizationId)
  return failed.map(({ id, name, jobId, error, finishedAt }) =>
    trouble('scheduled-restore-failed', { id, name }, finishedAt, { message: messageOf(error), jobId }),
  )
}

async function channelTroubles({ store }: AppContext, organizationId: string): Promise<Trouble[]> {
  const failing = (await doubtfulChannels(store, organizationId)).filter(isFailing)
  return failing.map((channel) =>
    trouble('channel-failing', channel, channel.lastFailedAt, { message: messageOf(channel.lastError) }),
  )
}

async function instanceTroubles(context: AppContext): Promise<Trouble[]> {
  const now = await nowOf(context.store)
  return [
    ...stoppedLoops(context.heartbeats).map(({ name, silence }) =>
      trouble('loop-stopped', { id: name, name }, Math.round(now - silence)),
    ),
    ...(await appBackupTroubles(context)).map(({ registration, is, since, backup }) =>
      trouble(`app-backup-${is}`, registration, since, { message: messageOf(backup?.error) }),
    ),
  ]
}

function trouble(
  kind: Trouble['kind'],
  { id, name }: { id: string; name: string },
  since: number | null | undefined,
  more: Partial<Pick<Trouble, 'count' | 'message' | 'jobId'>> = {},
): Trouble {
  const time = since === null || since === undefined ? null : new Date(since).toISOString()
  return { kind, id, name, since: time, count: null, message: null, jobId: null, ...more }
}

/** Of an error as it is stored. */
function messageOf(error: string | null | undefined): string | null {
  return error ? (JSON.parse(error) as { message: string }).message : null
}
