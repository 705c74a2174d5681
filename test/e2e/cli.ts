import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type TempFolder, tempFolder } from '../servers/temp-folder.ts'
import { processesWith, type SeenProcess } from './processes.ts'

export const holdfastProgram = join(import.meta.dirname, '../../bin/holdfast')

/** How a run of the command line ended. */
export interface CliEnd {
  exitCode: number | null
  killedBy: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunningCli {
  pid: number
  kill(signal: NodeJS.Signals): void
  /** Resolves when it is gone and its output has ended. */
  ended: Promise<CliEnd>
  /** What it has said so far. */
  said(): string
}

export interface CliOptions {
  env?: Record<string, string>
  /** Folders to look for programs in before those of the machine. */
  programs?: string[]
}

/** One user's world: a home and a temporary directory of their own, by which everything that they start is known. */
export interface Desk extends AsyncDisposable {
  folder: TempFolder
  /** Runs `holdfast` to its end. */
  run(args: string[], options?: CliOptions): Promise<CliEnd>
  start(args: string[], options?: CliOptions): RunningCli
  /** Everything that was started at this desk and still runs. */
  processes(): SeenProcess[]
  /** Waits until nothing runs any more, at most so long; returns the command lines of what still does. */
  quiet(milliseconds?: number): Promise<string[]>
  /** What lies in the temporary directory, where the work directories are. */
  temporaryFiles(): Promise<string[]>
  temporary: string
}

export async function openDesk(): Promise<Desk> {
  const folder = await tempFolder('desk')
  const [home, temporary] = [join(folder.path, 'home'), join(folder.path, 'tmp')]
  await Promise.all([mkdir(home), mkdir(temporary)])
  const start = (args: string[], { env = {}, programs = [] }: CliOptions = {}): RunningCli => {
    const child = spawn(holdfastProgram, args, {
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: [...programs, process.env['PATH'] ?? ''].join(':'),
        HOME: home,
        TMPDIR: temporary,
        // For all desks together: to start then takes half the time.
        NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/holdfast-tests'),
        ...env,
      },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const ended = once(child, 'close').then(() => ({
      exitCode: child.exitCode,
      killedBy: child.signalCode,
      stdout,
      stderr,
    }))
    ended.catch(() => {}) // told to those who wait for it
    return {
      pid: child.pid ?? 0,
      kill: (signal) => void child.kill(signal),
      ended,
      said: () => stdout + stderr,
    }
  }
  const processes = () => processesWith(`TMPDIR=${temporary}`)
  return {
    folder,
    temporary,
    start,
    run: (args, options) => start(args, options).ended,
    processes,
    async quiet(milliseconds = 15_000) {
      const giveUpAt = Date.now() + milliseconds
      while (processes().length > 0 && Date.now() < giveUpAt) await sleep(20)
      return processes().map(({ argv }) => argv.join(' '))
    },
    async temporaryFiles() {
      return existsSync(temporary) ? (await readdir(temporary, { recursive: true })).sort() : []
    },
    async [Symbol.asyncDispose]() {
      for (const { pid } of processes()) process.kill(pid, 'SIGKILL')
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** The one JSON document on standard output. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it names what the caller knows of the document
export function jsonOf<T>({ stdout, stderr, exitCode }: CliEnd): T {
  try {
    return JSON.parse(stdout) as T
  } catch (error) {
    throw new Error(`No JSON on standard output (exit code ${exitCode}): ${stdout}${stderr}`, {
      cause: error,
    })
  }
}

export interface BackupReport {
  snapshots: {
    id: string
    key: string
    state: string
    copies: { volume: string; state: string; error?: ReportedError }[]
  }[]
  failures: { database: string; error: ReportedError }[]
  /** Instead of the others, if nothing could be tried at all. */
  error?: ReportedError
}

export interface ReportedError {
  code: string
  message: string
  hint?: string
}
