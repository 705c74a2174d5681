import type { FastifyServerOptions } from 'fastify'
import type { Configuration } from './configuration.ts'

const levels: Record<string, string> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
}

const DEEPEST_CAUSE = 5

/** Fastify’s logger as the configuration wants it: JSON for programs, or lines for people. */
export function loggerOf(
  { level, format }: Configuration['log'],
  out: { write(text: string): unknown } = process.stdout,
): FastifyServerOptions['logger'] {
  return {
    level,
    serializers: { err: factsOfError, req: factsOfRequest },
    // Besides: nothing logs them.
    redact: { paths: SECRETS, censor: '***' },
    stream: { write: (json: string) => void out.write(format === 'json' ? json : lineOf(json)) },
  }
}

/** Where secrets of a request stand, if somebody should ever log more of one than `factsOfRequest`. */
const SECRETS = ['headers', 'body', 'query', 'cookies', 'rawHeaders'].flatMap((name) => [name, `*.${name}`])

/** Errors of libraries carry what was sent and received: of those only the words are kept. */
function factsOfError(error: unknown): { type: string; code?: string; message: string; stack: string } {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error), stack: String(error) }
  const { name, message } = error
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  return { type: name, ...code, message, stack: stackOf(error) }
}

/** With those of its causes. */
function stackOf(error: Error, depth = 0): string {
  const own = error.stack ?? `${error.name}: ${error.message}`
  if (!(error.cause instanceof Error) || depth === DEEPEST_CAUSE) return own
  return `${own}\ncaused by: ${stackOf(error.cause, depth + 1)}`
}

/** Of an address only what comes before the query: tokens of links stand there. */
function factsOfRequest({ method, url, ip }: { method?: string; url?: string; ip?: string }) {
  return { method, url: url?.split(/[?#]/)[0], remoteAddress: ip }
}

interface Line {
  time: number
  level: number
  pid: number
  hostname: string
  msg?: string
  err?: { stack: string }
}

/** When, how grave, what, whatever else is said, and on lines of its own the stack of an error. */
function lineOf(json: string): string {
  const { time, level, pid: _pid, hostname: _host, msg = '', err, ...rest } = JSON.parse(json) as Line
  const facts = Object.entries(rest).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
  const line = `${new Date(time).toISOString()} ${levels[level]?.padEnd(5)} ${msg}${facts.join('')}`
  const stack = err ? err.stack.split('\n').map((text) => `  ${text}`) : []
  return [line, ...stack].map((text) => `${plain(text)}\n`).join('')
}

/** On one line, whoever sent what is in it; a terminal obeys control characters. */
function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
