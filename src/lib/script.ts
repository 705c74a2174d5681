import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../shared/errors.ts'
import { type Child, environmentOf, forgetGroup, KILL_AFTER, killGroup, spawnGroup } from './process.ts'
import { createWorkDirectory, removeIfPossible } from './work-directory.ts'

/** What of our own environment a script gets; nothing else of it. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TZ']
const PROXIES = ['http_proxy', 'https_proxy', 'no_proxy', 'all_proxy']

export interface ScriptOptions {
  /** Added to the few variables of ours that a script gets. */
  env: Readonly<Record<string, string>>
  /** Hears of each line that the script says, on whichever of its two outputs, in their order, as it comes. */
  onLine: (line: string) => void
  /** See `createWorkDirectory`. */
  workDirectory?: string | undefined
}

export interface ScriptEnd {
  exitCode: number | null
  killedBy: NodeJS.Signals | null
}

/** Of one line so many characters are kept, and of one script so many lines and characters. */
const LONGEST_LINE = 2_000
const MOST_LINES = 1_000
const MOST_CHARACTERS = 262_144

/** How long what has been said already may take to arrive when the script is over. */
const LAST_WORDS = 1_000
const LOOK_EVERY = 50

/**
 * Runs the text by `sh`, with `#!/bin/sh` before it, in an empty folder of its own and without any input. When it is over,
 * and when the signal aborts, all of its process group gets SIGTERM, and SIGKILL five seconds later: also what it has left
 * running behind itself. What has made a session of its own (`setsid`) goes on, and is not waited for. Once the script
 * itself is over, its exit code is what counts, whatever becomes of its folder and of what it has left.
 * Throws only the signal's reason, and what keeps it from being started.
 */
export async function runScript(
  text: string,
  options: ScriptOptions,
  signal: AbortSignal,
): Promise<ScriptEnd> {
  signal.throwIfAborted()
  const folder = await createWorkDirectory(options.workDirectory)
  try {
    return await runIn(folder.path, text, options, signal)
  } finally {
    await removeIfPossible(folder)
  }
}

async function runIn(
  folder: string,
  text: string,
  options: ScriptOptions,
  signal: AbortSignal,
): Promise<ScriptEnd> {
  const file = join(folder, 'script')
  await writeFile(file, `#!/bin/sh\n${text.replaceAll('\r\n', '\n')}\n`, { mode: 0o700, flag: 'wx' })
  // One pipe for both of its outputs: only so the lines are in their order.
  const args = ['-c', 'exec sh "$0" 2>&1', file]
  const env = { ...environment(), ...withoutNul(options.env) }
  const child = spawnGroup({ file: 'sh', args, env, cwd: folder }, ['ignore', 'pipe', 'pipe'])
  const gone = once(child, 'exit') // rejects if it cannot be started
  gone.catch(() => {}) // awaited below
  const said = readLines(child, options.onLine)

  const over = new AbortController()
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true, signal: over.signal })
  })
  try {
    const isAborted = await Promise.race([gone.then(() => false), aborted.then(() => true)])
    await endGroup(child)
    await Promise.race([Promise.all([gone, said]), sleep(LAST_WORDS, undefined, { signal: over.signal })])
    if (isAborted) signal.throwIfAborted()
    return { exitCode: child.exitCode, killedBy: child.signalCode }
  } catch (error) {
    signal.throwIfAborted()
    throw cannotStart(error)
  } finally {
    over.abort()
    forgetGroup(child)
    for (const stream of child.stdio) stream?.destroy()
  }
}

/** Ends what is left of the group. What cannot be killed, or was but nobody has buried it, is not waited for. */
async function endGroup(child: Child): Promise<void> {
  if (!killGroup(child, 'SIGTERM') || (await isGroupGone(child, KILL_AFTER))) return
  killGroup(child, 'SIGKILL')
  await isGroupGone(child, LAST_WORDS)
}

async function isGroupGone(child: Child, patience: number): Promise<boolean> {
  for (const until = performance.now() + patience; ;) {
    if (!killGroup(child, 0)) return true
    if (performance.now() > until) return false
    await sleep(LOOK_EVERY)
  }
}

/** Resolves when nobody holds the outputs any more. Always reads on, so that no script waits for us. */
function readLines(child: Child, onLine: (line: string) => void): Promise<void> {
  let line = ''
  let lines = 0
  let characters = 0
  const tell = (text: string) => {
    lines += 1
    characters += text.length
    if (lines > MOST_LINES + 1) return
    if (lines <= MOST_LINES && characters <= MOST_CHARACTERS) return onLine(text)
    lines = MOST_LINES + 1
    onLine('It has said more than is kept; the rest is not.')
  }
  const finish = () => {
    tell(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)} …` : line.replace(/\r$/, ''))
    line = ''
  }
  child.stderr.resume()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = text.split('\n')
    for (const [index, part] of parts.entries()) {
      if (line.length <= LONGEST_LINE) line += part.slice(0, LONGEST_LINE + 1)
      if (index < parts.length - 1) finish()
    }
  })
  return new Promise((resolve) => {
    child.stdout.on('error', () => {}) // it is closed then
    child.stdout.once('close', () => {
      if (line !== '') finish()
      resolve()
    })
  })
}

function environment(): Record<string, string> {
  return environmentOf([...PASSED_ON, ...PROXIES, ...PROXIES.map((name) => name.toUpperCase())])
}

/** No variable can have a NUL. */
function withoutNul(env: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(env).map(([name, value]) => [name, value.replaceAll('\0', '\uFFFD')])
  return Object.fromEntries(entries) as Record<string, string>
}

function cannotStart(cause: unknown): AppError {
  if (cause instanceof AppError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new AppError('tool_missing', `The script could not be started: ${why}.`, {
    hint: 'It is run by sh, which must be in PATH.',
    cause,
  })
}
