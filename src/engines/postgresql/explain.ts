import { AppError, messageOf, type ErrorCode } from '../../shared/errors.ts'

/** What a text of the server, of libpq or of a tool means. `$1`… in the sentence are the pattern's groups. */
interface Meaning {
  pattern: RegExp
  /** The tools that mean this by it; any, and our own client, if absent. */
  tools?: readonly string[]
  /** Recognises an error of our own client even where the server speaks another language. */
  sqlState?: string
  code: ErrorCode
  sentence: string
  hint: string
  retryable?: boolean
}

const meanings: Meaning[] = [
  {
    pattern: /password authentication failed for user "([^"]*)"/,
    sqlState: '28P01',
    code: 'authentication_failed',
    sentence: 'PostgreSQL refused the password of user “$1”.',
    hint: 'Check user and password; roles and passwords belong to the server, not to one database.',
  },
  {
    pattern: /no password supplied|client password must be a (?:non-empty )?string/i,
    code: 'authentication_failed',
    sentence: 'PostgreSQL asks for a password and none is set.',
    hint: 'Set the password in the server’s settings.',
  },
  {
    pattern:
      /no pg_hba\.conf entry for (?:replication connection from )?host "([^"]*)", user "([^"]*)"(?:, database "([^"]*)")?, no encryption/,
    code: 'permission_denied',
    sentence: 'The server has no pg_hba.conf entry that lets user “$2” in from $1 without encryption.',
    hint: 'Set TLS to require or better, or add a line “host” for this address to pg_hba.conf and reload.',
  },
  {
    pattern: /no pg_hba\.conf entry for (?:replication connection from )?host "([^"]*)", user "([^"]*)"/,
    sqlState: '28000',
    code: 'permission_denied',
    sentence: 'The server has no pg_hba.conf entry that lets user “$2” in from $1.',
    hint: 'Add a line for this user, database and address to pg_hba.conf and reload the server.',
  },
  {
    pattern: /pg_hba\.conf rejects connection for host "([^"]*)", user "([^"]*)"/,
    code: 'permission_denied',
    sentence: 'pg_hba.conf rejects user “$2” from $1.',
    hint: 'Change the line “reject” in pg_hba.conf, or connect from an address that it lets in.',
  },
  {
    pattern:
      /connection requires a valid client certificate|certificate authentication failed for user "([^"]*)"/,
    code: 'authentication_failed',
    sentence: 'The server wants a client certificate for this user, and got none that fits.',
    hint: 'Paste a client certificate whose common name is the user, and its key.',
  },
  {
    pattern: /role "([^"]*)" does not exist/,
    code: 'authentication_failed',
    sentence: 'The role “$1” does not exist on the server.',
    hint: 'Check the user. In a restore: restore the globals first, create the role, or turn “owners” and “privileges” off.',
  },
  {
    pattern: /role "([^"]*)" is not permitted to log in/,
    code: 'authentication_failed',
    sentence: 'The role “$1” may not sign in.',
    hint: 'ALTER ROLE "$1" LOGIN, or use another user.',
  },
  {
    pattern: /database "((?:[^"]|"(?! does not exist))*)" does not exist/,
    sqlState: '3D000',
    code: 'database_not_found',
    sentence: 'The server has no database “$1”.',
    hint: 'Check the name; upper and lower case count.',
  },
  {
    pattern: /permission denied for database "?([^"\n]*?)"?$/m,
    code: 'permission_denied',
    sentence: 'The user may not connect to database “$1”.',
    hint: 'GRANT CONNECT ON DATABASE "$1" TO the user.',
  },
  {
    pattern:
      /sorry, too many clients already|remaining connection slots are reserved|too many connections for (?:role|database)/,
    sqlState: '53300',
    code: 'database_unreachable',
    sentence: 'The server has no free connection.',
    hint: 'Try again later, raise max_connections, or lower the number of parallel jobs.',
  },
  {
    pattern:
      /the database system is (starting up|shutting down|in recovery mode|not accepting connections|not yet accepting connections)/,
    sqlState: '57P03',
    code: 'database_unreachable',
    sentence: 'The server does not take connections yet: it is $1.',
    hint: 'Try again in a moment.',
  },
  {
    pattern: /server does not support SSL/i,
    code: 'tls_failed',
    sentence: 'The server does not offer TLS.',
    hint: 'Turn ssl on in postgresql.conf, or set TLS to prefer or disable.',
  },
  {
    pattern: /certificate (?:has expired|is not yet valid)|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/i,
    code: 'tls_failed',
    sentence: 'The server’s certificate is not valid today.',
    hint: 'Renew the certificate on the server; check the clock of this machine.',
  },
  {
    pattern: /server certificate for "([^"]*)"[^\n]*does not match host name "([^"]*)"/,
    code: 'tls_failed',
    sentence: 'The server’s certificate is for “$1”, not for “$2”.',
    hint: 'Connect by a name that the certificate holds, or set TLS to verify-ca.',
  },
  {
    pattern: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames/,
    code: 'tls_failed',
    sentence: 'The server’s certificate is not for the host that we connect to.',
    hint: 'Connect by a name that the certificate holds, or set TLS to verify-ca.',
  },
  {
    pattern:
      /certificate verify failed|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|self-signed certificate|unable to (?:verify the first|get (?:local )?issuer) certificate/i,
    code: 'tls_failed',
    sentence: 'The server’s certificate was not signed by an authority that we trust.',
    hint: 'Paste the certificate of the authority that signed it as CA certificate.',
  },
  {
    pattern:
      /could not (?:read root certificate file|load (?:private key|certificate) file|parse)|PEM routines|ERR_OSSL_PEM|no start line|key values mismatch/i,
    code: 'tls_failed',
    sentence: 'One of the pasted certificates or keys cannot be read.',
    hint: 'Paste them as PEM, from -----BEGIN to -----END; the key must belong to the certificate and have no passphrase.',
  },
  {
    pattern: /SSL error: ([^\n]+)|(ERR_SSL_\w+)|(EPROTO)|error establishing an SSL connection/,
    code: 'tls_failed',
    sentence: 'The TLS handshake with the server failed.',
    hint: 'Check the TLS mode and the client certificate; the server’s log says more.',
  },
  {
    pattern: /Connection refused|ECONNREFUSED/,
    code: 'database_unreachable',
    sentence: 'Nothing takes connections at this address: the connection was refused.',
    hint: 'Check host and port, and that the server runs and listens on this address (listen_addresses).',
  },
  {
    pattern: /could not translate host name "([^"]*)" to address|ENOTFOUND(?: (\S+))?|EAI_AGAIN/,
    code: 'database_unreachable',
    sentence: 'The host name of the server cannot be resolved.',
    hint: 'Check the spelling of the host, and the name servers of this machine.',
  },
  {
    pattern: /timeout expired|Connection timed out|ETIMEDOUT/i,
    code: 'database_unreachable',
    sentence: 'The server did not answer in time.',
    hint: 'Check host and port; a firewall that drops packets looks like this.',
  },
  {
    pattern: /No route to host|Network is unreachable|EHOSTUNREACH|ENETUNREACH/i,
    code: 'database_unreachable',
    sentence: 'There is no way to the server from this machine.',
    hint: 'Check the address, the route and the firewall.',
  },
  {
    pattern:
      /connection to server on socket "([^"]*)" failed: (?:No such file|Permission denied)|connect (?:ENOENT|EACCES) (\S+)/,
    code: 'database_unreachable',
    sentence: 'The server’s Unix socket cannot be opened.',
    hint: 'Check the directory of the socket, that this user may enter it, and that the server runs.',
  },
  {
    pattern:
      /server closed the connection unexpectedly|terminating connection due to|Connection terminated|ECONNRESET|EPIPE|could not receive data from server|lost synchronization|no connection to the server/i,
    sqlState: '57P01',
    code: 'database_unreachable',
    sentence: 'The server closed the connection.',
    hint: 'It was stopped, it crashed, an administrator ended the session, or a machine between dropped it; its log says which.',
  },
  {
    pattern: /aborting because of server version mismatch/,
    code: 'tool_missing',
    sentence: 'The tool is older than the server, and refuses.',
    hint: 'Install the PostgreSQL client of the server’s version.',
  },
  {
    pattern: /unsupported version \(([\d.]+)\) in file header/,
    code: 'tool_missing',
    sentence: 'This pg_restore is too old for the dump, whose archive version is $1.',
    hint: 'Install the PostgreSQL client of the version that made the dump, or a newer one.',
  },
  {
    pattern: /invalid command \\(un)?restrict/,
    code: 'tool_missing',
    sentence: 'This psql is too old for the dump: it does not know \\restrict.',
    hint: 'Update the PostgreSQL client: 13.22, 14.19, 15.14, 16.10, 17.6 and newer know it.',
  },
  {
    pattern: /backslash commands are restricted/,
    code: 'permission_denied',
    sentence: 'The dump holds a psql command, which could run programs on this machine; it was not executed.',
    hint: 'Restore this file yourself with psql if you trust it.',
  },
  {
    pattern: /no matching (tables|schemas|extensions) were found(?: for pattern "((?:[^"\n]|"(?=.*"))*)")?/,
    code: 'nothing_matched',
    sentence: 'The database has no $1 with a name that was asked for.',
    hint: 'Check the names; upper and lower case count, and * stands for anything.',
  },
  {
    pattern: /query would be affected by row-level security policy for table "([^"]*)"/,
    code: 'permission_denied',
    sentence: 'Row security hides rows of table “$1” from this user, so the dump would not be complete.',
    hint: 'ALTER ROLE the user BYPASSRLS, or use another user.',
  },
  {
    pattern: /permission denied for (\w+(?: \w+)?) "?([^"\n]+?)"?$/m,
    sqlState: '42501',
    code: 'permission_denied',
    sentence: 'The user has no permission for $1 “$2”.',
    hint: 'The connection test lists what is missing, each with the statement that grants it.',
  },
  {
    pattern: /permission denied to ([^\n]+)|must be (owner of [^\n]+|superuser[^\n]*|able to [^\n]+)/,
    code: 'permission_denied',
    sentence: 'The user has no permission to do this: $1$2.',
    hint: 'Use a user who may. In a restore, turning “owners”, “privileges” or “comments” off may be enough.',
  },
  {
    pattern: /canceling statement due to lock timeout|could not obtain lock/,
    code: 'database_in_use',
    sentence: 'A table is locked by another session.',
    hint: 'Try again later, or find out in pg_stat_activity who holds the lock.',
    retryable: true,
  },
  {
    pattern:
      /extension "([^"]*)" is not available|could not open extension control file "[^"]*\/([^/"]+)\.control"/,
    code: 'unsupported',
    sentence: 'The extension “$1$2” is not installed on the target server.',
    hint: 'Install the extension’s package on the target server, then restore again.',
  },
  {
    pattern: /unrecognized configuration parameter "([^"]*)"/,
    code: 'unsupported',
    sentence: 'The dump sets “$1”, which this older server does not know.',
    hint: 'Restore into a server at least as new as the one that was dumped.',
  },
  {
    pattern:
      /(?:did not find magic string in file header|input file (?:is too short|appears to be a text format dump|does not appear to be a valid archive)|could not find block ID|unexpected end of file)/,
    code: 'database_corrupt',
    sentence: 'The dump is damaged, or is not what its format says.',
    hint: 'Restore another copy or snapshot.',
  },
  {
    pattern:
      /could not (?:read block|open file "base)|invalid page in block|missing chunk number|could not access status of transaction/,
    sqlState: 'XX001',
    code: 'database_corrupt',
    sentence: 'The database itself is damaged.',
    hint: 'See the server’s log. Keep the last good snapshot, and restore it elsewhere.',
  },
  {
    pattern: /No space left on device|could not extend file/,
    sqlState: '53100',
    code: 'database_error',
    sentence: 'A disk is full.',
    hint: 'Make room on the server or, for a directory dump, in the work directory.',
  },
  {
    // Names with a dot, as pg_dump writes them: others are of functions that rely on a search path.
    pattern:
      /ERROR: +((?:relation|type|collation|operator class|text search \w+) "(?:[^"\n.]*\.[^"\n]*)"|(?:schema|extension|language|server) "[^"\n]*"|(?:function|procedure|aggregate) [^\n]*?\.[^\n]*?)(?: for (?:encoding|access method) "[^"\n]*")? does not exist/,
    tools: ['pg_restore', 'psql'],
    code: 'database_error',
    sentence: 'The snapshot uses $1, which is neither in it nor in the target database.',
    hint: 'A snapshot of chosen tables or schemas holds these alone, not the types, functions and extensions that they use: restore it with the mode “existing” into a database that has them, or back up the whole database.',
  },
  {
    pattern: /(?:table|relation|schema|type|function) "([^"]*)" already exists/,
    code: 'database_error',
    sentence: '“$1” is in the target database already.',
    hint: 'Restore into a new database, or let the restore clean what it replaces.',
  },
]

/** What a tool's last words mean, or undefined if they explain themselves. */
export function explain(tool: string, stderr: string): AppError | undefined {
  const meaning = meanings.find(
    ({ pattern, tools }) => (tools === undefined || tools.includes(tool)) && pattern.test(stderr),
  )
  return meaning && say(meaning, meaning.pattern.exec(stderr) ?? undefined)
}

/** What an error of our own client means; where it means nothing special, in the server's words. */
export function explainError(thrown: unknown, where: string): AppError {
  if (thrown instanceof AppError) return thrown
  const text = `${messageOf(thrown)} ${property(thrown, 'code') ?? ''}`
  const state = property(thrown, 'code')
  const meaning =
    meanings.find(({ pattern, tools }) => tools === undefined && pattern.test(text)) ??
    meanings.find(({ sqlState }) => sqlState !== undefined && sqlState === state)
  const exact = meaning?.pattern.exec(text)
  if (meaning && exact) return say(meaning, exact, where, thrown)
  if (meaning)
    return new AppError(meaning.code, `${where}: ${messageOf(thrown)}`, { hint: meaning.hint, cause: thrown })
  return new AppError('database_error', `${where}: ${messageOf(thrown)}`, { cause: thrown })
}

function say(
  meaning: Meaning,
  match: RegExpExecArray | undefined,
  where?: string,
  cause?: unknown,
): AppError {
  const fill = (text: string) => text.replace(/\$(\d)/g, (_, group: string) => match?.[Number(group)] ?? '')
  const sentence = fill(meaning.sentence)
  return new AppError(meaning.code, where === undefined ? sentence : `${where}: ${lowerFirst(sentence)}`, {
    hint: fill(meaning.hint),
    cause,
    ...(meaning.retryable === undefined ? {} : { retryable: meaning.retryable }),
  })
}

/** “The server …” after a colon. Names keep their capitals. */
function lowerFirst(sentence: string): string {
  return /^(The|There|Nothing|One|This|A) /.test(sentence)
    ? sentence.charAt(0).toLowerCase() + sentence.slice(1)
    : sentence
}

function property(thrown: unknown, name: string): string | undefined {
  const value = (thrown as Record<string, unknown> | null | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}
