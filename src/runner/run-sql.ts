import type { Engine, ServerFacts } from '../engines/engine.ts'
import { ToolFailure } from '../lib/process.ts'
import { findTools } from '../lib/tools.ts'
import { createWorkDirectory } from '../lib/work-directory.ts'
import { AppError } from '../shared/errors.ts'
import { writeSecretFiles } from './dump.ts'
import type { JobContext } from './job.ts'
import { feed } from './load.ts'
import { once } from './manifests.ts'

/** SQL of the user's own, and where it runs. */
export interface SqlOrder {
  engine: Engine
  connection: unknown
  database: string
  server: ServerFacts
  sql: string
  /** Begins the sentence that says how it has failed; that of what runs after a restore, if absent. */
  whose?: string
}

/**
 * Runs the SQL by the engine's own tool. Throws `sql_failed` with the server's words if any statement fails: those before it
 * have run.
 */
export async function runSql(order: SqlOrder, job: JobContext): Promise<void> {
  const { engine, connection, database, server, sql } = order
  if (!engine.runSql) throw cannotRunSql(engine)
  await using work = await createWorkDirectory(job.workDirectory)
  const tools = await findTools(engine.tools, job.signal)
  const run = engine.runSql({ connection, database, server, tools, workDirectory: work.path })
  await using _secrets = await writeSecretFiles(run.secretFiles)
  try {
    await feed(run, once(Buffer.from(sql)), job.signal, { onStderr: (line) => job.log('info', line) })
  } catch (error) {
    throw error instanceof ToolFailure ? sqlFailed(engine, error, order.whose) : error
  }
}

export function cannotRunSql(engine: Engine): AppError {
  return new AppError('unsupported', `${engine.label} runs no SQL after a restore.`)
}

function sqlFailed(engine: Engine, failure: ToolFailure, whose: string | undefined): AppError {
  const { tool, stderr } = failure.exit
  // What else the engine makes of the words is of dumps and of signing in: “The snapshot uses …”
  const known = engine.explain(tool, stderr)
  if (known?.code === 'database_unreachable') return known
  const said = complaintOf(stderr) ?? failure.message
  if (whose !== undefined) {
    return new AppError('sql_failed', `${whose} failed: ${said}`, {
      hint: 'The log of the job has all that the tool said.',
      cause: failure,
    })
  }
  return new AppError('sql_failed', `Your SQL, which runs after the restore, failed: ${said}`, {
    hint: 'The snapshot is not to blame: correct the SQL, and restore again. The log of the job has all that the tool said.',
    cause: failure,
  })
}

/** What follows is often only a picture of where in the statement it is. */
function complaintOf(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => /\b(ERROR|FATAL)\b/.test(line)) ?? lines.at(-1)
}
