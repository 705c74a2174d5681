/**
 * Provides what the tests need beyond npm: Debian packages, and newer servers in folders of their own.
 *
 *   node scripts/test-needs.ts                   installs what is missing, where it may
 *   node scripts/test-needs.ts --check           changes nothing
 *   node scripts/test-needs.ts --allow-missing   ends with 0 also if something is still missing
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cacheFolder, isComplete, isExecutable, lastFailure } from '../test/servers/cache.ts'
import { buildPrefix, installPackages, recordFailure } from '../test/servers/debian.ts'
import { maySkip } from '../test/servers/may-skip.ts'
import {
  type NeedName,
  needs,
  patchelf,
  type Prefix,
  type PrefixName,
  prefixes,
} from '../test/servers/needs-list.ts'
import { detailsOf, missingReason } from '../test/servers/needs.ts'

/** A suite that moves is asked again only when this has passed. */
const retryAfter = 15 * 60 * 1_000

const { values: options } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    'allow-missing': { type: 'boolean', default: false },
  },
})
const startedAt = performance.now()
// Servers that run as another user must be able to read what is made here.
process.umask(0o022)
const isDebian = isExecutable('/usr/bin/apt-get')
const mayInstall = isDebian && process.getuid?.() === 0
const needNames = Object.keys(needs) as NeedName[]
const prefixNames = Object.keys(prefixes) as PrefixName[]

if (isDebian && !options.check && isIncomplete()) await provide()
const lacking = report()
process.exitCode = lacking && !options['allow-missing'] ? 1 : 0

async function provide(): Promise<void> {
  await using _lock = await lock()
  // Whoever held the lock before may have done some of it.
  const packages = missingPackages()
  const installed =
    mayInstall && packages.length > 0
      ? step(packages.join(' '), () => installPackages(packages)).then(() => undefined)
      : Promise.resolve()
  const canBuild = mayInstall || isExecutable(patchelf.program)
  if (canBuild) await Promise.all(missingPrefixes().map((name) => build(name, installed)))
  await installed
  if (canBuild) await Promise.all(missingStandIns().map((name) => build(name, installed)))
}

async function build(name: PrefixName, installed: Promise<void>): Promise<void> {
  const { suite, packages } = prefixes[name]
  const failure = await step(`${packages.join(' ')} of Debian ${suite}`, () => buildPrefix(name, installed))
  if (failure !== undefined) await recordFailure(name, failure)
}

/** Says how long it took. Returns the reason if it failed. */
async function step(what: string, work: () => Promise<void>): Promise<string | undefined> {
  const from = performance.now()
  try {
    await work()
    console.log(`${secondsSince(from)} s  ${what}`)
    return undefined
  } catch (error) {
    const [first, ...more] = String(error instanceof Error ? error.message : error)
      .trim()
      .split('\n')
    const reason = [first, ...more.slice(-1)].join(' … ')
    console.error(`${secondsSince(from)} s  ${what}: ${reason}`)
    return reason
  }
}

/** Tells what there is and what is missing. Returns whether something is missing that must not be. */
function report(): boolean {
  const missing = wantedNeeds().filter((name) => missingReason(name) !== undefined)
  const present = wantedNeeds().length - missing.length
  console.log(
    `${secondsSince(startedAt)} s  The tests have ${present} of ${wantedNeeds().length} things they need.`,
  )
  for (const name of missing) {
    const allowed = maySkip[name] === undefined ? '' : ` Its tests are skipped. ${maySkip[name]}`
    console.log(`         ${missingReason(name)}${allowed}`)
  }
  const packages = missingPackages()
  if (packages.length > 0) {
    console.log(`         sudo apt-get install --no-install-recommends ${packages.join(' ')}`)
  }
  return missing.some((name) => maySkip[name] === undefined)
}

function isIncomplete(): boolean {
  return missingPackages().length > 0 || missingPrefixes().length > 0 || missingStandIns().length > 0
}

function missingPackages(): string[] {
  const missing = wantedNeeds()
    .map(detailsOf)
    .filter(({ debian, programs }) => debian.length > 0 && !programs.every(isExecutable))
    .flatMap(({ debian }) => debian)
  const prefixIsMissing = missingPrefixes().length > 0 || missingStandIns().length > 0
  if (prefixIsMissing && !isExecutable(patchelf.program)) missing.push(...patchelf.debian)
  return missing
}

function missingPrefixes(): PrefixName[] {
  return prefixNames.filter((name) => !isStandIn(name) && !isComplete(name) && !hasJustFailed(name))
}

function missingStandIns(): PrefixName[] {
  return prefixNames.filter((name) => isStandIn(name) && isWanted(name) && !isComplete(name))
}

function wantedNeeds(): NeedName[] {
  return needNames.filter((name) => {
    const { prefix } = detailsOf(name)
    return prefix === undefined || isWanted(prefix)
  })
}

/** A stand-in is wanted only where the other one could not be had. */
function isWanted(name: PrefixName): boolean {
  const { insteadOf }: Prefix = prefixes[name]
  return insteadOf === undefined || (!isComplete(insteadOf) && lastFailure(insteadOf) !== undefined)
}

function isStandIn(name: PrefixName): boolean {
  const { insteadOf }: Prefix = prefixes[name]
  return insteadOf !== undefined
}

function hasJustFailed(name: PrefixName): boolean {
  const { moves }: Prefix = prefixes[name]
  const failure = lastFailure(name)
  return moves === true && failure !== undefined && Date.now() - Date.parse(failure.failedAt) < retryAfter
}

/** Held by a child, so that it is free again whatever happens to this process. */
async function lock(): Promise<AsyncDisposable> {
  await mkdir(cacheFolder, { recursive: true })
  const child = spawn('flock', [join(cacheFolder, 'lock'), 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  child.stdin.write('locked\n')
  const waiting = setTimeout(() => console.log('         Waiting for another run of this program.'), 1_000)
  await Promise.race([once(child.stdout, 'data'), closed])
  clearTimeout(waiting)
  if (child.exitCode !== null) throw new Error(`flock ended with ${child.exitCode}.`)
  return {
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await closed
    },
  }
}

function secondsSince(from: number): string {
  return ((performance.now() - from) / 1_000).toFixed(1).padStart(5)
}
