import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readlinkSync } from 'node:fs'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { generateX25519Identity } from 'age-encryption'
import { skipUnless } from '../../test/servers/needs.ts'
import { descendantsOf } from '../../test/servers/process-table.ts'
import { encryptAge, recipientsOf } from '../lib/age/index.ts'
import { once } from './manifests.ts'
import { decryptFile } from './decrypt-file.ts'
import type { KeyRing } from './encryption.ts'

const KEYS = { instanceKeys: ['not this one', 'open sesame'], ageIdentities: [], agePassphrases: [] }
/** More than any pipe holds, so that whoever writes it waits for a reader. */
const CONTENT = randomBytes(4_000_000)
const { signal } = new AbortController()

let folder: string
before(async () => (folder = await mkdtemp(join(tmpdir(), 'holdfast-decrypt-'))))
after(() => rm(folder, { recursive: true, force: true }))

describe('a foreign 7z archive', { skip: skipUnless('7zip') }, () => {
  let path: string
  let compressed: string
  before(async () => {
    path = await archive('app.sql', CONTENT)
    compressed = await archive('app.sql.zst', zstdCompressSync(CONTENT))
  })

  it('gives its content by the 7-Zip program, which is gone afterwards', async () => {
    await using file = await decryptFile(path, KEYS, signal)
    assert.equal(file.name, 'app.sql')
    assert.ok((await buffer(file.bytes)).equals(CONTENT))
    assert.deepEqual(descendantsOf(process.pid), [])
  })

  it('leaves no process behind when nobody asks for its bytes', async () => {
    for (const decompress of [false, true]) {
      {
        await using _file = await decryptFile(compressed, KEYS, signal, { decompress })
        assert.notDeepEqual(descendantsOf(process.pid), [])
      }
      assert.deepEqual(descendantsOf(process.pid), [])
    }
  })

  it('leaves no process behind when its reader stops in the middle', async () => {
    await using file = await decryptFile(compressed, KEYS, signal, { decompress: true })
    for await (const chunk of file.bytes) {
      assert.ok(chunk.length > 0)
      break
    }
    assert.deepEqual(descendantsOf(process.pid), [])
  })

  it('leaves no process behind when no key opens it', async () => {
    const keys = { ...KEYS, instanceKeys: ['wrong', 'wrong, too'] }
    await assert.rejects(decryptFile(path, keys, signal), { code: 'key_wrong' })
    assert.deepEqual(descendantsOf(process.pid), [])
  })
})

describe('the name of what a foreign 7z archive has in it', { skip: skipUnless('7zip') }, () => {
  it('is the name inside, not that of the archive', async () => {
    const other = join(folder, 'monday.7z')
    await copyFile(await archive('app.sql', CONTENT), other)
    assert.equal(await nameOf(other), 'app.sql')
  })

  it('is never a path, nor hidden, nor that of the archive itself', async () => {
    for (const [inside, name] of [
      ['../../etc/passwd', 'passwd'],
      ['a/..', '__'],
      ['.profile', '_profile'],
      ['C:\\dumps\\app.sql', 'app.sql'],
      ['-rf', '_rf'],
      ['names.7z', 'names'],
    ] as const) {
      const path = join(folder, 'names.7z')
      await rm(path, { force: true })
      execFileSync('/usr/bin/7zz', ['a', `-si${inside}`, '-popen sesame', path], {
        input: 'content',
        stdio: ['pipe', 'ignore', 'ignore'],
      })
      assert.equal(await nameOf(path), name, inside)
    }
  })

  async function nameOf(path: string): Promise<string> {
    await using file = await decryptFile(path, KEYS, signal)
    return file.name
  }
})

describe('several keys', { skip: skipUnless('7zip') }, () => {
  it('are tried on all of a foreign archive whose names are in the clear', async () => {
    const path = await archive('stored.sql', CONTENT, ['-mx0', '-mhe=off'])
    for (const instanceKeys of [
      ['open sesame', 'wrong'],
      ['wrong', 'open sesame'],
      ['wrong', 'wrong, too', 'open sesame', 'open sesame'],
    ]) {
      await using file = await decryptFile(path, { ...KEYS, instanceKeys }, signal)
      assert.ok((await buffer(file.bytes)).equals(CONTENT))
    }
  })

  it('of which none fits are told as wrong at the end at the latest', async () => {
    const path = await archive('stored-too.sql', CONTENT, ['-mx0', '-mhe=off'])
    const keys = { ...KEYS, instanceKeys: ['wrong', 'wrong, too'] }
    const all = async () => {
      await using file = await decryptFile(path, keys, signal)
      await buffer(file.bytes)
    }
    await assert.rejects(all(), { code: 'key_wrong' })
    assert.deepEqual(descendantsOf(process.pid), [])
  })
})

describe('decompression', () => {
  const TEXT = Buffer.from('-- a dump\n'.repeat(1000))
  let keys: KeyRing
  before(async () => (keys = { ...KEYS, ageIdentities: [await generateX25519Identity()] }))

  async function sealed(name: string, content: Uint8Array): Promise<string> {
    const path = join(folder, name)
    const recipients = await recipientsOf(keys.ageIdentities.join('\n'))
    await writeFile(path, encryptAge({ recipients }, once(content)))
    return path
  }

  it('goes by the bytes, not by the name', async () => {
    for (const [sealedName, content, name] of [
      ['x.sql.zst.age', zstdCompressSync(TEXT), 'x.sql'],
      ['x.sql.gz.age', gzipSync(TEXT), 'x.sql'],
      ['x.age', zstdCompressSync(TEXT), 'x'],
      ['x.age', gzipSync(TEXT), 'x'],
      ['x', gzipSync(TEXT), 'x.decrypted'],
      ['x.gz.age', zstdCompressSync(TEXT), 'x'],
      ['x.zst.age', gzipSync(TEXT), 'x'],
      [
        'pzstd.zst.age',
        Buffer.concat([Buffer.from('502a4d180100000000', 'hex'), zstdCompressSync(TEXT)]),
        'pzstd',
      ],
    ] as const) {
      const path = await sealed(sealedName, content)
      await using file = await decryptFile(path, keys, signal, { decompress: true })
      assert.equal(file.name, name)
      assert.ok((await buffer(file.bytes)).equals(TEXT), sealedName)
    }
  })

  it('is refused before the first byte if there is nothing to take off', async () => {
    for (const [name, content, code] of [
      ['plain.sql.age', TEXT, 'unsupported'],
      ['short.age', Buffer.from([0x28]), 'unsupported'],
      ['empty.age', Buffer.alloc(0), 'unsupported'],
      ['plain.sql.zst.age', TEXT, 'decompression_failed'],
      ['empty.sql.gz.age', Buffer.alloc(0), 'decompression_failed'],
    ] as const) {
      const path = await sealed(name, content)
      await assert.rejects(decryptFile(path, keys, signal, { decompress: true }), {
        code,
        message: `The content, ${name.slice(0, -4)}, is not compressed: it begins neither as zstd nor as gzip does.`,
      })
      await sleep(100) // a file is closed a moment after it was asked for
      assert.ok(!openFiles().includes(path))
    }
  })

  it('that was not asked for leaves the bytes as they are', async () => {
    const path = await sealed('y.sql.zst.age', zstdCompressSync(TEXT))
    await using file = await decryptFile(path, keys, signal)
    assert.equal(file.name, 'y.sql.zst')
    assert.ok((await buffer(file.bytes)).equals(zstdCompressSync(TEXT)))
  })
})

describe('an age file', () => {
  it('is not kept open when nobody asks for its bytes', async () => {
    const path = join(folder, 'app.sql.age')
    const identity = await generateX25519Identity()
    const recipients = await recipientsOf(identity)
    await writeFile(path, encryptAge({ recipients }, once(CONTENT)))
    {
      await using file = await decryptFile(path, { ...KEYS, ageIdentities: [identity] }, signal)
      assert.equal(file.name, 'app.sql')
      await sleep(100) // so that whatever is to be opened is open
    }
    await sleep(100) // a file is closed a moment after it was asked for
    assert.ok(!openFiles().includes(path))
  })
})

/** An archive as others make it: packed, too. */
async function archive(name: string, content: Uint8Array, options = ['-mx1', '-mhe=on']): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  execFileSync('/usr/bin/7zz', ['a', ...options, '-popen sesame', `${path}.7z`, path], {
    stdio: 'ignore',
  })
  return `${path}.7z`
}

function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return [] // that of this look itself
    }
  })
}
