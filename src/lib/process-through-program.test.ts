import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { ToolFailure, stdoutThroughProgram, type Command } from './process.ts'

const signal = AbortSignal.timeout(30_000)
const cat: Command = { file: 'cat', args: [] }

describe('a tool’s output through a program', () => {
  it('is what the program makes of it', async () => {
    const output = stdoutThroughProgram(
      shell('echo from the tool'),
      { file: 'tr', args: ['a-z', 'A-Z'] },
      signal,
    )
    assert.equal(String(await buffer(output)), 'FROM THE TOOL\n')
  })

  it('is longer than any pipe', async () => {
    const output = stdoutThroughProgram(shell('head -c 3000000 /dev/zero'), cat, signal)
    assert.equal((await buffer(output)).length, 3_000_000)
  })

  const failures: Record<string, string> = {
    'exits 1 after its last byte': 'echo all of it; exit 1',
    'closes its output and fails later': 'echo all of it; exec >&-; sleep 0.05; exit 1',
    'says nothing and fails': 'exit 1',
    'is killed': 'echo half; kill -9 $$',
    'leaves a child behind that keeps the pipe open': 'echo half; sleep 0.2 & exit 1',
  }
  for (const [what, script] of Object.entries(failures)) {
    it(`never ends when the tool ${what}`, async () => {
      for (let round = 0; round < 5; round++) {
        const output = stdoutThroughProgram(shell(script), cat, signal)
        await assert.rejects(
          buffer(output),
          (error) => error instanceof ToolFailure && error.exit.tool === 'sh',
        )
      }
    })
  }

  it('never lets the program see an end of its input when the tool fails', async () => {
    const counting = shell('cat; echo the end was seen')
    const seen: string[] = []
    await assert.rejects(async () => {
      for await (const bytes of stdoutThroughProgram(shell('echo half; exit 1'), counting, signal))
        seen.push(String(bytes))
    }, ToolFailure)
    assert.ok(!seen.join('').includes('the end was seen'))
  })

  it('is the program’s failure when that gives up, also while the tool is silent', async () => {
    for (const tool of ['head -c 3000000 /dev/zero', 'sleep 30']) {
      const failing = shell('head -c 10 >/dev/null; echo no room >&2; exit 7')
      const output = stdoutThroughProgram(shell(`echo 0123456789; ${tool}`), failing, signal)
      await assert.rejects(buffer(output), {
        code: 'tool_failed',
        message: 'sh failed with exit code 7: no room',
      })
    }
  })

  it('fails when the program ends well before the tool did', async () => {
    const output = stdoutThroughProgram(shell('echo x; sleep 30'), { file: 'head', args: ['-c1'] }, signal)
    await assert.rejects(buffer(output), { code: 'tool_failed', message: 'head ended before sh did.' })
  })

  it('fails when the program closes its output while its input goes on', async () => {
    const output = stdoutThroughProgram(
      shell('echo x; sleep 0.1; exit 3'),
      shell('exec >&-; cat >/dev/null'),
      signal,
    )
    await assert.rejects(buffer(output), { code: 'tool_failed', message: /exit code 3/ })
  })

  it('names the one that cannot be started', async () => {
    const absent = { file: 'no-such-program', args: [] }
    await assert.rejects(buffer(stdoutThroughProgram(absent, cat, signal)), { code: 'tool_missing' })
    await assert.rejects(buffer(stdoutThroughProgram(shell('sleep 30'), absent, signal)), {
      code: 'tool_missing',
    })
  })

  it('ends both when the signal aborts, or the reader leaves', async () => {
    const tool = shell('echo $$; while :; do echo more; done')
    const program = shell('echo $$; exec cat')
    for (const how of ['abort', 'leave']) {
      const stopped = new AbortController()
      const reason = new Error('stopped')
      let text = ''
      try {
        for await (const bytes of stdoutThroughProgram(tool, program, stopped.signal)) {
          text += bytes.toString()
          if (!text.includes('more')) continue
          if (how === 'leave') break
          stopped.abort(reason)
        }
        assert.equal(how, 'leave')
      } catch (error) {
        assert.equal(error, reason)
      }
      const pids = text.split('\n').slice(0, 2).map(Number)
      for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    }
  })
})

function shell(script: string): Command {
  return { file: 'sh', args: ['-c', script] }
}
