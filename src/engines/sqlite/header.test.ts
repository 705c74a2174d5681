import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../shared/errors.ts'
import { sqliteDumpReader } from './header.ts'

describe('a copy', () => {
  let folder: string
  before(() => (folder = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-'))))
  after(() => rmSync(folder, { recursive: true }))

  const file = (pageSize: number): Buffer => {
    const path = join(folder, `${pageSize}.db`)
    rmSync(path, { force: true })
    const db = new DatabaseSync(path)
    db.exec(`PRAGMA page_size = ${pageSize}; CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(200000))`)
    db.close()
    return readFileSync(path)
  }
  const isComplete = (bytes: Uint8Array, cuts: number[] = []) => {
    const reader = sqliteDumpReader()
    let from = 0
    for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
      reader.update(bytes.subarray(from, cut))
      from = cut
    }
    try {
      reader.finish()
      return true
    } catch (error) {
      assert.ok(error instanceof AppError && error.code === 'dump_incomplete')
      return false
    }
  }

  it('is complete when it is as long as its header says, however its bytes arrive', () => {
    for (const pageSize of [512, 4096, 65_536]) {
      const bytes = file(pageSize)
      assert.equal(isComplete(bytes), true)
      fc.assert(
        fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
          assert.equal(isComplete(bytes, cuts), true)
        }),
      )
    }
  })

  it('is incomplete when it ends anywhere else', () => {
    const bytes = file(4096)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        assert.equal(isComplete(bytes.subarray(0, length)), false)
      }),
    )
    assert.equal(isComplete(Buffer.concat([bytes, bytes.subarray(0, 4096)])), false, 'a page too many')
  })

  it('is incomplete when it is something else', () => {
    assert.equal(isComplete(Buffer.alloc(0)), false)
    assert.equal(isComplete(Buffer.alloc(8192)), false)
  })

  it('by an old writer, who did not keep the number of pages, has whole pages', () => {
    const bytes = file(4096)
    bytes.writeUInt32BE(bytes.readUInt32BE(24) + 1, 92)
    assert.equal(isComplete(bytes), true)
    assert.equal(isComplete(bytes.subarray(0, -1)), false)
  })
})
