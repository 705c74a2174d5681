import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { describe, it } from 'node:test'
import type { Manifest } from '../shared/snapshots.ts'
import type { Volume } from '../volumes/volume.ts'
import { listSnapshots, manifestKey, once, writeManifest } from './manifests.ts'
import { pruneCopy } from './prune-copy.ts'
import { contents, newVolume } from './test-bed.ts'
import { announceWriting } from './writing.ts'

const { signal } = new AbortController()
const key = 'prod/shop/shop.db'

describe('pruning a copy', () => {
  it('deletes the manifest, then the object, and nothing else', async () => {
    const { volume, path } = newVolume()
    const snapshotId = await store(volume, key)
    await store(volume, 'prod/shop/other.db')
    const removed: string[] = []
    const watched: Volume = {
      ...volume,
      remove(key, signal) {
        removed.push(key)
        return volume.remove(key, signal)
      },
    }
    await pruneCopy(watched, { key, snapshotId }, signal)
    assert.deepEqual(removed, [manifestKey(key), key])
    assert.deepEqual(await contents(path), [
      'prod',
      'prod/shop',
      'prod/shop/other.db',
      'prod/shop/other.db.manifest.json',
    ])
    await pruneCopy(volume, { key, snapshotId }, signal)
  })

  it('that was killed half-way leaves nothing that looks complete, and is done again', async () => {
    const { volume, path } = newVolume()
    const snapshotId = await store(volume, key)
    let calls = 0
    const dying: Volume = {
      ...volume,
      async remove(key, signal) {
        if (++calls === 2) throw new Error('killed')
        await volume.remove(key, signal)
      },
    }
    await assert.rejects(pruneCopy(dying, { key, snapshotId }, signal), /killed/)
    assert.deepEqual(await contents(path), ['prod', 'prod/shop', key])
    assert.deepEqual((await listSnapshots(volume, signal)).snapshots, [])
    await pruneCopy(volume, { key, snapshotId }, signal)
    assert.deepEqual(await contents(path), [])
  })

  it('does not touch another snapshot that has the key by now, nor one that is being written', async () => {
    const { volume } = newVolume()
    const gone = await store(volume, key)
    await volume.remove(manifestKey(key), signal)
    await volume.remove(key, signal)
    await announceWriting(volume, key, signal)
    await volume.write(key, { body: once(Buffer.from('half of another')) }, signal)
    await pruneCopy(volume, { key, snapshotId: gone }, signal)
    assert.equal((await volume.stat(key, signal)).bytes, 15)

    await store(volume, key)
    await pruneCopy(volume, { key, snapshotId: gone }, signal)
    assert.equal((await listSnapshots(volume, signal)).snapshots.length, 1)
  })

  it('deletes an object whose manifest nobody can read any more', async () => {
    const { volume, path } = newVolume()
    const snapshotId = await store(volume, key)
    await volume.write(manifestKey(key), { body: once(Buffer.from('{')) }, signal)
    await pruneCopy(volume, { key, snapshotId }, signal)
    assert.deepEqual(await contents(path), [])
  })

  it('does not believe a volume that only says so', async () => {
    const { volume } = newVolume()
    const snapshotId = await store(volume, key)
    const keeping: Volume = {
      ...volume,
      remove: async (removed, signal) => void (removed === key || (await volume.remove(removed, signal))),
    }
    await assert.rejects(pruneCopy(keeping, { key, snapshotId }, signal), { code: 'volume_refused' })
  })

  it('does not take a disk that is not mounted for one that is empty', async () => {
    const { volume, path } = newVolume()
    const snapshotId = await store(volume, key)
    await rename(path, `${path}-unmounted`)
    await assert.rejects(pruneCopy(volume, { key, snapshotId }, signal), { code: 'volume_unreachable' })
  })
})

/** Returns the id. */
async function store(volume: Volume, key: string): Promise<string> {
  const content = Buffer.from('a database')
  const snapshot = randomUUID()
  const sizes = { bytes: content.length, sha256: 'a'.repeat(64) }
  const manifest: Manifest = {
    version: 1,
    holdfast: '0.1.0',
    snapshot,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:00.000Z',
    server: { name: 'prod', engine: 'sqlite', flavour: 'sqlite', version: '3' },
    database: 'shop',
    properties: {},
    tool: { name: 'sqlite', version: '3' },
    format: 'sqlite',
    fileName: 'shop.db',
    compression: { method: 'none' },
    encryption: null,
    raw: sizes,
    stored: sizes,
    seconds: {},
    trigger: 'manual',
  }
  await volume.write(key, { body: once(content) }, signal)
  await writeManifest(volume, key, manifest, signal)
  return snapshot
}
