import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
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
