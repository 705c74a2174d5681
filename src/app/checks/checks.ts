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

/** Orders that what should be on a volume is looked for, and perhaps read. Returns the ids of the jobs. */
export async function enqueueCheck(
  store: Store,
  trx: Transaction<Tables>,
  organizationId: string,
  volumeId: string,
  { contents, share }: CheckOptions,
): Promise<string[]> {
  const check = async (kind: string, payload: object, replacesPayload = false) => {
    const { id } = await enqueueJob(store, trx, {
      organizationId,
      kind,
      key: `${kind}:${volumeId}`,
      payload: { volumeId, ...payload },
      // What an earlier attempt has found must be told.
      replacesPayload: (waiting) => replacesPayload && !checkPayload.safeParse(waiting).data?.faults,
      subject: { volumeId },
      resources: [volumeResource(volumeId)],
      maxAttempts: 3,
      priority: -1,
    })
    return id
  }
  const files = await check('file-check', {})
  return contents ? [files, await check('content-check', { share }, share !== undefined)] : [files]
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
