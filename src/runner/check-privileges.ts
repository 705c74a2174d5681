import type { Engine, MissingPrivilege } from '../engines/engine.ts'
import { AppError, asAppError } from '../shared/errors.ts'
import { describeNames, found, type Named, type TestStep } from '../shared/test-report.ts'
import { orAborted } from '../volumes/deadline.ts'
import type { Patience } from './try-step.ts'

/** The server may have few connections to give. */
const AT_ONCE = 3
/** So many names are read; the others are counted. */
const NAMED = 5
const GROUPS = 10
/** A user who may read nothing lacks as much as there are tables on the server. */
const STATEMENTS = 1000

/** What was learnt of a database. */
type Finding = MissingPrivilege[] | AppError

export interface Wanted {
  /** To be backed up, in the order in which they are looked at. */
  databases: readonly string[]
  /** Those that the server has said it has. */
  listed: readonly string[]
}

/**
 * Looks in each database at what the user lacks to back it up, a few at once, as long as there is time. A database that
 * was not looked at is a warning, and so is one that has gone since the list was made. Throws `late` if there was time
 * for none.
 */
export async function checkPrivileges(
  server: { engine: Engine; connection: unknown },
  { databases, listed }: Wanted,
  { signal, limited, late }: Patience,
): Promise<Partial<TestStep>> {
  const findings = new Map<string, Finding>()
  const known = new Set(listed)
  const lookAt = async (some: readonly string[], atOnce: number) => {
    const missingIn = asking(server, some, limited)
    await forEach(some, atOnce, async (database) => {
      try {
        limited.throwIfAborted()
        findings.set(database, await orAborted(missingIn(database, known.has(database)), limited))
      } catch (thrown) {
        signal.throwIfAborted()
        if (!limited.aborted) findings.set(database, asAppError(thrown))
      }
    })
  }
  await lookAt(databases, AT_ONCE)
  // Where the user may have one connection only, further ones were refused.
  await lookAt(databases.filter(isToBeAskedAgain(findings)), 1)
  if (databases.length > 0 && findings.size === 0) throw late
  return report(databases, findings, known)
}

/** What all lack is asked for once: also that it could not be learnt is said of each of these databases. */
function asking(
  { engine, connection }: { engine: Engine; connection: unknown },
  databases: readonly string[],
  signal: AbortSignal,
): (database: string, isListed: boolean) => Promise<MissingPrivilege[]> {
  let all: Promise<ReadonlyMap<string, MissingPrivilege[]>> | undefined
  return async (database, isListed) => {
    all ??= engine.missingPrivilegesOfAll?.(connection, databases, signal)
    const missing =
      (await all)?.get(database) ?? (await engine.missingPrivileges(connection, database, signal))
    // A server may list only what the user has privileges on.
    if (missing.length === 0 && !isListed && !(await engine.databaseExists(connection, database, signal))) {
      throw new AppError('database_not_found', `The server has no database “${database}”.`)
    }
    return missing
  }
}

function isToBeAskedAgain(findings: ReadonlyMap<string, Finding>): (database: string) => boolean {
  return (database) => {
    const finding = findings.get(database)
    return finding instanceof AppError && finding.retryable
  }
}

/** In their order, so many at once. */
async function forEach<Item>(
  items: readonly Item[],
  atOnce: number,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values()
  const goOn = async () => {
    for (const item of waiting) await act(item)
  }
  await Promise.all(Array.from({ length: atOnce }, goOn))
}

function report(
  databases: readonly string[],
  findings: ReadonlyMap<string, Finding>,
  listed: ReadonlySet<string>,
): Partial<TestStep> {
  const bad: { database: string; words: string }[] = []
  const [gone, unseen, good]: [string[], string[], string[]] = [[], [], []]
  for (const database of databases) {
    const finding = findings.get(database)
    if (finding === undefined) unseen.push(database)
    else if (!(finding instanceof AppError)) {
      if (finding.length === 0) good.push(database)
      else bad.push({ database, words: `may not ${describeNames(someOf(finding.map(({ what }) => what)))}` })
    } else if (finding.code === 'database_not_found' && listed.has(database)) gone.push(database)
    else bad.push({ database, words: [finding.message, finding.hint].filter(Boolean).join(' ') })
  }
  // What is said of several databases is said once.
  const groups = [...Map.groupBy(bad, ({ words }) => words)].map(([words, members]) => ({
    words,
    names: members.map(({ database }) => database),
  }))
  const statements = statementsFor(databases, findings)
  return {
    outcome: bad.length > 0 ? 'failed' : gone.length + unseen.length > 0 ? 'warning' : 'ok',
    ...found({
      what: 'privileges',
      lacking: groups.slice(0, GROUPS).map(({ names, words }) => ({ databases: someOf(names), words })),
      elsewhere: someOf(groups.slice(GROUPS).flatMap(({ names }) => names)),
      unseen: someOf(unseen),
      gone: someOf(gone),
      good: someOf(good),
    }),
    ...(statements !== '' && { statements }),
  }
}

function someOf(names: readonly string[]): Named {
  return { names: names.slice(0, NAMED), others: Math.max(0, names.length - NAMED) }
}

/** Each once; above those that are to be run in one database of several it is said in which. */
function statementsFor(databases: readonly string[], findings: ReadonlyMap<string, Finding>): string {
  const concerned = new Map<string, string[]>()
  for (const database of databases) {
    const finding = findings.get(database)
    if (finding === undefined || finding instanceof AppError) continue
    for (const { grant } of finding) {
      const names = concerned.get(grant)
      if (names) names.push(database)
      else concerned.set(grant, [database])
    }
  }
  const statements = [...concerned].slice(0, STATEMENTS)
  const lines = [...Map.groupBy(statements, ([, names]) => names.join(', '))].flatMap(([names, group]) => [
    ...(databases.length > 1 ? [`-- in ${names.replaceAll(/\s+/g, ' ')}`] : []),
    ...group.map(([grant]) => `${grant};`),
  ])
  const others = concerned.size - statements.length
  return [
    ...lines,
    ...(others > 0 ? [`-- and ${others} more: test again when these have been run`] : []),
  ].join('\n')
}
