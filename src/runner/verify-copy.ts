import type { Engine } from '../engines/engine.ts'
import type { Manifest } from '../shared/snapshots.ts'
import type { Volume } from '../volumes/volume.ts'
import { AppError } from '../shared/errors.ts'
import { compareRows } from './compare-rows.ts'
import type { KeyRing } from './encryption.ts'
import type { JobContext } from './job.ts'
import { openCopy } from './read-copy.ts'

export interface VerifiedCopy {
  storedBytes: number
  rawBytes: number
  /** Undefined where a dump of this format does not tell its tables. */
  tables: number | undefined
  rows: number | undefined
}

/**
 * Reads a copy from its first byte to its last and proves that it is what its manifest says: size and SHA-256 of the
 * object, decryption, decompression, size and SHA-256 of the dump, the dump's own structure to its closing mark, and
 * the rows of each table. Throws with the first thing that is not so.
 */
export async function verifyCopy(
  engine: Engine,
  volume: Volume,
  key: string,
  manifest: Manifest,
  keys: KeyRing,
  job: JobContext,
): Promise<VerifiedCopy> {
  const readRaw = await openCopy(volume, key, manifest, keys, job.signal)
  const reader = engine.readDump(manifest.format)
  const bytes = readRaw({
    onRaw: (rawBytes) => job.progress({ phase: 'checking', rawBytes, expectedRawBytes: manifest.raw.bytes }),
    onStored: (storedBytes) => job.progress({ phase: 'downloading', storedBytes }),
  })
  for await (const chunk of bytes) reader.update(chunk)
  const { rows } = reader.finish()
  const compared = rows && manifest.rows ? compareRows(manifest.rows, rows) : undefined
  const [difference] = compared?.differences ?? []
  if (difference) {
    throw new AppError(
      'checksum_mismatch',
      `“${key}” holds ${difference.found ?? 'no'} rows of ${difference.table}; its manifest says ${difference.expected}.`,
    )
  }
  return {
    storedBytes: manifest.stored.bytes,
    rawBytes: manifest.raw.bytes,
    tables: compared?.tables,
    rows: compared?.rows,
  }
}
