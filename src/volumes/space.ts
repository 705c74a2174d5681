import type { TestStep } from '../shared/test-report.ts'
import { formatBytes } from '../shared/units.ts'

/** What the disk under a volume has, in bytes. */
export interface Space {
  freeBytes: number
  totalBytes: number
}

/** From so little on, a disk is nearly full. */
const LITTLE = 1 / 20

export function isNearlyFull({ freeBytes, totalBytes }: Space): boolean {
  return freeBytes < totalBytes * LITTLE
}

export function spaceInWords({ freeBytes, totalBytes }: Space): string {
  return `${formatBytes(freeBytes)} free of ${formatBytes(totalBytes)}`
}

/** Of a test report; undefined: the volume does not tell. */
export function spaceStep(space: Space | undefined): TestStep {
  const step = 'free space'
  if (!space) return { step, outcome: 'skipped', detail: 'The server does not tell.' }
  return { step, outcome: isNearlyFull(space) ? 'warning' : 'ok', detail: spaceInWords(space) }
}
