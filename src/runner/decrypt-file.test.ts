import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { zstdCompressSync } from 'node:zlib'
import { generateX25519Identity } from 'age-encryption'
import { skipUnless } from '../../test/servers/needs.ts'
import { descendantsOf } from '../../test/servers/process-table.ts'
import { encryptAge, recipientsOf } from '../lib/age/index.ts'
import { once } from './manifests.ts'
import { decryptFile } from './decrypt-file.ts'

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
async function archive(name: string, content: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  execFileSync('/usr/bin/7zz', ['a', '-mx1', '-mhe=on', '-popen sesame', `${path}.7z`, path], {
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
