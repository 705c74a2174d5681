import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { skipUnless } from '../../test/servers/needs.ts'
import { tempFolder, type TempFolder } from '../../test/servers/temp-folder.ts'
import { findOutput } from './decrypt-output.ts'

/** More than a pipe holds. */
const PIECES = [Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b'), Buffer.alloc(1, 'c')]
const CONTENT = Buffer.concat(PIECES)

let folder: TempFolder
const at = (name: string) => join(folder.path, name)
beforeEach(async () => (folder = await tempFolder('output')))
afterEach(() => folder[Symbol.asyncDispose]())

describe('an output that is a file', () => {
  it('has all of the bytes, and replaces another only by force', async () => {
    assert.equal(await write('file'), CONTENT.length)
    await writeFile(at('file'), 'precious')
    await assert.rejects(write('file'), { code: 'object_exists' })
    assert.equal(await readFile(at('file'), 'utf8'), 'precious')
    assert.equal(await write('file', true), CONTENT.length)
    assert.ok((await readFile(at('file'))).equals(CONTENT))
    assert.deepEqual(await readdir(folder.path), ['file'])
  })

  it('is not there, or is what it was, if the bytes end in an error', async () => {
    await assert.rejects(write('file', false, half()), /the rest is missing/)
    assert.deepEqual(await readdir(folder.path), [])
    await writeFile(at('file'), 'precious')
    await symlink('file', at('link'))
    for (const name of ['file', 'link']) {
      await assert.rejects(write(name, true, half()), /the rest is missing/)
      assert.equal(await readFile(at('file'), 'utf8'), 'precious')
    }
    assert.deepEqual((await readdir(folder.path)).sort(), ['file', 'link'])
  })

  it('is what symbolic links lead to, there or not; the links stay', async () => {
    await mkdir(at('far/away'), { recursive: true })
    await symlink('far/away', at('near'))
    await symlink('../target', at('far/away/second'))
    await symlink('near/second', at('link'))
    for (const force of [false, true]) {
      await write('link', force)
      assert.equal(await readlink(at('link')), 'near/second')
      assert.equal(await readlink(at('far/away/second')), '../target')
      assert.ok((await readFile(at('far/target'))).equals(CONTENT))
      assert.deepEqual((await readdir(at('far'))).sort(), ['away', 'target'])
      await writeFile(at('far/target'), 'precious')
    }
    await assert.rejects(write('link'), { code: 'object_exists' })
  })

  it('cannot be a folder, nor be where no folder is, and that is told before anything is read', async () => {
    await mkdir(at('there'))
    await writeFile(at('file'), 'precious')
    await symlink('b', at('a'))
    await symlink('a', at('b'))
    await symlink('nowhere/file', at('lost'))
    for (const [name, message] of [
      ['there', /there is a directory/],
      ['there/', /there\/ is a directory/],
      ['nowhere/file', /nowhere\/file cannot be written: ENOENT/],
      ['nowhere/', /nowhere\/ cannot be written: ENOENT/],
      ['lost', /lost cannot be written: ENOENT/],
      ['file/name', /file\/name cannot be written: ENOTDIR/],
      ['a', /a cannot be written: ELOOP/],
    ] as const) {
      await assert.rejects(
        findOutput(folder.path + '/' + name, true),
        { code: 'invalid_input', message },
        name,
      )
    }
  })
})

describe('an output that is a pipe', () => {
  it('gets the bytes as they come, by force or not, and stays what it is', async () => {
    execFileSync('mkfifo', [at('pipe')])
    await symlink('pipe', at('link'))
    for (const [name, force] of [
      ['pipe', false],
      ['pipe', true],
      ['link', true],
    ] as const) {
      const written = write(name, force)
      const reader = spawn('cat', [at('pipe')])
      const [read] = await Promise.all([buffer(reader.stdout), written])
      assert.ok(read.equals(CONTENT))
      assert.equal(await written, CONTENT.length)
      assert.ok((await lstat(at('pipe'))).isFIFO())
      assert.deepEqual((await readdir(folder.path)).sort(), ['link', 'pipe'])
    }
  })

  it('fails when its reader leaves', async () => {
    execFileSync('mkfifo', [at('pipe')])
    const reader = spawn('head', ['-c', '10', at('pipe')])
    await assert.rejects(write('pipe'), { code: 'EPIPE' })
    if (reader.exitCode === null) await once(reader, 'exit')
    assert.ok((await lstat(at('pipe'))).isFIFO())
  })
})

describe('an output that is a device', { skip: skipUnless('root') }, () => {
  it('gets the bytes by force only, and stays what it is', async () => {
    // Nodes of our own, the kernel's null and full: whoever replaces them does no harm.
    execFileSync('mknod', [at('null'), 'c', '1', '3'])
    execFileSync('mknod', [at('full'), 'c', '1', '7'])
    await symlink('null', at('link'))
    await assert.rejects(write('null'), { code: 'object_exists' })
    for (const name of ['null', 'link']) assert.equal(await write(name, true), CONTENT.length)
    await assert.rejects(write('full', true), {
      code: 'disk_too_small',
      message: /full has no room for all of it: ENOSPC/,
    })
    for (const name of ['null', 'full']) assert.ok((await lstat(at(name))).isCharacterDevice())
    assert.equal(await readlink(at('link')), 'null')
    assert.deepEqual((await readdir(folder.path)).sort(), ['full', 'link', 'null'])
  })
})

async function write(name: string, force = false, bytes = pieces()): Promise<number> {
  const output = await findOutput(at(name), force)
  return await output.write(bytes, AbortSignal.timeout(20_000))
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield* PIECES
}

async function* half(): AsyncGenerator<Uint8Array> {
  yield* PIECES.slice(0, 1)
  throw new Error('the rest is missing')
}
