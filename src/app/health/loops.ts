import type { AppContext } from '../context.ts'

/** A loop that has not gone round for so long, in milliseconds, hangs. */
const LONGEST_ROUND = 120_000

/** The loops of this process that hang, and for how many milliseconds. */
export function stoppedLoops(heartbeats: AppContext['heartbeats']): { name: string; silence: number }[] {
  const now = performance.now()
  return Array.from(heartbeats, ([name, at]) => ({ name, silence: now - at })).filter(
    ({ silence }) => silence > LONGEST_ROUND,
  )
}
