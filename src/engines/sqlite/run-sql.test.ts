import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { feedStdin } from '../../lib/process.ts'
import { sqlite } from './index.ts'
import { sqliteBed } from './test-bed.ts'

const signal = AbortSignal.timeout(120_000)

describe('SQL in an SQLite file', () => {
  const run = async (path: string, sql: string) => {
    const { command } = sqlite.runSql!({
      connection: { path },
      database: path,
      server: { flavour: 'sqlite', version: '3', tls: false },
      tools: [],
      workDirectory: '/nowhere',
    })
    await feedStdin(
      command,
      (async function* () {
        yield Buffer.from(sql)
      })(),
      signal,
    )
  }

  it('may vacuum, and use a database in memory', async () => {
    await using bed = sqliteBed()
    const path = bed.make('a.db', 'CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))')
    await run(path, `DELETE FROM t; VACUUM; ATTACH '' AS scratch; CREATE TABLE scratch.x (a)`)
    assert.deepEqual(await sqlite.countRows({ path }, path, signal), { t: 0 })
  })

  it('makes no file where none is', async () => {
    await using bed = sqliteBed()
    const path = join(bed.folder, 'none.db')
    await assert.rejects(run(path, 'CREATE TABLE t (a)'), { code: 'tool_failed' })
    assert.equal(await sqlite.databaseExists({ path }, path, signal), false)
  })
})
