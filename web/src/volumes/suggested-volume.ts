import type { Volume } from '../../../src/shared/volumes.ts'

/** Where a new plan's snapshots go unless one says otherwise: the oldest volume that is written to, as setup made it. */
export function suggestedVolume(volumes: readonly Volume[]): Volume | undefined {
  return volumes
    .filter(({ isReadOnly }) => !isReadOnly)
    .toSorted((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt))[0]
}
