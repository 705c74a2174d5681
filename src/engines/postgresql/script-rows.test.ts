import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { newestPostgres, skipUnless } from '../../../test/servers/needs.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { run, stdoutOf } from '../../lib/process.ts'
import { ArchiveWalker } from './archive.ts'
import { quoteName, tableName } from './names.ts'
import { ScriptReader } from './plain.ts'
import { ScriptRows } from './script-rows.ts'

const LOOKS_LIKE_ROWS = `\nCOPY public.fake (a) FROM stdin;\n1\n2\n\\.\n\nINSERT INTO public.fake VALUES (1);\n`

describe('counting the rows of a script', () => {
  const table = fc.record({
    name: fc.string({
      unit: fc.constantFrom(
        'a',
        'B',
        '"',
        "'",
        ';',
        '.',
        '(',
        ')',
        ' ',
        '\n',
        '$',
        '-',
        '\\',
        '🎉',
        '/',
        '*',
      ),
      minLength: 1,
      maxLength: 12,
    }),
    rows: fc.array(
      fc.oneof(
        fc.string({
          unit: fc.constantFrom('x', "'", '"', ';', '$', '\\\\', '\\n', '\\t', '\t', '-', '\\N', '.'),
        }),
        fc.constantFrom(
          '',
          '\\\\.',
          '.',
          'COPY public.fake (a) FROM stdin;',
          '$$',
          '/*',
          "E'",
          'INSERT INTO x',
        ),
      ),
      { maxLength: 8 },
    ),
  })
  const tables = fc.uniqueArray(table, { selector: ({ name }) => name, maxLength: 4 })
  const between = fc.constantFrom(
    `CREATE FUNCTION public.f() RETURNS void LANGUAGE sql AS $_$${LOOKS_LIKE_ROWS}$$;$_$;\n`,
    `COMMENT ON TABLE public.x IS '${LOOKS_LIKE_ROWS}it''s; "';\n`,
    `ALTER TABLE public.x ALTER a SET DEFAULT E'\\\\\\'${LOOKS_LIKE_ROWS}'';';\n`,
    `ALTER TABLE public.x ALTER a SET DEFAULT (a$b$c || $1 || e$d$);\n`,
    `--${LOOKS_LIKE_ROWS.replaceAll('\n', ' ')} it's $$\n`,
    `/* ${LOOKS_LIKE_ROWS} /* ' */ $$ */ SET x = 1;\n`,
    `CREATE VIEW public."${LOOKS_LIKE_ROWS}" AS SELECT 'a' AS "'";\n`,
    `CREATE FUNCTION public.g() RETURNS void LANGUAGE sql\n BEGIN ATOMIC\n INSERT INTO public.x (a)\n   VALUES (1);\nEND;\n`,
    `\\restrict it's\n`,
  )
  const scriptOf = (list: { name: string; rows: string[] }[], sql: string) =>
    list
      .map(({ name, rows }) => {
        const quoted = `public.${quoteName(name)}`
        const lines = rows.map((row) => `${row}\n`).join('')
        return `CREATE TABLE ${quoted} (\n    a text\n);\n${sql}COPY ${quoted} (a) FROM stdin;\n${lines}\\.\n\n\n${sql}`
      })
      .join('')

  it('is not misled by rows, names, functions or comments, in pieces of any size', () => {
    fc.assert(
      fc.property(
        tables,
        between,
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }),
        (list, sql, sizes) => {
          const bytes = Buffer.from(scriptOf(list, sql))
          assert.deepEqual(
            countIn(bytes, sizes),
            Object.fromEntries(list.map(({ name, rows }) => [tableName('public', name), rows.length])),
          )
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('tells nothing rather than something wrong', () => {
    const uncertain = [
      `INSERT INTO public.t VALUES (1);\n`,
      `COPY t (a) FROM stdin;\n1\n\\.\n`,
      `COPY public.t (a) FROM stdin;\n1\n`,
    ]
    for (const script of uncertain) assert.equal(countIn(Buffer.from(script), [7]), undefined, script)
    const loadedThroughRoot = `CREATE TABLE public.root (\n    a int\n)\nPARTITION BY HASH (a);\nCOPY public.root (a) FROM stdin;\n1\n\\.\n`
    assert.deepEqual(countIn(Buffer.from(loadedThroughRoot), [7]), {})
    const foreign = `CREATE TABLE public.t (\n    a int\n);\nCOPY public.of_extension (a) FROM stdin;\n1\n\\.\n`
    assert.deepEqual(countIn(Buffer.from(foreign), [7]), {})
    const old = `SET standard_conforming_strings = off;\nSELECT 'it\\'s';\nCOPY public.t (a) FROM stdin;\n1\n\\.\n`
    assert.deepEqual(countIn(Buffer.from(old), [7]), { 'public.t': 1 })
  })
})

for (const major of [15, newestPostgres() === 17 ? 17 : 18] as const) {
  describe(`a script of pg_dump ${major}`, { skip: skipUnless(`postgres${major}`) }, () => {
    let server: PostgresServer
    const dump = async (args: string[]) => {
      const { host, port, user, password, programs } = server
      const env = {
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: 'scripted',
      }
      const command = { file: join(programs, 'pg_dump'), args, env }
      return Buffer.from(await run(command, AbortSignal.timeout(60_000), { limit: 2 ** 26 }))
    }
    const rowsOf = (script: Buffer) => {
      const reader = new ScriptReader('database')
      for (let at = 0; at < script.length; at += 997) reader.update(script.subarray(at, at + 997))
      return reader.finish().rows
    }

    before(async () => {
      server = await startPostgres({ major })
      await server.query('create database scripted')
      await server.query(
        [
          'set check_function_bodies = off',
          `create table "odd "".Name\n" (a text, "b (c" int)`,
          `insert into "odd "".Name\n" select E'COPY public.fake FROM stdin;\\n\\\\.\\n' || n, n from generate_series(1, 50) n`,
          'create table no_columns (); insert into no_columns default values',
          'create table empty (a int)',
          'create unlogged table unlogged (a int); insert into unlogged values (1)',
          `create table parted (a int, b text default E'it\\'s \\\\') partition by hash (a)`,
          'create table part_0 partition of parted for values with (modulus 2, remainder 0)',
          'create table part_1 partition of parted for values with (modulus 2, remainder 1)',
          'insert into parted select generate_series(1, 20)',
          `create function f() returns void language plpgsql as $$ begin ${LOOKS_LIKE_ROWS} end $$`,
          `create function g() returns int language sql begin atomic insert into empty values (1); select 1; end`,
          `comment on table empty is '${LOOKS_LIKE_ROWS}'`,
          `select lo_from_bytea(77, decode(repeat('0a5c2e0a', 20000), 'hex'))`,
        ],
        'scripted',
      )
    })
    after(() => server?.[Symbol.asyncDispose]())

    it('has the rows that the archive has', async () => {
      const walker = new ArchiveWalker()
      const { host, port, user, password, programs } = server
      const env = {
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: 'scripted',
      }
      const command = { file: join(programs, 'pg_dump'), args: ['--format=custom', '--compress=0'], env }
      for await (const chunk of stdoutOf(command, AbortSignal.timeout(60_000))) walker.update(chunk)
      const { rows } = walker.finish()
      assert.equal(Object.keys(rows ?? {}).length, 6)
      for (const args of [[], ['--disable-dollar-quoting'], ['--quote-all-identifiers'], ['--data-only']]) {
        assert.deepEqual(rowsOf(await dump(args)), rows, args.join())
      }
    })

    it('has no counts where there are no rows to count', async () => {
      assert.equal(rowsOf(await dump(['--inserts'])), undefined)
      assert.equal(rowsOf(await dump(['--rows-per-insert=10', '--column-inserts'])), undefined)
      assert.deepEqual(rowsOf(await dump(['--schema-only'])), {})
    })

    it('leaves out the tables whose rows are loaded through their parent', async () => {
      const rows = rowsOf(await dump(['--load-via-partition-root']))
      assert.deepEqual(
        Object.keys(rows ?? {}).filter((name) => /part/.test(name)),
        [],
      )
      assert.equal(rows?.['public.no_columns'], 1)
    })
  })
}

function countIn(bytes: Buffer, sizes: number[]): Record<string, number> | undefined {
  const rows = new ScriptRows()
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    rows.update(bytes.subarray(at, at + size))
    at += size
  }
  return rows.finish()
}
