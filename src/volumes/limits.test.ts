import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Throttle } from '../lib/throttle.ts'
import { fails, keys, read, signal, text } from './conformance.ts'
import { openVolumeUrl } from './index.ts'
import { readOnly, withBandwidth } from './limits.ts'
import { testReading } from './test-volume.ts'

async function open() {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-limits-'))
  return {
    path,
    volume: openVolumeUrl(path, {}).volume,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

describe('a volume with a bandwidth', () => {
  it('has its bytes go through the throttle, in both directions, and its head beside them', async () => {
    await using folder = await open()
    const passed: string[] = []
    const throttle: Throttle = async function* (source) {
      for await (const chunk of source) {
        passed.push(String(chunk))
        yield chunk
      }
    }
    const volume = withBandwidth(folder.volume, throttle)
    await volume.write('a', text('written'), signal())
    assert.equal(await read(volume, 'a'), 'written')
    assert.equal(await read(volume, 'a', { start: 1, end: 2 }), 'ri')
    assert.deepEqual(passed, ['written', 'written', 'ri'])
    const head = { length: 2, bytes: () => Buffer.from('7z') }
    await volume.write('b', { ...text('body'), head }, signal())
    assert.equal(await read(volume, 'b'), '7zbody')
    assert.deepEqual((await keys(volume)).sort(), ['a', 'b'])
    assert.equal(volume.location, folder.volume.location)
    assert.equal(volume.folder, folder.path)
  })
})

describe('a volume that is read only', () => {
  it('is read, and not changed', async () => {
    await using folder = await open()
    await writeFile(join(folder.path, 'a'), 'there')
    const volume = readOnly(folder.volume, 'archive')
    assert.equal(await read(volume, 'a'), 'there')
    assert.deepEqual(await keys(volume), ['a'])
    const { message } = await fails('volume_read_only', volume.write('b', text('x'), signal()))
    assert.match(message, /“archive”/)
    await fails('volume_read_only', volume.remove('a', signal()))
    await fails('volume_read_only', volume.discard('', signal()))
    assert.deepEqual(await readdir(folder.path), ['a'])
  })

  it('is tested without anything being written', async () => {
    await using folder = await open()
    await writeFile(join(folder.path, 'a'), 'there')
    const before = await readdir(folder.path, { recursive: true })
    const steps = await testReading(folder.volume, signal())
    assert.deepEqual(
      steps.map(({ step, outcome }) => [step, outcome]),
      [
        ['list', 'ok'],
        ['write', 'skipped'],
      ],
    )
    assert.deepEqual(await readdir(folder.path, { recursive: true }), before)
    await rm(folder.path, { recursive: true })
    assert.equal((await testReading(folder.volume, signal()))[0]?.outcome, 'failed')
  })
})
