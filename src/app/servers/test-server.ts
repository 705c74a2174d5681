import { engineNamed } from '../../engines/index.ts'
import { testConnection } from '../../runner/test-connection.ts'
import type { ServerTrial } from '../../shared/servers.ts'
import type { TestStep } from '../../shared/test-report.ts'
import type { AppContext } from '../context.ts'
import { choicesOf, plannedDatabases } from '../plans/plans.ts'
import type { Settings } from '../secrets.ts'
import { changedConnectionOf, connectionOf, newConnection, serverOf, type ServerRow } from './servers.ts'

/** Reaches the server and says step by step what a backup of it would meet. */
export async function testServer(
  context: AppContext,
  row: ServerRow,
  signal: AbortSignal,
): Promise<TestStep[]> {
  return await testSettings(context, row.engine, connectionOf(context, row), row, signal)
}

/** The same with settings that nobody has saved. Throws `invalid_input`, and `not_found` for the server they are of. */
export async function testTrial(
  context: AppContext,
  organizationId: string,
  { engine, connection: submitted, serverId }: ServerTrial,
  signal: AbortSignal,
): Promise<TestStep[]> {
  const stored = serverId === undefined ? undefined : await serverOf(context, organizationId, serverId)
  const row = stored?.engine === engine ? stored : undefined
  const connection = row ? changedConnectionOf(context, row, submitted) : newConnection(engine, submitted)
  return await testSettings(context, engine, connection, row, signal)
}

/** In the databases that the enabled plans of the server are about, or, as long as it has none, in all of them. */
async function testSettings(
  { store, workDirectory }: AppContext,
  engineName: string,
  connection: Settings,
  row: ServerRow | undefined,
  signal: AbortSignal,
): Promise<TestStep[]> {
  const choose = async (listed: readonly string[]) => {
    const choices = row ? await choicesOf(store.db, row.id) : []
    if (choices.length === 0) return [...listed]
    return [...new Set(choices.flatMap((choice) => plannedDatabases(choice, listed)))].sort()
  }
  return await testConnection({ engine: engineNamed(engineName), connection, choose, workDirectory }, signal)
}
