import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AppError } from '../../shared/errors.ts'
import { sqlite } from './index.ts'
import { sqliteBed, STAY } from './test-bed.ts'
import { fingerprintOf } from './test-data.ts'

const OLD = "CREATE TABLE t (a); INSERT INTO t VALUES ('old')"
const NEW = "CREATE TABLE t (a); INSERT INTO t VALUES ('new')"

describe('replacing a database file', () => {
  it('gives the new one the old one’s name, owner and permissions', async () => {
    await using bed = sqliteBed()
    const to = bed.make('a.db', OLD)
    chmodSync(to, 0o640)
    if (process.getuid?.() === 0) chownSync(to, 65_534, 65_534)
    const { mode, uid, gid } = statSync(to)
    const from = bed.make('b.db', `PRAGMA journal_mode = WAL; ${NEW}`)
    const expected = fingerprintOf(from)
    await rename(from, to)
    assert.deepEqual(fingerprintOf(to), expected)
    const now = statSync(to)
    assert.deepEqual({ mode: now.mode, uid: now.uid, gid: now.gid }, { mode, uid, gid })
    assert.equal(existsSync(from), false)
  })

  it('keeps a symbolic link and replaces its file', async () => {
    await using bed = sqliteBed()
    const file = bed.make('file.db', OLD)
    const link = join(bed.folder, 'link.db')
    symlinkSync('file.db', link)
    assert.equal(sqlite.besideName(link, 'x'), join(bed.folder, '.file.db.x'))
    await rename(bed.make('b.db', NEW), link)
    assert.equal(lstatSync(link).isSymbolicLink(), true)
    assert.deepEqual(rowsOf(file), ['new'])
  })

  for (const journal of ['wal', 'delete']) {
    it(`never lets a journal that a crash left behind meet the new file (${journal})`, async () => {
      await using bed = sqliteBed()
      const to = bed.make('a.db', `PRAGMA journal_mode = ${journal}; ${OLD}`)
      const crashed = await bed.elsewhere(
        to,
        `db.exec("PRAGMA cache_size = 2; PRAGMA wal_autocheckpoint = 0; INSERT INTO t VALUES (randomblob(9000)); BEGIN; UPDATE t SET a = randomblob(90000)"); say('left'); ${STAY}`,
      )
      await crashed.kill()
      assert.ok(existsSync(`${to}-${journal === 'wal' ? 'wal' : 'journal'}`))
      await rename(bed.make('b.db', NEW), to)
      assert.deepEqual(rowsOf(to), ['new'])
    })
  }

  it('removes the journals of a file that is damaged, or gone', async () => {
    await using bed = sqliteBed()
    for (const damaged of [true, false]) {
      const to = join(bed.folder, 'a.db')
      if (damaged) writeFileSync(to, 'no database'.repeat(1000))
      const stale = await bed.elsewhere(
        join(bed.folder, 'other.db'),
        `db.exec("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES ('stale')"); say('left'); ${STAY}`,
      )
      await stale.kill()
      copyFileSync(join(bed.folder, 'other.db-wal'), `${to}-wal`)
      await rename(bed.make('b.db', `PRAGMA journal_mode = WAL; ${NEW}`), to)
      assert.deepEqual(
        readdirSync(bed.folder).filter((name) => name.startsWith('a.db')),
        ['a.db'],
      )
      assert.deepEqual(rowsOf(to), ['new'])
      await sqlite.dropDatabase({ path: to }, to, signal)
    }
  })

  for (const mode of ['wal', 'delete']) {
    it(`is refused while another process has the file open, also when it is idle, unless forced (${mode})`, async () => {
      await using bed = sqliteBed()
      const to = bed.make('a.db', `PRAGMA journal_mode = ${mode}; ${OLD}`)
      const from = bed.make('b.db', NEW)
      const idle = await bed.elsewhere(to, `db.prepare('SELECT * FROM t').all(); say('idle'); ${STAY}`)
      for (const attempt of [() => rename(from, to), () => sqlite.dropDatabase({ path: to }, to, signal)]) {
        await assert.rejects(attempt(), (error) => {
          assert.ok(error instanceof AppError)
          assert.equal(error.code, 'database_in_use')
          assert.match(error.message, new RegExp(`in use by node \\(process ${idle.pid}\\)`))
          return true
        })
      }
      assert.deepEqual(rowsOf(to), ['old'])
      await rename(from, to, { endSessions: true })
      await idle.kill()
      assert.deepEqual(rowsOf(to), ['new'])
    })
  }

  it('moves a database together with what is in its write-ahead log', async () => {
    await using bed = sqliteBed()
    const from = join(bed.folder, 'a.db')
    const crashed = await bed.elsewhere(
      from,
      `db.exec("PRAGMA journal_mode = WAL; ${NEW}"); say('left'); ${STAY}`,
    )
    await crashed.kill()
    const to = join(bed.folder, 'b.db')
    await rename(from, to)
    assert.deepEqual(rowsOf(to), ['new'])
    assert.deepEqual(
      readdirSync(bed.folder).filter((name) => name.startsWith('a.db')),
      [],
    )
  })

  it('leaves everything as it was when there is nothing to rename', async () => {
    await using bed = sqliteBed()
    const to = bed.make('a.db', OLD)
    await assert.rejects(rename(join(bed.folder, 'no.db'), to), { code: 'database_not_found' })
    assert.deepEqual(rowsOf(to), ['old'])
  })
})

describe('the name beside a database', () => {
  it('is in the same folder, hidden, and short enough for SQLite’s journals', async () => {
    assert.equal(sqlite.besideName('/srv/a.db', 't1'), '/srv/.a.db.t1')
    const long = sqlite.besideName(`/srv/${'ü'.repeat(127)}`, 't1')
    assert.ok(Buffer.byteLength(long) - '/srv/'.length <= 255 - '-journal'.length)
    assert.match(long, /^\/srv\/\.ü+\.t1$/)
  })
})

const signal = AbortSignal.timeout(120_000)

async function rename(from: string, to: string, options?: { endSessions: boolean }): Promise<void> {
  await sqlite.renameDatabase?.({ path: to }, from, to, signal, options)
}

function rowsOf(path: string): unknown[] {
  return fingerprintOf(path)
    .filter((line) => line.startsWith('t: '))
    .map((line) => /a=string (.*)$/.exec(line)?.[1])
}
