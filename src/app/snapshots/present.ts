import type { Copy, Snapshot, SnapshotContents, SnapshotDetails } from '../../shared/snapshots-api.ts'
import type { Manifest } from '../../shared/snapshots.ts'
import { lockOfRow, type SnapshotRow } from './snapshots.ts'
import type { NamedCopyRow, SnapshotSummary } from './store.ts'

/** A snapshot as lists show it. */
export function present(row: SnapshotSummary, copies: readonly NamedCopyRow[], now: number): Snapshot {
  const {
    takenAt,
    finishedAt,
    provenAt,
    cause,
    isLocked,
    lockedUntil,
    isPartial,
    isForeign,
    revision: _,
    ...rest
  } = row
  const lock = lockOfRow({ isLocked, lockedUntil }, now)
  return {
    ...rest,
    takenAt: iso(takenAt),
    finishedAt: iso(finishedAt),
    provenAt: isoOrNull(provenAt),
    trigger: cause,
    locked: lock instanceof Date ? lock.toISOString() : lock === true,
    isPartial: isPartial === 1,
    isForeign: isForeign === 1,
    copies: copies.map(presentCopy),
  }
}

export function presentDetails(
  { manifest, ...row }: SnapshotRow,
  copies: readonly NamedCopyRow[],
  now: number,
): SnapshotDetails {
  return { ...present(row, copies, now), manifest }
}

/** What is in a snapshot, as its manifest tells. */
export function presentContents({ rows, partial, warnings }: Manifest): SnapshotContents {
  const tables = rows && Object.entries(rows).map(([name, rows]) => ({ name, rows }))
  tables?.sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    source: 'manifest',
    tables: tables ?? null,
    rows: tables ? tables.reduce((sum, { rows }) => sum + rows, 0) : null,
    leftOut: partial ?? [],
    warnings: warnings ?? [],
  }
}

function presentCopy(row: NamedCopyRow): Copy {
  const { volumeId, volumeName, key, state, bytes, error, checkedAt, contentCheckedAt, createdAt } = row
  return {
    volumeId,
    volumeName,
    key,
    state,
    bytes,
    error: error === null ? null : (JSON.parse(error) as Copy['error']),
    checkedAt: isoOrNull(checkedAt),
    contentCheckedAt: isoOrNull(contentCheckedAt),
    createdAt: iso(createdAt),
  }
}

function iso(time: number): string {
  return new Date(time).toISOString()
}

function isoOrNull(time: number | null): string | null {
  return time === null ? null : iso(time)
}
