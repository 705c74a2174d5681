import { describeFinding, found, type TestStep } from '../shared/test-report.ts'

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

export function spaceInWords(space: Space): string {
  return describeFinding({ what: 'space', ...space })
}

/** Of a test report; undefined: the volume does not tell. */
export function spaceStep(space: Space | undefined): TestStep {
  const step = 'free space'
  if (!space) return { step, outcome: 'skipped', ...found({ what: 'spaceUnknown' }) }
  const { freeBytes, totalBytes } = space
  return {
    step,
    outcome: isNearlyFull(space) ? 'warning' : 'ok',
    ...found({ what: 'space', freeBytes, totalBytes }),
  }
}
