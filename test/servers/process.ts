import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { takeAwayAtTheEnd } from './leftovers.ts'
import { descendantsOf, isAlive, killIfAlive, startTimeOf } from './process-table.ts'
import { serverUser } from './server-user.ts'

export interface Program {
  file: string
  args: string[]
  /** It runs in here, and has it as its HOME and TMPDIR. */
  folder: string
  env?: Record<string, string>
  /** Where root is needed (sshd). All others run as an unprivileged user. */
  asRoot?: boolean
  /** Sent to stop it, and by the kernel when this process dies before it. */
  stopSignal?: 'SIGTERM' | 'SIGINT' | 'SIGKILL'
}

export interface ServerProgram extends Program {
  name: string
  /** Asked again and again until it is true; whatever it throws means "not yet". */
  isReady(): Promise<boolean>
  readyWithin?: number
}

export interface ServerProcess extends AsyncDisposable {
  pid: number
  readyAfter: number
  /** What it wrote to its standard output and error. */
  log(): Promise<string>
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>
  /** Asks it to stop, and kills it if it does not do so in time. */
  stop(): Promise<void>
}

/** Starts a server and waits until it is ready. Its children end with it, and it ends with this process. */
export async function startServer(program: ServerProgram): Promise<ServerProcess> {
  const { name, folder, stopSignal = 'SIGTERM', readyWithin = 60_000 } = program
  const logFile = join(folder, `${name}.log`)
  const log = () => readFile(logFile, 'utf8')
  const output = openSync(logFile, 'a')
  const startedAt = performance.now()
  let child: ChildProcess
  try {
    child = launch(program, ['ignore', output, output])
  } finally {
    closeSync(output)
  }
  const exited = once(child, 'exit')
  const pid = await pidOf(child, exited)

  const end = async (signal: NodeJS.Signals, within: number) => {
    const children = descendantsOf(pid)
    if (isRunning(child)) {
      child.ref()
      child.kill(signal)
      const late = new AbortController()
      const timer = sleep(within, 'late', { signal: late.signal }).catch(() => 'in time')
      if ((await Promise.race([exited, timer])) === 'late') {
        child.kill('SIGKILL')
        await exited
      }
      late.abort()
    }
    children.forEach(killIfAlive)
    while (children.some(isAlive)) await sleep(5)
  }
  const server = {
    pid,
    readyAfter: 0,
    log,
    kill: () => end('SIGKILL', 10_000),
    stop: () => end(stopSignal, 10_000),
    [Symbol.asyncDispose]: () => end(stopSignal, 10_000),
  }

  let lastError: unknown
  const isReady = () =>
    program.isReady().catch((error: unknown) => {
      lastError = error
      return false
    })
  while (!(await isReady())) {
    if (!isRunning(child)) {
      throw new Error(`${name} ended (${child.exitCode ?? child.signalCode}). ${lastWords(await log())}`)
    }
    if (performance.now() - startedAt > readyWithin) {
      await server.kill()
      const message = `${name} was not ready in ${readyWithin} ms. ${lastWords(await log())}`
      throw new Error(message, { cause: lastError })
    }
    await sleep(20)
  }
  // A test that fails without coming to its end must not keep this process, and so the server, alive.
  child.unref()
  server.readyAfter = Math.round(performance.now() - startedAt)
  return server
}

/** Runs a program to its end and returns what it wrote to its standard output. */
export async function run(program: Program & { input?: string }): Promise<string> {
  const child = launch(program, ['pipe', 'pipe', 'pipe'], 120_000)
  const closed = once(child, 'close')
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // Whoever does not read its input to the end is judged by its exit code.
  child.stdin?.on('error', () => undefined).end(program.input)
  await pidOf(child, closed)
  await closed
  if (child.exitCode !== 0) {
    const how = child.exitCode ?? child.signalCode
    throw new Error(`${program.file} ended with ${how}. ${lastWords(stderr || stdout)}`)
  }
  return stdout
}

function launch(program: Program, stdio: ('ignore' | 'pipe' | number)[], timeout?: number): ChildProcess {
  const { file, args, folder, env, asRoot = false, stopSignal = 'SIGTERM' } = program
  const { drops, uid, gid } = serverUser
  const dropping = drops && !asRoot ? [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] : []
  return spawn('setpriv', [`--pdeathsig=${stopSignal.slice(3)}`, ...dropping, '--', file, ...args], {
    cwd: folder,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: folder,
      // MariaDB begins with removing what other MariaDBs have in there.
      TMPDIR: folder,
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      ...env,
    },
    stdio,
    detached: true,
    timeout,
    killSignal: 'SIGKILL',
  })
}

async function pidOf(child: ChildProcess, exited: Promise<unknown>): Promise<number> {
  if (child.pid === undefined) await exited
  const pid = child.pid ?? 0
  const startTime = startTimeOf(pid)
  if (startTime !== undefined) takeAwayAtTheEnd({ kind: 'process', pid, startTime })
  return pid
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

function lastWords(text: string): string {
  const words = text.trim().slice(-2_000)
  return words === '' ? 'It said nothing.' : `Its last words:\n${words}`
}
