import { createContext, Script } from 'node:vm'
import { AppError } from '../../shared/errors.ts'
import type { DatabaseMatches, PlanSettings } from '../../shared/plans.ts'

/*
 * Which databases a plan is about. A pattern is a regular expression of the user, and some of them take centuries on a
 * name of forty letters. So they run where the engine can be told to stop, on all names together, and one that has
 * used up its time is not tried again for a while. Names with * are compared without backtracking.
 */

export type Choice = Pick<PlanSettings, 'databases' | 'excludedDatabases'>

type Judged = DatabaseMatches['items'][number]

/** Milliseconds of this thread's own time for all names: ten thousand ordinary ones take a tenth of it. */
const PATTERN_TIME = 250
/** Milliseconds for which a pattern that was too slow is refused unseen. */
const SLOW_FOR = 10 * 60_000
const SLOW_KNOWN = 1000

/** Those of the names that the plan is about. Throws `invalid_input` if its pattern takes too long. */
export function matchingDatabases(choice: Choice, names: readonly string[]): string[] {
  return judgeDatabases(choice, names).flatMap(({ database, isIncluded }) => (isIncluded ? [database] : []))
}

/**
 * The databases that a plan backs up on a server that lists these. Those that it names it backs up also if they are not
 * listed: then their backup fails, and says so, rather than never being missed.
 */
export function plannedDatabases(choice: Choice, listed: readonly string[]): string[] {
  return matchingDatabases(choice, [...new Set([...listed, ...namedDatabases(choice)])])
}

/** The databases that the plan names. */
export function namedDatabases({ databases }: Choice): string[] {
  return databases.mode === 'selected' ? databases.names.filter((name) => !name.includes('*')) : []
}

/** Whether the plan is about each of the names, and why not. */
export function judgeDatabases({ databases, excludedDatabases }: Choice, names: readonly string[]): Judged[] {
  const reasons = reasonsOf(databases, names)
  const isExcluded = matcher(excludedDatabases, { pathsHaveFolders: false })
  return names.map((database, i) => {
    const why = reasons[i] ?? (isExcluded(database) ? 'excluded' : undefined)
    return { database, isIncluded: why === undefined, ...(why && { why }) }
  })
}

/** The selected names, and names with *, which fit none of those that are there. */
export function missingDatabases({ databases }: Choice, names: readonly string[]): string[] {
  if (databases.mode !== 'selected') return []
  const present = new Set(names)
  return databases.names.filter((name) => {
    if (present.has(name)) return false
    const fits = matcher([name], { pathsHaveFolders: true })
    return !name.includes('*') || !names.some(fits)
  })
}

/** Why each of the names is not chosen; undefined for those that are. */
function reasonsOf(choice: Choice['databases'], names: readonly string[]): (Judged['why'] | undefined)[] {
  switch (choice.mode) {
    case 'all':
      return []
    case 'selected': {
      const isSelected = matcher(choice.names, { pathsHaveFolders: true })
      return names.map((name) => (isSelected(name) ? undefined : 'not_matched'))
    }
    case 'pattern':
      return matchPatterns(choice, names)
    default: {
      const never: never = choice
      return never
    }
  }
}

/** Whether a name is one of these, in which * stands for anything; in a path for anything but a slash. */
function matcher(
  names: readonly string[],
  { pathsHaveFolders }: { pathsHaveFolders: boolean },
): (name: string) => boolean {
  const exact = new Set(names)
  const patterns = names
    .filter((name) => name.includes('*'))
    .map((name) => {
      const folder = pathsHaveFolders && name.startsWith('/') ? name.slice(0, name.lastIndexOf('/') + 1) : ''
      return { folder, pieces: name.slice(folder.length).split('*') }
    })
  return (name) =>
    exact.has(name) ||
    patterns.some(({ folder, pieces }) => {
      if (!name.startsWith(folder)) return false
      const rest = name.slice(folder.length)
      return !(folder !== '' && rest.includes('/')) && fits(rest, pieces)
    })
}

/** Whether the text is these pieces with anything between them. Each is looked for once, so it never takes long. */
function fits(text: string, [first = '', ...pieces]: readonly string[]): boolean {
  const last = pieces.pop()
  if (last === undefined) return text === first
  const end = text.length - last.length
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (const piece of pieces) {
    const found = text.indexOf(piece, at)
    if (found === -1 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}

const script = new Script(`
  (() => {
    const whole = (pattern) => new RegExp('^(?:' + pattern + ')$', 'v')
    const include = whole(patterns.include)
    const exclude = patterns.exclude === undefined ? undefined : whole(patterns.exclude)
    return names.map((name) => !include.test(name) ? 'not_matched' : exclude?.test(name) ? 'excluded' : undefined)
  })()
`)
const sandbox: { patterns?: unknown; names?: readonly string[] } = createContext({})

/** When a pattern was found to be too slow. */
const slow = new Map<string, number>()

function matchPatterns(
  { include, exclude }: { include: string; exclude?: string | undefined },
  names: readonly string[],
): (Judged['why'] | undefined)[] {
  const key = JSON.stringify([include, exclude])
  const knownSince = slow.get(key)
  if (knownSince !== undefined && performance.now() - knownSince < SLOW_FOR) throw tooSlow(include)
  slow.delete(key)
  for (;;) {
    const before = ownTime()
    try {
      Object.assign(sandbox, { patterns: { include, exclude }, names })
      return script.runInContext(sandbox, { timeout: PATTERN_TIME }) as (Judged['why'] | undefined)[]
    } catch (error) {
      // The time limit is that of a clock on the wall: a machine that is busy, or was suspended, is no slow pattern.
      const isLate = (error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
      if (isLate && ownTime() - before < PATTERN_TIME / 2) continue
      if (slow.size >= SLOW_KNOWN) slow.clear()
      slow.set(key, performance.now())
      throw tooSlow(include, error)
    } finally {
      Object.assign(sandbox, { patterns: undefined, names: undefined })
    }
  }
}

/** Milliseconds for which this thread has run. */
function ownTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function tooSlow(pattern: string, cause?: unknown): AppError {
  const message = `The pattern “${pattern.slice(0, 80)}” takes too long on the names of the databases.`
  return new AppError('invalid_input', message, {
    hint: 'Write it without repetitions within repetitions, such as (a+)+.',
    fields: [{ field: 'databases.include', message }],
    cause,
  })
}
