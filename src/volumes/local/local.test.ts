import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { skipUnless } from '../../../test/servers/needs.ts'
import { smallDisk } from '../../../test/servers/small-disk.ts'
import {
  abandonedName,
  digest,
  failing,
  fails,
  keys,
  pattern,
  read,
  signal,
  text,
  volumeConformance,
} from '../conformance.ts'
import { openVolume, openVolumeUrl } from '../index.ts'
import { isTemporary, temporaryName } from '../key.ts'
import { testVolume } from '../test-volume.ts'
import { publishIfAbsent } from './write.ts'

const open = async () => {
  const folder = await tempFolder()
  const root = join(folder.path, 'volume')
  return {
    volume: openVolume('local', { path: root }),
    leftovers: () => leftovers(root),
    async abandon(key: string) {
      const path = join(root, key)
      await mkdir(join(path, '..'), { recursive: true })
      await writeFile(join(path, '..', abandonedName(key.slice(key.lastIndexOf('/') + 1))), 'half')
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

volumeConformance('A local directory', open, { ahead: 0, memory: 2 * 1024 * 1024 })

describe('a local directory', () => {
  it('makes nothing until something is stored', async () => {
    await using folder = await tempFolder()
    const root = join(folder.path, 'a/b')
    const { volume } = openVolumeUrl(root, {})
    assert.deepEqual(await keys(volume), [])
    assert.equal(await volume.isThere?.(signal()), false)
    await fails('object_not_found', volume.stat('x', signal()))
    await fails('object_not_found', read(volume, 'x'))
    await volume.remove('x', signal())
    await volume.discard('x', signal())
    await volume.examine?.(signal())
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('is there when something has been stored, also when it is gone again', async () => {
    await using folder = await tempFolder()
    const { volume } = openVolumeUrl(join(folder.path, 'a/b'), {})
    await volume.write('c/d', text('x'), signal())
    await volume.remove('c/d', signal())
    assert.equal(await volume.isThere?.(signal()), true)
  })

  it('ends at once where the system makes no folder', { timeout: 20_000 }, async () => {
    const { volume } = openVolumeUrl('/proc/x/y', {})
    const error = await fails('volume_refused', volume.write('a', text('x'), signal()))
    assert.match(error.message, /ENOENT.*'\/proc\/x'/)
    assert.ok(error.hint)
  })

  it('refuses what is no folder, whatever is asked of it', async () => {
    await using folder = await tempFolder()
    await writeFile(join(folder.path, 'file'), '')
    await symlink('nowhere', join(folder.path, 'link'))
    const expected = { file: /file” is not a folder\.$/, link: /link” is a symbolic link to nothing\.$/ }
    for (const [name, sentence] of Object.entries(expected)) {
      const { volume } = openVolumeUrl(join(folder.path, name), {})
      const attempts = [
        () => volume.write('a/b', text('x'), signal()),
        () => keys(volume),
        () => volume.isThere?.(signal()) ?? assert.fail(),
      ]
      for (const attempt of attempts) {
        const error = await fails('volume_refused', attempt())
        assert.match(error.message, sentence)
        assert.ok(error.hint)
      }
    }
    assert.deepEqual(await readdir(folder.path), ['file', 'link'])
  })

  it('is gone again when the first write fails', async () => {
    await using folder = await tempFolder()
    const { volume } = openVolumeUrl(join(folder.path, 'a/b'), {})
    await assert.rejects(volume.write('c/d', { body: failing(10, new Error('no')) }, signal()), /no/)
    assert.deepEqual(await readdir(folder.path), [])
  })

  it('gives files and folders their modes, whatever the umask', async () => {
    await using folder = await tempFolder()
    const root = join(folder.path, 'v')
    const umask = process.umask(0o077)
    try {
      await openVolume('local', { path: root }).write('a/b', text('x'), signal())
      const own = openVolume('local', { path: root, fileMode: '0600', directoryMode: '0755' })
      await own.write('c/d', text('x'), signal())
    } finally {
      process.umask(umask)
    }
    const mode = async (path: string) => ((await stat(join(root, path))).mode & 0o777).toString(8)
    assert.deepEqual(await Promise.all(['', 'a', 'a/b', 'c', 'c/d'].map(mode)), [
      '750',
      '750',
      '640',
      '755',
      '600',
    ])
  })

  it('fails when the disk has lost something, also if it says so only while more is written', async (t) => {
    await using folder = await tempFolder()
    const root = join(folder.path, 'volume')
    const { volume } = openVolumeUrl(root, {})
    const file = await openFile(join(folder.path, 'any'), 'w')
    const handle = Object.getPrototypeOf(file) as typeof file
    await file.close()
    const sync = t.mock.method(handle, 'datasync', async () => {
      // As the kernel does it: whoever asks again is told that all is well.
      if (sync.mock.callCount() === 0) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    })
    await assert.rejects(volume.write('large', { body: pattern(80_000_000) }, signal()), /EIO/)
    assert.deepEqual(await leftovers(root), [])
    assert.deepEqual(await keys(volume), [])
  })

  it('says that the disk is full, and keeps what was there', { skip: skipUnless('root') }, async () => {
    await using disk = await smallDisk({ bytes: 4_000_000 })
    const { volume } = openVolumeUrl(disk.path, {})
    await volume.write('a/old', { body: pattern(1_000_000) }, signal())
    const before = await digest(volume, 'a/old')
    for (const key of ['a/old', 'b/new']) {
      const error = await fails('volume_full', volume.write(key, { body: pattern(10_000_000) }, signal()))
      assert.match(error.message, /ENOSPC/)
    }
    assert.deepEqual(await digest(volume, 'a/old'), before)
    assert.deepEqual(await keys(volume), ['a/old'])
    assert.deepEqual(await leftovers(disk.path), [])
    await volume.write('b/fits', { body: pattern(2_000_000) }, signal())
  })

  it('says that it may not write, and leaves nothing', { skip: skipUnless('root') }, async () => {
    await using folder = await tempFolder()
    const root = join(folder.path, 'v')
    await mkdir(root)
    await chmod(folder.path, 0o755)
    await chown(root, 65_534, 65_534)
    const { volume } = openVolumeUrl(root, {})
    await asNobody(async () => {
      await volume.write('a/old', text('old'), signal())
      // The permission goes while the write is under way.
      const body = async function* () {
        yield* pattern(1_000_000)
        await chmod(join(root, 'a'), 0o500)
      }
      const error = await fails('volume_refused', volume.write('a/old', { body: body() }, signal()))
      assert.match(error.message, /EACCES/)
      assert.equal(await read(volume, 'a/old'), 'old')
      await fails('volume_refused', volume.write('a/new', text('x'), signal()))
      await fails('volume_refused', volume.remove('a/old', signal()))
      await chmod(join(root, 'a'), 0o000)
      await fails('volume_refused', volume.stat('a/old', signal()))
      await fails('volume_refused', read(volume, 'a/old'))
      await fails('volume_refused', keys(volume))
      await chmod(join(root, 'a'), 0o700)
      assert.deepEqual(await keys(volume), ['a/old'])
      // While the folder was closed the file could not be removed. Its writer, this process, lives: it is left alone.
      assert.match(error.message, /could not be removed/)
      await volume.discard('a/old', signal())
    })
    assert.equal((await leftovers(root)).length, 1)
  })

  it('does not follow symbolic links out of its folder', async () => {
    await using folder = await tempFolder()
    const [root, outside] = [join(folder.path, 'v'), join(folder.path, 'outside')]
    await mkdir(root)
    await mkdir(outside)
    await writeFile(join(outside, 'secret'), 'secret')
    await symlink(outside, join(root, 'link'))
    await symlink(join(outside, 'secret'), join(root, 'file'))
    const { volume } = openVolumeUrl(root, {})
    for (const key of ['link/secret', 'link/new', 'link/sub/new']) {
      await fails('volume_refused', volume.write(key, text('x'), signal()))
      await fails('volume_refused', read(volume, key))
      await fails('volume_refused', volume.stat(key, signal()))
      await fails('volume_refused', volume.remove(key, signal()))
      await fails('volume_refused', volume.discard(key, signal()))
    }
    await fails('volume_refused', read(volume, 'file'))
    await fails('object_not_found', volume.stat('file', signal()))
    assert.deepEqual(await keys(volume), [])
    await volume.write('file', text('mine'), signal())
    assert.equal(await read(volume, 'file'), 'mine')
    assert.deepEqual(await readdir(outside), ['secret'])
    assert.equal(await readFile(join(outside, 'secret'), 'utf8'), 'secret')
  })

  it('keeps out second writers where there are no hard links, too', async () => {
    await using folder = await tempFolder()
    const path = join(folder.path, 'object')
    const noLinks = () =>
      Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'link' }))
    const publish = async (index: number) => {
      const temporary = join(folder.path, temporaryName('object'))
      await writeFile(temporary, String(index))
      await publishIfAbsent(temporary, path, noLinks)
      return index
    }
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => publish(index)))
    const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    assert.equal(winners.length, 1)
    assert.equal(await readFile(path, 'utf8'), String(winners[0]))
    for (const result of results)
      if (result.status === 'rejected') assert.equal(result.reason.code, 'object_exists')
  })

  it(
    'survives being killed at any moment with nothing but a temporary file',
    { timeout: 60_000 },
    async () => {
      await using folder = await tempFolder()
      const root = join(folder.path, 'v')
      const { volume } = openVolumeUrl(root, {})
      await volume.write('a/object', text('old'), signal())
      for (const bytes of [0, 700_000, 5_000_000]) {
        const script = `
        import { openVolumeUrl } from ${JSON.stringify(join(import.meta.dirname, '../index.ts'))}
        import { pattern } from ${JSON.stringify(join(import.meta.dirname, '../conformance.ts'))}
        async function* body() { yield* pattern(${bytes}); console.log('there'); await new Promise((r) => setTimeout(r, 60_000)) }
        await openVolumeUrl(${JSON.stringify(root)}, {}).volume.write('a/object', { body: body() }, new AbortController().signal)`
        const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        await once(child.stdout, 'data')
        child.kill('SIGKILL')
        await once(child, 'close')
        assert.equal(await read(volume, 'a/object'), 'old')
        assert.deepEqual(await keys(volume), ['a/object'])
        assert.equal((await leftovers(root)).length, 1)
        await volume.discard('a/object', signal())
        assert.deepEqual(await leftovers(root), [])
      }
    },
  )

  it('reports each step of its test, also when it cannot be written to', async () => {
    await using folder = await tempFolder()
    await writeFile(join(folder.path, 'file'), '')
    const { volume } = openVolumeUrl(join(folder.path, 'file/below'), {})
    const steps = await testVolume(volume, signal())
    assert.deepEqual(
      steps.slice(0, 3).map(({ step, outcome }) => [step, outcome]),
      [
        ['write', 'failed'],
        ['read', 'skipped'],
        ['read a range', 'skipped'],
      ],
    )
    assert.match(steps[0]?.detail ?? '', /file” is not a folder/)
  })
})

async function tempFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-test-local-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Temporary files, and folders below the root that are empty. */
async function leftovers(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    },
  )
  const isLeft = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isDirectory()) return isTemporary(entry.name)
      return (await readdir(join(entry.parentPath, entry.name))).length === 0
    }),
  )
  return entries.filter((_, index) => isLeft[index]).map((entry) => join(entry.parentPath, entry.name))
}

/** Root is refused nothing. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  process.setegid?.(65_534)
  process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(0)
  }
}
