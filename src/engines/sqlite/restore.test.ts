import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { AppError } from '../../shared/errors.ts'
import type { Restore } from '../engine.ts'
import { sqlite } from './index.ts'
import { refuseInside } from './own-data.ts'
import { sqliteBed, type SqliteBed } from './test-bed.ts'
import { AWKWARD, fingerprintOf } from './test-data.ts'

describe('restoring an SQLite dump', () => {
  it('brings the whole file back', async () => {
    await using bed = sqliteBed()
    const dump = bed.make('dump.db', AWKWARD)
    const path = await restored(bed, dump, {})
    assert.deepEqual(fingerprintOf(path), fingerprintOf(dump))
  })

  it('brings chosen tables back with what belongs to them, and nothing else', async () => {
    await using bed = sqliteBed()
    const dump = bed.make('dump.db', AWKWARD)
    const path = await restored(bed, dump, { tables: ['implicit', 'kv', 'generated', 'search'] })
    const before = fingerprintOf(dump)
    const after = fingerprintOf(path)
    const of = (lines: string[], ...tables: string[]) =>
      lines.filter((line) => tables.some((table) => line.startsWith(`${table}: `)))
    for (const table of ['implicit', 'kv', 'generated', 'search']) {
      assert.deepEqual(of(after, table), of(before, table), table)
    }
    const names = (type: string) =>
      after.flatMap((line) => (line.startsWith(`{"type":"${type}"`) ? [JSON.parse(line).name as string] : []))
    assert.deepEqual(
      names('trigger'),
      [],
      'logged writes to a table that is gone, instead is on a view that is gone',
    )
    assert.deepEqual(names('view'), [])
    assert.deepEqual(
      names('index').filter((name) => !name.startsWith('sqlite_')),
      ['expression', 'partial'],
    )
    assert.deepEqual(
      names('table').filter((name) => !/^(sqlite_|search_)/.test(name)),
      ['generated', 'implicit', 'kv', 'search'],
    )
    for (const setting of [
      'page_size',
      'encoding',
      'user_version',
      'application_id',
      'auto_vacuum',
      'journal_mode',
    ]) {
      const line = (lines: string[]) => lines.find((text) => text.startsWith(`{"${setting}"`))
      assert.equal(line(after), line(before), setting)
    }
    const db = new DatabaseSync(path)
    assert.equal(db.prepare("SELECT count(*) AS n FROM search WHERE search MATCH 'fuchs'").get()?.['n'], 1)
    db.close()
    assert.ok(!readFileSync(path).includes(Buffer.from('instead', 'utf16le')), 'no trace of the rest')
  })

  it('keeps the triggers and views that still have their tables', async () => {
    await using bed = sqliteBed()
    const dump = bed.make('dump.db', AWKWARD)
    const path = await restored(bed, dump, { tables: ['kv', 'log', 'generated', 'strictly'] })
    const schema = fingerprintOf(path).join('\n')
    for (const name of ['logged', 'instead', 'both', 'view_of_view']) {
      assert.match(schema, new RegExp(`"name":"${name}"`))
    }
  })

  it('brings the schema back without a row', async () => {
    await using bed = sqliteBed()
    const dump = bed.make('dump.db', AWKWARD)
    const path = await restored(bed, dump, { content: 'schema' })
    const isSchema = (line: string) => line.startsWith('{') && !/"name":"sqlite_(stat|auto)/.test(line)
    assert.deepEqual(fingerprintOf(path).filter(isSchema), fingerprintOf(dump).filter(isSchema))
    const rows = await sqlite.countRows({ path }, path, signal)
    assert.ok(Object.keys(rows).length >= 9)
    assert.deepEqual(new Set(Object.values(rows)), new Set([0]))
    assert.ok(readFileSync(path).length < 400_000)
  })

  it('names the tables that the dump does not have', async () => {
    await using bed = sqliteBed()
    const dump = bed.make('dump.db', 'CREATE TABLE a (x); CREATE TABLE b (x)')
    await assert.rejects(restored(bed, dump, { tables: ['a', 'c'] }), (error) => {
      assert.ok(error instanceof AppError)
      assert.equal(error.code, 'nothing_matched')
      assert.match(error.message, /“c”/)
      assert.match(error.hint ?? '', /a, b/)
      return true
    })
  })

  it('refuses what is no database, and a damaged one', async () => {
    await using bed = sqliteBed()
    const text = join(bed.folder, 'text')
    writeFileSync(text, 'x'.repeat(10_000))
    await assert.rejects(restored(bed, text, {}), { code: 'unsupported' })
    const damaged = bed.make('dump.db', 'CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))')
    const bytes = readFileSync(damaged)
    bytes.fill(9, 4096, 12_288)
    writeFileSync(damaged, bytes)
    await assert.rejects(restored(bed, damaged, {}), { code: 'database_corrupt' })
  })

  it('refuses data only, and a database with other tables, with the reason', async () => {
    await using bed = sqliteBed()
    assert.throws(() => restore(bed, 'a.db', { content: 'data' }), { code: 'unsupported' })
    assert.throws(() => restore(bed, 'a.db', {}, 'existing'), { code: 'unsupported' })
  })

  it('makes sure that the file can be made', async () => {
    await using bed = sqliteBed()
    const connection = { path: join(bed.folder, 'a.db') }
    await assert.rejects(sqlite.createDatabase(connection, join(bed.folder, 'no/b.db'), {}, signal), {
      code: 'database_not_found',
    })
  })
})

describe('Holdfast’s own data directory', () => {
  it('is no place for a restore, also by way of links', async () => {
    await using bed = sqliteBed()
    const data = join(bed.folder, 'data')
    mkdirSync(data)
    symlinkSync('data', join(bed.folder, 'link'))
    symlinkSync('data/not-there-yet.db', join(bed.folder, 'dangling.db'))
    const inside = ['data', 'data/holdfast.db', 'data/new/b.db', 'link/holdfast.db', 'other/../data/x']
    for (const path of [...inside, 'dangling.db']) {
      await assert.rejects(refuseInside(join(bed.folder, path), data), { code: 'invalid_input' }, path)
    }
    for (const path of ['other.db', 'data.db', '..data/a.db'])
      await refuseInside(join(bed.folder, path), data)
    await assert.rejects(refuseInside(join(data, 'a.db'), join(bed.folder, 'link')), {
      code: 'invalid_input',
    })
    mkdirSync(join(data, 'sample'))
    symlinkSync('..', join(data, 'sample', 'out'))
    await refuseInside(join(data, 'sample', 'a.db'), data, 'sample')
    for (const path of ['sample', 'sample/../a.db', 'sample/out/a.db', 'sample2/a.db', 'a.db']) {
      await assert.rejects(refuseInside(join(data, path), data, 'sample'), { code: 'invalid_input' }, path)
    }
    rmSync(join(data, 'sample'), { recursive: true })
    symlinkSync('.', join(data, 'sample'))
    await assert.rejects(refuseInside(join(data, 'sample', 'a.db'), data, 'sample'), {
      code: 'invalid_input',
    })
  })
})

const signal = AbortSignal.timeout(120_000)

function restore(
  bed: SqliteBed,
  name: string,
  options: object,
  mode: 'empty' | 'existing' = 'empty',
): Restore {
  const path = join(bed.folder, name)
  return sqlite.restore({
    connection: { path },
    database: path,
    server: { flavour: 'sqlite', version: '3', tls: false },
    format: 'sqlite',
    options: sqlite.restoreOptions.parse(options),
    mode,
    tools: [],
    workDirectory: bed.folder,
    rawBytes: 0,
  })
}

/** Does what the runner does, and returns the path of what was restored. */
async function restored(bed: SqliteBed, dump: string, options: object): Promise<string> {
  const plan = restore(bed, 'restored.db', options)
  assert.ok(plan.target.into === 'file')
  const { path } = plan.target
  copyFileSync(dump, path)
  await plan.check?.(signal)
  assert.equal(existsSync(`${path}-wal`), false)
  return path
}
