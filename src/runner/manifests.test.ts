import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { v7 as uuidv7 } from 'uuid'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { MANIFEST_SUFFIX, type Manifest } from '../shared/snapshots.ts'
import { openVolumeUrl } from '../volumes/index.ts'
import type { Volume } from '../volumes/volume.ts'
import { findSnapshot, listSnapshots, manifestKey, once, writeManifest } from './manifests.ts'

const { signal } = new AbortController()

let base: string
before(async () => (base = await mkdtemp(join(tmpdir(), 'holdfast-manifests-'))))
after(() => rm(base, { recursive: true, force: true }))

function newVolume(): { volume: Volume; path: string } {
  const path = join(base, randomBytes(4).toString('hex'))
  return { volume: openVolumeUrl(path, {}).volume, path }
}

function manifestOf(id: string, more: Partial<Manifest> = {}): Manifest {
  const nothing = { bytes: 0, sha256: '0'.repeat(64) }
  return {
    version: 1,
    holdfast: '0.1.0',
    snapshot: id,
    startedAt: '2026-05-01T12:00:00.000Z',
    finishedAt: '2026-05-01T12:00:01.000Z',
    server: { name: 'prod', engine: 'sqlite', flavour: 'sqlite', version: '3' },
    database: 'shop',
    properties: {},
    tool: { name: 'sqlite', version: '3' },
    format: 'sqlite',
    fileName: 'shop.db',
    compression: { method: 'none' },
    encryption: null,
    raw: nothing,
    stored: nothing,
    seconds: {},
    trigger: 'manual',
    ...more,
  }
}

/** Writes the manifest of a snapshot, without its object, and returns its id. */
async function keep(volume: Volume, key: string, id: string = uuidv7(), more: Partial<Manifest> = {}) {
  await writeManifest(volume, key, manifestOf(id, more), signal)
  return id
}

async function refused(finding: Promise<unknown>, code: ErrorCode): Promise<AppError> {
  const error: unknown = await finding.then(
    () => assert.fail('a snapshot was found'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof AppError && error.code === code, String(error))
  return error
}

/** Where no manifest can be read. */
async function spoil({ volume, path }: { volume: Volume; path: string }): Promise<void> {
  const bytes = (text: string | Buffer) => ({ body: once(Buffer.from(text)) })
  await volume.write(manifestKey('a/not-json'), bytes('{ "version": 1'), signal)
  await volume.write(manifestKey('a/not-ours'), bytes('{}'), signal)
  await volume.write(manifestKey('z/too-large'), bytes(Buffer.alloc(16 * 1_048_576 + 1, ' ')), signal)
  await writeFile(join(path, `two\nlines${MANIFEST_SUFFIX}`), '{}')
}

/** The same volume, which lists these keys, one after the other, and then what else there is. */
function listing(volume: Volume, first: readonly string[], onListed = (_key: string) => {}): Volume {
  return {
    ...volume,
    async *list(prefix, signal) {
      const all = await Array.fromAsync(volume.list(prefix, signal))
      const rankOf = (key: string) => (first.includes(key) ? first.indexOf(key) : first.length)
      for (const info of all.sort((a, b) => rankOf(a.key) - rankOf(b.key))) {
        onListed(info.key)
        yield info
      }
    },
  }
}

describe('a snapshot is found', () => {
  it('by its id, the beginning of it, its key, and the key of its manifest', async () => {
    const { volume } = newVolume()
    const [id] = [await keep(volume, 'prod/one.db', '0197e6a0-1111-7000-8000-000000000001')]
    await keep(volume, 'prod/two.db', '0197e6a0-2222-7000-8000-000000000002')
    for (const said of [id, '0197e6a0-1', 'prod/one.db', 'prod/one.db.manifest.json']) {
      const { key, manifest } = await findSnapshot(volume, said, signal)
      assert.equal(key, 'prod/one.db', said)
      assert.deepEqual(manifest, manifestOf(id), said)
    }
  })

  it('not by what begins several ids, nor by less than eight characters', async () => {
    const { volume } = newVolume()
    for (let n = 1; n <= 3; n++) await keep(volume, `${n}.db`, `0197e6a0-000${n}-7000-8000-000000000000`)
    const several = await refused(findSnapshot(volume, '0197e6a0', signal), 'invalid_input')
    assert.match(several.message, /“0197e6a0” begins the ids of 3 snapshots/)
    await refused(findSnapshot(volume, '0197e6a', signal), 'snapshot_not_found')
    assert.equal((await findSnapshot(volume, '0197e6a0-0002', signal)).key, '2.db')
  })

  it('by its key even where that looks like an id', async () => {
    const { volume } = newVolume()
    await keep(volume, 'other', '0197e6a0-0001-7000-8000-000000000000')
    await keep(volume, 'deadbeef', '0197e6a0-0002-7000-8000-000000000000')
    assert.equal((await findSnapshot(volume, 'deadbeef', signal)).key, 'deadbeef')
  })

  it('beside manifests that cannot be read, which a list of all shows as such', async () => {
    const { volume, path } = newVolume()
    const id = await keep(volume, 'm.db')
    await spoil({ volume, path })
    const last = listing(volume, [])
    assert.equal((await findSnapshot(last, id.slice(0, 13), signal)).key, 'm.db')
    assert.equal((await findSnapshot(last, id, signal)).key, 'm.db')
    await refused(findSnapshot(volume, uuidv7(), signal), 'snapshot_not_found')
    const { snapshots, unreadable } = await listSnapshots(volume, signal)
    assert.deepEqual(
      snapshots.map(({ key }) => key),
      ['m.db'],
    )
    assert.deepEqual(unreadable.map(({ key }) => key).sort(), [
      'a/not-json',
      'a/not-ours',
      'two\nlines',
      'z/too-large',
    ])
  })

  it('while others are pruned, before they are looked at and before they are read', async () => {
    const { volume } = newVolume()
    const id = await keep(volume, 'stays.db')
    const pruning = async () => {
      for (const key of ['gone.db', 'going.db']) await keep(volume, key)
      const pruned = (key: string) => volume.remove(manifestKey(key), signal)
      return {
        ...listing(volume, [manifestKey('gone.db'), manifestKey('going.db')]),
        async stat(key: string, signal: AbortSignal) {
          if (key === manifestKey('gone.db')) await pruned('gone.db')
          const info = await volume.stat(key, signal)
          if (key === manifestKey('going.db')) await pruned('going.db')
          return info
        },
      }
    }
    assert.equal((await findSnapshot(await pruning(), id.slice(0, 13), signal)).key, 'stays.db')
    const { snapshots, unreadable } = await listSnapshots(await pruning(), signal)
    assert.deepEqual([snapshots.map(({ key }) => key), unreadable], [['stays.db'], []])
    await refused(findSnapshot(await pruning(), 'going.db', signal), 'snapshot_not_found')
  })

  it('by its whole id without reading on, nor listing on', async () => {
    const { volume } = newVolume()
    const keys = Array.from({ length: 60 }, (_, n) => `${n}.db`)
    await Promise.all(keys.map((key) => keep(volume, key)))
    const id = await keep(volume, 'this.db')
    const listed: string[] = []
    const looked: string[] = []
    const begun = new Set<string>()
    const watched: Volume = {
      ...listing(volume, [...keys.slice(0, 10), 'this.db'].map(manifestKey), (key) => listed.push(key)),
      stat: (key, signal) => (looked.push(key), volume.stat(key, signal)),
      async *read(key, signal) {
        begun.add(key)
        yield* volume.read(key, signal)
        begun.delete(key)
      },
    }
    assert.equal((await findSnapshot(watched, id, signal)).key, 'this.db')
    const furthest = 10 + 8 // those before it, and as many as are read at once
    assert.ok(listed.length <= furthest && looked.length <= furthest, `${listed.length}, ${looked.length}`)
    const before = looked.length
    await new Promise(setImmediate)
    assert.equal(looked.length, before)

    listed.length = 0
    await findSnapshot(watched, id.slice(0, 30), signal)
    assert.equal(listed.length, 61, 'a beginning could be that of another')
  })

  it('while what else was being read is given up', { timeout: 10_000 }, async () => {
    const { volume } = newVolume()
    const id = await keep(volume, 'this.db')
    await keep(volume, 'hangs.db')
    let wasGivenUp = false
    const hanging: Volume = {
      ...listing(volume, [manifestKey('this.db'), manifestKey('hangs.db')]),
      async *read(key, signal) {
        if (key === manifestKey('hangs.db')) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          wasGivenUp = true
          signal.throwIfAborted()
        }
        yield* volume.read(key, signal)
      },
    }
    assert.equal((await findSnapshot(hanging, id, signal)).key, 'this.db')
    assert.equal(wasGivenUp, true)
  })

  it('holding few manifests, however many there are, and reading few at once', async () => {
    const count = 100
    const comment = 'x'.repeat(400_000)
    const ids = Array.from({ length: count }, () => uuidv7())
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const held: number[] = []
    let reading = 0
    let most = 0
    const large: Volume = {
      ...newVolume().volume,
      async *list() {
        for (const id of ids) yield { key: manifestKey(id), bytes: comment.length, modifiedAt: new Date() }
      },
      stat: async (key) => ({ key, bytes: comment.length, modifiedAt: new Date() }),
      async *read(key) {
        most = Math.max(most, ++reading)
        const id = key.slice(0, -MANIFEST_SUFFIX.length)
        await new Promise(setImmediate)
        yield Buffer.from(JSON.stringify(manifestOf(id, { comment })))
        reading -= 1
        if (ids.indexOf(id) % 20 === 0) {
          collect()
          held.push(process.memoryUsage().heapUsed)
        }
      },
    }
    const wanted = ids[3] ?? ''
    assert.equal((await findSnapshot(large, wanted.slice(0, 35), signal)).key, wanted)
    const grown = Math.max(...held) - (held[0] ?? 0)
    assert.ok(grown < 12 * 400_000, `${grown} bytes more were held after ${count} manifests`)
    assert.ok(most > 1 && most <= 8, `${most} at once`)
  })
})

describe('a search for a snapshot ends', () => {
  it('with the error of the volume, once, whatever else is being read', async () => {
    const { volume } = newVolume()
    for (let n = 0; n < 20; n++) await keep(volume, `${n}.db`)
    const broken: Volume = {
      ...volume,
      stat: async () => {
        throw new AppError('volume_unreachable', 'The line is cut.')
      },
    }
    await refused(findSnapshot(broken, uuidv7(), signal), 'volume_unreachable')
    await refused(listSnapshots(broken, signal), 'volume_unreachable')
  })

  it('when it is interrupted', async () => {
    const { volume } = newVolume()
    for (let n = 0; n < 20; n++) await keep(volume, `${n}.db`)
    const interruption = new AbortController()
    const reason = new AppError('cancelled', 'Interrupted by a test.')
    const slow: Volume = {
      ...volume,
      async stat(key, signal) {
        interruption.abort(reason)
        return await volume.stat(key, signal)
      },
    }
    assert.equal(await refused(findSnapshot(slow, uuidv7(), interruption.signal), 'cancelled'), reason)
  })
})
