import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { AppError } from '../shared/errors.ts'

/** A program to run. Secrets are in `env` or in a file that an argument names, never in `args`. */
export interface Command {
  /** The program: an absolute path, or a name that is looked up in PATH. */
  file: string
  args: string[]
  /** Added to the few variables that every tool gets (PATH, HOME, LANG, TZ); nothing else of ours is passed on. */
  env?: Record<string, string>
  /** The working directory; the current one if absent. */
  cwd?: string
}

/** How a program ended, as facts from which the sentence is built once. */
export interface ToolExit {
  tool: string
  exitCode: number | null
  killedBy: NodeJS.Signals | null
  /** The last 8 KiB of what it said on standard error. */
  stderr: string
}

/** A program that ended with anything but exit code 0. */
export class ToolFailure extends AppError {
  readonly exit: ToolExit

  constructor(exit: ToolExit) {
    super('tool_failed', describeExit(exit))
    this.exit = exit
  }
}

const STDERR_KEPT = 8192
/** Milliseconds from SIGTERM to SIGKILL. */
export const KILL_AFTER = 5_000

export interface RunOptions {
  /** Called for each line that the tool writes to standard error, as it comes. */
  onStderr?: (line: string) => void
}

/**
 * A tool's standard output, as a stream that ends only if the tool succeeds. Anything short of exit code 0 is
 * thrown before the end of the stream, so that no reader can mistake a truncated dump for a complete one.
 * When the signal aborts, or the reader gives up, the tool gets SIGTERM, and SIGKILL five seconds later.
 */
export async function* stdoutOf(
  command: Command,
  signal: AbortSignal,
  options: RunOptions = {},
): AsyncGenerator<Buffer, void> {
  const tool = start(command, 'ignore', signal, options)
  try {
    yield* tool.child.stdout
    await tool.succeeded()
  } finally {
    await tool.end()
  }
}

/**
 * Feeds the bytes to a tool's standard input and waits until it has succeeded. If the source throws, the tool is
 * ended before it can see an end of input, so that it never commits half of what it was to be given.
 * Returns what it wrote to standard output, of which the last 64 KiB are kept.
 */
export async function feedStdin(
  command: Command,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  options: RunOptions = {},
): Promise<string> {
  const tool = start(command, 'pipe', signal, options)
  let stdout = ''
  tool.child.stdout
    .setEncoding('utf8')
    .on('data', (text: string) => (stdout = (stdout + text).slice(-65_536)))
  try {
    await tool.feed(bytes)
    await tool.succeeded()
    return stdout
  } finally {
    await tool.end()
  }
}

/** The bytes that a tool makes of the bytes it is given: both ends of a pipe at once, ending only in success. */
export async function* pipeThrough(
  command: Command,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  options: RunOptions = {},
): AsyncGenerator<Buffer, void> {
  const tool = start(command, 'pipe', signal, options)
  const fed = tool.feed(bytes)
  fed.catch(() => {}) // awaited below, once standard output is drained
  try {
    yield* tool.child.stdout
    await fed
    await tool.succeeded()
  } finally {
    await tool.end()
  }
}

/**
 * A tool's standard output as a second program makes it: `pg_dump | zstd`, the bytes between them in a kernel pipe,
 * not in this process. The stream ends only if both succeed. We keep the writing end of that pipe, too: the program
 * sees the end of its input only after the tool has exited with code 0, and is killed if the tool fails, so that
 * what it makes of half a dump never ends as if it were a whole one. `options` are for the tool.
 */
export async function* stdoutThroughProgram(
  command: Command,
  program: Command,
  signal: AbortSignal,
  options: RunOptions = {},
): AsyncGenerator<Buffer, void> {
  const filter = start(program, 'pipe', signal, {})
  let tool: RunningTool | undefined
  try {
    if (filter.child.pid === undefined) await filter.succeeded() // throws: it could not be started
    const input = filter.child.stdin!
    tool = start(command, 'ignore', signal, options, input)
    const verdict = followVerdict(tool, filter.child, input)
    yield* filter.child.stdout
    await filter.closed
    signal.throwIfAborted()
    // A program that gave up is why the tool could write no more; not so one that we killed.
    if (filter.child.exitCode !== null) await filter.succeeded()
    if (verdict.failure) throw verdict.failure
    await filter.succeeded()
    if (!verdict.isSuccess) {
      throw new AppError(
        'tool_failed',
        `${basename(program.file)} ended before ${basename(command.file)} did.`,
      )
    }
  } finally {
    await Promise.all([tool?.end(), filter.end()])
  }
}

/** Ends the program's input when the tool has succeeded; kills the program if the tool fails. */
function followVerdict(
  tool: RunningTool,
  program: Child,
  input: Writable,
): { isSuccess: boolean; failure?: unknown } {
  const verdict: { isSuccess: boolean; failure?: unknown } = { isSuccess: false }
  input.on('error', () => {}) // the program's exit tells why it went
  tool.succeeded().then(
    () => {
      verdict.isSuccess = true
      input.end()
    },
    (error: unknown) => {
      verdict.failure = error
      killGroup(program, 'SIGKILL')
    },
  )
  return verdict
}

/** Runs a tool to its end and returns its standard output, at most `limit` bytes of it (1 MiB). */
export async function run(
  command: Command,
  signal: AbortSignal,
  options: RunOptions & { limit?: number } = {},
): Promise<string> {
  const chunks: Buffer[] = []
  let kept = 0
  for await (const chunk of stdoutOf(command, signal, options)) {
    if (kept < (options.limit ?? 1_048_576)) chunks.push(chunk)
    kept += chunk.length
  }
  return Buffer.concat(chunks).toString('utf8')
}

export type Child = ChildProcessByStdio<Writable | null, Readable, Readable>

/** A tool is in a process group of its own, so that whoever ends this process at once would leave it behind. */
const running = new Set<Child>()
process.on('exit', () => running.forEach((child) => killGroup(child, 'SIGKILL')))

interface RunningTool {
  child: Child
  /** Resolves when the tool is gone and has nothing more to say, or could not be started. */
  closed: Promise<void>
  /** Resolves when the tool has exited with code 0; throws `ToolFailure`, or the signal's reason. */
  succeeded(): Promise<void>
  /**
   * Writes all bytes to standard input and closes it. If the source throws, the tool is killed before its input
   * closes: psql, for one, would take the end of input for a reason to commit. A tool that stops reading is
   * judged by its exit code, not by our broken pipe.
   */
  feed(bytes: AsyncIterable<Uint8Array>): Promise<void>
  /** Ends the tool if it still runs, and waits until it is gone. Never throws. */
  end(): Promise<void>
}

function start(
  command: Command,
  stdin: 'ignore' | 'pipe',
  signal: AbortSignal,
  options: RunOptions,
  stdout: 'pipe' | Writable = 'pipe',
): RunningTool {
  signal.throwIfAborted()
  const name = basename(command.file)
  const env = { ...baseEnvironment(), ...command.env }
  const child = spawnGroup({ ...command, env }, [stdin, stdout, 'pipe'])
  child.once('exit', () => forgetGroup(child))
  let stderr = ''
  let line = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT)
    if (!options.onStderr) return
    const lines = (line + text).split('\n')
    line = lines.pop()!.slice(-STDERR_KEPT)
    for (const complete of lines) options.onStderr(complete)
  })
  child.stderr.on('end', () => line && options.onStderr?.(line))

  let startError: NodeJS.ErrnoException | undefined
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      startError = error
      if (child.pid === undefined) resolve()
    })
    child.once('close', () => resolve())
  })
  let killTimer: NodeJS.Timeout | undefined
  const stop = () => {
    if (killTimer || !isRunning(child)) return
    killGroup(child, 'SIGTERM')
    killTimer = setTimeout(() => killGroup(child, 'SIGKILL'), KILL_AFTER)
  }
  signal.addEventListener('abort', stop, { once: true })

  const succeeded = async () => {
    await closed
    signal.throwIfAborted()
    if (startError) throw cannotStart(command, startError)
    const exit = { tool: name, exitCode: child.exitCode, killedBy: child.signalCode, stderr: stderr.trim() }
    if (exit.exitCode !== 0) throw new ToolFailure(exit)
  }
  return {
    child,
    closed,
    succeeded,
    async feed(bytes) {
      const stdin = child.stdin!
      stdin.on('error', () => {}) // EPIPE: succeeded() tells why the tool went
      try {
        for await (const chunk of bytes) {
          // A tool may stop reading when it has what it needs. The source is read on all the same: what it has to
          // say at its very end (a checksum that does not match) must still be heard.
          if (stdin.destroyed) {
            if (child.exitCode !== 0 && !isRunning(child)) return
          } else if (!stdin.write(chunk)) await drained(stdin)
        }
      } catch (error) {
        killGroup(child, 'SIGKILL')
        await closed
        throw error
      }
      stdin.end()
    },
    async end() {
      signal.removeEventListener('abort', stop)
      if (isRunning(child)) {
        stop()
        for (const stream of child.stdio) stream?.destroy()
      }
      await (isRunning(child) ? once(child, 'exit') : undefined)
      clearTimeout(killTimer)
    },
  }
}

/**
 * Starts a program in a process group of its own. It gets the variables of `env` and no other. If this process ends before
 * `forgetGroup` is called, the whole group is killed.
 */
export function spawnGroup(
  { file, args, env, cwd }: Command,
  stdio: ['ignore' | 'pipe', 'pipe' | Writable, 'pipe'],
): Child {
  const child = spawn(file, args, { env, cwd, stdio, detached: true }) as Child
  if (child.pid !== undefined) running.add(child)
  return child
}

/** To be called when the program is over, and nothing of its group is to be ended any more. */
export function forgetGroup(child: Child): void {
  running.delete(child)
}

/**
 * Signals the program and whatever it has started; 0 only asks. False if nothing of it is left that we may signal: what
 * has become another user's is not ours to end.
 */
export function killGroup(child: Child, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false
  try {
    process.kill(-child.pid, signal)
    return true
  } catch (error) {
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    return false
  }
}

/** Resolves when the stream takes more bytes, or will never take any again. */
function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
    if (stream.destroyed) done()
  })
}

function isRunning(child: Child): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null
}

/** What every tool gets of our environment. Messages are in English, because they are matched against. */
function baseEnvironment(): Record<string, string> {
  return {
    LC_ALL: 'C.UTF-8',
    LANG: 'C.UTF-8',
    ...environmentOf(['PATH', 'HOME', 'TZ', 'TMPDIR', 'SystemRoot']),
  }
}

/** Those of our own variables that there are. */
export function environmentOf(names: readonly string[]): Record<string, string> {
  const found = names.map((name) => [name, process.env[name]] as const)
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

function cannotStart(command: Command, error: NodeJS.ErrnoException): AppError {
  return new AppError('tool_missing', `${basename(command.file)} could not be started: ${error.message}.`, {
    hint: 'holdfast doctor shows which tools were found and how to install the others.',
    cause: error,
  })
}

function describeExit(exit: ToolExit): string {
  const how = exit.killedBy ? `was killed by ${exit.killedBy}` : `failed with exit code ${exit.exitCode}`
  const lastLine = exit.stderr.split('\n').findLast((line) => line.trim() !== '')
  return lastLine ? `${exit.tool} ${how}: ${lastLine.trim()}` : `${exit.tool} ${how} and said nothing.`
}
