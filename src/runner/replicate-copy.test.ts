import assert from 'node:assert/strict'
import { readdir, readFile, utimes, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../shared/errors.ts'
import { besideKey } from '../shared/keys.ts'
import { MANIFEST_SUFFIX } from '../shared/snapshots.ts'
import type { Volume } from '../volumes/volume.ts'
import { listSnapshots, once } from './manifests.ts'
import { type ReplicationOrder, replicateCopy } from './replicate-copy.ts'
import { type TakenSnapshot, takeSnapshot } from './take-snapshot.ts'
import { contents, engineRunning, job, newVolume, order, writing } from './test-bed.ts'
import { announceWriting, announcedBy } from './writing.ts'

const HOUR = 3_600_000
const works = engineRunning('warns-and-succeeds')
const { signal } = new AbortController()

const fails = (code: AppError['code'] = 'volume_unreachable', message = 'No.') =>
  Promise.reject(new AppError(code, message))

interface Situation {
  good: ReturnType<typeof newVolume>
  wanted: ReturnType<typeof newVolume>
  taken: TakenSnapshot
  order: ReplicationOrder
}

/** A snapshot on one volume, of which another one is to get a copy. */
async function situation(): Promise<Situation> {
  const [good, wanted] = [newVolume(), newVolume()]
  const taken = await takeSnapshot(order(works, [good.volume], { fileName: 'same' }), job())
  return { good, wanted, taken, order: repair(taken, good.volume, wanted.volume) }
}

function repair(
  { key, manifest }: TakenSnapshot,
  from: Volume,
  to: Volume,
  more: Partial<ReplicationOrder> = {},
): ReplicationOrder {
  return {
    from: { name: 'good', volume: from, key },
    to: { name: 'wanted', volume: to },
    manifest,
    key,
    ...more,
  }
}

/** The volume until it is back: what is written gets there or not, as told, and nothing is read or removed. */
function broken(volume: Volume, write: Volume['write'] = () => fails()): Volume & { isBack: boolean } {
  const away: Volume & { isBack: boolean } = {
    ...volume,
    isBack: false,
    async write(key, ...rest) {
      if (away.isBack || key.startsWith('.holdfast')) await volume.write(key, ...rest)
      else await write(key, ...rest)
    },
    async *read(...args) {
      if (!away.isBack) await fails()
      yield* volume.read(...args)
    },
    remove: (...args) => (away.isBack ? volume.remove(...args) : fails()),
  }
  return away
}

describe('a copy that is made from another', () => {
  it('is the same, byte by byte, and leaves no note', async () => {
    const { good, wanted, taken, order } = await situation()
    const heard: string[] = []
    const onComplete = async (key: string) => void heard.push(key)
    assert.equal(await replicateCopy({ ...order, onComplete }, job()), taken.key)
    assert.deepEqual(heard, [taken.key])
    await assertSame(wanted.path, good.path)
  })

  it('takes the place of a damaged one', async () => {
    const { good, wanted, taken, order } = await situation()
    await replicateCopy(order, job())
    await writeFile(join(wanted.path, taken.key), 'damaged')
    await replicateCopy(order, job())
    await assertSame(wanted.path, good.path)
  })

  it('is not made from one that is damaged itself: nothing is published, and what was there stays', async () => {
    const { good, wanted, taken, order } = await situation()
    const bytes = await readFile(join(good.path, taken.key))
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    await writeFile(join(good.path, taken.key), bytes)
    await assert.rejects(replicateCopy(order, job()), { code: 'checksum_mismatch', hint: /another copy/ })
    assert.deepEqual(await contents(wanted.path), [])

    const before: [string, string][] = [
      [taken.key, 'damaged'],
      [taken.key + MANIFEST_SUFFIX, JSON.stringify(taken.manifest)],
    ]
    for (const [key, text] of before)
      await wanted.volume.write(key, { body: once(Buffer.from(text)) }, signal)
    await assert.rejects(replicateCopy(order, job()), { code: 'checksum_mismatch' })
    for (const [key, text] of before) assert.equal(await readFile(join(wanted.path, key), 'utf8'), text)
    assert.deepEqual(await notesOn(wanted.path), [])
  })

  it('lies beside another snapshot that has its key', async () => {
    const { good, wanted, taken, order: ordered } = await situation()
    const other = await takeSnapshot(order(works, [wanted.volume], { fileName: 'same' }), job())
    assert.equal(other.key, taken.key)
    const key = await replicateCopy(ordered, job())
    assert.equal(key, besideKey(taken.key, taken.manifest.snapshot))
    assert.deepEqual(await readFile(join(wanted.path, key)), await readFile(join(good.path, taken.key)))
    const { snapshots } = await listSnapshots(wanted.volume, signal)
    const keys = snapshots.map(({ key, manifest }) => [manifest.snapshot, key])
    assert.deepEqual(Object.fromEntries(keys), {
      [taken.manifest.snapshot]: key,
      [other.manifest.snapshot]: other.key,
    })
    assert.deepEqual(await notesOn(wanted.path), [])
  })

  it('is not made where both keys are taken', async () => {
    const { wanted, taken, order } = await situation()
    const keys = [taken.key, besideKey(taken.key, taken.manifest.snapshot)]
    for (const key of keys) await wanted.volume.write(key, { body: once(Buffer.from('other')) }, signal)
    await assert.rejects(replicateCopy(order, job()), { code: 'object_exists', retryable: false })
    for (const key of keys) assert.equal(await readFile(join(wanted.path, key), 'utf8'), 'other')
    assert.deepEqual(await notesOn(wanted.path), [])
  })

  it('has a note that is renewed every hour', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { wanted, order } = await situation()
    const slow = writing(wanted.volume, async (...args) => {
      const [note = ''] = await notesOn(wanted.path)
      const then = new Date(Date.now() - 25 * HOUR)
      await utimes(note, then, then)
      t.mock.timers.tick(HOUR)
      for (const giveUpAt = Date.now() + 10_000; Date.now() - (await stat(note)).mtimeMs > HOUR;) {
        assert.ok(Date.now() < giveUpAt, 'it was renewed')
        await sleep(10)
      }
      await wanted.volume.write(...args)
    })
    await replicateCopy({ ...order, to: { name: 'wanted', volume: slow } }, job())
    t.mock.timers.tick(HOUR)
    await sleep(50)
    assert.deepEqual(await notesOn(wanted.path), [])
  })
})

describe('a repair whose volume broke off, so that its note could not be taken away', () => {
  it('is made by the next attempt', async () => {
    const { good, wanted, taken } = await situation()
    const away = broken(wanted.volume)
    const context = job()
    await assert.rejects(replicateCopy(repair(taken, good.volume, away), context), {
      code: 'volume_unreachable',
    })
    assert.equal((await notesOn(wanted.path)).length, 1)
    assert.deepEqual(context.lines, ['warning: Volume “wanted” could not be tidied; the next run will: No.'])
    away.isBack = true
    assert.equal(await replicateCopy(repair(taken, good.volume, away), job()), taken.key)
    await assertSame(wanted.path, good.path)
  })

  it('is made by the next attempt where the object is there already, and its manifest is not', async () => {
    const { good, wanted, taken } = await situation()
    const away = broken(wanted.volume, (key, ...rest) =>
      key.endsWith(MANIFEST_SUFFIX) ? fails() : wanted.volume.write(key, ...rest),
    )
    await assert.rejects(replicateCopy(repair(taken, good.volume, away), job()))
    away.isBack = true
    const failing = writing(away, () => fails('volume_full'))
    await assert.rejects(replicateCopy(repair(taken, good.volume, failing), job()), { code: 'volume_full' })
    assert.deepEqual(
      await contents(wanted.path),
      [],
      'nothing that no manifest speaks of is left without a note',
    )

    away.isBack = false
    await assert.rejects(replicateCopy(repair(taken, good.volume, away), job()))
    away.isBack = true
    assert.equal(await replicateCopy(repair(taken, good.volume, away), job()), taken.key)
    await assertSame(wanted.path, good.path)
  })

  it('is made under a note of the backup itself, which failed there', async () => {
    const [good, wanted] = [newVolume(), newVolume()]
    const away = broken(wanted.volume)
    const taken = await takeSnapshot(order(works, [good.volume, away], { fileName: 'same' }), job())
    assert.equal(taken.state, 'partial')
    assert.equal((await notesOn(wanted.path)).length, 1)
    away.isBack = true
    assert.equal(await replicateCopy(repair(taken, good.volume, away), job()), taken.key)
    await assertSame(wanted.path, good.path)
  })

  it('removes the uploads that the former attempt has left', async () => {
    const { good, wanted, taken } = await situation()
    await announceWriting(wanted.volume, taken.key, signal, `${taken.manifest.snapshot}/repair/former`)
    const discarded: string[] = []
    const watched: Volume = { ...wanted.volume, discard: async (scope) => void discarded.push(scope) }
    await replicateCopy(repair(taken, good.volume, watched), job())
    assert.deepEqual(discarded, [taken.key, taken.key + MANIFEST_SUFFIX])
  })

  it('is tried again later if the note is anybody else’s, and leaves everything alone', async () => {
    const { wanted, taken, order } = await situation()
    for (const run of ['00000000-0000-7000-8000-000000000000/0', undefined]) {
      await announceWriting(wanted.volume, taken.key, signal, run)
      await assert.rejects(replicateCopy(order, job()), {
        code: 'object_exists',
        retryable: true,
        message: `Another run is writing “${taken.key}” on volume “wanted”.`,
      })
      assert.equal(await announcedBy(wanted.volume, taken.key, signal), run)
      for (const note of await notesOn(wanted.path)) {
        await wanted.volume.remove(note.slice(wanted.path.length + 1), signal)
      }
    }
    assert.deepEqual(await contents(wanted.path), [])
  })
})

describe('a copy that is complete', () => {
  it('stays, with its note, if nobody knows whether it is remembered; the next attempt goes on', async () => {
    const { good, wanted, taken, order } = await situation()
    const onComplete = () => fails('store_unavailable')
    await assert.rejects(replicateCopy({ ...order, onComplete }, job()), { code: 'store_unavailable' })
    assert.equal((await listSnapshots(wanted.volume, signal)).snapshots.length, 1)
    assert.equal((await notesOn(wanted.path)).length, 1)
    assert.equal(await replicateCopy({ ...order, onComplete: async () => {} }, job()), taken.key)
    await assertSame(wanted.path, good.path)
  })

  it('goes if the job is another runner’s by now, unless it was there before', async () => {
    const { wanted, order } = await situation()
    const onComplete = () => fails('lease_lost')
    await assert.rejects(replicateCopy({ ...order, onComplete }, job()), { code: 'lease_lost' })
    assert.deepEqual(await contents(wanted.path), [])
    await replicateCopy(order, job())
    await assert.rejects(replicateCopy({ ...order, onComplete }, job()), { code: 'lease_lost' })
    assert.equal((await listSnapshots(wanted.volume, signal)).snapshots.length, 1)
    assert.deepEqual(await notesOn(wanted.path), [])
  })

  it('stays if a later attempt has taken over', async () => {
    const { good, wanted, order } = await situation()
    const onComplete = async () => {
      await replicateCopy(order, job())
      await fails('lease_lost')
    }
    await assert.rejects(replicateCopy({ ...order, onComplete }, job()), { code: 'lease_lost' })
    await assertSame(wanted.path, good.path)
  })
})

async function assertSame(path: string, other: string): Promise<void> {
  assert.deepEqual(await contents(path), await contents(other))
  const files = (await readdir(other, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  )
  for (const { parentPath, name } of files) {
    const below = join(parentPath, name).slice(other.length)
    assert.deepEqual(await readFile(join(path, below)), await readFile(join(other, below)), below)
  }
}

async function notesOn(path: string): Promise<string[]> {
  const folder = join(path, '.holdfast/writing')
  return (await contents(folder)).map((name) => join(folder, name))
}
