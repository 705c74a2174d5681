import { cpus, release, totalmem } from 'node:os'
import type { Result } from './comparison.ts'

/** What it ran on, for the reader to judge the figures by. */
export function machine(): Record<string, string | number> {
  return {
    node: process.version,
    kernel: release(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory: bytes(totalmem()),
  }
}

/** One line of a Markdown table for each result, as docs/performance.md has them. */
export function table(results: readonly Result[]): string {
  const head = [
    '| what | against | goal | wall s | CPU s | wall | CPU | peak | work dir | rounds | load |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
  ]
  return [...head, ...results.map(line)].join('\n')
}

/** A result as a line of the table. */
export function line(result: Result): string {
  const { name, what, against, goal, holdfast, plain, ratio, peak, workDirectory, rounds, load } = result
  const cells = [
    `\`${name}\` ${what}`,
    against,
    [goal.wall && `wall ≤ ${share(goal.wall)}`, goal.cpu && `CPU ≤ ${share(goal.cpu)}`]
      .filter(Boolean)
      .join(', ') || '–',
    seconds(holdfast.wall, plain?.wall),
    seconds(holdfast.cpu, plain?.cpu),
    ratio ? share(ratio.wall) : '–',
    ratio ? share(ratio.cpu) : '–',
    peak === undefined ? '–' : bytes(peak),
    bytes(workDirectory),
    rounds,
    load.map((value) => value.toFixed(1)).join(' → '),
  ]
  return `| ${cells.join(' | ')} |`
}

/** Ours : theirs. */
function seconds(ours: number, theirs: number | undefined): string {
  return theirs === undefined ? ours.toFixed(2) : `${ours.toFixed(2)} : ${theirs.toFixed(2)}`
}

/** `1.05×`, or `1/35×` where that says more. */
function share(ratio: number): string {
  return ratio < 0.2 ? `1/${(1 / ratio).toFixed(0)}×` : `${ratio.toFixed(2)}×`
}

function bytes(count: number): string {
  if (count < 1e6) return count === 0 ? '0' : `${(count / 1e3).toFixed(1)} kB`
  return count < 1e9 ? `${(count / 1e6).toFixed(0)} MB` : `${(count / 1e9).toFixed(1)} GB`
}
