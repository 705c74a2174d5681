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

/** Fastify’s logger as the configuration wants it: JSON for programs, or lines for people. */
export function loggerOf(
  { level, format }: Configuration['log'],
  out: { write(text: string): unknown } = process.stdout,
): FastifyServerOptions['logger'] {
  return {
    level,
    stream: { write: (json: string) => void out.write(format === 'json' ? json : lineOf(json)) },
  }
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
