import assert from 'node:assert/strict'
import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { realPathOf } from './real-path.ts'

describe('a real path', () => {
  it('has no links in it, whether its end is there or not', async () => {
    await using folder = await tempFolder()
    const real = await realpath(folder.path)
    await mkdir(join(folder.path, 'a/b'), { recursive: true })
    await symlink(join(folder.path, 'a'), join(folder.path, 'absolute'))
    await symlink('absolute/b', join(folder.path, 'relative'))
    for (const [path, expected] of [
      ['a/b', 'a/b'],
      ['absolute', 'a'],
      ['absolute/b', 'a/b'],
      ['relative', 'a/b'],
      ['relative/c/d', 'a/b/c/d'],
      ['x/y', 'x/y'],
    ] as const) {
      assert.equal(await realPathOf(join(folder.path, path)), join(real, expected), path)
    }
  })

  it('is where a link leads, also if nothing is there yet', async () => {
    await using folder = await tempFolder()
    const real = await realpath(folder.path)
    await symlink('later', join(folder.path, 'link'))
    await symlink(join(folder.path, 'link/er'), join(folder.path, 'linker'))
    assert.equal(await realPathOf(join(folder.path, 'link/x')), join(real, 'later/x'))
    assert.equal(await realPathOf(join(folder.path, 'linker')), join(real, 'later/er'))
  })

  it('comes to an end where links go in a circle', async () => {
    await using folder = await tempFolder()
    await symlink('two', join(folder.path, 'one'))
    await symlink('one', join(folder.path, 'two'))
    assert.match(await realPathOf(join(folder.path, 'one')), /(one|two)$/)
    assert.equal(await realPathOf('/'), '/')
  })
})

async function tempFolder() {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-real-path-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}
