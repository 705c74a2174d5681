import type { ServerFacts } from '../engines/engine.ts'
import { findTools } from '../lib/tools.ts'
import { checkRoom, createWorkDirectory } from '../lib/work-directory.ts'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import type { Manifest } from '../shared/snapshots.ts'
import { found, type TestStep, type TestStepName } from '../shared/test-report.ts'
import { openCopy } from './read-copy.ts'
import { dirOf, requestFor, type RestoreOrder } from './restore-snapshot.ts'
import {
  checkEngine,
  checkMode,
  checkServerTarget,
  checkTarget,
  databaseFor,
  isLeftHalf,
  isOfServer,
  versionWarnings,
} from './restore-target.ts'
import { tryStep } from './try-step.ts'

/** A restore that nobody has begun. */
export type PlannedRestore = Pick<
  RestoreOrder,
  | 'engine'
  | 'engineName'
  | 'connection'
  | 'database'
  | 'mode'
  | 'partial'
  | 'runAfter'
  | 'own'
  | 'restoreOptions'
  | 'keys'
> & {
  manifest: Manifest
  /** Absent if none was found. */
  copy?: Pick<RestoreOrder['snapshot'], 'key' | 'volume'> | undefined
  takesSafetySnapshot: boolean
  /** Where a tool's files go; see `createWorkDirectory`. */
  workDirectory?: string
}

export interface RestoreReport {
  steps: TestStep[]
  /** What the restore would fail with, and which field of the order it is about. */
  problems: { error: AppError; field: string }[]
  /** In sentences: what need not be wrong. */
  warnings: string[]
  server?: ServerFacts
  exists?: boolean
}

/** Looks, step by step, at all that a restore would meet, and changes nothing. Half a minute at most for each. */
export async function checkRestore(
  planned: PlannedRestore,
  signal: AbortSignal,
  limit = 30_000,
): Promise<RestoreReport> {
  const { engine, connection, manifest, copy } = planned
  const report: RestoreReport = { steps: [], problems: [], warnings: [] }
  const step = async (
    name: TestStepName,
    field: string,
    look: (limited: AbortSignal) => Promise<Partial<TestStep> | string | undefined>,
    lateCode: ErrorCode = 'database_unreachable',
  ) => {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(limit)])
    const late = new AppError(lateCode, `No answer within ${limit / 1000} seconds.`)
    const { step, error } = await tryStep(name, { signal, limited, late }, async () => {
      const seen = await look(limited)
      return typeof seen === 'object' ? seen : { detail: seen }
    })
    report.steps.push(step)
    if (error) report.problems.push({ error, field })
    return error === undefined
  }

  if (copy) {
    const openIt = async (limited: AbortSignal) => {
      await openCopy(copy.volume, copy.key, manifest, planned.keys, limited)
      return found({
        what: 'copy',
        bytes: manifest.stored.bytes,
        location: copy.volume.location,
        keyFits: Boolean(manifest.encryption),
      })
    }
    await step('copy', manifest.encryption ? 'keys' : 'volumeId', openIt, 'volume_unreachable')
  }
  const fits = await step('engine', 'serverId', async () => {
    checkEngine(engine, planned.engineName, manifest)
    return engine.label
  })
  if (!fits) return report
  const isReached = await step('reach and sign in', 'serverId', async (limited) => {
    report.server = await engine.inspect(connection, limited)
    return `${report.server.flavour} ${report.server.version}`
  })
  if (!isReached || !report.server) return report
  const { server } = report
  report.warnings.push(...versionWarnings(manifest, server))
  const isTarget = await step('target', 'database', (limited) => lookAtTarget(planned, report, limited))
  await step('tools', 'options', (limited) => lookAtTools(planned, server, limited))
  if (isTarget) await step('privileges', 'serverId', (limited) => lookAtPrivileges(planned, report, limited))
  return report
}

async function lookAtTarget(
  planned: PlannedRestore,
  report: RestoreReport,
  signal: AbortSignal,
): Promise<Partial<TestStep>> {
  const { engine, connection, manifest, mode } = planned
  await checkTarget(planned, signal)
  if (isOfServer(engine, manifest)) {
    checkServerTarget(planned)
    return found({ what: 'theServerItself' })
  }
  const database = databaseFor(planned, manifest)
  const exists = await engine.databaseExists(connection, database, signal)
  report.exists = exists
  const isHalf = exists && (await isLeftHalf({ engine, connection, database }, signal))
  checkMode(mode, exists, isHalf, database)
  if (mode === 'replace' && manifest.partial?.length) {
    report.warnings.push(
      `The snapshot is a part of its database (${manifest.partial.join(', ')}), and takes the place of all of “${database}”.`,
    )
  }
  return found({ what: exists ? 'databaseIsThere' : 'databaseWillBeMade', database })
}

async function lookAtTools(
  planned: PlannedRestore,
  server: ServerFacts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { engine, connection, database, manifest, mode, runAfter } = planned
  await using work = await createWorkDirectory(planned.workDirectory)
  const tools = await findTools(engine.tools, signal)
  const request = requestFor({ ...planned, snapshot: { manifest } }, server, tools, work.path)
  if (database === undefined || isOfServer(engine, manifest)) {
    engine.globals?.restore(request)
    return undefined
  }
  const plan = engine.restore({ ...request, database, mode: mode === 'existing' ? 'existing' : 'empty' })
  const { target } = plan
  if (target.into !== 'stdin') {
    const folder = target.into === 'file' ? dirOf(target.path) : work.path
    await checkRoom(folder, manifest.raw.bytes, 'The dump')
  }
  if (runAfter !== undefined) {
    engine.runSql?.({ connection, database, server, tools, workDirectory: work.path })
  }
  return target.command?.file
}

/** Roles of roles cannot be seen everywhere, so that what seems to be missing is no more than a warning. */
async function lookAtPrivileges(
  planned: PlannedRestore,
  report: RestoreReport,
  signal: AbortSignal,
): Promise<Partial<TestStep> | undefined> {
  const { engine, connection, database, mode, takesSafetySnapshot } = planned
  if (database === undefined) return undefined
  const exists = report.exists ?? false
  const missing = await engine.missingForRestore(connection, { database, mode, exists }, signal)
  if (takesSafetySnapshot && exists && mode === 'replace') {
    missing.push(...(await engine.missingPrivileges(connection, database, signal)))
  }
  for (const { what, grant } of missing) report.warnings.push(`The user may not ${what}: ${grant}`)
  if (missing.length === 0) return found({ what: 'privilegesSuffice' })
  return {
    detail: `may not ${missing.map(({ what }) => what).join(', ')}`,
    statements: missing.map(({ grant }) => `${grant};`).join('\n'),
  }
}
