import { userInfo } from 'node:os'
import { fromEnvironment, readNamedFile } from '../lib/environment.ts'
import { AppError } from '../shared/errors.ts'
import type { UrlOrigin } from './engine.ts'

/** Stands for the host in `postgresql://user@/database?host=/run/postgresql`, which is no URL to others. */
const NO_HOST = 'none.invalid'

export interface ServerUrl {
  /** host, port, user, password, as far as the URL and the environment name them. */
  connection: Record<string, unknown>
  database: string | undefined
  /** The pairs behind the question mark, decoded, in their order. */
  parameters: [string, string][]
}

/**
 * Reads `scheme://user:password@host:port/database?…`. Without a user it is the one of this process, as it is to psql
 * and mysql, if the URL was written here. `HOLDFAST_DATABASE_PASSWORD`, or the file that
 * `HOLDFAST_DATABASE_PASSWORD_FILE` names, goes before a password in the URL. Throws `invalid_input`, without quoting
 * the URL: it may hold the password.
 */
export function readServerUrl(
  url: string,
  environment: NodeJS.ProcessEnv,
  kind: { label: string; schemes: readonly string[]; example: string },
  origin: UrlOrigin,
): ServerUrl {
  const parsed = URL.parse(url.replace(/^([^:/]+:\/\/[^/?#]*@)(?=[/?#]|$)/, `$1${NO_HOST}`))
  if (!parsed || !kind.schemes.includes(parsed.protocol.slice(0, -1))) {
    throw new AppError('invalid_input', `This is not a ${kind.label} URL.`, {
      hint: `${kind.example}; a special character of the password is written as %40.`,
    })
  }
  const decode = (text: string, part: string) => decodePart(text, part, kind.label)
  const connection: Record<string, unknown> = {}
  const host = decode(parsed.hostname, 'host').replace(/^\[(.*)\]$/, '$1')
  if (host !== '' && host !== NO_HOST) connection['host'] = host
  if (parsed.port !== '') connection['port'] = Number(parsed.port)
  const unnamed = origin === 'here' ? ownUser() : undefined
  const user = parsed.username === '' ? unnamed : decode(parsed.username, 'user')
  if (user !== undefined) connection['user'] = user
  if (parsed.password !== '') connection['password'] = decode(parsed.password, 'password')
  const password = fromEnvironment(environment, 'HOLDFAST_DATABASE_PASSWORD')
  if (password !== undefined) connection['password'] = password
  const pairs = parsed.search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '')
  return {
    connection,
    database: decode(parsed.pathname.slice(1), 'database') || undefined,
    // Not URLSearchParams, to which a plus is a space: here it may be part of a path.
    parameters: pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [decode(name, 'parameter'), decode(value.join('='), 'query')]
    }),
  }
}

/** The text of a file that a parameter names. Throws `invalid_input` if it cannot be read, or was not named here. */
export function readFileOfUrl(parameter: string, path: string, origin: UrlOrigin): string {
  if (origin === 'here') return readNamedFile(parameter, path)
  throw new AppError(
    'invalid_input',
    `The parameter “${parameter}” names a file, and none is read for this URL.`,
    {
      hint: 'Leave it out of the URL, and give the content of the file by itself.',
    },
  )
}

function ownUser(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined // a uid without an entry in /etc/passwd, as in some containers: the schema asks for a user
  }
}

function decodePart(text: string, part: string, label: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new AppError('invalid_input', `The ${part} of the ${label} URL is not properly percent-encoded.`, {
      hint: 'A percent sign itself is written as %25.',
    })
  }
}
