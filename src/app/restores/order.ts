import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import type { KeyRing } from '../../runner/encryption.ts'
import { AppError } from '../../shared/errors.ts'
import { type RestoreKeys, restoreModes } from '../../shared/restores.ts'
import type { Store } from '../../store/database.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import type { Work } from '../jobs/job-kind.ts'
import { serverResource } from '../servers/servers.ts'
import { beginReading } from '../snapshots/snapshots.ts'
import { volumeResource } from '../volumes/volumes.ts'
import { cancelTidying, payloadsOf, setPayload } from './store.ts'

/** What a job of the kind `restore` is to do. */
export const restorePayload = z.object({
  snapshotId: z.string(),
  /** Which copy; null: the best one. */
  volumeId: z.string().nullable().default(null),
  serverId: z.string(),
  /** Null: the server itself. */
  database: z.string().nullable(),
  mode: z.enum(restoreModes),
  options: z.record(z.string(), z.unknown()).default({}),
  endSessions: z.boolean().default(false),
  safetySnapshot: z.boolean().default(true),
  runAfter: z.string().nullable().default(null),
  /** Somebody has typed the name of the database. */
  isConfirmed: z.boolean().default(false),
  scheduledRestoreId: z.string().nullable().default(null),
  /** The restore that it takes back. */
  undoes: z.string().nullable().default(null),
  /** It keeps a job waiting that would tidy up what a killed restore has left. */
  owesTidying: z.boolean().default(false),
  /** Sealed; gone when the restore has begun. */
  keys: z.object({ ageIdentity: z.string().optional(), passphrase: z.string().optional() }).optional(),
})
export type RestorePayload = z.output<typeof restorePayload>

export interface RestoreJobOrder {
  payload: Omit<RestorePayload, 'keys' | 'owesTidying'>
  /** In the clear. */
  keys?: RestoreKeys | undefined
  /** The volumes that it will read from or write to. */
  volumeIds: readonly string[]
}

const PRIORITY = 2

/**
 * Orders a restore, in the transaction that has found it to be right. Throws `not_found` and `snapshot_deleting` for the
 * snapshot, and `database_in_use` if another restore into the same database waits already.
 */
export async function enqueueRestore(
  { store, sealer }: AppContext,
  trx: Transaction<Tables>,
  organizationId: string,
  { payload, keys, volumeIds }: RestoreJobOrder,
): Promise<string> {
  const { snapshotId, volumeId, serverId, database } = payload
  await beginReading(store, trx, organizationId, snapshotId)
  const id = uuidv7()
  const seal = (name: keyof RestoreKeys) => {
    const secret = keys?.[name]
    return secret ? { [name]: sealer.seal(secret, contextOf(id, name)) } : {}
  }
  const key = restoreKey(serverId, database)
  const owesTidying = await cancelTidying(store, trx, key)
  const { joined } = await enqueueJob(store, trx, {
    id,
    organizationId,
    kind: 'restore',
    key,
    payload: {
      ...payload,
      owesTidying,
      ...(keys && { keys: { ...seal('ageIdentity'), ...seal('passphrase') } }),
    },
    subject: { serverId, database, snapshotId, volumeId },
    resources: [serverResource(serverId), ...volumeIds.map(volumeResource)],
    maxAttempts: 1,
    priority: PRIORITY,
  })
  if (joined) throw anotherWaits(database)
  return id
}

/** Never two at once into one database. */
export function restoreKey(serverId: string, database: string | null): string {
  return database === null ? `restore:${serverId}` : `restore:${serverId}:${database}`
}

/**
 * The keys that the app has, and before them those that came with the order. These are forgotten with that: nobody begins
 * the job again.
 */
export async function takeKeys(work: Work<RestorePayload>, ring: KeyRing): Promise<KeyRing> {
  const { context, id, payload } = work
  const { keys, ...rest } = payload
  if (!keys) return ring
  const open = (name: keyof RestoreKeys) => {
    const token = keys[name]
    return token === undefined ? undefined : context.sealer.open(token, contextOf(id, name))
  }
  const opened = { ageIdentity: open('ageIdentity'), passphrase: open('passphrase') }
  await context.store.db.transaction().execute((trx) => work.remember(trx, rest))
  return await withKeys(ring, opened)
}

/**
 * The ring with keys that the app does not have: the passphrase may also be a password of 7z. Throws `invalid_input` for
 * what is no identity.
 */
export async function withKeys(ring: KeyRing, { ageIdentity, passphrase }: RestoreKeys): Promise<KeyRing> {
  const passwords = passphrase ? [passphrase] : []
  const identities = ageIdentity ? await identitiesIn(ageIdentity) : []
  return {
    ...ring,
    instanceKeys: [...ring.instanceKeys, ...passwords],
    ageIdentities: [...identities, ...ring.ageIdentities],
    agePassphrases: [...passwords, ...ring.agePassphrases],
  }
}

/** One, or a file of several as age-keygen writes it. */
async function identitiesIn(text: string): Promise<string[]> {
  const { parseIdentities } = await import('../../lib/age/index.ts') // as in keys.ts: few ever need it
  try {
    return parseIdentities(text)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { code, message, hint } = error
    throw new AppError(code, message, { hint, fields: [{ field: 'keys.ageIdentity', message }] })
  }
}

/** Takes the keys out of what is kept of a restore. */
export async function forgetKeysOf(store: Store, trx: Transaction<Tables>, jobId: string): Promise<void> {
  const stored = (await payloadsOf(trx, [jobId])).get(jobId)
  if (stored !== undefined && 'keys' in (JSON.parse(stored) as object)) {
    const { keys: _, ...rest } = JSON.parse(stored) as Record<string, unknown>
    await setPayload(store, trx, jobId, rest)
  }
}

/** The place that a key is sealed for. */
function contextOf(jobId: string, name: keyof RestoreKeys): string {
  return `jobs/${jobId}/keys/${name}`
}

function anotherWaits(database: string | null): AppError {
  const what = database === null ? 'this server' : `“${database}”`
  return new AppError('database_in_use', `Another restore into ${what} waits to begin.`, {
    hint: 'Wait until it is over, or cancel it.',
  })
}
