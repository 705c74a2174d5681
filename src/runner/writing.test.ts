import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../shared/errors.ts'
import { isTemporary, temporaryName } from '../volumes/key.ts'
import type { Volume } from '../volumes/volume.ts'
import { MANIFEST_SUFFIX } from '../shared/snapshots.ts'
import { listSnapshots, once } from './manifests.ts'
import { takeSnapshot } from './take-snapshot.ts'
import {
  contents,
  engineRunning,
  job,
  newVolume,
  ofAnotherMachine,
  ofDeadProcess,
  order,
  sh,
  writing,
} from './test-bed.ts'
import { announceWriting, concludeWriting, renewNote, sweepUnfinished } from './writing.ts'

const HOUR = 3_600_000
const KEY = 'prod/shop/same.sql.zst'
const same = { fileName: 'same' }
const works = engineRunning('warns-and-succeeds')
const { signal } = new AbortController()

describe('a note of a key that is being written', () => {
  it('is had by one run alone, until that one takes it away', async () => {
    const { volume } = newVolume()
    await announceWriting(volume, KEY, signal)
    await assert.rejects(announceWriting(volume, KEY, signal), { code: 'object_exists' })
    await concludeWriting(volume, KEY, signal)
    await announceWriting(volume, KEY, signal)
  })

  it('of another machine counts when it is renewed every day, and no longer when it is not', async () => {
    const { volume, path } = newVolume()
    await announceWriting(volume, KEY, signal)
    await grow(path, 25)
    await renewNote(volume, KEY, signal)
    await changeNote(path, ofAnotherMachine)
    assert.deepEqual(await sweepUnfinished(volume, job()), [])
    assert.equal((await notesOn(path)).length, 1)
    await grow(path, 25)
    assert.deepEqual(await sweepUnfinished(volume, job()), [KEY])
    assert.deepEqual(await contents(path), [])
  })

  it('is renewed every hour while the run lives, on every volume, and not any more when it has ended', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const volumes = [newVolume(), newVolume()]
    const [begun, end] = [`${volumes[0]?.path}-begun`, `${volumes[0]?.path}-end`]
    const waits = sh(`: > ${begun}; while [ ! -e ${end} ]; do sleep 0.02; done; head -c 5242880 /dev/zero`)
    const everywhere = volumes.map(({ volume }) => volume)
    const running = takeSnapshot(order(engineRunning(waits), everywhere), job())
    try {
      await until(async () => existsSync(begun))
      for (let hour = 1; hour <= 2; hour++) {
        for (const { path } of volumes) await grow(path, 25)
        t.mock.timers.tick(HOUR)
        for (const { path } of volumes) await until(async () => (await ageOf(path)) < HOUR)
      }
    } finally {
      await writeFile(end, '')
    }
    await running
    t.mock.timers.tick(HOUR)
    await sleep(100)
    for (const { path } of volumes) assert.deepEqual(await notesOn(path), [])
  })

  it('that cannot be renewed is told to the log, and the run goes on', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const { volume } = newVolume()
    let notes = 0
    const full: Volume = {
      ...volume,
      async write(key, ...rest) {
        if (key.startsWith('.holdfast') && ++notes > 1) throw new AppError('volume_full', 'The disk is full.')
        // The hour is over while the snapshot is being written.
        if (key.endsWith('.zst')) t.mock.timers.tick(HOUR)
        await volume.write(key, ...rest)
      },
    }
    const context = job()
    await takeSnapshot(order(works, [full]), context)
    assert.equal(notes, 2)
    assert.ok(
      context.lines.includes(
        'warning: The note on volume “volume 1” could not be renewed: The disk is full.',
      ),
    )
  })
})

describe('a run that wants a key', () => {
  it('takes another if a living run is about to write it on one of the volumes', async () => {
    const [one, two] = [newVolume(), newVolume()]
    await announceWriting(two.volume, KEY, signal)
    const taken = await takeSnapshot(order(works, [one.volume, two.volume], same), job())
    assert.equal(taken.key, 'prod/shop/same-2.sql.zst')
    assert.equal(taken.state, 'succeeded')
    assert.deepEqual(await notesOn(one.path), [])
    assert.equal((await notesOn(two.path)).length, 1)
    await assert.rejects(announceWriting(two.volume, KEY, signal), { code: 'object_exists' })
  })

  it('takes another if one has come into being while it put its note there', async () => {
    for (const name of [KEY, KEY + MANIFEST_SUFFIX]) {
      const { volume, path } = newVolume()
      let isPublished = false
      const slow: Volume = {
        ...volume,
        async write(key, ...rest) {
          if (!isPublished) await volume.write(name, { body: once(Buffer.from('other')) }, signal)
          isPublished = true
          await volume.write(key, ...rest)
        },
      }
      const taken = await takeSnapshot(order(works, [slow], same), job())
      assert.equal(taken.key, 'prod/shop/same-2.sql.zst')
      assert.equal(await readFile(join(path, name), 'utf8'), 'other')
    }
  })

  it('leaves alone what somebody puts there without a note', async () => {
    const { volume, path } = newVolume()
    const shared = writing(volume, async (key, ...rest) => {
      await volume.write(key, { body: once(Buffer.from('other')) }, signal)
      await volume.write(key, ...rest)
    })
    await assert.rejects(takeSnapshot(order(works, [shared], same), job()), { code: 'object_exists' })
    assert.equal(await readFile(join(path, KEY), 'utf8'), 'other')
    assert.deepEqual(await notesOn(path), [])
  })

  it('leaves no note when it is told that its note failed, although it was written', async () => {
    const { volume, path } = newVolume()
    const cut: Volume = {
      ...volume,
      async write(...args) {
        await volume.write(...args)
        throw new AppError('volume_unreachable', 'The connection was cut.')
      },
    }
    await assert.rejects(takeSnapshot(order(works, [cut]), job()), { code: 'volume_unreachable' })
    assert.deepEqual(await contents(path), [])
  })

  it('does not succeed if its object was taken for leftovers before the manifest was there', async () => {
    const { volume, path } = newVolume()
    const swept = writing(volume, async (key, ...rest) => {
      if (key.endsWith(MANIFEST_SUFFIX)) await volume.remove(key.slice(0, -MANIFEST_SUFFIX.length), signal)
      await volume.write(key, ...rest)
    })
    await assert.rejects(takeSnapshot(order(works, [swept]), job()), { code: 'object_not_found' })
    assert.deepEqual(await contents(path), [])
  })
})

describe('leftovers', () => {
  it('are judged once more just before they are removed: a run may have taken over their key', async () => {
    const { volume, path } = newVolume()
    const keys = ['a/one.sql', 'a/two.sql']
    for (const key of keys) {
      await announceWriting(volume, key, signal)
      await volume.write(key, { body: once(Buffer.from('half')) }, signal)
    }
    await changeNote(path, ofDeadProcess)
    let takenOver: string | undefined
    const watched: Volume = {
      ...volume,
      async *list(prefix) {
        yield* await Array.fromAsync(volume.list(prefix, signal)) // all at once, as S3 gives it
      },
      async remove(key) {
        if (takenOver === undefined) {
          takenOver = keys.find((other) => !key.startsWith(other)) ?? ''
          await concludeWriting(volume, takenOver, signal)
          await announceWriting(volume, takenOver, signal)
        }
        await volume.remove(key, signal)
      },
    }
    const swept = await sweepUnfinished(watched, job())
    assert.deepEqual(
      swept,
      keys.filter((key) => key !== takenOver),
    )
    assert.equal(await readFile(join(path, takenOver ?? ''), 'utf8'), 'half')
    assert.equal((await notesOn(path)).length, 1)
  })

  it('of a killed repair go, hidden files too, and the copy that it was to replace stays', async () => {
    const { volume, path } = newVolume()
    const { key } = await takeSnapshot(order(works, [volume], same), job())
    const before = await contents(path)
    await announceWriting(volume, key, signal)
    for (const half of [key, key + MANIFEST_SUFFIX]) {
      await writeFile(join(path, dirname(key), ofDeadProcess(temporaryName(basename(half)))), 'half')
    }
    await changeNote(path, ofDeadProcess)
    const complete: string[] = []
    const discarded: string[] = []
    const watched: Volume = {
      ...volume,
      async discard(scope, ...rest) {
        discarded.push(scope) // what is an upload in parts elsewhere
        await volume.discard(scope, ...rest)
      },
    }
    const onComplete = async (found: string) => void complete.push(found)
    assert.deepEqual(await sweepUnfinished(watched, job(), { onComplete }), [])
    assert.deepEqual(complete, [key])
    assert.deepEqual(await contents(path), before)
    assert.deepEqual(discarded.slice(0, 2), [key, key + MANIFEST_SUFFIX])
  })

  it('that tell of trouble keep nobody from the others', async () => {
    const { volume, path } = newVolume()
    for (const name of ['a', 'b', 'c']) {
      const { key } = await takeSnapshot(order(works, [volume], { fileName: name }), job())
      await announceWriting(volume, key, signal)
    }
    await changeNote(path, ofDeadProcess)
    const heard: string[] = []
    const onComplete = async (key: string) => {
      heard.push(key)
      if (heard.length === 1) throw new Error('It cannot be taken in.')
    }
    await assert.rejects(sweepUnfinished(volume, job(), { onComplete }), /cannot be taken in/)
    assert.equal(heard.length, 3)
    assert.equal((await notesOn(path)).length, 1)
  })

  it('of one run do not keep another from the key for longer than until the next sweep', async () => {
    const { volume, path } = newVolume()
    await announceWriting(volume, KEY, signal)
    await changeNote(path, ofDeadProcess)
    await sweepUnfinished(volume, job())
    assert.equal((await takeSnapshot(order(works, [volume], same), job())).key, KEY)
    assert.equal((await listSnapshots(volume, signal)).snapshots.length, 1)
  })
})

/** The paths of the notes on a volume. */
async function notesOn(path: string): Promise<string[]> {
  const folder = join(path, '.holdfast/writing')
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => !isTemporary(name)).map((name) => join(folder, name))
}

/** Makes the notes look so many hours old. */
async function grow(path: string, hours: number): Promise<void> {
  const then = new Date(Date.now() - hours * HOUR)
  for (const note of await notesOn(path)) await utimes(note, then, then)
}

/** How many milliseconds ago the only note was written. */
async function ageOf(path: string): Promise<number> {
  const [note = ''] = await notesOn(path)
  return Date.now() - (await stat(note)).mtimeMs
}

/** Changes what the notes say, but not when they were written. */
async function changeNote(path: string, change: (text: string) => string): Promise<void> {
  for (const note of await notesOn(path)) {
    const { atime, mtime } = await stat(note)
    await writeFile(note, change(await readFile(note, 'utf8')))
    await utimes(note, atime, mtime)
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 10_000
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error('It did not come to pass.')
    await sleep(10)
  }
}
