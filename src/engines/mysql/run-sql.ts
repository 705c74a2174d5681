import type { SqlRequest, SqlRun } from '../engine.ts'
import { followedBy } from '../followed-by.ts'
import { LARGEST_PACKET } from './dump.ts'
import { connectTool } from './option-file.ts'
import type { MysqlConnection } from './settings.ts'
import { pickClientTool } from './tools.ts'

/** A transaction that the SQL leaves open would be rolled back, and nobody would hear of it. */
const COMMIT = '\n;\nCOMMIT;\n'

/** By the client, which stops at the first error, and neither runs programs nor reads files of this machine. */
export function runSql({
  connection,
  database,
  server,
  tools,
  workDirectory,
}: SqlRequest<MysqlConnection>): SqlRun {
  const tool = pickClientTool(tools, 'client', server)
  const { args, env, files } = connectTool(tool, connection, server.tls !== false, workDirectory)
  return {
    command: {
      file: tool.path,
      args: [
        ...args,
        '--batch',
        // No \!, no source, no pager; DELIMITER works.
        '--binary-mode',
        // No LOAD DATA LOCAL.
        '--local-infile=0',
        '--comments',
        '--skip-reconnect',
        '--default-character-set=utf8mb4',
        LARGEST_PACKET,
        `--database=${database}`,
      ],
      env,
    },
    through: [followedBy(COMMIT)],
    secretFiles: files,
  }
}
