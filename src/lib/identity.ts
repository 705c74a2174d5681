import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Names one process for good: another process, also one with the same pid later, is never taken for it. */
export interface ProcessIdentity {
  /** The machine: its name, its boot, and the pid namespace, for instance of a container. */
  machine: string
  pid: number
  /** When the kernel started it, in clock ticks since boot; empty where /proc cannot tell. */
  started: string
}

/** Who we are. */
export function ownIdentity(): ProcessIdentity {
  return { machine: thisMachine(), pid: process.pid, started: startTicks(process.pid) ?? '' }
}

/**
 * Whether that process is over. `unknown` for a process of another machine, boot or container, whose end cannot be
 * seen from here.
 */
export function isGone(identity: ProcessIdentity): boolean | 'unknown' {
  if (identity.machine !== thisMachine() || identity.started === '') return 'unknown'
  return startTicks(identity.pid) !== identity.started
}

let machine: string | undefined

function thisMachine(): string {
  machine ??= [
    hostname(),
    readOr('', () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    readOr('', () => readlinkSync('/proc/self/ns/pid')),
  ].join(' ')
  return machine
}

/** Field 22 of /proc/<pid>/stat, counted behind the program's name, which may itself contain spaces and brackets. */
function startTicks(pid: number): string | undefined {
  const stat = readOr(undefined, () => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie has ended; only its parent has not noticed yet.
  return fields?.[0] === 'Z' ? undefined : fields?.[19]
}

function readOr<T>(otherwise: T, read: () => string): string | T {
  try {
    return read()
  } catch {
    return otherwise // no /proc (macOS), or no such process: both mean that nothing is known
  }
}
