import { randomBytes } from 'node:crypto'
import { AppError } from '../../shared/errors.ts'
import type { RestoreFilter, SqlRequest, SqlRun } from '../engine.ts'
import { followedBy } from '../followed-by.ts'
import { toolEnvironment } from './environment.ts'
import type { PostgresConnection } from './settings.ts'
import { canRestrict, pickRestoreTool, psql } from './tools.ts'

/** A transaction that the SQL leaves open would be rolled back, and nobody would hear of it. */
const COMMIT = '\n;\nset client_min_messages = error;\ncommit;\n'

/**
 * By psql, which is told with its first argument to refuse every meta-command: some of them run programs and read files
 * on this machine. Nobody who only writes the SQL can know the key that would allow them again.
 */
export function runSql({
  connection,
  database,
  server,
  tools,
  workDirectory,
}: SqlRequest<PostgresConnection>): SqlRun {
  const tool = pickRestoreTool(tools, psql, undefined, server.version)
  const { env, secretFiles } = toolEnvironment(connection, database, workDirectory)
  const restricts = canRestrict(tool.version)
  const args = [
    '--no-psqlrc',
    '--no-password',
    '--quiet',
    '--set=ON_ERROR_STOP=1',
    '--output=/dev/null',
    ...(restricts ? [`--command=\\restrict ${randomBytes(24).toString('hex')}`] : []),
    '--file=-',
  ]
  return {
    command: { file: tool.path, args, env: { ...env, PGCLIENTENCODING: 'UTF8' } },
    through: [...(restricts ? [] : [withoutBackslash(tool.version)]), followedBy(COMMIT)],
    secretFiles,
  }
}

/** Older releases of psql cannot refuse meta-commands, all of which begin with a backslash. */
function withoutBackslash(version: string): RestoreFilter {
  return async function* (bytes) {
    for await (const chunk of bytes) {
      if (chunk.includes(0x5c)) throw cannotRestrict(version)
      yield chunk
    }
  }
}

function cannotRestrict(version: string): AppError {
  return new AppError('unsupported', `psql ${version} takes no SQL with a backslash from Holdfast.`, {
    hint: 'It cannot be kept from running programs on this machine. Install a newer release of PostgreSQL’s tools, or write the backslash as chr(92).',
  })
}
