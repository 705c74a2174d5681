import { readdirSync, readFileSync } from 'node:fs'

/** Ids are used again, so it takes both to name a process. */
export interface ProcessName {
  pid: number
  startTime: string
}

/** Undefined if it has ended. */
export function startTimeOf(pid: number): string | undefined {
  return readStat(pid)?.startTime
}

export function isAlive({ pid, startTime }: ProcessName): boolean {
  return startTimeOf(pid) === startTime
}

export function killIfAlive(name: ProcessName): void {
  if (!isAlive(name)) return
  try {
    process.kill(name.pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The process's children, their children, and so on. */
export function descendantsOf(pid: number): ProcessName[] {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), ...readStat(Number(name)) }))
  const found: ProcessName[] = []
  const parents = new Set([pid])
  // A child may have a smaller id than its parent, so one pass is not enough.
  for (let before = -1; before !== found.length;) {
    before = found.length
    for (const { pid, parent, startTime } of processes) {
      if (parent === undefined || startTime === undefined || !parents.has(parent) || parents.has(pid))
        continue
      parents.add(pid)
      found.push({ pid, startTime })
    }
  }
  return found
}

function readStat(pid: number): { parent: number; startTime: string } | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
  // The name in parentheses may have spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent] = fields
  const startTime = fields[19]
  if (state === 'Z' || parent === undefined || startTime === undefined) return undefined
  return { parent: Number(parent), startTime }
}
