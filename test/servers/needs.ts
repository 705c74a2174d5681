import { join } from 'node:path'
import { isComplete, isExecutable, lastFailure, prefixFolder } from './cache.ts'
import { maySkip } from './may-skip.ts'
import { type NeedName, needs, type Prefix, prefixes, type PrefixName } from './needs-list.ts'

export type { NeedName } from './needs-list.ts'

/** `root` is for mounts and for sign-in with a password at sshd. */
type TestNeed = NeedName | 'root'

/**
 * For `{ skip: skipUnless('mysql9') }`: false if everything is there, else the reason. Where `CI` is set, a
 * missing need that may-skip.ts does not list throws.
 */
export function skipUnless(...wanted: TestNeed[]): string | false {
  for (const need of wanted) {
    const missing = missingReason(need)
    if (missing === undefined) continue
    if (process.env['CI'] && maySkip[need] === undefined) {
      throw new Error(`${missing} In CI only what test/servers/may-skip.ts lists may be missing.`)
    }
    return missing
  }
  return false
}

/** A sentence, or undefined if the need is there. */
export function missingReason(need: TestNeed): string | undefined {
  if (need === 'root') return process.getuid?.() === 0 ? undefined : 'This needs root.'
  const { label, prefix, standIn, programs } = detailsOf(need)
  if (programs.every(isExecutable) && (prefix === undefined || isComplete(prefix))) return undefined
  const failure = prefix && lastFailure(prefix)
  if (failure) return `${label} could not be had on ${failure.failedAt.slice(0, 10)}: ${failure.reason}`
  if (standIn) return `${label} is fetched only where what it stands in for could not be had.`
  return `${label} is missing: run \`npm run test:needs\`.`
}

/** The folder that has the `usr` of this need: `/`, or that of its prefix. Throws if the need is missing. */
export function rootOf(need: NeedName): string {
  const missing = missingReason(need)
  if (missing !== undefined) throw new Error(missing)
  const { prefix } = detailsOf(need)
  return prefix === undefined ? '/' : prefixFolder(prefix)
}

/** The newest PostgreSQL that is here: 18, or its stand-in 17, or Debian 12's own 15. */
export function newestPostgres(): 15 | 17 | 18 {
  if (missingReason('postgres18') === undefined) return 18
  return missingReason('postgres17') === undefined ? 17 : 15
}

/** The need with the paths of its programs made absolute. */
export function detailsOf(need: NeedName): {
  label: string
  debian: string[]
  prefix: PrefixName | undefined
  standIn: boolean
  programs: string[]
} {
  const found: { label: string; debian?: string[]; prefix?: PrefixName; programs: string[] } = needs[need]
  const prefix: Prefix | undefined = found.prefix && prefixes[found.prefix]
  const root = found.prefix === undefined ? '/' : prefixFolder(found.prefix)
  return {
    label: found.label,
    debian: found.debian ?? [],
    prefix: found.prefix,
    standIn: prefix?.insteadOf !== undefined,
    programs: found.programs.map((program) => join(root, program)),
  }
}
