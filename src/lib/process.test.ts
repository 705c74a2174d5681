import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'node:test'
import { AppError } from '../shared/errors.ts'
import { feedStdin, pipeThrough, run, stdoutOf, ToolFailure, type Command } from './process.ts'

const never = new AbortController().signal

/** One of the programs in test/misbehaving. */
function misbehaving(name: string, env?: Record<string, string>): Command {
  return { file: fileURLToPath(new URL(`../../test/misbehaving/${name}`, import.meta.url)), args: [], env }
}

const sh = (script: string, ...args: string[]): Command => ({
  file: '/bin/sh',
  args: ['-c', script, 'sh', ...args],
})

async function count(source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const chunk of source) bytes += chunk.length
  return bytes
}

async function* chunks(count: number, bytes = 65_536, pause = 0): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    if (pause) await sleep(pause)
    yield Buffer.alloc(bytes, i)
  }
}

/** Pids of the processes whose command line contains the text. */
async function running(text: string): Promise<string[]> {
  const list = await run({ file: 'ps', args: ['-eo', 'pid=,stat=,args='] }, never)
  return list.split('\n').filter((line) => line.includes(text) && !/^\s*\d+\s+Z/.test(line))
}

describe('the output of a tool', () => {
  it('ends when the tool succeeded, whatever it said on standard error', async () => {
    const lines: string[] = []
    const source = stdoutOf(misbehaving('warns-and-succeeds'), never, {
      onStderr: (line) => lines.push(line),
    })
    assert.equal(await count(source), 1_000_000)
    assert.deepEqual(lines, ['warning: option --old is deprecated', 'warning: done, with warnings'])
  })

  const failures: [string, RegExp][] = [
    ['exits-1-after-the-last-byte', /exit code 1: the last table could not be read/],
    ['closes-stdout-then-fails', /exit code 3: connection lost at the very end/],
    ['dies-by-signal', /was killed by SIGKILL/],
    ['floods-stderr', /exit code 2: and that was the reason/],
  ]
  for (const [program, sentence] of failures) {
    it(`throws instead of ending: ${program}`, async () => {
      for (let round = 0; round < 20; round++) {
        await assert.rejects(count(stdoutOf(misbehaving(program), never)), (error) => {
          assert.ok(error instanceof ToolFailure)
          assert.match(error.message, sentence)
          assert.ok(error.message.startsWith(program))
          assert.ok(error.exit.stderr.length <= 8192)
          return true
        })
      }
    })
  }

  it('says that a program cannot be started', async () => {
    for (const file of ['/nowhere/pg_dump', '/etc/passwd']) {
      await assert.rejects(
        count(stdoutOf({ file, args: [] }, never)),
        (error) => error instanceof AppError && error.code === 'tool_missing',
      )
    }
  })

  it('ends a tool that ignores SIGTERM when the signal aborts, and throws', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 300)
    await assert.rejects(count(stdoutOf(misbehaving('ignores-sigterm'), controller.signal)), /enough/)
    assert.deepEqual(await running('ignores-sigterm'), [])
  })

  it('ends the tool and what the tool has started when the reader gives up', async () => {
    for await (const chunk of stdoutOf(sh('sleep 1000017 & cat /dev/zero'), never)) {
      assert.ok(chunk.length > 0)
      break
    }
    assert.deepEqual(await running('sleep 1000017'), [])
  })

  it('does not start a tool for a job that is over', () => {
    const source = stdoutOf(sh('exit 0'), AbortSignal.abort(new Error('over')))
    return assert.rejects(count(source), /over/)
  })

  it('gives a tool nothing of our environment but what every tool needs', async () => {
    process.env['HOLDFAST_TEST_CANARY'] = 'canary'
    const seen = await run({ file: '/usr/bin/env', args: [], env: { PGPASSWORD: 'given' } }, never)
    delete process.env['HOLDFAST_TEST_CANARY']
    assert.doesNotMatch(seen, /canary/)
    assert.match(seen, /^PGPASSWORD=given$/m)
    assert.match(seen, /^PATH=/m)
  })
})

describe('feeding a tool', () => {
  it('gives it every byte and waits for its success', async () => {
    const said = await feedStdin(sh('wc -c'), chunks(100), never)
    assert.equal(Number(said), 100 * 65_536)
  })

  it('kills the tool before its input ends when the source throws', async () => {
    // The tool would write a file when its input ends. It must not come to that.
    const script = 'cat > /dev/null; echo committed'
    async function* broken() {
      yield Buffer.alloc(1_000_000)
      throw new Error('checksum does not match')
    }
    for (let round = 0; round < 20; round++) {
      const lines: string[] = []
      await assert.rejects(
        feedStdin(sh(`${script} >&2`), broken(), never, { onStderr: (line) => lines.push(line) }),
        /checksum does not match/,
      )
      assert.deepEqual(lines, [])
    }
  })

  it('speaks of the exit code when the tool stops reading', async () => {
    await assert.rejects(
      feedStdin(sh('head -c 10 >/dev/null; echo "syntax error" >&2; exit 3'), chunks(200), never),
      /exit code 3: syntax error/,
    )
  })

  it('still hears what the source has to say at its end when the tool has read enough', async () => {
    async function* lateFailure() {
      yield* chunks(50)
      throw new Error('the last byte was wrong')
    }
    await assert.rejects(
      feedStdin(sh('head -c 10 >/dev/null'), lateFailure(), never),
      /the last byte was wrong/,
    )
  })

  it('can be cancelled', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('cancelled')), 100)
    await assert.rejects(
      feedStdin(sh('cat >/dev/null'), chunks(1e6, 1000, 1), controller.signal),
      /cancelled/,
    )
  })
})

describe('a tool in the middle of a pipe', () => {
  it('turns bytes into bytes', async () => {
    assert.equal(await count(pipeThrough(sh('cat'), chunks(300), never)), 300 * 65_536)
  })

  it('throws what the source threw', async () => {
    async function* broken() {
      yield Buffer.alloc(100_000)
      throw new Error('source failed')
    }
    await assert.rejects(count(pipeThrough(sh('cat'), broken(), never)), /source failed/)
  })

  it('throws when it fails', async () => {
    await assert.rejects(count(pipeThrough(sh('cat; exit 4'), chunks(3), never)), /exit code 4/)
  })
})

describe('a process that ends at once', () => {
  it('takes its tools with it, also one that ignores SIGTERM', async () => {
    const { file } = misbehaving('ignores-sigterm')
    const script = `
      import { stdoutOf } from ${JSON.stringify(import.meta.resolve('./process.ts'))}
      const bytes = stdoutOf({ file: ${JSON.stringify(file)}, args: ['at-once'] }, new AbortController().signal)
      await bytes.next()
      process.exit(3)`
    const ended = run({ file: process.execPath, args: ['--input-type=module', '-e', script] }, never)
    await assert.rejects(ended, /exit code 3/)
    for (let waited = 0; waited < 100 && (await running('ignores-sigterm at-once')).length > 0; waited++)
      await sleep(50)
    assert.deepEqual(await running('ignores-sigterm at-once'), [])
  })
})
