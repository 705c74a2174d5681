import assert from 'node:assert/strict'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AppError } from '../shared/errors.ts'
import { openVolumeUrl } from '../volumes/index.ts'
import type { Volume } from '../volumes/volume.ts'
import { refuseSamePlace } from './copies.ts'
import { takeSnapshot } from './take-snapshot.ts'
import { contents, engineRunning, job, newVolume, order } from './test-bed.ts'
import { announceWriting, announcedBy } from './writing.ts'

const KEY = 'prod/shop/same.sql.zst'
const same = { fileName: 'same' }
const works = engineRunning('warns-and-succeeds')
const { signal } = new AbortController()
const TIMEOUT = 60_000

const fails = (code: AppError['code'], message = 'No.') => Promise.reject(new AppError(code, message))

describe('the same place given twice', { timeout: TIMEOUT }, () => {
  it('is refused before anything starts', async () => {
    const { volume, path } = newVolume()
    const twice = [volume, openVolumeUrl(`${path}/`, {}).volume]
    const never = engineRunning('warns-and-succeeds', {
      inspect: () => assert.fail('The server was asked.'),
    })
    await assert.rejects(takeSnapshot(order(never, twice), job()), {
      code: 'invalid_input',
      message: 'Volumes “volume 1” and “volume 2” are the same place.',
    })
  })

  it('is not taken for two buckets that have one name at two providers', () => {
    const at = (name: string, query: string) => ({
      name,
      volume: openVolumeUrl(`s3://b-1/x${query}`, {}).volume,
    })
    const [one, two] = [at('one', '?endpoint=https://a.example'), at('two', '?endpoint=https://b.example')]
    refuseSamePlace([one, two, at('AWS', '')])
    assert.throws(() => refuseSamePlace([one, two, at('AWS', ''), at('again', '?region=eu-west-1')]), {
      message: 'Volumes “AWS” and “again” are the same place.',
    })
  })

  it('is refused when only the notes show it, and leaves none', async () => {
    const [{ volume, path }, other] = [newVolume(), newVolume()]
    await volume.write('there', { body: bytes('x') }, signal)
    const link = `${path}-link`
    await symlink(path, link)
    const volumes = [other.volume, volume, openVolumeUrl(link, {}).volume]
    const context = job()
    await assert.rejects(takeSnapshot(order(works, volumes, same), context), (error: AppError) => {
      assert.equal(error.code, 'invalid_input')
      // Which of the two comes first is theirs.
      assert.match(error.message, /^Volumes “volume [23]” and “volume [23]” are the same place\.$/)
      return true
    })
    assert.deepEqual(context.lines, [])
    assert.deepEqual([await contents(path), await contents(other.path)], [['there'], []])
  })
})

describe('names for a snapshot', { timeout: TIMEOUT }, () => {
  it('are not tried for ever', async () => {
    const { volume } = newVolume()
    let tries = 0
    const taken: Volume = {
      ...volume,
      async write() {
        tries++
        await fails('object_exists')
      },
    }
    await assert.rejects(takeSnapshot(order(works, [taken], same), job()), {
      code: 'object_exists',
      message: '“prod/shop/same” is taken, and all names up to “prod/shop/same-1000” are.',
      hint: /\{timestamp\}/,
    })
    assert.equal(tries, 1000)
  })
})

describe('of notes on a volume that fails', { timeout: TIMEOUT }, () => {
  it('nothing is said if it could not be reached, and nothing was tried to be written', async () => {
    for (const code of ['authentication_failed', 'volume_unreachable', 'host_key_unknown'] as const) {
      const good = newVolume()
      const away: Volume = {
        ...good.volume,
        location: 'elsewhere',
        // oxlint-disable-next-line eslint/require-yield -- it fails before the first
        async *list() {
          await fails(code)
        },
        write: () => assert.fail('It was written to.'),
        remove: () => assert.fail('It was removed from.'),
      }
      const context = job()
      await assert.rejects(takeSnapshot(order(works, [away]), context), { code })
      const { copies } = await takeSnapshot(order(works, [good.volume, away]), context)
      assert.equal(copies[1]?.failure?.code, code)
      assert.deepEqual(
        context.lines.filter((line) => !line.startsWith('info')),
        [],
      )
    }
  })

  it('nothing is said if it refuses to write and to remove', async () => {
    const { volume } = newVolume()
    const refusing: Volume = { ...volume, write: () => fails('volume_refused'), read: refusedRead }
    const context = job()
    await assert.rejects(takeSnapshot(order(works, [refusing]), context), { code: 'volume_refused' })
    assert.deepEqual(context.lines, [])
  })

  it('no more is said than is known, if it broke off', async () => {
    const { volume } = newVolume()
    let isBroken = false
    const breaking: Volume = {
      ...volume,
      write() {
        isBroken = true
        return fails('volume_unreachable', 'The connection was lost.')
      },
      read: (...args) => (isBroken ? brokenRead() : volume.read(...args)),
    }
    const context = job()
    await assert.rejects(takeSnapshot(order(works, [breaking]), context), { code: 'volume_unreachable' })
    assert.deepEqual(context.lines, [
      'warning: A note may be left on volume “volume 1”; if so, the next run will remove it: The connection was lost.',
    ])
  })

  it('another run’s stays, when the own one failed', async () => {
    const { volume, path } = newVolume()
    const late: Volume = {
      ...volume,
      async write(key, ...rest) {
        if (!key.startsWith('.holdfast')) return await volume.write(key, ...rest)
        // The other run is faster, and the answer that says so is lost.
        await announceWriting(volume, KEY, signal, 'other')
        await fails('volume_unreachable')
      },
    }
    const context = job()
    await assert.rejects(takeSnapshot(order(works, [late], same), context), { code: 'volume_unreachable' })
    assert.equal(await announcedBy(volume, KEY, signal), 'other')
    assert.equal((await contents(join(path, '.holdfast/writing'))).length, 1)
    assert.deepEqual(context.lines, [])
  })
})

// oxlint-disable-next-line eslint/require-yield -- it fails before the first
async function* refusedRead(): AsyncGenerator<Uint8Array> {
  await fails('volume_refused')
}

// oxlint-disable-next-line eslint/require-yield -- it fails before the first
async function* brokenRead(): AsyncGenerator<Uint8Array> {
  await fails('volume_unreachable', 'The connection was lost.')
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
