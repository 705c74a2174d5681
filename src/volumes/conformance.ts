import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { temporaryName } from './key.ts'
import { testVolume } from './test-volume.ts'
import type { ByteRange, Volume } from './volume.ts'

/** A volume on a real storage, empty, and what only the storage itself can tell or do. */
export interface VolumeUnderTest extends AsyncDisposable {
  volume: Volume
  /** Everything there that is not a published object: temporary files, unfinished uploads, empty folders. */
  leftovers(): Promise<string[]>
  /** Leaves behind what a write of this key leaves whose process was killed half-way. */
  abandon(key: string): Promise<void>
  /** Makes the storage stop taking bytes, without closing anything, and go on. */
  stall?: { begin(): void; end(): void }
}

export interface ConformanceOptions {
  skip?: string | false
  /** How far ahead of a storage that stands still the volume may take bytes from the source. */
  ahead: number
  /** How much memory a write may take, in bytes, besides what is in flight through Node itself. */
  memory: number
  /** Why two writers that both want to be the first may both succeed there. */
  cannotDecideRaces?: string
  /** How many objects the storage lists at a time, if it does so in pages. */
  page?: number
}

const MB = 1_000_000
/** No promise about time: what has not ended by then never ends. */
const TIMEOUT = 120_000

/** What every volume promises. Each driver's test calls it once for each kind of server it is tried with. */
export function volumeConformance(
  name: string,
  open: () => Promise<VolumeUnderTest>,
  options: ConformanceOptions,
): void {
  const promise = (
    sentence: string,
    keep: (test: VolumeUnderTest, context: TestContext) => Promise<void>,
  ) => {
    void it(sentence, { timeout: TIMEOUT }, async (context) => {
      await using test = await open()
      await keep(test, context)
      assert.deepEqual(await test.leftovers(), [], 'something was left behind')
    })
  }

  describe(`${name} keeps the promises of a volume`, { skip: options.skip ?? false }, () => {
    for (const bytes of [0, 1, 65_536, 30 * MB]) {
      promise(`gives back ${bytes} bytes as they were`, async ({ volume }) => {
        const written = createHash('sha256')
        await volume.write('a/b', { body: hashed(pattern(bytes), written) }, signal())
        assert.deepEqual(await digest(volume, 'a/b'), { bytes, sha256: written.digest('hex') })
        assert.equal((await volume.stat('a/b', signal())).bytes, bytes)
        assert.deepEqual(await keys(volume), ['a/b'])
      })
    }

    for (const bytes of [0, 1, 1 * MB, 20 * MB]) {
      promise(
        `still has the old object when the new one's source fails after ${bytes} bytes`,
        async ({ volume }) => {
          await volume.write('a/b', text('old'), signal())
          const failure = new Error('the source failed')
          await assert.rejects(
            volume.write('a/b', { body: failing(bytes, failure) }, signal()),
            (error) => error === failure,
          )
          assert.equal(await read(volume, 'a/b'), 'old')
        },
      )

      promise(`has no new object when its source fails after ${bytes} bytes`, async ({ volume }) => {
        const failure = new Error('the source failed')
        await assert.rejects(volume.write('x/y/z', { body: failing(bytes, failure) }, signal()), failure)
        assert.deepEqual(await keys(volume), [])
        await fails('object_not_found', volume.stat('x/y/z', signal()))
      })
    }

    promise('replaces an object as a whole', async ({ volume }) => {
      await volume.write('a', { body: pattern(200_000) }, signal())
      await volume.write('a', text('new'), signal())
      assert.equal(await read(volume, 'a'), 'new')
    })

    for (const bytes of [0, 10, 17 * MB]) {
      promise(
        `puts the head before a body of ${bytes} bytes, and asks for it when the body has ended`,
        async (test) => {
          let ended = false
          let asked = 0
          const body = async function* () {
            yield* pattern(bytes)
            ended = true
          }
          const head = {
            length: 32,
            bytes() {
              asked++
              assert.ok(ended)
              return Buffer.alloc(32, 'h')
            },
          }
          await test.volume.write('head', { body: body(), head }, signal())
          assert.equal(asked, 1)
          assert.equal(await read(test.volume, 'head', { start: 0, end: 31 }), 'h'.repeat(32))
          const expected = createHash('sha256')
          for await (const chunk of pattern(bytes)) expected.update(chunk)
          assert.deepEqual(await digest(test.volume, 'head', { start: 32 }), {
            bytes,
            sha256: expected.digest('hex'),
          })
        },
      )
    }

    promise('stores nothing when the head cannot be made', async ({ volume }) => {
      const failure = new Error('no head')
      const bytes = () => {
        throw failure
      }
      await assert.rejects(
        volume.write('head', { body: pattern(17 * MB), head: { length: 32, bytes } }, signal()),
        failure,
      )
      await assert.rejects(
        volume.write(
          'head',
          { body: pattern(1), head: { length: 32, bytes: () => Buffer.alloc(31) } },
          signal(),
        ),
      )
      assert.deepEqual(await keys(volume), [])
    })

    promise('reads ranges, also beyond the end', async ({ volume }) => {
      const whole = Buffer.concat(await Array.fromAsync(pattern(17 * MB)))
      await volume.write('ranges', { body: chunked(whole) }, signal())
      const last = whole.length - 1
      const ranges: ByteRange[] = [
        { start: 0, end: 0 },
        { start: 1, end: 70_000 },
        { start: 16_777_200, end: 16_777_230 },
        { start: last },
        { start: last, end: last },
        { start: last - 5, end: last + 1000 },
        { start: whole.length },
        { start: whole.length + 10, end: whole.length + 20 },
      ]
      for (const range of ranges) {
        const expected = whole.subarray(range.start, (range.end ?? last) + 1)
        const got = Buffer.concat(await Array.fromAsync(volume.read('ranges', signal(), range)))
        assert.ok(got.equals(expected), `${JSON.stringify(range)}: ${got.length} bytes`)
      }
      await volume.write('empty', text(''), signal())
      assert.equal(await read(volume, 'empty', { start: 0, end: 10 }), '')
      await fails('invalid_input', read(volume, 'ranges', { start: -1 }))
      await fails('invalid_input', read(volume, 'ranges', { start: 5, end: 4 }))
    })

    promise('says object_not_found before the first byte', async ({ volume }) => {
      await fails('object_not_found', read(volume, 'nothing/here'))
      await fails('object_not_found', read(volume, 'nothing', { start: 3, end: 4 }))
      await fails('object_not_found', volume.stat('nothing/here', signal()))
    })

    promise('tells size and time of an object', async ({ volume }) => {
      await volume.write('a', text('12345'), signal())
      const stat = await volume.stat('a', signal())
      const [listed] = await Array.fromAsync(volume.list('', signal()))
      assert.deepEqual({ ...stat, modifiedAt: undefined }, { key: 'a', bytes: 5, modifiedAt: undefined })
      assert.ok(Math.abs(stat.modifiedAt.getTime() - Date.now()) < 3_600_000)
      assert.deepEqual({ ...listed, modifiedAt: undefined }, { key: 'a', bytes: 5, modifiedAt: undefined })
    })

    promise('lists by the beginning of keys', async ({ volume }) => {
      assert.deepEqual(await keys(volume), [])
      const all = ['a', 'ab/c', 'ab/d/e', 'abc', 'b/a']
      for (const key of all) await volume.write(key, text(key), signal())
      assert.deepEqual(await keys(volume), all)
      assert.deepEqual(await keys(volume, 'ab'), ['ab/c', 'ab/d/e', 'abc'])
      assert.deepEqual(await keys(volume, 'ab/'), ['ab/c', 'ab/d/e'])
      assert.deepEqual(await keys(volume, 'ab/d'), ['ab/d/e'])
      assert.deepEqual(await keys(volume, 'nothing/'), [])
      assert.deepEqual(await keys(volume, 'a/'), [])
    })

    const many = 2 * (options.page ?? 500) + 15
    promise(`lists ${many} objects`, async ({ volume }) => {
      const all = Array.from({ length: many }, (_, index) => `many/${String(index).padStart(5, '0')}`)
      await inParallel(32, all, (key) => volume.write(key, text(''), signal()))
      assert.deepEqual(await keys(volume, 'many/'), all)
    })

    promise('takes any key that is one', async ({ volume }) => {
      await inParallel(8, oddKeys, (key) => volume.write(key, text(`content of ${key}`), signal()))
      assert.deepEqual(await keys(volume), oddKeys.toSorted())
      await inParallel(8, oddKeys, async (key) => {
        assert.equal(await read(volume, key), `content of ${key}`)
        assert.deepEqual(await keys(volume, key), [key])
        await volume.remove(key, signal())
        await fails('object_not_found', volume.stat(key, signal()))
      })
    })

    promise('refuses keys that are none', async ({ volume }) => {
      for (const key of refusedKeys) {
        const shown = JSON.stringify(key)
        await fails('invalid_input', volume.write(key, text('x'), signal()), `write ${shown}`)
        await fails('invalid_input', read(volume, key), `read ${shown}`)
        await fails('invalid_input', volume.stat(key, signal()), `stat ${shown}`)
        await fails('invalid_input', volume.remove(key, signal()), `remove ${shown}`)
        if (volume.presign) await fails('invalid_input', volume.presign(key, 60), `link ${shown}`)
      }
      await fails('invalid_input', volume.discard('../x', signal()))
      await fails('invalid_input', volume.discard('/etc/', signal()))
      await fails('invalid_input', keys(volume, '../'))
      await fails('invalid_input', keys(volume, '/etc/'))
      assert.deepEqual(await keys(volume), [])
    })

    promise('does not replace an object that must be absent', async ({ volume }) => {
      for (const bytes of [10, 17 * MB]) {
        await volume.write(`n${bytes}`, { body: pattern(bytes) }, signal(), { ifAbsent: true })
        await fails(
          'object_exists',
          volume.write(`n${bytes}`, { body: pattern(bytes) }, signal(), { ifAbsent: true }),
        )
        assert.equal((await volume.stat(`n${bytes}`, signal())).bytes, bytes)
      }
    })

    for (const [writers, bytes] of [
      [10, 1000],
      [3, 17 * MB],
    ] as const) {
      it(
        `lets one of ${writers} writers of ${bytes} bytes be the first`,
        { skip: options.cannotDecideRaces ?? false, timeout: TIMEOUT },
        async () => {
          await using test = await open()
          const results = await Promise.allSettled(
            Array.from({ length: writers }, (_, index) =>
              test.volume.write('race/won', { body: pattern(bytes, index) }, signal(), { ifAbsent: true }),
            ),
          )
          const winners = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []))
          for (const result of results) {
            if (result.status === 'rejected')
              assert.equal(codeOf(result.reason), 'object_exists', String(result.reason))
          }
          assert.equal(winners.length, 1)
          const expected = createHash('sha256')
          for await (const chunk of pattern(bytes, winners[0])) expected.update(chunk)
          assert.deepEqual(await digest(test.volume, 'race/won'), { bytes, sha256: expected.digest('hex') })
          assert.deepEqual(await test.leftovers(), [])
        },
      )
    }

    promise('writes, reads and removes many objects at once', async ({ volume }) => {
      const names = Array.from({ length: 12 }, (_, index) => index)
      await inParallel(12, names, async (index) => {
        for (let round = 0; round < 3; round++) {
          // One folder that is emptied and filled all the time, by all of them.
          const key = `busy/${index % 4}/${index}`
          await volume.write(key, { body: pattern(100_000 + index) }, signal())
          assert.equal((await digest(volume, key)).bytes, 100_000 + index)
          await volume.remove(key, signal())
        }
      })
      assert.deepEqual(await keys(volume), [])
    })

    promise('stops promptly and leaves nothing when it is cancelled', async ({ volume }) => {
      await volume.write('kept', text('old'), signal())
      for (const bytes of [0, 100_000, 20 * MB]) {
        const cancel = new AbortController()
        const reason = new Error('cancelled by the test')
        const writing = volume.write(
          'kept',
          { body: endless(bytes, () => cancel.abort(reason)) },
          cancel.signal,
        )
        await assert.rejects(writing, (error) => error === reason)
      }
      assert.equal(await read(volume, 'kept'), 'old')
      const cancelled = AbortSignal.abort(new Error('too late'))
      await assert.rejects(volume.write('new', text('x'), cancelled), /too late/)
      await assert.rejects(Array.fromAsync(volume.read('kept', cancelled)), /too late/)
      await assert.rejects(volume.stat('kept', cancelled), /too late/)
      await assert.rejects(Array.fromAsync(volume.list('', cancelled)), /too late/)
      await assert.rejects(volume.remove('kept', cancelled), /too late/)
      assert.deepEqual(await keys(volume), ['kept'])
    })

    promise('stops reading when it is cancelled, or when the reader has enough', async ({ volume }) => {
      await volume.write('big', { body: pattern(20 * MB) }, signal())
      const cancel = new AbortController()
      let seen = 0
      await assert.rejects(async () => {
        for await (const chunk of volume.read('big', cancel.signal)) {
          seen += chunk.length
          if (seen > 1 * MB) cancel.abort(new Error('enough'))
        }
      }, /enough/)
      assert.ok(seen < 20 * MB)
      for await (const chunk of volume.read('big', signal())) {
        assert.ok(chunk.length > 0)
        break
      }
      assert.equal((await digest(volume, 'big')).bytes, 20 * MB)
    })

    promise('is patient with a slow source', async ({ volume }) => {
      const slow = async function* () {
        for (let index = 0; index < 30; index++) {
          await sleep(20)
          yield Buffer.from(`${index},`)
        }
      }
      await volume.write('slow', { body: slow() }, signal())
      assert.equal(await read(volume, 'slow'), Array.from({ length: 30 }, (_, index) => `${index},`).join(''))
    })

    promise('is patient with a slow reader', async ({ volume }) => {
      await volume.write('slow', { body: pattern(3 * MB) }, signal())
      let seen = 0
      for await (const chunk of volume.read('slow', signal())) {
        seen += chunk.length
        if (seen < 1 * MB) await sleep(20)
      }
      assert.equal(seen, 3 * MB)
    })

    promise('closes a source that it leaves early', async ({ volume }) => {
      const cancel = new AbortController()
      const closed = Promise.withResolvers<void>()
      const source = async function* () {
        try {
          yield* pattern(1 * MB)
          cancel.abort(new Error('cancelled by the test'))
          yield* pattern(20 * MB)
        } finally {
          closed.resolve()
        }
      }
      await assert.rejects(volume.write('new', { body: source() }, cancel.signal), /cancelled by the test/)
      await closed.promise
    })

    promise('removes what is there, and what is not', async ({ volume }) => {
      await volume.write('a/b/c/d', text('x'), signal())
      await volume.write('a/e', text('y'), signal())
      await volume.remove('a/b/c/d', signal())
      await volume.remove('a/b/c/d', signal())
      await volume.remove('never/was/there', signal())
      assert.deepEqual(await keys(volume), ['a/e'])
      assert.equal(await read(volume, 'a/e'), 'y')
      await volume.remove('a/e', signal())
    })

    promise(
      'discards what interrupted writes left behind of a key or in a folder, and nothing else',
      async (test) => {
        const { volume } = test
        const long = `d/${'long-'.repeat(40)}`
        await volume.write('d/object', text('published'), signal())
        const abandoned = [
          'd/object',
          'd/object',
          'd/object-2',
          'd/e/f/deep',
          `${long}1`,
          'd/other',
          'e/object',
        ]
        for (const key of abandoned) await test.abandon(key)
        assert.ok((await test.leftovers()).length >= abandoned.length)
        assert.deepEqual(await keys(volume), ['d/object'], 'what was abandoned is listed')
        for (const [scope, left] of [
          ['nothing/there', 7],
          ['d/object', 5],
          [`${long}1`, 4],
          ['d/e/', 3],
          ['d/', 1],
          ['', 0],
        ] as const) {
          await volume.discard(scope, signal())
          assert.equal((await test.leftovers()).length, left, `after discarding “${scope}”`)
        }
        assert.equal(await read(volume, 'd/object'), 'published')
      },
    )

    promise('discards no temporary file of a writer that lives', async ({ volume }, context) => {
      if (volume.presign) return context.skip('uploads in parts tell nobody who writes them')
      const going = Promise.withResolvers<void>()
      const finish = Promise.withResolvers<void>()
      const body = async function* () {
        yield* pattern(1 * MB)
        going.resolve()
        await finish.promise
        yield* pattern(1 * MB)
      }
      const writing = volume.write('s/living', { body: body() }, signal())
      await going.promise
      for (const prefix of ['s/living', 's/', '']) await volume.discard(prefix, signal())
      finish.resolve()
      await writing
      assert.equal((await volume.stat('s/living', signal())).bytes, 2 * MB)
    })

    promise(
      'takes no more from the source than it can hold while the storage stands still',
      async (test, context) => {
        const { stall } = test
        if (!stall) return context.skip('this storage cannot be made to stand still')
        await Array.fromAsync(test.volume.list('', signal()))
        let taken = 0
        const counted = async function* () {
          for await (const chunk of pattern(400 * MB)) {
            taken += chunk.length
            yield chunk
            stall.begin()
          }
        }
        const cancel = new AbortController()
        const writing = test.volume.write('stalled', { body: counted() }, cancel.signal)
        writing.catch(() => {})
        const ahead = await settled(() => taken, 2 * options.ahead)
        cancel.abort(new Error('enough'))
        stall.end()
        await assert.rejects(writing, /enough/)
        assert.ok(ahead <= options.ahead, `${ahead} bytes were taken`)
      },
    )

    promise('needs the same memory for any size', async ({ volume }) => {
      const before = process.memoryUsage().rss
      let peak = before
      const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 10)
      try {
        await volume.write('big', { body: pattern(200 * MB) }, signal())
        assert.equal((await digest(volume, 'big')).bytes, 200 * MB)
      } finally {
        clearInterval(watch)
      }
      // 64 MB for Node: chunks on their way that the garbage collector has not met yet.
      const limit = options.memory + 64 * MB
      assert.ok(peak - before <= limit, `${(peak - before) / MB} MB, of which ${limit / MB} MB are allowed`)
    })

    promise('gives links that work for a while, where there are links', async ({ volume }, context) => {
      if (!volume.presign) return context.skip('there are no links')
      const key = 'links/a b+ü.txt'
      await volume.write(key, text('linked'), signal())
      const link = await volume.presign(key, 60)
      const reply = await fetch(link)
      assert.equal(reply.status, 200)
      assert.equal(await reply.text(), 'linked')
      const other = await fetch(link.replace('links/', 'other/'))
      assert.ok([400, 403].includes(other.status), `${other.status}`)
      await other.arrayBuffer()
      const short = await volume.presign(key, 1)
      await sleep(2_500)
      const late = await fetch(short)
      assert.ok([400, 403].includes(late.status), `${late.status}`)
      await late.arrayBuffer()
    })

    promise('passes the test that people run', async ({ volume }) => {
      const steps = await testVolume(volume, signal())
      assert.deepEqual(
        steps.filter((step) => step.outcome === 'failed'),
        [],
      )
      assert.ok(steps.length >= 7)
      assert.deepEqual(await keys(volume), [])
    })
  })
}

/** Bytes that differ everywhere, the same for the same seed, in chunks of awkward sizes. */
export async function* pattern(bytes: number, seed = 0): AsyncGenerator<Buffer, void> {
  const block = createHash('shake256', { outputLength: 65_536 }).update(String(seed)).digest()
  for (let left = bytes, index = 0; left > 0; index++) {
    const length = Math.min(left, [65_536, 65_535, 1, 40_000, 17][index % 5] ?? 1)
    const chunk = Buffer.from(block.subarray(0, length))
    if (length >= 4) chunk.writeUInt32LE(index, length - 4)
    left -= length
    yield chunk
  }
}

/** Fails with the error after so many bytes. */
export async function* failing(bytes: number, failure: Error): AsyncGenerator<Buffer, void> {
  yield* pattern(bytes)
  throw failure
}

/** A temporary name of a process that is over: process 1 did not start when the clock did. */
export function abandonedName(name: string): string {
  return temporaryName(name).replace(/-\d+-\d+-(?=[0-9a-f]{8}-)/, '-1-1-')
}

/** The whole object, or a range of it, as text. */
export async function read(volume: Volume, key: string, range?: ByteRange): Promise<string> {
  return Buffer.concat(await Array.fromAsync(volume.read(key, signal(), range))).toString()
}

/** All keys that start with the prefix, sorted. */
export async function keys(volume: Volume, prefix = ''): Promise<string[]> {
  const listed = await Array.fromAsync(volume.list(prefix, signal()))
  return listed.map((object) => object.key).toSorted()
}

/** Size and SHA-256 of what is read. */
export async function digest(volume: Volume, key: string, range?: ByteRange) {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of volume.read(key, signal(), range)) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Asserts that the work fails with this code. */
export async function fails(code: ErrorCode, work: Promise<unknown>, about = ''): Promise<AppError> {
  let failure: unknown
  try {
    await work
  } catch (error) {
    failure = error
  }
  assert.ok(failure instanceof AppError, `${about} ended with ${String(failure)}`)
  assert.equal(failure.code, code, failure.message)
  return failure
}

export function text(content: string): { body: AsyncIterable<Uint8Array> } {
  return { body: chunked(Buffer.from(content)) }
}

export function signal(): AbortSignal {
  return new AbortController().signal
}

async function* chunked(bytes: Buffer): AsyncGenerator<Buffer, void> {
  for (let start = 0; start < bytes.length; start += 100_000) yield bytes.subarray(start, start + 100_000)
}

async function* hashed(source: AsyncIterable<Buffer>, hash: { update(bytes: Buffer): unknown }) {
  for await (const chunk of source) {
    hash.update(chunk)
    yield chunk
  }
}

/** Never ends: says when it has given so many bytes, and is then silent. */
async function* endless(bytes: number, silent: () => void): AsyncGenerator<Buffer, void> {
  yield* pattern(bytes)
  silent()
  await new Promise(() => {})
}

/** What a number that only grows comes to: it did not change for a second, or is more than anyone asked for. */
async function settled(value: () => number, enough: number): Promise<number> {
  for (let before = 0; ;) {
    await sleep(1000)
    const now = value()
    if (now > 0 && (now === before || now > enough)) return now
    before = now
  }
}

async function inParallel<T>(width: number, items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items]
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
    }),
  )
}

function codeOf(error: unknown): string {
  return error instanceof AppError ? error.code : String(error)
}

const oddKeys = [
  ' leading and trailing ',
  '-rf',
  '--help/-x',
  '.hidden/.file',
  '...',
  'a b/c  d',
  `quotes/'single' "double" \`back\``,
  'percent/100%25%2Fx%',
  'plus+and&and=and?and#and;',
  'back\\slash',
  'dollar/$HOME/*[?]{a,b}',
  '<xml>&amp;</xml>',
  'pipe|colon:star*',
  'unicode/Ü-nfc-\u00e9',
  'unicode/e-nfd-e\u0301',
  'emoji/🔥👩‍👩‍👧/😀',
  '日本語/データ',
  `long/${'x'.repeat(200)}/${'ü'.repeat(100)}`,
  `${'longest-'.repeat(31)}segment`,
  'tilde/~root/~',
  '@at/!bang,comma',
]

const refusedKeys = [
  '',
  '/',
  '/etc/passwd',
  '.',
  '..',
  '../x',
  'a/../b',
  'a/./b',
  'a//b',
  'a/',
  'a/..',
  'nul\0byte',
  'line\nbreak',
  '\u007f',
  '\ud800',
  'x'.repeat(4096),
  `a/${'y'.repeat(256)}`,
  '.holdfast-tmp-0123456789abcdef-x',
]
