import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { AppError } from '../../shared/errors.ts'

/** Which keys a server may show. */
export interface HostKeyRule {
  accepts(key: Buffer): boolean
  /** The kinds of key to ask the server for, as OpenSSH names them; empty if any will do. */
  kinds: string[]
  /** What to say of a key that was not accepted. */
  refused(key: Buffer): AppError
}

/** `SHA256:…`, as ssh and ssh-keygen show it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** Only the key with this fingerprint. */
export function pinnedKey(server: string, pinned: string): HostKeyRule {
  return {
    accepts: (key) => fingerprint(key) === pinned.replace(/=+$/, ''),
    kinds: [],
    refused: (key) => changed(server, `${pinned}, as set`, key),
  }
}

/** Only keys that one of the known_hosts files has for this host and port. */
export function knownKeys(host: string, port: number, files: readonly string[]): HostKeyRule {
  const server = `${host}:${port}`
  const lines = files
    .flatMap((file) => parseKnownHosts(readIfThere(file)))
    .filter((line) => matches(line, host, port))
  const known = lines.filter((line) => line.marker === undefined)
  const isRevoked = (key: Buffer) => lines.some((line) => line.marker === '@revoked' && line.key.equals(key))
  return {
    accepts: (key) => !isRevoked(key) && known.some((line) => line.key.equals(key)),
    // As ssh does: a server has several keys, and may otherwise show one that nobody has noted.
    kinds: [...new Set(known.map((line) => line.kind))],
    refused(key) {
      if (isRevoked(key)) {
        return new AppError(
          'host_key_changed',
          `The key of ${server}, ${fingerprint(key)}, is marked as revoked.`,
        )
      }
      if (known.length > 0)
        return changed(server, known.map((line) => fingerprint(line.key)).join(' or '), key)
      return new AppError('host_key_unknown', `${server} is not known: its key is ${fingerprint(key)}.`, {
        hint: `Compare it with what “ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub” shows on that server; if it is the same, set the host key, in a URL by ?host-key=${encodeURIComponent(fingerprint(key)).replaceAll('%3A', ':')}.`,
      })
    },
  }
}

interface KnownHost {
  marker: string | undefined
  /** `example.org,10.0.0.*` or `|1|salt|hash`. */
  hosts: string
  kind: string
  key: Buffer
}

function parseKnownHosts(text: string): KnownHost[] {
  return text.split('\n').flatMap((line) => {
    if (/^\s*(#|$)/.test(line)) return []
    const fields = line.trim().split(/\s+/)
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
    const [hosts, kind, key] = fields
    if (hosts === undefined || kind === undefined || key === undefined) return []
    return [{ marker, hosts, kind, key: Buffer.from(key, 'base64') }]
  })
}

/** As in sshd(8): names with * and ?, !names that exclude, [name]:port, and hashed names. */
function matches({ hosts }: KnownHost, host: string, port: number): boolean {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
  if (hosts.startsWith('|1|')) {
    const [, , salt = '', hash = ''] = hosts.split('|')
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
  }
  const patterns = hosts.toLowerCase().split(',')
  if (patterns.some((pattern) => pattern.startsWith('!') && like(name, pattern.slice(1)))) return false
  return patterns.some((pattern) => like(name, pattern))
}

function like(name: string, pattern: string): boolean {
  const expression = pattern.replaceAll(/[^*?]+|[*?]/g, (text) =>
    text === '*' ? '.*' : text === '?' ? '.' : RegExp.escape(text),
  )
  return new RegExp(`^${expression}$`).test(name)
}

function changed(server: string, expected: string, key: Buffer): AppError {
  return new AppError(
    'host_key_changed',
    `${server} shows another key than it should: ${fingerprint(key)} instead of ${expected}.`,
    {
      hint: 'Either the server was set up anew, or somebody stands between. Ask whoever runs the server before you set the new host key.',
    },
  )
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES'))
      return ''
    throw error
  }
}
