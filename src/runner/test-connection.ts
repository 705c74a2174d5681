import type { Engine, ServerFacts } from '../engines/engine.ts'
import { findTools } from '../lib/tools.ts'
import { createWorkDirectory } from '../lib/work-directory.ts'
import { AppError } from '../shared/errors.ts'
import type { TestStep } from '../shared/test-report.ts'
import { formatBytes } from '../shared/units.ts'
import { parseSettings } from '../engines/index.ts'
import { tryStep } from './try-step.ts'
import { listDatabases } from './unfinished-restores.ts'

const LIMIT = 10_000

/**
 * Reaches a server and says step by step what a backup of it would meet: sign-in, TLS, version, databases, size, what
 * the user lacks (with the statements that grant it), and the tools. Ten seconds at most; a step that cannot be tried
 * because an earlier one failed is skipped.
 */
export async function testConnection(
  server: { engine: Engine; connection: unknown; database: string | undefined; workDirectory?: string },
  signal: AbortSignal,
): Promise<TestStep[]> {
  const { engine, connection, database, workDirectory } = server
  const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMIT)])
  const late = new AppError('database_unreachable', `No answer within ${LIMIT / 1000} seconds.`)
  const steps: TestStep[] = []
  let reached: ServerFacts | undefined
  const step = async (name: string, look: () => Promise<Partial<TestStep>>) => {
    steps.push((await tryStep(name, { signal, limited, late }, look)).step)
  }

  await step('reach and sign in', async () => {
    reached = await engine.inspect(connection, limited)
    return { detail: reached.user === undefined ? engine.label : `as ${reached.user}` }
  })
  const facts = reached
  if (!facts) return steps
  if (engine.tools.length > 0) {
    steps.push(
      facts.tls
        ? { step: 'encrypted', outcome: 'ok', detail: facts.tls }
        : {
            step: 'encrypted',
            outcome: 'warning',
            detail: 'no: passwords and data cross the network in the clear',
          },
    )
  }
  steps.push({ step: 'version', outcome: 'ok', detail: `${facts.flavour} ${facts.version}` })
  let databases: string[] = []
  await step('databases', async () => {
    const listed = await listDatabases({ engine, connection }, limited)
    databases = listed.databases
    const shown = databases.slice(0, 12).join(', ') + (databases.length > 12 ? ', …' : '')
    const left = listed.besides.map((name) => `${name} is of a restore that runs, or was interrupted`)
    return databases.length > 0 && left.length === 0
      ? { detail: shown }
      : { outcome: 'warning', detail: [shown || 'none that this user can see', ...left].join('\n') }
  })
  const chosen = database ?? databases[0]
  if (chosen === undefined) return steps
  await step(`size of ${chosen}`, async () => {
    const { bytes, warnings = [] } = await engine.describe(connection, chosen, limited)
    const size = bytes === undefined ? 'unknown' : formatBytes(bytes)
    return { outcome: warnings.length > 0 ? 'warning' : 'ok', detail: [size, ...warnings].join('\n') }
  })
  await step('privileges', async () => {
    const missing = await engine.missingPrivileges(connection, chosen, limited)
    if (missing.length === 0) return { detail: `enough to back up ${chosen}` }
    const lines = missing.flatMap(({ what, grant }) => [`may not ${what}:`, `  ${grant}`])
    return { outcome: 'failed', detail: lines.join('\n') }
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
  return steps
}
