import { loadavg } from 'node:os'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { measure, type Measurement, type Script } from './measure.ts'

/** What Holdfast does against what one would do without it. */
export interface Comparison {
  name: string
  what: string
  against: string
  /** Holdfast's share of the other's time that is aimed at, as docs/performance.md has it. */
  goal: { wall?: number; cpu?: number }
  /** Instead of as many as were asked for, where one takes minutes. */
  rounds?: number
  holdfast: Script
  /** Absent where nothing is compared, only memory or time measured. */
  plain?: Script
  /** Removes what a side has made. Not measured. */
  after?: (stdout: string) => Promise<void>
}

export interface Result {
  name: string
  what: string
  against: string
  goal: Comparison['goal']
  rounds: number
  holdfast: Times
  plain: Times | undefined
  /** Of the medians: Holdfast's divided by the other's. */
  ratio: { wall: number; cpu: number } | undefined
  /** Bytes; the largest of all rounds. */
  peak: number | undefined
  workDirectory: number
  /** Of the last minute, before the first round and after the last. */
  load: [number, number]
}

/** Medians in seconds, and the wall time of every round. */
interface Times {
  wall: number
  cpu: number
  rounds: number[]
}

const execute = promisify(execFile)

/** Both sides in turn, each first in every other round, the disk at rest before each. */
export async function compare(comparison: Comparison, rounds: number): Promise<Result> {
  const { name, what, against, goal, holdfast, plain, after } = comparison
  const count = Math.min(rounds, comparison.rounds ?? rounds)
  const before = load()
  const measured: { holdfast: Measurement[]; plain: Measurement[] } = { holdfast: [], plain: [] }
  for (let round = 0; round < count; round++) {
    const order = round % 2 === 0 ? (['plain', 'holdfast'] as const) : (['holdfast', 'plain'] as const)
    for (const side of order) {
      const script = side === 'plain' ? plain : holdfast
      if (!script) continue
      await execute('sync')
      const measurement = await measure(script)
      measured[side].push(measurement)
      await after?.(measurement.stdout)
    }
  }
  const ours = timesOf(measured.holdfast)
  const theirs = plain && timesOf(measured.plain)
  return {
    name,
    what,
    against,
    goal,
    rounds: count,
    holdfast: ours,
    plain: theirs,
    ratio: theirs && { wall: ours.wall / theirs.wall, cpu: ours.cpu / theirs.cpu },
    peak: Math.max(...measured.holdfast.map(({ peak }) => peak ?? 0)) || undefined,
    workDirectory: Math.max(...measured.holdfast.map(({ workDirectory }) => workDirectory)),
    load: [before, load()],
  }
}

function timesOf(measurements: Measurement[]): Times {
  const walls = measurements.map(({ wall }) => wall)
  return { wall: median(walls), cpu: median(measurements.map(({ cpu }) => cpu)), rounds: walls }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

function load(): number {
  return loadavg()[0] ?? 0
}
