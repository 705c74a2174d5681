import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { takeAwayAtTheEnd } from '../../test/servers/leftovers.ts'
import { skipUnless } from '../../test/servers/needs.ts'
import { startTimeOf } from '../../test/servers/process-table.ts'
import { ownToken } from './identity.ts'
import { checkRoom, createWorkDirectory } from './work-directory.ts'

let base: string
before(async () => (base = await mkdtemp(join(tmpdir(), 'holdfast-test-'))))
after(() => rm(base, { recursive: true, force: true }))

describe('a work directory', () => {
  it('is private, and disappears with what is in it', async () => {
    {
      await using work = await createWorkDirectory(base)
      assert.equal((await stat(work.path)).mode & 0o777, 0o700)
      await mkdir(join(work.path, 'a'))
      await writeFile(join(work.path, 'a', 'secret'), 'x')
    }
    assert.deepEqual(await readdir(base), [])
  })

  it('of a killed process is removed by the next one, that of a living process is not', async () => {
    const module = new URL('./work-directory.ts', import.meta.url).href
    const script = `const { createWorkDirectory } = await import(${JSON.stringify(module)})
      await createWorkDirectory(${JSON.stringify(base)}); process.kill(process.pid, 'SIGKILL')`
    spawnSync(process.execPath, ['--input-type=module', '-e', script])
    assert.equal((await readdir(base)).length, 1)
    await using mine = await createWorkDirectory(base)
    await using another = await createWorkDirectory(base)
    assert.deepEqual(
      (await readdir(base)).map((name) => join(base, name)).sort(),
      [mine.path, another.path].sort(),
    )
  })

  it('is not begun where there is no room', async () => {
    await checkRoom(base, 1000, 'A dump')
    await assert.rejects(checkRoom(base, 2 ** 60, 'A dump'), {
      code: 'disk_too_small',
      message: /^A dump needs/,
    })
  })
})

describe('in a folder that others use, too, a new work directory', () => {
  it('takes away what a dead process of ours has left, and nothing else', async () => {
    await using folder = await sharedFolder()
    const living = spawn('sleep', ['1000'])
    try {
      const left = [await folder.make(nameFor(DEAD)), await folder.make(`${nameFor(DEAD)}-another`)]
      const kept = [
        await folder.make(nameFor(tokenOf(living.pid ?? 0))),
        await folder.make(nameFor('ffffffffffff-1-1')), // of another machine
        await folder.make('holdfast-work-'),
        await folder.make('holdfast-work-nonsense'),
        await folder.make(nameFor(DEAD).slice('holdfast-work-'.length)),
        await folder.make(nameFor(DEAD).replace('holdfast-work-', 'anything-else-')),
      ]
      {
        await using _work = await createWorkDirectory(folder.path)
        assert.equal((await readdir(folder.path)).length, kept.length + 1, `${left.join(', ')} should go`)
      }
      assert.deepEqual((await readdir(folder.path)).sort(), kept.sort())
      for (const name of kept) assert.equal(await readFile(join(folder.path, name, 'content'), 'utf8'), 'x')
    } finally {
      living.kill('SIGKILL')
    }
  })

  it('leaves files and symbolic links alone, and where they lead, whatever they are called', async () => {
    await using folder = await sharedFolder()
    await folder.make('precious')
    await writeFile(join(folder.path, nameFor(DEAD)), 'x')
    await symlink('precious', join(folder.path, `${nameFor(DEAD)}-link`))
    const before = (await readdir(folder.path, { recursive: true })).sort()
    {
      await using _work = await createWorkDirectory(folder.path)
    }
    assert.deepEqual((await readdir(folder.path, { recursive: true })).sort(), before)
    assert.equal(await readFile(join(folder.path, 'precious', 'content'), 'utf8'), 'x')
  })

  it('leaves the directory of another user alone', { skip: skipUnless('root') }, async () => {
    await using folder = await sharedFolder()
    const name = await folder.make(nameFor(DEAD))
    await chown(join(folder.path, name), NOBODY, NOBODY)
    {
      await using _work = await createWorkDirectory(folder.path)
    }
    assert.deepEqual(await readdir(folder.path), [name])
  })

  it('tells of what it cannot remove, and is made all the same', { skip: skipUnless('root') }, async () => {
    await using folder = await sharedFolder()
    const name = await folder.make(nameFor(DEAD))
    const mount = join(folder.path, name)
    takeAwayAtTheEnd({ kind: 'mount', path: mount })
    execFileSync('mount', ['--bind', mount, mount])
    execFileSync('mount', ['-o', 'remount,bind,ro', mount])
    try {
      const warned = once(process, 'warning')
      await using work = await createWorkDirectory(folder.path)
      const [warning] = (await warned) as [Error]
      assert.equal(warning.name, 'HoldfastWorkDirectoryWarning')
      assert.ok(warning.message.startsWith(`${mount} could not be removed: `))
      assert.ok((await stat(work.path)).isDirectory())
    } finally {
      execFileSync('umount', [mount])
    }
  })
})

const NOBODY = 65_534
/** Of a process that had our pid and began at another time, and so is over. */
const DEAD = ownToken().replace(/\d+$/, '1')

function tokenOf(pid: number): string {
  return ownToken().replace(/-\d+-\d+$/, `-${pid}-${startTimeOf(pid)}`)
}

function nameFor(token: string): string {
  return `holdfast-work-${token}.Ab12Cd`
}

/** An empty folder in which directories are made that have something in them. */
async function sharedFolder() {
  const path = await mkdtemp(join(base, 'shared-'))
  return {
    path,
    async make(name: string): Promise<string> {
      await mkdir(join(path, name))
      await writeFile(join(path, name, 'content'), 'x')
      return name
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
