import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startHttpReceiver } from '../../../test/servers/http-receiver.ts'
import { messageOf } from '../../shared/errors.ts'
import { http } from './http.ts'

const TOKEN = 'canary-token-0123456789'
const LONG = 'y'.repeat(4000)

/** All that is told of a call whose receiver answers so. */
async function toldOf(body: string, status: number): Promise<string> {
  await using receiver = await startHttpReceiver(() => ({ status, body }))
  const settings = http.config.parse({
    url: receiver.origin,
    secret: 'the-signing-secret',
    headers: { authorization: `Bearer ${TOKEN}`, cookie: 'session=0123456789ab; x=1', 'x-long': LONG },
  })
  const lines: string[] = []
  const job = {
    signal: new AbortController().signal,
    workDirectory: undefined,
    log: (_level: string, message: string) => void lines.push(message),
    progress() {},
  }
  const occasion = { name: 'tell', around: 'backup', moment: 'after', facts: {} } as const
  try {
    await http.run(settings, occasion, job)
  } catch (error) {
    lines.push(messageOf(error))
  }
  return lines.join('\n')
}

describe('the answer to an HTTP call', () => {
  it('is told without what was sent, also without parts of it', async () => {
    const answers: [string, RegExp][] = [
      [`No: Bearer ${TOKEN}`, /“No: \*\*\*”/],
      [`invalid token ${TOKEN}`, /“invalid token \*\*\*”/],
      [`who is 0123456789ab?`, /“who is \*\*\*\?”/],
      [`${'x'.repeat(290)} ${TOKEN}`, /x \*\*\*”/],
      // Of the token, four characters are read.
      [`${LONG}${' '.repeat(92)}${TOKEN}`, /“\*\*\* +\*\*\*”/],
    ]
    for (const [body, expected] of answers) {
      for (const status of [200, 403]) {
        const told = await toldOf(body, status)
        assert.match(told, expected)
        assert.doesNotMatch(told, /cana|0123|yyyy/)
      }
    }
  })
})
