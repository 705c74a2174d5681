import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Grounds, PlaceKind } from '../e2e/places.ts'
import type { DatabaseKind, Sources } from '../e2e/databases.ts'
import type { NeedName } from '../servers/needs.ts'

/** The servers that the suites share. */
export interface Bench {
  grounds: Grounds
  sources: Sources
  /** What is made once for many rounds goes in here, to be gone when the last one is over. */
  stack: AsyncDisposableStack
}

/** Something that is broken on purpose, again and again. */
export interface Group {
  name: string
  needs: (NeedName | 'root')[]
  /** How many rounds are tried where there is little time. */
  few: number
  /** More rounds would only say the same again. */
  most?: number
  /** Throws if a promise was broken. `n` counts from 0; a short round tries less of what it tries over and over. */
  round(n: number, isShort: boolean): Promise<void>
}

export type Suite = (bench: Bench) => Group[]

export interface GroupResult {
  passed: number
  failures: unknown[]
}

/** Several rounds at once, because most of the time is spent waiting. */
export async function runRounds(
  group: Group,
  rounds: number,
  { atOnce = availableParallelism(), isShort = false } = {},
): Promise<GroupResult> {
  const result: GroupResult = { passed: 0, failures: [] }
  let next = 0
  const worker = async () => {
    while (next < rounds) {
      try {
        await inTime(group.round(next++, isShort))
        result.passed += 1
      } catch (error) {
        result.failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, rounds) }, worker))
  return result
}

export const needsOf: Record<DatabaseKind | PlaceKind, NeedName[]> = {
  postgresql: ['postgres15'],
  mysql: ['mariadb10.11'],
  sqlite: [],
  local: [],
  s3: ['ceph'],
  sftp: ['sshd'],
}

export function oneOf<T>(choices: readonly T[]): T {
  const chosen = choices[randomInt(choices.length)]
  if (chosen === undefined) throw new Error('There is nothing to choose from.')
  return chosen
}

/** Any moment of a span, in milliseconds. */
export function momentIn(milliseconds: number): number {
  return randomInt(Math.max(1, Math.ceil(milliseconds)))
}

/** No promise about time: what has not ended by then never ends, be it Holdfast or a server of the tests. */
const ROUND_LIMIT = 300_000

async function inTime(round: Promise<void>): Promise<void> {
  const waiting = new AbortController()
  const late = sleep(ROUND_LIMIT, undefined, { signal: waiting.signal }).then(
    () => {
      throw new Error(`A round had not ended after ${ROUND_LIMIT / 1000} seconds.`)
    },
    () => {}, // the round ended before
  )
  try {
    await Promise.race([round, late])
  } finally {
    waiting.abort()
  }
}
