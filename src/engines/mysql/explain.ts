import { AppError, messageOf, type ErrorCode } from '../../shared/errors.ts'
import { addressOf, type MysqlConnection } from './settings.ts'

/** What failed while we talked to the server ourselves, in words. */
export function explainConnecting(thrown: unknown, settings: MysqlConnection): AppError {
  if (thrown instanceof AppError) return thrown
  const { code = '', errno, message } = thrown as { code?: string; errno?: number; message: string }
  const known = errno !== undefined && errno >= 1000 ? explainNumber(errno, message) : undefined
  if (known) return known
  const where = addressOf(settings)
  const said = messageOf(thrown)
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
    case 'EACCES':
      return new AppError('database_unreachable', `Nothing answers at ${where} (${said}).`, {
        hint: 'Check host and port, that the server runs, and that it listens on that address.',
        cause: thrown,
      })
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new AppError('database_unreachable', `The host name ${settings.host} is not known.`, {
        hint: 'Check the spelling, and the name servers of the machine that Holdfast runs on.',
        cause: thrown,
      })
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return new AppError('database_unreachable', `${where} does not answer (${said}).`, {
        hint: 'A firewall may drop the packets, or the server is overloaded.',
        cause: thrown,
      })
    case 'ECONNRESET':
    case 'EPIPE':
    case 'PROTOCOL_CONNECTION_LOST':
      return new AppError('database_unreachable', `${where} closed the connection (${said}).`, {
        hint: 'The server may have been restarted, or something else than MySQL listens there.',
        cause: thrown,
      })
    case 'HANDSHAKE_NO_SSL_SUPPORT':
      return tlsNotOffered(thrown)
    default:
      if (code === 'HANDSHAKE_SSL_ERROR' || /certificate|SSL|TLS/i.test(said)) return tlsFailed(said, thrown)
      return new AppError('database_error', `${where}: ${said}`, { cause: thrown })
  }
}

/** What a tool's last words mean, or undefined if they explain themselves. */
export function explainTool(tool: string, stderr: string): AppError | undefined {
  const last = stderr.split('\n').findLast((line) => NUMBER.test(line)) ?? ''
  const match = NUMBER.exec(last)
  const number = Number(match?.[1] ?? match?.[2] ?? match?.[3])
  if (number) {
    const known = explainNumber(number, last.replace(/^\S+: /, ''))
    if (known) return known
  }
  if (/unknown (variable|option)/.test(stderr)) {
    return new AppError(
      'tool_failed',
      `${tool} does not know an option: ${stderr.trim().split('\n').at(-1)}`,
      {
        hint: 'Take it out of the extra tool options, or install a newer tool.',
      },
    )
  }
  return undefined
}

// “Got error: 1045: …”, “ERROR 1045 (28000) at line 3: …”, “Couldn't execute '…': … (1227)”
const NUMBER = /Got error: (\d{4})\b|^ERROR (\d{4}) \(|\((\d{4})\)\s*$/

/** Source of the numbers: https://mariadb.com/kb/en/mariadb-error-code-reference/ and Oracle's error reference. */
function explainNumber(number: number, said: string): AppError | undefined {
  const known = (code: ErrorCode, sentence: string, hint: string, retryable?: boolean) =>
    new AppError(code, `${sentence} (${said})`, { hint, retryable })
  switch (number) {
    case 1045:
    case 1698:
      return known(
        'authentication_failed',
        'The server refused user or password',
        'Check user and password. The user may also be allowed only from other hosts, or only over TLS.',
      )
    case 1044:
    case 1142:
    case 1143:
    case 1227:
    case 1370:
      return known(
        'permission_denied',
        'The user lacks a privilege',
        'The connection test shows the privileges that a backup needs, with the GRANT statements. A restore also needs CREATE, DROP, ALTER and, for other definers, SET USER (SUPER).',
      )
    case 1049:
      return known(
        'database_not_found',
        'There is no such database',
        'Check the name; on most servers case matters.',
      )
    case 1130:
      return known(
        'authentication_failed',
        'The server does not accept connections from this machine',
        "Create the user for this host: CREATE USER user@host, or user@'%'.",
      )
    case 1040:
    case 1203:
    case 1226:
      return known(
        'database_unreachable',
        'The server has too many connections',
        'Try again later, or raise max_connections.',
        true,
      )
    case 1129:
      return known(
        'database_unreachable',
        'The server blocks this machine after too many failed connections',
        'FLUSH HOSTS on the server lifts the block.',
      )
    case 1251:
    case 1275:
    case 2059:
      return known(
        'authentication_failed',
        'The tool does not know the way this user signs in',
        'Use tools of the server’s own kind and version; tools of MySQL 9 do not know mysql_native_password.',
      )
    case 2061:
      return known(
        'authentication_failed',
        'The user signs in with caching_sha2_password, which needs TLS',
        'Choose TLS mode “require” or better.',
      )
    case 1835:
    case 3159:
      return known(
        'tls_failed',
        'The server accepts encrypted connections only',
        'Choose TLS mode “require” or better.',
      )
    case 2026:
      return /does not support|doesn't support|required, but the server/i.test(said)
        ? tlsNotOffered(said)
        : tlsFailed(said)
    case 2002:
    case 2003:
      return known(
        'database_unreachable',
        'The server cannot be reached',
        'Check host and port, that the server runs, and that it listens on that address.',
      )
    case 2005:
      return known(
        'database_unreachable',
        'The host name is not known',
        'Check the spelling, and the name servers of the machine that Holdfast runs on.',
      )
    case 2006:
    case 2013:
    case 2055:
    case 1053:
      return known(
        'database_unreachable',
        'The server closed the connection',
        'The server was stopped or restarted, or a row is larger than its max_allowed_packet; its log tells.',
      )
    case 1153:
      return known(
        'database_error',
        'A row is larger than the server’s max_allowed_packet',
        'Raise it on the server: SET GLOBAL max_allowed_packet = 1073741824.',
      )
    case 1356:
    case 1449:
      return known(
        'database_error',
        'A view or routine refers to something that is gone: a table, a column, or the user who defined it',
        'Create the missing user or table, redefine or drop the view, or leave it out with “Tables to leave out”.',
      )
    case 1273:
    case 1115:
      return known(
        'unsupported',
        'The server does not know a character set or collation of the dump',
        'MySQL and MariaDB have collations that the other does not know (utf8mb4_0900_ai_ci, utf8mb4_uca1400_ai_ci). Restore into a server of the kind that was dumped.',
      )
    case 1064:
      return known(
        'database_error',
        'The server does not understand a statement',
        'The dump may come from another kind of server, or a newer version.',
      )
    case 3546:
      return known(
        'database_error',
        'The dump carries the transaction ids of another server',
        'It was made with --set-gtid-purged=ON. RESET BINARY LOGS AND GTIDS on the target allows it, where nothing replicates from it.',
      )
    case 1021:
    case 1114:
    case 3:
      return known('disk_too_small', 'The server has no room left', 'Free some space on the server.')
    case 1205:
    case 1213:
      return known(
        'database_in_use',
        'Another session held a lock for too long',
        'Try again when there is less traffic.',
        true,
      )
    default:
      return undefined
  }
}

function tlsNotOffered(cause: unknown): AppError {
  return new AppError('tls_failed', 'The server does not offer TLS.', {
    hint: 'Set up a certificate on the server, or choose TLS mode “prefer” or “disable”.',
    cause,
  })
}

function tlsFailed(said: string, cause?: unknown): AppError {
  return new AppError('tls_failed', `TLS failed: ${said}`, {
    hint: 'Check that the CA certificate is the one that signed the server’s, and that the host name is in the server’s certificate. MariaDB’s tools from 11.4 on check the name also in mode “verify-ca”.',
    cause,
  })
}
