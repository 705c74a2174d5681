import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { skipUnless } from '../../../test/servers/needs.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { AppError } from '../../shared/errors.ts'
import { encodeHeader, encodeSignature, parseEncodedHeader, parseHeader } from './header.ts'
import {
  deriveSevenzipKey,
  ForeignSevenzip,
  openForeignSevenzip,
  openSevenzip,
  sealSevenzip,
  type SevenzipKey,
  type SevenzipSecret,
} from './index.ts'

const PASSWORD = 'correct horse, “Batterie” 🔑'
const modifiedAt = new Date('2024-05-06T07:08:09.123Z')
const signal = AbortSignal.timeout(60_000)
const program = '/usr/bin/7zz'
const skip = skipUnless('7zip')

let key: SevenzipKey
before(async () => {
  key = await deriveSevenzipKey(PASSWORD)
})

describe('a 7z archive of ours', () => {
  it('gives back what was put in, with its name and time', async () => {
    for (const bytes of [0, 1, 15, 16, 17, 100_000]) {
      const content = randomBytes(bytes)
      const entry = await open(await archiveOf(inPieces(content, 7_001)))
      assert.deepEqual(
        { name: entry.name, modifiedAt: entry.modifiedAt, bytes: entry.bytes },
        { name: 'app.sql.zst', modifiedAt, bytes },
      )
      assert.deepEqual(await all(entry.content(signal)), content)
    }
  })

  it('opens with the password as well as with the derived key', async () => {
    const archive = await archiveOf([Buffer.from('content')], { password: 'secret' })
    assert.equal(String(await all((await open(archive, { password: 'secret' })).content(signal))), 'content')
  })

  it('never uses the same IV twice', async () => {
    const [one, other] = [await archiveOf([Buffer.alloc(64)]), await archiveOf([Buffer.alloc(64)])]
    assert.notDeepEqual(one.subarray(32, 96), other.subarray(32, 96))
  })

  it('throws the very error that its source threw, and has no head then', async () => {
    const error = new Error('the tool failed')
    const { head, body } = sealSevenzip(
      { key, entryName: 'a', modifiedAt },
      (async function* () {
        yield Buffer.from('half')
        throw error
      })(),
    )
    await assert.rejects(all(body), (thrown) => thrown === error)
    assert.throws(() => head.bytes(), { code: 'internal' })
  })

  it('refuses names that are paths', () => {
    for (const entryName of ['', '.', '..', 'a/b', 'a\\b', 'a\0']) {
      assert.throws(() => sealSevenzip({ key, entryName, modifiedAt }, inPieces(Buffer.alloc(0), 1)), {
        code: 'invalid_input',
      })
    }
  })

  it('says before the content that the password is wrong', async () => {
    const archive = await archiveOf([Buffer.from('content')])
    await assert.rejects(open(archive, { password: 'wrong' }), { code: 'key_wrong' })
  })

  it('is damaged when it is truncated anywhere', async () => {
    const archive = await archiveOf([randomBytes(20_000)])
    const lengths = Array.from({ length: 20 }, (_, i) => i * 1_000)
    for (let i = 1; i <= 200; i++) lengths.push(archive.length - i)
    for (const length of lengths) {
      await assert.rejects(
        extract(archive.subarray(0, length)),
        { code: 'decryption_failed' },
        `${length} bytes`,
      )
    }
  })

  it('is damaged when bytes follow it', async () => {
    const archive = await archiveOf([Buffer.from('content')])
    await assert.rejects(extract(Buffer.concat([archive, Buffer.alloc(1)])), { code: 'decryption_failed' })
  })

  it('is damaged, not thought to have another password, when any bit of it is flipped', async () => {
    const archive = await archiveOf([Buffer.from('a small content, padded')])
    for (let i = 0; i < archive.length * 8; i += i % 8 === 7 ? 1 : 7) {
      const flipped = Buffer.from(archive)
      flipped[i >> 3] = (archive[i >> 3] ?? 0) ^ (1 << (i & 7))
      const isVersion = i >> 3 === 6 || i >> 3 === 7
      const code = isVersion ? 'unsupported' : 'decryption_failed'
      await assert.rejects(extract(flipped), { code }, `bit ${i & 7} of byte ${i >> 3} of ${archive.length}`)
    }
  })

  it('is damaged when the file gives fewer bytes than it promised, or more', async () => {
    const archive = await archiveOf([randomBytes(1_000)])
    for (const beside of [-1, 1]) {
      const lying = fileOf(archive)
      const file = {
        bytes: lying.bytes,
        async *read(start: number, end: number) {
          yield archive.subarray(start, end + 1 + (start === 32 && end > 900 ? beside : 0))
        },
      }
      const entry = await openSevenzip(file, { key }, signal)
      await assert.rejects(all(entry.content(signal)), { code: 'decryption_failed' })
    }
  })

  it('stops when the signal aborts', async () => {
    const entry = await open(await archiveOf([randomBytes(1_000)]))
    const reason = new Error('stopped')
    await assert.rejects(all(entry.content(AbortSignal.abort(reason))), (thrown) => thrown === reason)
  })

  it('may be larger than 4 GiB', () => {
    const bytes = 5_000_000_000_001
    const sealedBytes = 5_000_000_000_016
    const content = { position: 0, sealedBytes, iv: randomBytes(16), bytes, crc: 0xfedcba98 }
    assert.deepEqual(parseHeader(encodeHeader('big', modifiedAt, content)), {
      name: 'big',
      modifiedAt,
      content,
    })
  })
})

describe('bytes that claim to be a 7z archive', () => {
  const refuses = async (bytes: Buffer) => assert.rejects(extract(bytes), AppError)

  it('are refused when they are random', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (bytes) => refuses(Buffer.from(bytes))),
    )
  })

  it('are refused when random bytes follow a sound signature', async () => {
    const anyHeader = fc.tuple(
      fc.constantFrom(0x01, 0x17, 0x00),
      fc.uint8Array({ maxLength: 80 }),
      fc.nat(100),
    )
    await fc.assert(
      fc.asyncProperty(anyHeader, async ([kind, rest, offset]) => {
        const header = Buffer.from([kind, ...rest])
        await refuses(Buffer.concat([encodeSignature(offset, header), Buffer.alloc(offset), header]))
      }),
      { numRuns: 500 },
    )
  })

  it('are refused when the encoded header was tampered with and its checksum made to fit', async () => {
    const archive = await archiveOf([Buffer.from('content')])
    const headerAt = 32 + Number(archive.readBigUInt64LE(12))
    const change = fc.record({
      at: fc.nat(archive.length - headerAt - 1),
      with: fc.integer({ min: 1, max: 255 }),
    })
    await fc.assert(
      fc.asyncProperty(change, async (change) => {
        const tampered = Buffer.from(archive)
        tampered[headerAt + change.at] = (archive[headerAt + change.at] ?? 0) ^ change.with
        encodeSignature(headerAt - 32, tampered.subarray(headerAt)).copy(tampered)
        await refuses(tampered)
      }),
      { numRuns: 500 },
    )
  })

  it('are refused when their decrypted header is anything', () => {
    const content = { position: 0, sealedBytes: 16, iv: randomBytes(16), bytes: 9, crc: 1 }
    const valid = encodeHeader('app.sql', modifiedAt, content)
    const splice = fc.record({
      at: fc.nat(valid.length),
      remove: fc.nat(9),
      insert: fc.uint8Array({ maxLength: 9 }),
    })
    const parses = (parse: (bytes: Buffer) => unknown, bytes: Buffer) => {
      try {
        parse(bytes)
      } catch (error) {
        assert.ok(error instanceof AppError, String(error))
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), splice, (random, { at, remove, insert }) => {
        const spliced = Buffer.concat([valid.subarray(0, at), insert, valid.subarray(at + remove)])
        for (const bytes of [Buffer.from(random), Buffer.from([1, ...random]), spliced]) {
          parses(parseHeader, bytes)
          parses(parseEncodedHeader, bytes)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('do not make us read a header of any size', async () => {
    const start = Buffer.alloc(20)
    start.writeBigUInt64LE(2n ** 40n, 8)
    const signature = encodeSignature(0, Buffer.alloc(0))
    start.copy(signature, 12)
    signature.writeUInt32LE(crc32(start), 8)
    const file = { ...fileOf(signature), bytes: 32 + 2 ** 40 }
    await assert.rejects(openSevenzip(file, { key }, signal), ForeignSevenzip)
  })
})

describe('7-Zip', { skip }, () => {
  it('tests, lists and extracts what we sealed', async () => {
    await using folder = await tempFolder('7z')
    for (const bytes of [0, 1, 16, 70_001]) {
      const content = randomBytes(bytes)
      const path = await stored(folder.path, await archiveOf(inPieces(content, 9_999)))
      assert.equal((await sevenzip(['t', path], PASSWORD)).exitCode, 0)
      assert.match(
        (await sevenzip(['l', path], PASSWORD)).stdout,
        new RegExp(`2024-05-06 07:08:09.* ${bytes} .*app\\.sql\\.zst`),
      )
      assert.equal((await sevenzip(['x', `-o${folder.path}`, '-y', path], PASSWORD)).exitCode, 0)
      assert.deepEqual(await readFile(join(folder.path, 'app.sql.zst')), content)
    }
  })

  it('takes the password as an argument too', async () => {
    await using folder = await tempFolder('7z')
    const path = await stored(folder.path, await archiveOf([Buffer.from('content')]))
    assert.equal((await sevenzip(['t', `-p${PASSWORD}`, path], '')).exitCode, 0)
  })

  it('tells nothing about what we sealed without the password', async () => {
    await using folder = await tempFolder('7z')
    const path = await stored(folder.path, await archiveOf([Buffer.from('content')]))
    const { exitCode, stdout } = await sevenzip(['l', path], 'wrong')
    assert.equal(exitCode, 2)
    assert.ok(!stdout.includes('app.sql'))
  })

  it('finds fault with every archive of ours in which a bit of the content was flipped', async () => {
    await using folder = await tempFolder('7z')
    const archive = await archiveOf([randomBytes(100)])
    for (const at of [32, 80, 131]) {
      const flipped = Buffer.from(archive)
      flipped[at] = (archive[at] ?? 0) ^ 1
      assert.equal((await sevenzip(['t', await stored(folder.path, flipped)], PASSWORD)).exitCode, 2)
    }
  })

  for (const level of [0, 1, 5, 9]) {
    it(`makes archives at level ${level} that can be read through it`, async () => {
      await using folder = await tempFolder('7z')
      const content = Buffer.concat([Buffer.alloc(50_000, 'compressible '), randomBytes(50_000)])
      const path = await made(folder.path, { 'dump.sql': content }, [`-mx=${level}`, '-mhe=on'])
      await assert.rejects(open(await readFile(path)), ForeignSevenzip)
      assert.deepEqual(await foreignContent(path, PASSWORD), content)
    })
  }

  it('makes archives without hidden names, too', async () => {
    await using folder = await tempFolder('7z')
    const path = await made(folder.path, { 'dump.sql': Buffer.from('content') }, [])
    await assert.rejects(open(await readFile(path)), ForeignSevenzip)
    assert.equal(String(await foreignContent(path, PASSWORD)), 'content')
    await assert.rejects(foreignContent(path, 'wrong'), { code: 'key_wrong' })
  })

  it('reads ours when we are told that they are foreign', async () => {
    await using folder = await tempFolder('7z')
    const path = await stored(folder.path, await archiveOf([Buffer.from('content')]))
    assert.equal(String(await foreignContent(path, PASSWORD)), 'content')
  })

  it('makes an archive of an empty file that we read ourselves', async () => {
    await using folder = await tempFolder('7z')
    const path = await made(folder.path, { 'empty.sql': Buffer.alloc(0) }, ['-mx=0', '-mhe=on'])
    const entry = await open(await readFile(path))
    assert.deepEqual(
      [entry.name, entry.bytes, await all(entry.content(signal))],
      ['empty.sql', 0, Buffer.alloc(0)],
    )
  })

  it('does not glue several files together', async () => {
    await using folder = await tempFolder('7z')
    const files = { 'a.sql': Buffer.from('a'), 'b.sql': Buffer.from('b') }
    const path = await made(folder.path, files, ['-mx=1', '-mhe=on'])
    await assert.rejects(foreignContent(path, PASSWORD), {
      code: 'unsupported',
      message: 'The 7z archive contains 2 files; exactly one is expected.',
    })
  })

  it('refuses a foreign archive with a wrong password, or damaged', async () => {
    await using folder = await tempFolder('7z')
    const path = await made(folder.path, { 'dump.sql': randomBytes(10_000) }, ['-mx=1', '-mhe=on'])
    await assert.rejects(foreignContent(path, 'wrong'), { code: 'key_wrong' })
    const archive = await readFile(path)
    await writeFile(path, archive.subarray(0, 9_000))
    await assert.rejects(foreignContent(path, PASSWORD), {
      code: 'decryption_failed',
    })
    archive[5_000] = (archive[5_000] ?? 0) ^ 1
    await writeFile(path, archive)
    await assert.rejects(foreignContent(path, PASSWORD), AppError)
  })

  it('names the only file in an archive, whatever folders are around it', async () => {
    await using folder = await tempFolder('7z')
    const inner = join(folder.path, 'a', 'ü b')
    await mkdir(join(inner, 'z'), { recursive: true })
    await writeFile(join(inner, 'dump “1”.sql'), 'content')
    for (const options of [[], ['-mhe=on']]) {
      const path = join(folder.path, `foreign${options.length}.7z`)
      await sevenzip(['a', `-p${PASSWORD}`, ...options, path, join(folder.path, 'a')], '')
      const entry = await openForeignSevenzip(program, path, PASSWORD, signal)
      assert.equal(entry.name, 'a/ü b/dump “1”.sql')
    }
  })

  it('tests what is stored with its names in the clear, which any password opens', async () => {
    await using folder = await tempFolder('7z')
    const path = await made(folder.path, { 'dump.sql': randomBytes(10_000) }, ['-mx=0'])
    await (await openForeignSevenzip(program, path, PASSWORD, signal)).test(signal)
    const wrong = await openForeignSevenzip(program, path, 'wrong', signal)
    await assert.rejects(wrong.test(signal), { code: 'key_wrong' })
  })

  it('cannot be given a password of several lines', async () => {
    await assert.rejects(foreignContent('any.7z', 'two\nlines'), {
      code: 'unsupported',
    })
  })
})

async function archiveOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  secret: SevenzipSecret = { key },
): Promise<Buffer> {
  const chunks = (async function* () {
    yield* source
  })()
  const { head, body } = sealSevenzip({ ...secret, entryName: 'app.sql.zst', modifiedAt }, chunks)
  const bytes = await all(body)
  return Buffer.concat([head.bytes(), bytes])
}

function open(archive: Buffer, secret: SevenzipSecret = { key }) {
  return openSevenzip(fileOf(archive), secret, signal)
}

async function foreignContent(path: string, password: string): Promise<Buffer> {
  return all((await openForeignSevenzip(program, path, password, signal)).content(signal))
}

async function extract(archive: Buffer): Promise<Buffer> {
  return all((await open(archive)).content(signal))
}

function fileOf(bytes: Buffer) {
  return {
    bytes: bytes.length,
    read: (start: number, end: number) => inPieces(bytes.subarray(start, end + 1), 1_013),
  }
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source))
}

async function stored(folder: string, archive: Buffer): Promise<string> {
  const path = join(folder, 'test.7z')
  await writeFile(path, archive)
  return path
}

/** An archive as the program makes it. */
async function made(folder: string, files: Record<string, Buffer>, options: string[]): Promise<string> {
  const paths = Object.keys(files).map((name) => join(folder, name))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  const path = join(folder, 'foreign.7z')
  const { exitCode, stdout } = await sevenzip(['a', '-t7z', `-p${PASSWORD}`, ...options, path, ...paths], '')
  assert.equal(exitCode, 0, stdout)
  return path
}

function sevenzip(args: string[], password: string): Promise<{ exitCode: number; stdout: string }> {
  return new Promise((resolve) => {
    const environment = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' }
    const child = execFile(program, args, { env: environment }, (_, stdout) => {
      resolve({ exitCode: child.exitCode ?? -1, stdout })
    })
    child.stdin?.end(`${password}\n`)
  })
}
