import type { Restore, RestoreRequest } from '../engine.ts'
import { LARGEST_PACKET } from './dump.ts'
import { chosenStatements } from './filter.ts'
import { connectTool } from './option-file.ts'
import type { RestoreOptions } from './options.ts'
import type { MysqlConnection } from './settings.ts'
import { pickClientTool } from './tools.ts'

/** The client reads the dump from standard input and stops at the first error. */
export function planRestore(request: RestoreRequest<MysqlConnection, RestoreOptions>): Restore {
  const { connection, database, server, options, tools, workDirectory } = request
  const tool = pickClientTool(tools, 'client', server)
  const { args, env, files } = connectTool(tool, connection, server.tls !== false, workDirectory)
  return {
    target: {
      into: 'stdin',
      command: {
        file: tool.path,
        args: [
          ...args,
          '--batch',
          // Nothing in the dump is a command to the client: no \!, no source, no pager.
          '--binary-mode',
          // Without it the client takes the comments out of routines, triggers and events.
          '--comments',
          // A new connection would have lost the settings at the head of the dump.
          '--skip-reconnect',
          '--default-character-set=utf8mb4',
          LARGEST_PACKET,
          `--database=${database}`,
        ],
        env,
      },
      through: [(bytes) => chosenStatements(bytes, options)],
    },
    secretFiles: files,
  }
}
