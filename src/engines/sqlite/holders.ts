import { readdirSync, readlinkSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { SIDE_FILES } from './open.ts'

/** A process that has the database open, whether it is using it at the moment or not. */
export interface Holder {
  pid: number
  /** The program's file name; its arguments may hold secrets. */
  name: string
}

/**
 * The other processes that have the database file open. Idle connections hold no lock, so the descriptors themselves
 * are looked at (Linux; elsewhere, and for processes that we may not look into, only the lock tells).
 */
export function holdersOf(path: string): Holder[] {
  const files = new Set<string>()
  for (const suffix of ['', ...SIDE_FILES]) {
    const stats = statSync(path + suffix, { throwIfNoEntry: false })
    if (stats) files.add(`${stats.dev}:${stats.ino}`)
  }
  const pids = unlessGone(() => readdirSync('/proc'), []).filter((name) => /^\d+$/.test(name))
  return pids
    .map(Number)
    .filter((pid) => pid !== process.pid && hasOpen(pid, files))
    .map((pid) => ({ pid, name: unlessGone(() => basename(readlinkSync(`/proc/${pid}/exe`)), '?') }))
}

function hasOpen(pid: number, files: Set<string>): boolean {
  const folder = `/proc/${pid}/fd`
  return unlessGone(() => readdirSync(folder), []).some((fd) =>
    unlessGone(() => {
      const { dev, ino } = statSync(`${folder}/${fd}`)
      return files.has(`${dev}:${ino}`)
    }, false),
  )
}

/** Processes and descriptors come and go while we look, and some are not ours to look into. */
function unlessGone<T>(look: () => T, otherwise: T): T {
  try {
    return look()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code && ['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR'].includes(code)) return otherwise
    throw error
  }
}
