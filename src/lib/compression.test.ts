import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { skipUnless } from '../../test/servers/needs.ts'
import { tempFolder } from '../../test/servers/temp-folder.ts'
import { compress, decompress, zstdCommand, type Compression } from './compression.ts'
import { pipeThrough, run, stdoutThroughProgram } from './process.ts'

const signal = AbortSignal.timeout(60_000)
const gzip: Compression = { method: 'gzip', level: 6 }
const zstd: Compression = { method: 'zstd', level: 3 }
const skip = skipUnless('zstd')

const forms: Compression[] = [
  { method: 'none' },
  { method: 'gzip', level: 1 },
  { method: 'gzip', level: 9 },
  { method: 'zstd', level: 1 },
  { method: 'zstd', level: 9 },
]

for (const form of forms) {
  describe(`${form.method}${'level' in form ? ` ${form.level}` : ''}`, () => {
    it('gives back what was put in, in whatever pieces it comes', async () => {
      for (const bytes of [0, 1, 70_000, 3_000_000]) {
        const content = Buffer.concat([
          randomBytes(bytes / 2),
          Buffer.alloc(bytes - Math.floor(bytes / 2), 'repeated '),
        ])
        const compressed = await all(compress(inPieces(content, 65_536), form, signal))
        const back = await all(decompress(inPieces(compressed, 1_000_003), form.method, signal))
        assert.ok(back.equals(content), `${bytes} bytes`)
      }
    })

    it('throws the very error that its source threw, in both directions', async () => {
      const error = new Error('the tool failed')
      const thrown = (caught: unknown) => caught === error
      await assert.rejects(all(compress(failingAfter(randomBytes(900_000), error), form, signal)), thrown)
      const compressed = await all(compress(inPieces(randomBytes(900_000), 65_536), form, signal))
      for (const length of [0, 1, 600_000, compressed.length]) {
        const source = failingAfter(compressed.subarray(0, length), error)
        await assert.rejects(all(decompress(source, form.method, signal)), thrown)
      }
    })

    it('closes its source when the reader leaves', async () => {
      for (const direction of [
        (source: AsyncIterable<Uint8Array>) => compress(source, form, signal),
        (source: AsyncIterable<Uint8Array>) => decompress(source, form.method, signal),
      ]) {
        let isClosed = false
        const compressed = await all(compress(inPieces(randomBytes(2_000_000), 65_536), form, signal))
        const source = (async function* () {
          try {
            yield* inPieces(compressed, 65_536)
          } finally {
            isClosed = true
          }
        })()
        for await (const _ of direction(source)) break
        assert.ok(isClosed)
      }
    })

    it('stops when the signal aborts', async () => {
      const stopped = new AbortController()
      const reason = new Error('stopped')
      const endless = (async function* () {
        for (let i = 0; ; i++) {
          if (i === 40) stopped.abort(reason)
          yield randomBytes(65_536)
        }
      })()
      await assert.rejects(all(compress(endless, form, stopped.signal)), (caught) => caught === reason)
    })
  })
}

for (const form of [gzip, zstd]) {
  const { method } = form

  describe(`${method} that is not as it was`, () => {
    const content = Buffer.concat([Buffer.alloc(2_000, 'some text that repeats itself '), randomBytes(300)])
    /** A frame so large that it is handed to the codec alone, and what follows it in a piece of its own. */
    const large = compressed(randomBytes(600_000), form)

    it('is refused when it is truncated anywhere', async () => {
      const whole = await compressed(content, form)
      for (let length = 0; length < whole.length; length++) {
        await refused(asPieces(whole.subarray(0, length)), method, `the first ${length} bytes`)
      }
      for (const missing of [1, 4, 5, 8, 9, 100_000, 599_000]) {
        const truncated = (await large).subarray(0, -missing)
        await refused(inPieces(truncated, 65_536), method, `without the last ${missing} bytes`)
      }
    })

    it('is refused when the second of two frames is truncated', async () => {
      const first = await compressed(content, form)
      const second = await compressed(Buffer.from('another'), form)
      for (let length = 1; length < second.length; length++) {
        const truncated = second.subarray(0, length)
        await refused(asPieces(Buffer.concat([first, truncated])), method, `${length} bytes`)
        await refused(asPieces(await large, truncated), method, `${length} bytes in a piece of their own`)
      }
    })

    it('is refused when anything but another frame follows it', async () => {
      const whole = await compressed(content, form)
      for (const garbage of [
        'g',
        '\0',
        'something longer',
        '\0'.repeat(512),
        '\x1f\x8b',
        '\x28\xb5\x2f\xfd',
      ]) {
        const bytes = Buffer.from(garbage, 'latin1')
        await refused(asPieces(Buffer.concat([whole, bytes])), method, garbage)
        await refused(asPieces(await large, bytes), method, `${garbage} in a piece of its own`)
        await refused(asPieces(Buffer.concat([whole, bytes, whole])), method, `${garbage} between two`)
      }
    })

    // Some bits mean nothing to the content: the time in gzip's header, the padding of deflate's last byte.
    it('is refused when any of its bits is flipped, or gives the very same bytes', async () => {
      const whole = await compressed(content, form)
      let accepted = 0
      for (let bit = 0; bit < whole.length * 8; bit++) {
        const flipped = Buffer.from(whole)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const where = `bit ${bit & 7} of byte ${bit >> 3}`
        const back = await all(decompress(asPieces(flipped), method, signal)).catch((error: unknown) => error)
        if (back instanceof Error)
          assert.equal((back as { code?: unknown }).code, 'decompression_failed', where)
        else assert.ok((back as Buffer).equals(content), where)
        if (back instanceof Buffer) accepted++
      }
      assert.ok(accepted < 80, `${accepted} of ${whole.length * 8}`)
    })

    it('is refused when it never was any', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) =>
          refused(asPieces(bytes), method, 'random bytes'),
        ),
      )
    })
  })

  it(`${method} frames that follow one another are all decompressed`, async () => {
    const parts = [
      randomBytes(600_000),
      randomBytes(100),
      Buffer.alloc(0),
      Buffer.alloc(200_000, 'x'),
      randomBytes(600_000),
      Buffer.from('end'),
    ]
    const frames = await Promise.all(parts.map((part) => compressed(part, form)))
    const joined = Buffer.concat(frames)
    for (const pieces of [asPieces(...frames), asPieces(joined), inPieces(joined, 7_001)]) {
      assert.ok((await all(decompress(pieces, method, signal))).equals(Buffer.concat(parts)))
    }
  })
}

describe('gzip by others', () => {
  it('is read with a name, a comment and a checksum in its header', async () => {
    const plain = gzipSync('content')
    const named = Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, 0x08, 0, 0, 0, 0, 0, 3]),
      Buffer.from('dump.sql\0'),
      plain.subarray(10),
    ])
    assert.equal(String(await all(decompress(asPieces(named), 'gzip', signal))), 'content')
  })
})

describe('the zstd program', { skip }, () => {
  it('reads what we compressed, and finds the checksum in it', async () => {
    const content = Buffer.alloc(1_000_000, 'content ')
    const whole = await compressed(content, zstd)
    const back = pipeThrough({ file: 'zstd', args: ['-dc'] }, asPieces(whole), signal)
    assert.ok((await all(back)).equals(content))
    await using folder = await tempFolder('zstd')
    const path = join(folder.path, 'dump.zst')
    await writeFile(path, whole)
    assert.match(await run({ file: 'zstd', args: ['-lv', path] }, signal), /XXH64/)
  })

  it('writes what we decompress, with several threads and frames, and a skippable frame between them', async () => {
    const content = Buffer.alloc(3_000_000, 'content of a dump ')
    const command = zstdCommand('zstd', 3, 2)
    const compressed = await all(pipeThrough(command, inPieces(content, 65_536), signal))
    const skippable = Buffer.from('502a4d180400000001020304', 'hex')
    const joined = Buffer.concat([compressed, skippable, compressed])
    assert.ok(
      (await all(decompress(asPieces(joined), 'zstd', signal))).equals(Buffer.concat([content, content])),
    )
  })

  it('takes a tool’s output through a kernel pipe', async () => {
    const tool = {
      file: 'sh',
      args: ['-c', 'i=0; while [ $i -lt 30 ]; do head -c 99999 /dev/zero; i=$((i+1)); done'],
    }
    const compressed = stdoutThroughProgram(tool, zstdCommand('zstd', 3, 2), signal)
    assert.ok((await all(decompress(compressed, 'zstd', signal))).equals(Buffer.alloc(30 * 99_999)))
  })
})

function compressed(content: Buffer, form: Compression): Promise<Buffer> {
  return all(compress(asPieces(content), form, signal))
}

function refused(source: AsyncIterable<Uint8Array>, method: 'gzip' | 'zstd', message: string): Promise<void> {
  return assert.rejects(all(decompress(source, method, signal)), { code: 'decompression_failed' }, message)
}

function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return buffer(source)
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** With a pause after each, so that a large one is not joined to the next. */
async function* asPieces(...pieces: Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  for (const piece of pieces) {
    yield piece
    await turn()
  }
}

async function* failingAfter(bytes: Buffer, error: Error): AsyncGenerator<Uint8Array, void> {
  yield* inPieces(bytes, 65_536)
  throw error
}
