import assert from 'node:assert/strict'
import { stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempFolder } from '../../test/servers/temp-folder.ts'
import { makeFolders } from './make-folders.ts'

describe('making a folder with what is above it', () => {
  it('says what was the outermost that was missing, and minds none that is there', async () => {
    await using folder = await tempFolder('make-folders')
    const inner = join(folder.path, 'a/b/c')
    assert.equal(await makeFolders(inner, 0o700), join(folder.path, 'a'))
    assert.equal((await stat(inner)).mode & 0o777, 0o700)
    assert.equal(await makeFolders(inner, 0o700), undefined)
    const both = await Promise.all([makeFolders(`${inner}/d/e`), makeFolders(`${inner}/d/f`)])
    assert.ok(both.includes(`${inner}/d`))
  })

  it('fails, and does not try for ever, where none can be made', async () => {
    await using folder = await tempFolder('make-folders')
    await writeFile(join(folder.path, 'file'), '')
    await symlink('nowhere', join(folder.path, 'dangling'))
    for (const path of ['file', 'file/x', 'dangling', 'dangling/x']) {
      await assert.rejects(makeFolders(join(folder.path, path)), { syscall: 'mkdir' }, path)
    }
    if (process.platform === 'linux') {
      await assert.rejects(makeFolders('/proc/holdfast/x'), { code: 'ENOENT' })
    }
  })
})
