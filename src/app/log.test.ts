import assert from 'node:assert/strict'
import { it } from 'node:test'
import Fastify from 'fastify'
import { loggerOf } from './log.ts'

/** What is written by an app with this format, line by line. */
function written(format: 'pretty' | 'json'): string[] {
  const lines: string[] = []
  const write = (text: string) => lines.push(...text.trimEnd().split('\n'))
  const { log } = Fastify({ logger: loggerOf({ level: 'info', format }, { write }) })
  log.debug('This is not wanted.')
  log.info('It listens.')
  const error = new Error('The disk\x1b[2J\nis full.')
  error.stack = `Error: ${error.message}\n    at once`
  log.child({ reqId: 'req-1' }).warn({ err: error }, 'It went\nwrong.')
  return lines
}

it('the log is lines for people, one for each message, and the stack of an error below', () => {
  const [first, ...others] = written('pretty')
  assert.match(first ?? '', /^\d{4}-\d\d-\d\dT[\d:.]{12}Z INFO {2}It listens\.$/)
  assert.match(others[0] ?? '', /Z WARN {2}It went wrong\. reqId="req-1"$/)
  assert.deepEqual(others.slice(1), ['  Error: The disk [2J', '  is full.', '      at once'])
})

it('the log is JSON for programs', () => {
  const [first, second, ...others] = written('json').map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  )
  assert.deepEqual([first?.['level'], first?.['msg']], [30, 'It listens.'])
  assert.match(JSON.stringify(second?.['err']), /is full/)
  assert.deepEqual(others, [])
})
