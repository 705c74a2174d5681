import type { Transaction } from 'kysely'
import type { Store } from '../../store/database.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { checkPayload } from './faults.ts'
import { volumeOf, volumeResource } from '../volumes/volumes.ts'

export interface CheckOptions {
  /** Also read copies whole, and compare them. */
  contents: boolean
  /** Of all bytes; absent: the share of one day. */
  share?: number | undefined
}

type CheckKind = 'file-check' | 'content-check'

/** Orders that what should be on a volume is looked for, and perhaps read. Returns the ids of the jobs. */
export async function enqueueCheck(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  volumeId: string,
  { contents, share }: CheckOptions,
): Promise<string[]> {
  const files = await enqueueOne(store, trx, organizationId, volumeId, 'file-check')
  if (!contents) return [files]
  return [files, await enqueueOne(store, trx, organizationId, volumeId, 'content-check', share)]
}

/** Checks a volume now. Throws `not_found`. */
export async function startCheck(
  context: AppContext,
  organizationId: string,
  volumeId: string,
  options: CheckOptions,
): Promise<{ jobIds: string[] }> {
  const { store } = context
  await volumeOf(context, organizationId, volumeId)
  const jobIds = await store.db
    .transaction()
    .execute((trx) => enqueueCheck(store, trx, organizationId, volumeId, options))
  return { jobIds }
}

/** Orders one of the two alone, now. Throws `not_found`. */
export async function startOneCheck(
  context: AppContext,
  organizationId: string,
  volumeId: string,
  kind: CheckKind,
  share?: number,
): Promise<string> {
  const { store } = context
  await volumeOf(context, organizationId, volumeId)
  return await store.db
    .transaction()
    .execute((trx) => enqueueOne(store, trx, organizationId, volumeId, kind, share))
}

async function enqueueOne(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  volumeId: string,
  kind: CheckKind,
  share?: number,
): Promise<string> {
  const { id } = await enqueueJob(store, trx, {
    organizationId,
    kind,
    key: `${kind}:${volumeId}`,
    payload: { volumeId, share },
    // What an earlier attempt has found must be told.
    replacesPayload: (waiting) => share !== undefined && !checkPayload.safeParse(waiting).data?.faults,
    subject: { volumeId },
    resources: [volumeResource(volumeId)],
    maxAttempts: 3,
    priority: -1,
  })
  return id
}
