import type { Engine, ServerFacts } from '../engines/engine.ts'
import { findTools } from '../lib/tools.ts'
import { createWorkDirectory } from '../lib/work-directory.ts'
import { AppError } from '../shared/errors.ts'
import { found, type TestStep, type TestStepName } from '../shared/test-report.ts'
import { formatBytes } from '../shared/units.ts'
import { parseSettings } from '../engines/index.ts'
import { checkPrivileges } from './check-privileges.ts'
import { tryStep } from './try-step.ts'
import { listDatabases } from './unfinished-restores.ts'

const LIMIT = 10_000

export interface TestedServer {
  engine: Engine
  connection: unknown
  /** Of the databases that the server lists, and besides, those that would be backed up; all that it lists if absent. */
  choose?: (listed: readonly string[]) => Promise<string[]>
  workDirectory?: string
}

/**
 * Reaches a server and says step by step what a backup of it would meet: sign-in, TLS, version, databases, size, the
 * tools, and what the user lacks in each database (with the statements that grant it). Ten seconds at most; a step that
 * cannot be tried because an earlier one failed is skipped.
 */
export async function testConnection(
  { engine, connection, choose, workDirectory }: TestedServer,
  signal: AbortSignal,
  limit = LIMIT,
): Promise<TestStep[]> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(limit)])
  const late = new AppError('database_unreachable', `No answer within ${limit / 1000} seconds.`)
  const steps: TestStep[] = []
  let reached: ServerFacts | undefined
  const step = async (name: TestStepName, look: () => Promise<Partial<TestStep>>) => {
    steps.push((await tryStep(name, { signal, limited, late }, look)).step)
  }

  await step('reach and sign in', async () => {
    reached = await engine.inspect(connection, limited)
    return reached.user === undefined
      ? { detail: engine.label }
      : found({ what: 'signedInAs', user: reached.user })
  })
  const facts = reached
  if (!facts) return steps
  if (engine.tools.length > 0) {
    steps.push(
      facts.tls
        ? { step: 'encrypted', outcome: 'ok', detail: facts.tls }
        : { step: 'encrypted', outcome: 'warning', ...found({ what: 'unencrypted' }) },
    )
  }
  steps.push({ step: 'version', outcome: 'ok', detail: `${facts.flavour} ${facts.version}` })
  let listed: string[] = []
  let databases: string[] = []
  await step('databases', async () => {
    const there = await listDatabases({ engine, connection }, limited)
    listed = databases = there.databases
    const chosen = await choose?.(listed)
    if (chosen && chosen.length > 0) databases = chosen
    const shown = listed.slice(0, 12).join(', ') + (listed.length > 12 ? ', …' : '')
    const left = there.besides.map((name) => `${name} is of a restore that runs, or was interrupted`)
    if (chosen?.length === 0) left.push('none of them is one that a plan is about')
    return listed.length > 0 && left.length === 0
      ? { detail: shown }
      : { outcome: 'warning', detail: [shown || 'none that this user can see', ...left].join('\n') }
  })
  const chosen = databases.find((name) => listed.includes(name)) ?? databases[0]
  if (chosen === undefined) return steps
  await step('size', async () => {
    const { bytes, warnings = [] } = await engine.describe(connection, chosen, limited)
    if (bytes === undefined && warnings.length === 0) return { of: chosen, ...found({ what: 'sizeUnknown' }) }
    const size = bytes === undefined ? 'unknown' : formatBytes(bytes)
    return {
      of: chosen,
      outcome: warnings.length > 0 ? 'warning' : 'ok',
      detail: [size, ...warnings].join('\n'),
    }
  })
  await step('tools', async () => {
    await using work = await createWorkDirectory(workDirectory)
    const { tool } = engine.dump({
      connection,
      database: chosen,
      server: facts,
      facts: {},
      options: parseSettings(engine.dumpOptions, {}, 'the options'),
      tools: await findTools(engine.tools, limited),
      workDirectory: work.path,
    })
    return { detail: `${tool.name} ${tool.version}` }
  })
  // Last, and with whatever time is left: it says by itself what that was not enough for.
  const look = () => checkPrivileges({ engine, connection }, { databases, listed }, { signal, limited, late })
  steps.push((await tryStep('privileges', { signal, limited: signal, late }, look)).step)
  return steps
}
