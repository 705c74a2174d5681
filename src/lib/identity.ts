import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/*
 * A token names one process for good: another process, also one that gets the same pid later, is never taken for it.
 * It is made of the machine (its name, its boot, and the pid namespace, for instance of a container, as a hash that
 * tells nobody the name), the pid, and when the kernel started the process. It fits into a file name.
 */
const PATTERN = /^([0-9a-f]{12})-(\d+)-(\d*)$/

/** The token of this process. */
export function ownToken(): string {
  return `${thisMachine()}-${process.pid}-${statOf(process.pid)?.started ?? ''}`
}

/**
 * Whether the process with that token is over. `unknown` for one of another machine, boot or container, whose end
 * cannot be seen from here, and for what is no token.
 */
export function isOver(token: string): boolean | 'unknown' {
  const [, machine, pid, started] = PATTERN.exec(token) ?? []
  if (machine !== thisMachine() || !started) return 'unknown'
  const found = statOf(Number(pid))
  // A zombie has ended; only its parent has not noticed yet.
  if (found) return found.state === 'Z' || found.started !== started
  // Where other users' processes are hidden (hidepid), a living one looks like this, too.
  return isThere(Number(pid)) ? 'unknown' : true
}

let machine: string | undefined

function thisMachine(): string {
  machine ??= createHash('sha256')
    .update(hostname())
    .update(readOr('', () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')))
    .update(readOr('', () => readlinkSync('/proc/self/ns/pid')))
    .digest('hex')
    .slice(0, 12)
  return machine
}

/** Fields 3 and 22 of /proc/<pid>/stat, counted behind the program's name, which may hold spaces and brackets. */
function statOf(pid: number): { state: string; started: string } | undefined {
  const stat = readOr(undefined, () => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, started] = [fields?.[0], fields?.[19]]
  return state !== undefined && started !== undefined ? { state, started } : undefined
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

function readOr<T>(otherwise: T, read: () => string): string | T {
  try {
    return read()
  } catch {
    return otherwise // no /proc (macOS), or no such process: both mean that nothing is known
  }
}
