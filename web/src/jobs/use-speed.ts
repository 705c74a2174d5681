import { useState } from 'react'
import type { Job } from '../../../src/shared/jobs.ts'

type Progress = Job['progress']

interface Sample {
  phase: string
  at: number
  bytes: number
}

/** A speed is that of the last seconds, not of the whole phase. */
const WINDOW = 15_000

/** Bytes of the dump where they are known, else those of the object. */
export function bytesOf(progress: Progress): number | undefined {
  return progress?.rawBytes ?? progress?.storedBytes
}

/** Bytes per second, from what a running job has told lately; undefined until it has told twice. */
export function useSpeed(progress: Progress): number | undefined {
  const [samples, setSamples] = useState<readonly Sample[]>([])
  const known = withSample(samples, sampleOf(progress))
  if (known !== samples) setSamples(known)
  return speedOf(known)
}

function sampleOf(progress: Progress): Sample | undefined {
  const bytes = bytesOf(progress)
  if (!progress || bytes === undefined) return undefined
  return { phase: progress.phase, at: Date.parse(progress.at), bytes }
}

/** The samples of one phase; the same ones if nothing new is told. */
function withSample(samples: readonly Sample[], sample: Sample | undefined): readonly Sample[] {
  const last = samples.at(-1)
  if (!sample) return last ? [] : samples
  if (last?.at === sample.at && last.phase === sample.phase) return samples
  const goesOn = last?.phase === sample.phase && last.bytes <= sample.bytes
  return [...(goesOn ? samples.filter(({ at }) => sample.at - at <= WINDOW) : []), sample]
}

function speedOf(samples: readonly Sample[]): number | undefined {
  const [first] = samples
  const last = samples.at(-1)
  if (!first || !last || last.at === first.at) return undefined
  return ((last.bytes - first.bytes) * 1000) / (last.at - first.at)
}
