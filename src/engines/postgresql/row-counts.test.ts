import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { skipUnless } from '../../../test/servers/needs.ts'
import { isEverything } from '../../../test/servers/share.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import type { FoundTool } from '../../lib/tools.ts'
import { compareRows } from '../../runner/compare-rows.ts'
import { dumpBytes } from '../../runner/dump.ts'
import { loadDump } from '../../runner/load.ts'
import { AppError } from '../../shared/errors.ts'
import type { ServerFacts } from '../engine.ts'
import { postgresql } from './index.ts'
import { quoteName } from './names.ts'
import type { PostgresConnection } from './settings.ts'

const formats = ['custom', 'plain', 'directory'] as const

// How the rows of partitions are told differs before 16.
const majors = isEverything ? ([15, 18] as const) : ([15] as const)
for (const major of majors) {
  describe(`the rows of tables, by PostgreSQL ${major}`, { skip: skipUnless(`postgres${major}`) }, () => {
    let server: PostgresServer
    let connection: PostgresConnection
    let work: string
    let tools: FoundTool[]
    let facts: ServerFacts
    let count = 0
    const signal = AbortSignal.timeout(600_000)

    before(async () => {
      server = await startPostgres({ major })
      const { host, port, user, password, programs } = server
      connection = postgresql.connection.parse({ host, port, user, password })
      work = await mkdtemp(join(tmpdir(), 'row-counts-'))
      facts = await postgresql.inspect(connection, signal)
      const { version } = facts
      tools = postgresql.tools.map(({ name }) => ({ name, path: join(programs, name), version }))
    })
    after(async () => {
      await server?.[Symbol.asyncDispose]()
      if (work) await rm(work, { recursive: true, force: true })
    })

    const create = async (database: string, encoding: string, statements: string[]) => {
      const locale = `encoding '${encoding}' lc_collate 'C' lc_ctype 'C'`
      await server.query(`create database ${quoteName(database)} template template0 ${locale}`)
      await server.query(statements, database)
    }
    const workDirectory = async () => {
      const path = join(work, String(++count))
      await mkdir(path)
      return path
    }
    const dump = async (database: string, options: object) => {
      const properties = await postgresql.describe(connection, database, signal)
      const plan = postgresql.dump({
        connection,
        database,
        server: facts,
        facts: properties,
        options: postgresql.dumpOptions.parse(options),
        tools,
        workDirectory: await workDirectory(),
      })
      const reader = postgresql.readDump(plan.format)
      const chunks: Uint8Array[] = []
      for await (const chunk of dumpBytes(plan, signal)) {
        reader.update(chunk)
        chunks.push(chunk)
      }
      return { plan, properties, chunks, contents: reader.finish() }
    }
    /** Dumps, restores under a new name, compares as a restore does, and tells where to look. */
    const comeBack = async (from: string, options: object, restoreOptions: object = {}) => {
      const { plan, properties, chunks, contents } = await dump(from, options)
      const database = `copy ${++count}`
      await postgresql.createDatabase(connection, database, properties, signal)
      const restore = postgresql.restore({
        connection,
        database,
        server: facts,
        format: plan.format,
        options: postgresql.restoreOptions.parse(restoreOptions),
        mode: 'empty',
        tools,
        workDirectory: await workDirectory(),
        rawBytes: 0,
      })
      await loadDump(restore, Readable.from(chunks), signal)
      const found = await postgresql.countRows(connection, database, signal)
      const isWhole = Object.keys(restoreOptions).length === 0
      if (isWhole) assert.deepEqual(compareRows(contents.rows ?? {}, found).differences, [])
      return { ...contents, found, database }
    }
    const named = (bytes: string, encoding: string, statement: string) =>
      `do $$ begin execute format('${statement}', convert_from('\\x${bytes}', '${encoding}')); end $$`
    const missed = (error: unknown, code: string, pattern: RegExp) =>
      error instanceof AppError && error.code === code && pattern.test(error.message)

    describe('in a database that is not in UTF-8', () => {
      const rows = { 'public.Übergröße': 2, 'public.Ã¼': 3, 'Größen.plain': 1 }
      before(async () => {
        await create('latin', 'LATIN1', [
          `create table "Übergröße" (größe text); insert into "Übergröße" values ('Übergröße'), ('ß')`,
          // In LATIN1 these two letters are the bytes of an ü in UTF-8.
          `create table "Ã¼" (a int); insert into "Ã¼" values (1), (2), (3)`,
          `create schema "Größen"; create table "Größen".plain (a text); insert into "Größen".plain values ('ÿ')`,
        ])
        await create('ascii', 'SQL_ASCII', [
          `create table "Übergröße" (a text); insert into "Übergröße" values ('Übergröße')`,
          named('dc626572', 'SQL_ASCII', 'create table %I (a) as select 1'),
          named('fc626572', 'SQL_ASCII', 'create unlogged table %I (a) as select 1'),
          `create table plain (a text); insert into plain select convert_from('\\xdc', 'SQL_ASCII')`,
        ])
        await create('windows', 'WIN1252', [
          named('8162', 'WIN1252', 'create table %I (a) as select 1'),
          `create table "Größe €" (a text); insert into "Größe €" select convert_from('\\x81', 'WIN1252')`,
        ])
        await create('taipei', 'EUC_TW', [
          `create table "中文" (a text); insert into "中文" values ('中文')`,
          `create table plain (a int); insert into plain values (1)`,
        ])
      })

      for (const format of formats) {
        it(`a table is known by its name, in the format ${format}`, async () => {
          const { rows: dumped, found, warnings, database } = await comeBack('latin', { format })
          assert.deepEqual([dumped, found, warnings], [rows, rows, undefined])
          const [row] = await server.query(`select größe from "Übergröße" order by 1 desc limit 1`, database)
          assert.equal(row?.['größe'], 'ß')
        })

        it(`names that cannot be known are not compared, and that is said, in the format ${format}`, async () => {
          const ascii = await comeBack('ascii', { format })
          assert.deepEqual(ascii.rows, { 'public.plain': 1, 'public.Übergröße': 1 })
          assert.match(ascii.warnings?.join() ?? '', /rows of 2 tables whose names .* \(SQL_ASCII\)/)
          const [unreadable] = await server.query(
            `select count(*)::int as tables from pg_stat_user_tables where length(convert_to(relname::text, 'SQL_ASCII')) = 4`,
            ascii.database,
          )
          assert.equal(unreadable?.['tables'], 2)
        })

        it(`in other encodings too, in the format ${format}`, async () => {
          for (const [database, rows, encoding] of [
            ['windows', { 'public.Größe €': 1 }, 'WIN1252'],
            ['taipei', { 'public.plain': 1 }, 'EUC_TW'],
          ] as const) {
            const { contents } = await dump(database, { format })
            assert.deepEqual(contents.rows, rows)
            assert.deepEqual(await postgresql.countRows(connection, database, signal), rows)
            assert.match(contents.warnings?.join() ?? '', /one table whose name /)
            assert.ok(contents.warnings?.join().includes(encoding))
          }
        })
      }

      it('a name with an umlaut is chosen, or left out', async () => {
        const chosen = await dump('latin', { tables: ['Übergröße'] })
        assert.deepEqual(chosen.contents.rows, { 'public.Übergröße': 2 })
        const left = await comeBack('latin', { excludeTables: ['Übergröße', 'Größen.*'] })
        assert.deepEqual(left.rows, { 'public.Ã¼': 3 })
      })

      it('names in another encoding than the database’s are the same', async () => {
        for (const format of ['custom', 'plain']) {
          const { contents } = await dump('latin', { format, extra: '-E UTF8' })
          assert.deepEqual(contents.rows, rows)
        }
      })

      it('a table is restored alone by such a name', async () => {
        const { found } = await comeBack('latin', {}, { tables: ['public.Übergröße'] })
        assert.deepEqual(found, { 'public.Übergröße': 2 })
        await assert.rejects(comeBack('ascii', {}, { tables: ['public.\ufffdber'] }), (error) =>
          missed(error, 'nothing_matched', /no table/),
        )
      })

      it('the encoding is the database’s, whatever the settings of the user are', async () => {
        await create('tokyo', 'UTF8', [`create table t (a text); insert into t values ('日本')`])
        await server.query(`alter role postgres set client_encoding = 'LATIN1'`)
        try {
          assert.deepEqual((await comeBack('tokyo', {})).rows, { 'public.t': 1 })
        } finally {
          await server.query('alter role postgres reset client_encoding')
        }
      })

      it('refuses an encoding that hides the database’s own, or the names that are chosen', async () => {
        for (const [options, pattern] of [
          [{ extra: '-E SQL_ASCII' }, /LATIN1 without saying so/],
          [{ extra: '--encoding=sql-ascii' }, /LATIN1 without saying so/],
          [{ extra: '-E latin1', excludeTables: ['Übergröße'] }, /names that are chosen or left out/],
        ] as const) {
          await assert.rejects(dump('latin', options), (error) =>
            missed(error, 'tool_option_refused', pattern),
          )
        }
      })

      it('counts nothing where SQL cannot be read byte by byte', async () => {
        await create('kyoto', 'UTF8', [
          `create table t (a text default E'\\\\ソ'); insert into t values ('x')`,
        ])
        assert.equal((await comeBack('kyoto', { format: 'plain', extra: '-E SJIS' })).rows, undefined)
        assert.deepEqual((await comeBack('kyoto', { extra: '-E SJIS' })).rows, { 'public.t': 1 })
      })
    })

    describe('in partitions', () => {
      before(async () => {
        await create('parted', 'UTF8', [
          `create schema parts`,
          `create table measures (at int) partition by range (at)`,
          `create table measures_old partition of measures for values from (0) to (10)`,
          `create table measures_new partition of measures for values from (10) to (20) partition by range (at)`,
          `create table parts.newest partition of measures_new for values from (10) to (20)`,
          `insert into measures values (1), (11), (12)`,
          `create table cities (a int); insert into cities values (1)`,
          `create table capitals () inherits (cities); insert into capitals values (2), (3)`,
          `create table orders (a int); insert into orders values (1)`,
        ])
        // The server finds the partition by the identity of a value, which is another one in another database.
        await create('moods', 'UTF8', [
          `create type mood as enum (${Array.from({ length: 40 }, (_, n) => `'mood ${n}'`).join()})`,
          `create table feelings (mood mood) partition by hash (mood)`,
          ...[0, 1, 2, 3].map(
            (n) =>
              `create table feelings_${n} partition of feelings for values with (modulus 4, remainder ${n})`,
          ),
          `insert into feelings select unnest(enum_range(null::mood))`,
          `create table orders (a int); insert into orders values (1)`,
        ])
      })

      const all = { 'public.measures_old': 1, 'parts.newest': 2 }
      const others = { 'public.cities': 1, 'public.capitals': 2, 'public.orders': 1 }

      for (const format of formats) {
        it(`rows that are loaded through their parent are not compared one by one, in the format ${format}`, async () => {
          const { rows, database } = await comeBack('moods', { format })
          assert.deepEqual(rows, { 'public.orders': 1 })
          const [row] = await server.query('select count(*)::int as rows from feelings', database)
          assert.equal(row?.['rows'], 40)
          const through = await dump('parted', { format, extra: '--load-via-partition-root' })
          assert.deepEqual(through.contents.rows, others)
        })

        it(`each counts for itself, and comes back, in the format ${format}`, async () => {
          assert.deepEqual((await comeBack('parted', { format })).rows, { ...all, ...others })
        })
      }

      /** Before 16, pg_dump takes a pattern for the named tables alone. */
      const eitherWay = async (
        options: object,
        rows: Record<string, number>,
        refused: { code: string; message: RegExp },
      ) => {
        if (major >= 16) assert.deepEqual((await dump('parted', options)).contents.rows, rows)
        else {
          await assert.rejects(dump('parted', options), (error) =>
            missed(error, refused.code, refused.message),
          )
        }
      }

      it('a chosen table stands for its partitions, or is refused', async () => {
        const refused = { code: 'nothing_matched', message: /partition of public\.measures.* not chosen/ }
        await eitherWay({ tables: ['measures'], schemas: [] }, all, refused)
        await eitherWay({ tables: ['measures', 'measures_old'] }, all, refused)
        await eitherWay({ tables: ['measures*'] }, all, refused)
        await eitherWay(
          { tables: ['cities'] },
          { 'public.cities': 1, 'public.capitals': 2 },
          {
            code: 'nothing_matched',
            message: /public\.capitals inherits from public\.cities/,
          },
        )
      })

      it('a table that is left out stands for its partitions, or is refused', async () => {
        const message = /partition of public\.measures.* to be left out, but pg_dump 15/
        await eitherWay({ excludeTables: ['measures'] }, others, { code: 'unsupported', message })
        await eitherWay({ excludeTables: ['measures_*'] }, others, { code: 'unsupported', message: /newest/ })
        await eitherWay(
          { excludeTables: ['cities'] },
          { ...all, 'public.orders': 1 },
          {
            code: 'unsupported',
            message: /capitals inherits from public\.cities/,
          },
        )
      })

      it('a table without its rows stands for its partitions, or is refused', async () => {
        const message = /partition of public\.measures.* would dump those of/
        await eitherWay({ excludeTableData: ['measures'] }, others, { code: 'unsupported', message })
      })

      it('comes back without the rows, or the partitions, that were left out', async () => {
        for (const options of [
          { excludeTableData: ['measures*', '*.newest'] },
          { excludeTables: ['measures_new', 'parts.*'] },
        ]) {
          await comeBack('parted', options)
        }
      })

      it('what names all of them is the same with every version', async () => {
        for (const [options, rows] of [
          [{ tables: ['measures*', 'parts.*'] }, all],
          [{ tables: ['measures*'], excludeTables: ['parts.*'] }, { 'public.measures_old': 1 }],
          [{ excludeTables: ['measures*', 'parts.*'] }, others],
          [{ excludeTableData: ['measures*', '*.newest'] }, others],
          [{ tables: ['measures_old'] }, { 'public.measures_old': 1 }],
          [
            { schemas: ['public', 'parts'], excludeTables: ['cities', 'capitals'] },
            { ...all, 'public.orders': 1 },
          ],
        ] as const) {
          assert.deepEqual((await dump('parted', options)).contents.rows, rows)
        }
      })

      it('a chosen schema without the partitions of its tables is refused', async () => {
        await assert.rejects(dump('parted', { schemas: ['public'] }), (error) =>
          missed(error, 'nothing_matched', /parts\.newest is a partition of public\.measures/),
        )
        const { contents } = await dump('parted', { schemas: ['public'], excludeTables: ['parts.*'] })
        assert.deepEqual(contents.rows, { 'public.measures_old': 1, ...others })
      })
    })
  })
}
