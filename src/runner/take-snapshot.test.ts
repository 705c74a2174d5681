import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'node:test'
import { ownToken } from '../lib/identity.ts'
import { AppError } from '../shared/errors.ts'
import { temporaryName } from '../volumes/key.ts'
import type { Volume } from '../volumes/volume.ts'
import { listSnapshots } from './manifests.ts'
import { takeSnapshot, type SnapshotOrder } from './take-snapshot.ts'
import { contents, DUMP_BYTES, engineRunning, job, newVolume, ofDeadProcess, order } from './test-bed.ts'
import { verifyCopy } from './verify-copy.ts'
import { sweepUnfinished } from './writing.ts'

/** How often each misbehaviour is tried; test:chaos tries it a hundred times. */
const ROUNDS = Number(process.env['HOLDFAST_TEST_ROUNDS'] ?? 3)

describe('a snapshot', () => {
  it('is an object and, written last, its manifest, the same on every volume', async () => {
    const [one, two] = [newVolume(), newVolume()]
    const { state, key, manifest } = await takeSnapshot(
      order(engineRunning('warns-and-succeeds'), [one.volume, two.volume], { comment: 'first' }),
      job(),
    )
    assert.equal(state, 'succeeded')
    assert.match(key, /^prod\/shop\/prod-shop-\d{8}T\d{6}Z\.sql\.zst$/)
    assert.equal(manifest.raw.bytes, DUMP_BYTES)
    assert.equal(manifest.comment, 'first')
    for (const { path, volume } of [one, two]) {
      assert.deepEqual(
        await contents(path),
        ['RESTORE.txt', 'prod', 'prod/shop', key, `${key}.manifest.json`].sort(),
      )
      assert.deepEqual(
        JSON.parse(await readFile(join(path, `${key}.manifest.json`), 'utf8')),
        JSON.parse(JSON.stringify(manifest)),
      )
      assert.equal((await stat(join(path, key))).size, manifest.stored.bytes)
      const engine = engineRunning('warns-and-succeeds')
      const keys = order(engine, []).keys
      assert.deepEqual(await verifyCopy(engine, volume, key, manifest, keys, job()), {
        storedBytes: manifest.stored.bytes,
        rawBytes: DUMP_BYTES,
        tables: 1,
        rows: DUMP_BYTES,
      })
    }
  })

  it('keeps every warning, from before the dump, from a look at the choice and from the dump itself', async () => {
    const { volume } = newVolume()
    const engine = engineRunning('warns-and-succeeds')
    const log = job()
    const { manifest } = await takeSnapshot(
      order(
        {
          ...engine,
          describe: async () => ({ bytes: DUMP_BYTES, warnings: ['one'] }),
          dump: (request) => ({ ...engine.dump(request), warnings: ['two'], check: async () => ['three'] }),
          readDump(format) {
            const reader = engine.readDump(format)
            const finish = () => ({ ...reader.finish(), warnings: ['four'] })
            return { update: (bytes) => reader.update(bytes), finish }
          },
        },
        [volume],
      ),
      log,
    )
    assert.deepEqual(manifest.warnings, ['one', 'two', 'three', 'four'])
    assert.deepEqual(
      log.lines.filter((line) => line.startsWith('warning')),
      manifest.warnings.map((warning) => `warning: ${warning}`),
    )
  })

  it('never replaces another that has its name', async () => {
    const { volume } = newVolume()
    const names = []
    for (let i = 0; i < 3; i++) {
      const taken = await takeSnapshot(
        order(engineRunning('warns-and-succeeds'), [volume], { fileName: 'same' }),
        job(),
      )
      names.push(taken.key)
    }
    assert.deepEqual(names, [
      'prod/shop/same.sql.zst',
      'prod/shop/same-2.sql.zst',
      'prod/shop/same-3.sql.zst',
    ])
    assert.equal((await listSnapshots(volume, job().signal)).snapshots.length, 3)
  })

  it('of a run that fails takes nothing of another that wants the same key at the same time', async () => {
    const { volume } = newVolume()
    const same = { fileName: 'same' }
    const outcomes = await Promise.allSettled([
      takeSnapshot(order(engineRunning('warns-and-succeeds'), [volume], same), job()),
      takeSnapshot(order(engineRunning('closes-stdout-then-fails'), [volume], same), job()),
      takeSnapshot(order(engineRunning('warns-and-succeeds'), [volume], same), job()),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    const { snapshots } = await listSnapshots(volume, job().signal)
    assert.equal(snapshots.length, 2)
    for (const { object, manifest } of snapshots) assert.deepEqual(object, { bytes: manifest.stored.bytes })
  })

  it('is the same through the zstd program with several threads', async () => {
    const { volume } = newVolume()
    const taken = await takeSnapshot(
      order(engineRunning('warns-and-succeeds'), [volume], {
        compression: { method: 'zstd', level: 3, threads: 2 },
      }),
      job(),
    )
    assert.equal(taken.manifest.raw.bytes, DUMP_BYTES)
    assert.deepEqual(taken.manifest.rows, { zeros: DUMP_BYTES })
  })

  it('is complete on the good volume when the other one fails', async () => {
    const good = newVolume()
    const { volume } = newVolume()
    const broken: Volume = {
      ...volume,
      async write(key, source, signal, options) {
        if (key.startsWith('.holdfast')) return volume.write(key, source, signal, options)
        for await (const _chunk of source.body) throw new AppError('volume_full', 'The disk is full.')
      },
    }
    const taken = await takeSnapshot(order(engineRunning('warns-and-succeeds'), [good.volume, broken]), job())
    assert.equal(taken.state, 'partial')
    assert.deepEqual(
      taken.copies.map(({ failure }) => failure?.code),
      [undefined, 'volume_full'],
    )
    assert.equal((await listSnapshots(good.volume, job().signal)).snapshots.length, 1)
  })
})

const forms: [string, Partial<SnapshotOrder>][] = [
  ['zstd', {}],
  ['zstd program', { compression: { method: 'zstd', level: 1, threads: 2 } }],
  ['7z', { compression: { method: 'none' }, encryption: { method: '7z' } }],
]
const failures: [string, string][] = [
  ['exits-1-after-the-last-byte', 'tool_failed'],
  ['exits-0-with-nothing', 'dump_incomplete'],
  ['exits-0-half-way', 'dump_incomplete'],
  ['closes-stdout-then-fails', 'tool_failed'],
  ['dies-by-signal', 'tool_failed'],
  ['floods-stderr', 'tool_failed'],
  ['does-not-exist', 'tool_missing'],
]

describe('a tool that fails leaves nothing on any volume', () => {
  for (const [form, more] of forms) {
    for (const [program, code] of failures) {
      it(`${program}, ${form}`, async () => {
        const [one, two] = [newVolume(), newVolume()]
        for (let round = 0; round < ROUNDS; round++) {
          await assert.rejects(
            takeSnapshot(order(engineRunning(program), [one.volume, two.volume], more), job()),
            { code },
          )
          assert.deepEqual(await contents(one.path), [])
          assert.deepEqual(await contents(two.path), [])
        }
      })
    }
  }

  it('hangs-silently, ended by the stall guard', async () => {
    const { volume, path } = newVolume()
    const stalling = order(engineRunning('hangs-silently'), [volume], { stallAfter: 500 })
    await assert.rejects(takeSnapshot(stalling, job()), { code: 'tool_stalled' })
    assert.deepEqual(await contents(path), [])
  })

  it('hangs-silently, while the only volume fails', async () => {
    const { volume, path } = newVolume()
    const broken: Volume = {
      ...volume,
      async write(key, source, signal, options) {
        if (key.startsWith('.holdfast')) return volume.write(key, source, signal, options)
        await sleep(200)
        throw new AppError('volume_full', 'The disk is full.')
      },
    }
    await assert.rejects(takeSnapshot(order(engineRunning('hangs-silently'), [broken]), job()), {
      code: 'volume_full',
    })
    assert.deepEqual(await contents(path), [])
  })

  it('ignores-sigterm, cancelled in the middle', async () => {
    const { volume, path } = newVolume()
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 400)
    const running = takeSnapshot(order(engineRunning('ignores-sigterm'), [volume]), job(controller.signal))
    await assert.rejects(running, { code: 'cancelled' })
    assert.deepEqual(await contents(path), [])
  })
})

describe('leftovers of a run that was killed', () => {
  it('are removed by the next run, those of a living run are not', async () => {
    const { volume, path } = newVolume()
    const { signal } = new AbortController()
    const note = (id: string, key: string, writer: string) =>
      volume.write(`.holdfast/writing/${id}.json`, { body: bytes(JSON.stringify({ key, writer })) }, signal)
    const dead = ofDeadProcess(ownToken())
    await volume.write('a/dead.sql', { body: bytes('half') }, signal)
    await note('1', 'a/dead.sql', dead)
    await volume.write('a/alive.sql', { body: bytes('half') }, signal)
    await note('2', 'a/alive.sql', ownToken())
    await volume.write('a/elsewhere.sql', { body: bytes('half') }, signal)
    await note('3', 'a/elsewhere.sql', 'ffffffffffff-1-1')
    await volume.write('a/complete.sql', { body: bytes('whole') }, signal)
    await volume.write('a/complete.sql.manifest.json', { body: bytes('{}') }, signal)
    await note('4', 'a/complete.sql', dead)
    await volume.write('a/somebody-elses', { body: bytes('not ours') }, signal)

    assert.deepEqual(await sweepUnfinished(volume, job()), ['a/dead.sql'])
    const left = (await contents(path)).filter((name) => name.includes('.sql') || name.includes('somebody'))
    assert.deepEqual(left, [
      'a/alive.sql',
      'a/complete.sql',
      'a/complete.sql.manifest.json',
      'a/elsewhere.sql',
      'a/somebody-elses',
    ])
    const tomorrow = new Date(Date.now() + 25 * 3_600_000)
    assert.deepEqual(await sweepUnfinished(volume, job(), { now: tomorrow }), ['a/elsewhere.sql'])
  })
})

describe('temporary files of a killed writer', () => {
  it('are swept where nothing names them, those of a living writer are not', async () => {
    const { volume, path } = newVolume()
    const { signal } = new AbortController()
    await volume.write('.holdfast/writing/1.json', { body: bytes('{}') }, signal)
    const notes = '.holdfast/writing'
    const living = join(notes, temporaryName('2.json'))
    const dead = [join(notes, temporaryName('3.json')), temporaryName('RESTORE.txt')].map(ofDeadProcess)
    for (const name of [living, ...dead]) await writeFile(join(path, name), 'half')
    await sweepUnfinished(volume, job())
    assert.deepEqual(
      (await contents(path)).filter((name) => name.includes('tmp')),
      [living],
    )
  })
})

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
