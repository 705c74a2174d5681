import { AppError, messageOf } from '../../shared/errors.ts'
import type { Space } from '../../volumes/space.ts'
import type { Volume } from '../../volumes/volume.ts'
import { nowOf } from '../clock.ts'
import { defineJob } from '../jobs/job-kind.ts'
import { noteNothingMissing, tellCheckFailure, tellFilling, tellReachable } from '../volumes/notices.ts'
import { openVolumeOf, usageOf, volumeOf, type VolumeRow } from '../volumes/volumes.ts'
import {
  checkPayload,
  type CheckWork,
  type Faults,
  faultsFound,
  faultsSoFar,
  noteFault,
  refuseIfEmpty,
  refuseIfGone,
  repairAll,
} from './faults.ts'
import { areMoreThan, copiesUnder, markSeen, type SoughtCopy, unseenCopies } from './store.ts'

/** So few copies are asked for one by one: a list would tell of everything else that is there, too. */
const FEW = 50
const AT_ONCE = 8
const PIECE = 500

/**
 * Looks for every copy that should be on a volume: is it there, with its size? What is not is marked, and made again
 * from a good copy. However many there are, no more than some hundred of them are in memory: those that were seen are
 * noted in the store, and those that are left have not been.
 */
export const fileCheck = defineJob({
  payload: checkPayload,
  async run(work) {
    const { context, organizationId, payload, signal } = work
    const { store } = context
    const row = await volumeOf(context, organizationId, payload.volumeId)
    await using volume = openVolumeOf(context, row)
    const started = await nowOf(store)
    await refuseIfGone(volume, signal)
    // What is missing is found anew by each attempt.
    const check: Check = { work, row, volume, faults: { ...faultsSoFar(work), missing: 0 }, seen: 0 }
    if (await areMoreThan(store, row.id, FEW)) await seeAll(check)
    await askForOthers(check, started)
    const repairs = await repairAll(work, row)
    await tellHowItIs(check)
    const error = faultsFound(row, check.faults, repairs)
    if (error) throw error
    return {
      result: { copies: check.seen, repairs },
      record: (trx) => noteNothingMissing(trx, organizationId, row),
    }
  },
  async endedBadly(context, trx, { id: jobId, organizationId, payload: { volumeId }, ...end }) {
    if (end.state !== 'failed') return
    await tellCheckFailure(context, trx, 'files', { organizationId, volumeId, jobId }, end.error)
  },
})

/** It could be reached; and how full it is. */
async function tellHowItIs(check: Check): Promise<void> {
  const { work, row } = check
  const { context, id: jobId, organizationId } = work
  const found = { organizationId, volumeId: row.id, jobId }
  const { occupiedBytes } = await usageOf(context, row)
  const space = await spaceOf(check)
  await context.store.db.transaction().execute(async (trx) => {
    await tellReachable(context, trx, 'files', found, row)
    await tellFilling(context, trx, found, row, { occupiedBytes, space })
  })
}

/** Undefined if it does not tell, for whatever reason: the copies were looked for all the same. */
async function spaceOf({ work, volume }: Check): Promise<Space | undefined> {
  try {
    return await volume.space?.(work.signal)
  } catch (error) {
    work.signal.throwIfAborted()
    work.log('info', `The room on the volume could not be asked for: ${messageOf(error)}`)
    return undefined
  }
}

interface Check {
  work: CheckWork
  row: VolumeRow
  volume: Volume
  faults: Faults
  /** Copies that are there. */
  seen: number
}

/** Notes every copy that a list of the whole volume tells of. */
async function seeAll(check: Check): Promise<void> {
  let piece = new Map<string, number>()
  for await (const { key, bytes } of check.volume.list('', check.work.signal)) {
    piece.set(key, bytes)
    if (piece.size < PIECE) continue
    await see(check, piece)
    piece = new Map()
  }
  if (piece.size > 0) await see(check, piece)
}

async function see(check: Check, objects: ReadonlyMap<string, number>): Promise<void> {
  const { work, row } = check
  const copies = await copiesUnder(work.context.store, row.id, [...objects.keys()])
  await note(check, copies, objects)
}

/** Asks for each copy that was not seen since then: a list may have missed what came while it was made. */
async function askForOthers(check: Check, since: number): Promise<void> {
  const { work, row, volume } = check
  for (let after: string | undefined = ''; after !== undefined;) {
    work.signal.throwIfAborted()
    const { unseen, next } = await unseenCopies(work.context.store, row.id, since, after, PIECE)
    const found = await sizesOf(volume, unseen, work.signal)
    if (unseen.length > 0 && found.size + check.seen === 0) await refuseIfEmpty(volume, work.signal)
    await note(check, unseen, found)
    for (const copy of unseen) if (!found.has(copy.key)) await noteMissing(check, copy)
    after = next
  }
}

/** Those of the copies that were found. */
async function note(
  check: Check,
  copies: readonly SoughtCopy[],
  found: ReadonlyMap<string, number>,
): Promise<void> {
  const { work, row } = check
  const { store } = work.context
  const whole = copies.filter(({ key, bytes }) => found.get(key) === bytes)
  if (whole.length > 0) {
    await store.db.transaction().execute((trx) => markSeen(store, trx, row.id, whole))
    check.seen += whole.length
  }
  for (const copy of copies) {
    const bytes = found.get(copy.key)
    if (bytes !== undefined && bytes !== copy.bytes) await noteWrongSize(check, copy, bytes)
  }
}

/** Of those that are there. */
async function sizesOf(
  volume: Volume,
  copies: readonly SoughtCopy[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  const waiting = copies.values()
  const leaving = new AbortController()
  const either = AbortSignal.any([signal, leaving.signal])
  const goOn = async () => {
    for (const { key } of waiting) {
      try {
        found.set(key, (await volume.stat(key, either)).bytes)
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'object_not_found') throw error
      }
    }
  }
  const asking = Array.from({ length: AT_ONCE }, goOn)
  try {
    await Promise.all(asking)
  } finally {
    leaving.abort()
    await Promise.allSettled(asking)
  }
  return found
}

async function noteMissing({ work, row, faults }: Check, copy: SoughtCopy): Promise<void> {
  const error = new AppError('object_not_found', `“${copy.key}” is not there any more.`)
  await noteFault(work, row, copy, faults, error)
}

async function noteWrongSize({ work, row, faults }: Check, copy: SoughtCopy, bytes: number): Promise<void> {
  const error = new AppError(
    'checksum_mismatch',
    `“${copy.key}” has ${bytes} bytes instead of ${copy.bytes}.`,
  )
  await noteFault(work, row, copy, faults, error)
}
