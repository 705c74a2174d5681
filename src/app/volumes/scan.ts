import { z } from 'zod'
import { listSnapshots, type StoredSnapshot } from '../../runner/manifests.ts'
import { isAnnounced } from '../../runner/writing.ts'
import { AppError } from '../../shared/errors.ts'
import { formatBytes } from '../../shared/units.ts'
import type { VolumeScan } from '../../shared/volumes.ts'
import { enqueueJob } from '../../store/queue.ts'
import type { Volume } from '../../volumes/volume.ts'
import type { AppContext } from '../context.ts'
import { defineJob, type Work } from '../jobs/job-kind.ts'
import { adoptCopy } from '../snapshots/record.ts'
import { type KnownSnapshot, knownSnapshots } from './store.ts'
import { openVolumeOf, volumeOf, volumeResource, type VolumeRow } from './volumes.ts'

const payload = z.object({ volumeId: z.string() })
type ScanWork = Work<z.output<typeof payload>>

/** Manifests that the catalogue is asked about at once. */
const BATCH = 200
/** In the result; the others are counted. */
const NAMED = 50

/** Reads all manifests of a volume, and adds to the catalogue what it does not know. Nothing is written to the volume. */
export const scanVolume = defineJob({
  payload,
  async run(work) {
    const { context, organizationId, payload, signal } = work
    const row = await volumeOf(context, organizationId, payload.volumeId)
    await using volume = openVolumeOf(context, row)
    const { snapshots, unreadable } = await listSnapshots(volume, signal)
    work.log('info', `${snapshots.length + unreadable.length} manifests were found on ${volume.location}.`)
    const refused = unreadable.map(({ key, error }) => ({ key, outcome: { refusedFor: error.message } }))
    const result = resultOf([...refused, ...(await adoptAll(work, row, volume, snapshots))])
    for (const { key, message } of result.unreadable) work.log('warning', `${key}: ${message}`)
    for (const key of result.withoutObject) work.log('warning', `${key}: There is only its manifest.`)
    work.log('info', `${result.adopted} are new to the catalogue, ${result.known} were known.`)
    return { result }
  },
})

/** Enqueues it, unless one waits already. Returns the job's id. */
export async function startScan(
  context: AppContext,
  organizationId: string,
  volumeId: string,
): Promise<string> {
  const { store } = context
  await volumeOf(context, organizationId, volumeId)
  return await store.db.transaction().execute(async (trx) => {
    const { id } = await enqueueJob(store, trx, {
      organizationId,
      kind: 'scan-volume',
      key: `scan:${volumeId}`,
      payload: { volumeId },
      subject: { volumeId },
      resources: [volumeResource(volumeId)],
    })
    return id
  })
}

/** What became of one manifest. */
interface Finding {
  key: string
  outcome: 'adopted' | 'known' | 'without object' | { refusedFor: string }
}

async function adoptAll(
  work: ScanWork,
  row: VolumeRow,
  volume: Volume,
  found: readonly StoredSnapshot[],
): Promise<Finding[]> {
  const { context, payload, signal } = work
  const findings: Finding[] = []
  for (let start = 0; start < found.length; start += BATCH) {
    const batch = found.slice(start, start + BATCH)
    const ids = batch.map(({ manifest }) => manifest.snapshot)
    const rows = await knownSnapshots(context.store, payload.volumeId, ids)
    const known = new Map(rows.map((row) => [row.id, row]))
    for (const snapshot of batch) {
      signal.throwIfAborted()
      const outcome = await adopt(work, row, volume, snapshot, known.get(snapshot.manifest.snapshot))
      findings.push({ key: snapshot.key, outcome })
    }
  }
  return findings
}

async function adopt(
  { context: { store }, organizationId, signal }: ScanWork,
  row: VolumeRow,
  volume: Volume,
  { key, manifest, object }: StoredSnapshot,
  known: KnownSnapshot | undefined,
): Promise<Finding['outcome']> {
  if (object === 'missing') return 'without object'
  const { bytes } = manifest.stored
  if (object.bytes !== bytes) {
    const sizes = `${formatBytes(object.bytes)} (${object.bytes} bytes); its manifest says ${bytes} bytes`
    return { refusedFor: `The object has ${sizes}.` }
  }
  if (known && known.organizationId !== organizationId) {
    return { refusedFor: 'Another organization has this snapshot in its catalogue.' }
  }
  // Whether one that was found corrupt is good again, only its bytes can tell.
  if (known?.state === 'stored' || known?.state === 'corrupt' || known?.state === 'delete_pending')
    return 'known'
  // Much may have changed since the list was made. On a volume that is only read no run comes to its end, nor is swept.
  if (row.isReadOnly === 0 && (await isAnnounced(volume, key, signal))) {
    return { refusedFor: 'It is being written, or its run was killed: then the next backup there adds it.' }
  }
  try {
    if ((await volume.stat(key, signal)).bytes !== bytes)
      return { refusedFor: 'The object is being replaced.' }
    const copy = { organizationId, volumeId: row.id, key, manifest }
    const what = await store.db.transaction().execute((trx) => adoptCopy(store, trx, copy))
    return what === 'known' ? 'known' : 'adopted'
  } catch (error) {
    if (error instanceof AppError && error.code === 'object_not_found') return 'without object'
    if (!store.isUniqueViolation(error)) throw error
    return { refusedFor: 'The catalogue has another snapshot under this key.' }
  }
}

function resultOf(findings: readonly Finding[]): VolumeScan {
  const keysWith = (wanted: Finding['outcome']) =>
    findings.filter(({ outcome }) => outcome === wanted).map(({ key }) => key)
  const unreadable = findings.flatMap(({ key, outcome }) =>
    typeof outcome === 'string' ? [] : [{ key, message: outcome.refusedFor }],
  )
  const withoutObject = keysWith('without object')
  return {
    found: findings.length,
    adopted: keysWith('adopted').length,
    known: keysWith('known').length,
    unreadableCount: unreadable.length,
    withoutObjectCount: withoutObject.length,
    unreadable: unreadable.slice(0, NAMED),
    withoutObject: withoutObject.slice(0, NAMED),
  }
}
