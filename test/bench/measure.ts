import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { takeAwayAtTheEnd } from '../servers/leftovers.ts'

/** What is measured: a program for bash, which knows nothing but these variables and PATH. */
export interface Script {
  script: string
  env: Record<string, string>
}

export interface Measurement {
  /** Seconds from the start of the first program to the end of the last. */
  wall: number
  /** Seconds of user and system time of all programs that were started, and of what they started. */
  cpu: number
  /** Largest resident memory of the Holdfast process in bytes; undefined where none ran. */
  peak: number | undefined
  /** The most bytes that lay in Holdfast's work directory. */
  workDirectory: number
  stdout: string
}

const root = join(import.meta.dirname, '../..')

/** `holdfast` on the command line of a script, with a look at its memory at the end. */
export const holdfast = `NODE_OPTIONS="--import=$PEAK_MODULE" "$HOLDFAST"`

/**
 * Runs the script and measures it in the same way whatever it is: bash's own `time` takes the wall time and, from the
 * kernel (wait4), the processor time of every process that ended below it. Throws if any program of a pipe fails.
 */
export async function measure({ script, env }: Script): Promise<Measurement> {
  await using folder = await temporary('holdfast-bench-run-')
  const peakFile = join(folder.path, 'peak')
  const workDirectory = join(folder.path, 'work')
  const timed = `exec 4>&2; TIMEFORMAT='%3R %3U %3S'; { time { set -eo pipefail; ${script}\n} 2>&4; } 2>&3`
  const child = spawn('bash', ['-c', timed], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      LC_ALL: 'C.UTF-8',
      HOLDFAST: join(root, 'bin/holdfast'),
      PEAK_MODULE: join(import.meta.dirname, 'report-peak.ts'),
      PEAK_FILE: peakFile,
      HOLDFAST_WORK_DIR: workDirectory,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  const ended = new AbortController()
  const watched = watch(workDirectory, ended.signal)
  const [stdout, stderr, times] = await Promise.all(
    [1, 2, 3].map((i) => text(child.stdio[i] as NodeJS.ReadableStream)),
  )
  await closed
  ended.abort()
  if (child.exitCode !== 0) throw new Error(`“${script}” ended with ${child.exitCode}: ${stderr}`)
  const [wall, user, system] = (times ?? '').trim().split(' ').map(Number)
  if (wall === undefined || user === undefined || system === undefined) throw new Error(`No times: ${times}`)
  const peak = Number(await readFile(peakFile, 'utf8').catch(() => 0))
  return {
    wall,
    cpu: user + system,
    peak: peak === 0 ? undefined : peak,
    workDirectory: await watched,
    stdout: stdout ?? '',
  }
}

/** A folder on the disk of the temporary folder, which is gone afterwards, also if this process is killed. */
export async function temporary(prefix: string): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  takeAwayAtTheEnd({ kind: 'folder', path })
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** The most bytes that were seen in the folder, looking every 20 ms. */
async function watch(folder: string, ended: AbortSignal): Promise<number> {
  let most = 0
  while (!ended.aborted) {
    most = Math.max(most, await bytesIn(folder))
    await sleep(20, undefined, { signal: ended }).catch(() => undefined)
  }
  return most
}

/** What disappears while it is looked at counts as nothing. */
async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const facts = await stat(join(parentPath, name)).catch(() => undefined)
      return facts?.size ?? 0
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
