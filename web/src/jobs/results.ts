import { z } from 'zod'
import { hookOutcome } from '../../../src/shared/hooks.ts'
import { restoreResult } from '../../../src/shared/restores.ts'
import { copyStates } from '../../../src/shared/snapshots-api.ts'
import { volumeScan } from '../../../src/shared/volumes.ts'

/*
 * What came of a job, by its kind. A result that does not look like this, because another release has written it, is shown as
 * it is.
 */

const copyOfSnapshot = z.object({
  volumeId: z.string(),
  state: z.enum(copyStates).optional(),
  error: z.object({ message: z.string() }).optional(),
})

export const results = {
  backup: z.object({
    snapshotId: z.string(),
    rawBytes: z.number(),
    storedBytes: z.number(),
    warnings: z.array(z.string()).default([]),
    copies: z.array(copyOfSnapshot).default([]),
  }),
  restore: restoreResult,
  verify: z.object({ copies: z.array(copyOfSnapshot) }),
  'run-plan': z.object({ jobs: z.array(z.object({ id: z.string(), database: z.string() })) }),
  'repair-copy': z.object({ done: z.boolean(), from: z.string().optional() }),
  'file-check': z.object({ copies: z.number(), repairs: z.number() }),
  'scan-volume': volumeScan,
  'clean-up': z.object({ jobs: z.number(), safetySnapshots: z.number() }),
  copies: z.object({ copies: z.number(), bytes: z.number() }),
} as const

/** How long each phase has taken, where the result tells. */
export function secondsOf(result: unknown): Record<string, number> {
  return z.object({ seconds: z.record(z.string(), z.number()) }).safeParse(result).data?.seconds ?? {}
}

/** What ran around it. */
export function hooksOf(result: unknown) {
  return z.object({ hooks: z.array(hookOutcome) }).safeParse(result).data?.hooks ?? []
}
