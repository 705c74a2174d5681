import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipUnless } from '../../test/servers/needs.ts'
import { descendantsOf } from '../../test/servers/process-table.ts'
import type { Command } from '../lib/process.ts'
import { Meter } from '../lib/meter.ts'
import { AppError } from '../shared/errors.ts'
import { compressedDump } from './compressed-dump.ts'
import { takeSnapshot, type SnapshotOrder } from './take-snapshot.ts'
import { contents, DUMP_BYTES, engineRunning, job, newVolume, order, sh, writing } from './test-bed.ts'

const byProgram = { method: 'zstd', level: 3, threads: 2 } as const
const skip = skipUnless('zstd')

const failures = [
  ['its tool fails at once', sh('echo no >&2; exit 3'), 'tool_failed'],
  ['its tool succeeds at once, without a byte', sh('exit 0'), 'dump_incomplete'],
  ['its tool fails behind the last byte', sh(`head -c ${DUMP_BYTES} /dev/zero; exit 3`), 'tool_failed'],
  ['its tool is missing', 'does-not-exist', 'tool_missing'],
] as const

/** Takes a second to end when it is told to, and gives bytes until then. */
const lingers = sh(`trap 'sleep 1; exit' TERM; cat /dev/urandom`)

describe('a dump by the zstd program with several threads', { skip }, () => {
  it('is not begun before its first byte is asked for', async () => {
    await dumpBy(lingers)
    await sleep(200)
    assert.deepEqual(descendantsOf(process.pid), [])
  })

  for (const [what, tool, code] of failures) {
    it(`fails for what it is when ${what}`, async () => {
      const bytes = await dumpBy(tool)
      await assert.rejects(Array.fromAsync(bytes), { code })
      assert.deepEqual(descendantsOf(process.pid), [])
    })
  }

  it('is over, and all its processes are gone, when its reader has left', async () => {
    for await (const chunk of await dumpBy(lingers)) {
      assert.ok(chunk.length > 0)
      assert.notDeepEqual(descendantsOf(process.pid), [])
      break
    }
    assert.deepEqual(descendantsOf(process.pid), [])
  })
})

/* The bytes are asked for only when the key has been derived from the passphrase, about a second later. */
describe('a snapshot by the zstd program behind a passphrase', { skip }, () => {
  const form: Partial<SnapshotOrder> = {
    compression: byProgram,
    encryption: { method: 'age', passphrase: true },
  }

  it('fails for what it is when its tool fails at once, and leaves nothing', async () => {
    const { volume, path } = newVolume()
    const running = takeSnapshot(order(engineRunning(sh('exit 3')), [volume], form), job())
    await assert.rejects(running, { code: 'tool_failed' })
    assert.deepEqual(descendantsOf(process.pid), [])
    assert.deepEqual(await contents(path), [])
  })

  it('fails for what it is when its only volume fails at once, and leaves nothing', async () => {
    for (const tool of [lingers, sh('exec sleep 1000')]) {
      const { volume, path } = newVolume()
      const full = writing(volume, async () => {
        throw new AppError('volume_full', 'The disk is full.')
      })
      const running = takeSnapshot(order(engineRunning(tool), [full], form), job())
      await assert.rejects(running, { code: 'volume_full' })
      assert.deepEqual(descendantsOf(process.pid), [])
      assert.deepEqual(await contents(path), [])
    }
  })

  it('leaves nothing when it is cancelled meanwhile', async () => {
    const { volume, path } = newVolume()
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 300)
    const running = takeSnapshot(order(engineRunning(lingers), [volume], form), job(controller.signal))
    await assert.rejects(running, { code: 'cancelled' })
    assert.deepEqual(descendantsOf(process.pid), [])
    assert.deepEqual(await contents(path), [])
  })
})

async function dumpBy(tool: string | Command): Promise<AsyncIterable<Uint8Array>> {
  const engine = engineRunning(tool)
  const dump = engine.dump({} as Parameters<typeof engine.dump>[0])
  return (await compressedDump(dump, engine.readDump('plain'), new Meter(), byProgram, job())).bytes
}
