import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import type { DumpContents } from '../engine.ts'
import { apart } from './apart.ts'
import { sqlite } from './index.ts'
import { sqliteBed, STAY, type SqliteBed } from './test-bed.ts'
import { AWKWARD, fingerprintOf } from './test-data.ts'

describe('a copy of a database that is written to', () => {
  // Each transaction keeps the sum of all rows zero and counts in two far apart tables; a copy that mixes two moments shows.
  const LEDGER = `
    CREATE TABLE first (n); INSERT INTO first VALUES (0);
    CREATE TABLE ballast (id INTEGER PRIMARY KEY, bytes);
    WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 400)
      INSERT INTO ballast SELECT n, randomblob(100000) FROM i;
    CREATE TABLE last (n); INSERT INTO last VALUES (0);`
  const WRITE_ALL_THE_TIME = `
    let n = 0
    for (;;) {
      n++
      db.exec(\`BEGIN IMMEDIATE; UPDATE first SET n = \${n}; UPDATE ballast SET bytes = randomblob(100000) WHERE id = \${n % 400 + 1}; UPDATE last SET n = \${n}; COMMIT\`)
      say(String(n))
    }`

  for (const mode of ['wal', 'delete', 'truncate', 'persist']) {
    it(`is of one moment, and the writer goes on (${mode})`, async () => {
      await using bed = sqliteBed()
      const path = bed.make('a.db', `PRAGMA journal_mode = ${mode}; ${LEDGER}`)
      const writer = await bed.elsewhere(path, WRITE_ALL_THE_TIME)
      const target = join(bed.folder, 'copy.db')
      const contents = await copy(bed, path, target)
      const db = new DatabaseSync(target, { readOnly: true })
      const moment = db.prepare('SELECT (SELECT n FROM first) AS first, (SELECT n FROM last) AS last').get()
      db.close()
      assert.ok(moment)
      assert.equal(moment['first'], moment['last'])
      // It goes on when it looks at the lock again, which SQLite does every 100 ms.
      const written = () => Number(writer.said().trim().split('\n').at(-1))
      const end = Date.now() + 30_000
      while (written() <= Number(moment['last']) && Date.now() < end) await sleep(10)
      assert.ok(written() > Number(moment['last']), 'the writer went on after the copy')
      assert.deepEqual(contents.rows, { first: 1, ballast: 400, last: 1 })
    })
  }
})

describe('a copy', () => {
  it('is made again byte for byte while nothing changes, and leaves nothing beside the database', async () => {
    await using bed = sqliteBed()
    for (const mode of ['wal', 'delete']) {
      const path = bed.make(`${mode}.db`, `${AWKWARD}; PRAGMA journal_mode = ${mode}`)
      const before = readFileSync(path)
      const files = readdirSync(bed.folder)
      const copies = [join(bed.workDirectory(), 'copy.db'), join(bed.workDirectory(), 'copy.db')]
      for (const target of copies) await copy(bed, path, target)
      assert.deepEqual(readFileSync(copies[0] ?? ''), readFileSync(copies[1] ?? ''), mode)
      assert.deepEqual(readFileSync(path), before, 'the database is as it was')
      assert.deepEqual(
        readdirSync(bed.folder).filter((name) => !name.startsWith('work')),
        files.filter((name) => !name.startsWith('work')),
      )
    }
  })

  it('is one file, with what was still in the write-ahead log', async () => {
    await using bed = sqliteBed()
    const path = join(bed.folder, 'a.db')
    const other = await bed.elsewhere(path, `db.exec(${JSON.stringify(AWKWARD)}); say('done'); ${STAY}`)
    assert.ok(statSync(`${path}-wal`).size > 0)
    const folder = bed.workDirectory()
    await copy(bed, path, join(folder, 'copy.db'))
    assert.deepEqual(readdirSync(folder), ['copy.db'])
    assert.deepEqual(fingerprintOf(join(folder, 'copy.db')), fingerprintOf(path))
    await other.kill()
  })

  it('of a file that a crash left half-way is of the last complete transaction', async () => {
    await using bed = sqliteBed()
    const path = bed.make('a.db', 'CREATE TABLE t (a); INSERT INTO t VALUES (1)')
    const other = await bed.elsewhere(
      path,
      `db.exec('PRAGMA cache_size = 2; BEGIN'); for (let i = 0; i < 50; i++) db.exec('INSERT INTO t VALUES (randomblob(3000))'); say('half'); ${STAY}`,
    )
    await other.kill()
    assert.ok(existsSync(`${path}-journal`))
    assert.deepEqual((await copy(bed, path)).rows, { t: 1 })
  })

  it('of an empty file is an empty database', async () => {
    await using bed = sqliteBed()
    const path = join(bed.folder, 'empty.db')
    writeFileSync(path, '')
    const target = join(bed.folder, 'copy.db')
    assert.deepEqual(await copy(bed, path, target), { rows: {}, warnings: [] })
    const reader = sqlite.readDump('sqlite')
    reader.update(readFileSync(target))
    reader.finish()
    assert.equal(statSync(path).size, 0)
  })

  it('of a read-only file system is made without writing to it', { skip: mountingSkip() }, async () => {
    await using bed = sqliteBed()
    const folder = join(bed.folder, 'mounted')
    mkdirSync(folder)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder])
    try {
      bed.make('mounted/clean.db', 'PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)')
      const path = join(folder, 'logged.db')
      const other = await bed.elsewhere(
        path,
        `db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)'); say('done'); ${STAY}`,
      )
      for (const suffix of ['', '-wal']) copyFileSync(path + suffix, join(folder, `alone.db${suffix}`))
      await other.kill()
      execFileSync('mount', ['-o', 'remount,ro', folder])
      assert.deepEqual((await copy(bed, join(folder, 'clean.db'))).rows, { t: 1 })
      assert.deepEqual((await copy(bed, path)).rows, { t: 2 })
      assert.deepEqual((await copy(bed, join(folder, 'alone.db'))).rows, { t: 2 })
    } finally {
      execFileSync('umount', [folder])
    }
  })

  it('names rows that break a rule, and tables that only their application can read', async () => {
    await using bed = sqliteBed()
    const path = bed.make(
      'a.db',
      `CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (p REFERENCES parent (id));
       INSERT INTO child VALUES (1), (2), (NULL)`,
    )
    const other = new DatabaseSync(path, { defensive: false })
    other.function('app_only', { deterministic: true }, (value) => value)
    other.exec(`
      CREATE TABLE special (a); CREATE INDEX special_index ON special (app_only(a)); INSERT INTO special VALUES (1);
      CREATE TABLE changed (a NOT NULL); INSERT INTO changed VALUES (1);
      PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = 'CREATE TABLE changed (a NOT NULL, b NOT NULL)' WHERE name = 'changed'`)
    other.close()
    const { warnings, rows } = await copy(bed, path)
    assert.deepEqual(warnings, [
      'NULL value in changed.b (1 row).',
      'Table special could not be checked: unknown function: app_only().',
      'Table child has 2 rows whose parent in parent is missing.',
    ])
    assert.deepEqual(rows, { changed: 1, child: 3, parent: 0, special: 1 })
  })

  it('that is cancelled ends its process and leaves the database alone', async () => {
    await using bed = sqliteBed()
    const path = bed.make('a.db', 'CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(50000000))')
    const controller = new AbortController()
    const running = copy(bed, path, join(bed.folder, 'copy.db'), controller.signal)
    setTimeout(() => controller.abort(new Error('enough')), 100)
    await assert.rejects(running, /enough/)
    assert.deepEqual((await copy(bed, path)).rows, { t: 1 })
  })
})

describe('a copy is refused, with the reason,', () => {
  const cases: {
    title: string
    code: ErrorCode
    says: RegExp
    prepare: (bed: SqliteBed) => string
  }[] = [
    {
      title: 'of a file that does not exist, which is not created',
      code: 'database_not_found',
      says: /no file .*missing\.db/,
      prepare: (bed) => join(bed.folder, 'missing.db'),
    },
    {
      title: 'of a directory',
      code: 'database_not_found',
      says: /no file/,
      prepare: (bed) => bed.folder,
    },
    {
      title: 'of a file that is something else',
      code: 'unsupported',
      says: /not an SQLite database/,
      prepare: (bed) => written(bed, Buffer.from('id;name\n1;a\n'.repeat(1000))),
    },
    {
      title: 'of an encrypted file',
      code: 'unsupported',
      says: /encrypted/,
      prepare: (bed) => written(bed, randomBytes(8192)),
    },
    {
      title: 'of a file with a damaged page',
      code: 'database_corrupt',
      says: /is damaged/,
      prepare(bed) {
        const path = bed.make(
          'a.db',
          `CREATE TABLE t (a UNIQUE); WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 5000) INSERT INTO t SELECT n FROM i`,
        )
        const file = openSync(path, 'r+')
        writeSync(file, Buffer.alloc(2000, 7), 0, 2000, 5 * 4096)
        closeSync(file)
        return path
      },
    },
    {
      title: 'of a file that is shorter than its header says',
      code: 'database_corrupt',
      says: /is damaged/,
      prepare(bed) {
        const path = bed.make('a.db', 'CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(50000))')
        const bytes = readFileSync(path)
        writeFileSync(path, bytes.subarray(0, bytes.length - 8192))
        return path
      },
    },
  ]
  for (const { title, code, says, prepare } of cases) {
    it(title, async () => {
      await using bed = sqliteBed()
      const path = prepare(bed)
      const existed = existsSync(path)
      const target = join(bed.folder, 'copy.db')
      await assert.rejects(copy(bed, path, target), (error) => {
        assert.ok(error instanceof AppError)
        assert.equal(error.code, code, error.message)
        assert.match(error.message, says)
        return true
      })
      assert.equal(existsSync(path), existed)
      assert.equal(existsSync(target), false, 'nothing is left')
    })
  }

  it('while another process keeps the database locked', async () => {
    await using bed = sqliteBed()
    const path = bed.make('a.db', 'CREATE TABLE t (a)')
    await bed.elsewhere(
      path,
      `db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE'); say('locked'); ${STAY}`,
    )
    await assert.rejects(sqlite.describe({ path }, path, signal), (error) => {
      assert.ok(error instanceof AppError)
      assert.equal(error.code, 'database_in_use')
      assert.match(error.message, /locked by another process/)
      return true
    })
  })
})

const signal = AbortSignal.timeout(120_000)

function copy(
  bed: SqliteBed,
  source: string,
  target = join(bed.workDirectory(), 'copy.db'),
  until = signal,
): Promise<DumpContents> {
  return apart('copy', { source, target, workDirectory: bed.workDirectory() }, until)
}

function written(bed: SqliteBed, bytes: Buffer): string {
  const path = join(bed.folder, 'file.db')
  writeFileSync(path, bytes)
  return path
}

function mountingSkip(): string | false {
  return process.getuid?.() === 0 && process.platform === 'linux'
    ? false
    : 'only root can mount a file system'
}
