import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { missingReason, rootOf, skipUnless } from '../../../test/servers/needs.ts'
import { isEverything } from '../../../test/servers/share.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { ToolFailure } from '../../lib/process.ts'
import type { FoundTool } from '../../lib/tools.ts'
import { compareRows } from '../../runner/compare-rows.ts'
import { dumpBytes } from '../../runner/dump.ts'
import { loadDump } from '../../runner/load.ts'
import { AppError } from '../../shared/errors.ts'
import type { DatabaseFacts, ServerFacts } from '../engine.ts'
import { postgresql } from './index.ts'
import { missingSchemas } from './missing-schemas.ts'
import type { PostgresConnection } from './settings.ts'

const signal = AbortSignal.timeout(600_000)
const allFormats = ['custom', 'plain', 'directory'] as const
const looksLikeSql = `\nCREATE SCHEMA public;\nCREATE TABLE elsewhere.t (\n`

const majors = isEverything ? ([15, 18] as const) : ([18] as const)
for (const major of majors) {
  describe(`a part of a database, by PostgreSQL ${major}`, { skip: skipUnless(`postgres${major}`) }, () => {
    // What differs from server to server is in the archives: the others need not be tried with each.
    const formats = major === 15 ? allFormats : (['custom'] as const)
    let server: PostgresServer
    let connection: PostgresConnection
    let work: string
    let own: FoundTool[]
    let facts: ServerFacts
    let properties: DatabaseFacts
    let count = 0

    before(async () => {
      server = await startPostgres({ major })
      const { host, port, user, password, programs } = server
      connection = postgresql.connection.parse({ host, port, user, password })
      work = await mkdtemp(join(tmpdir(), 'parts-'))
      facts = await postgresql.inspect(connection, signal)
      own = toolsIn(programs, facts.version)
      await server.query([
        `create role keeper`,
        `create role guest`,
        `create database shop template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'`,
      ])
      await server.query(
        [
          `create schema "Größen; x"; create schema other; create schema "a" authorization keeper`,
          `comment on schema "a" is '${looksLikeSql}it''s'`,
          `grant usage on schema public to guest; grant usage on schema other to guest`,
          `create table orders (id serial primary key, note text)`,
          `insert into orders (note) values ('${looksLikeSql}'), ('y')`,
          `create table other.items (id int primary key, note text default '${looksLikeSql}')`,
          `insert into other.items select n from generate_series(1, 300) n`,
          `create index by_note on other.items (note)`,
          `create table "Größen; x"."lo; g" (at int) partition by range (at)`,
          `create table other.log_1 partition of "Größen; x"."lo; g" for values from (0) to (10)`,
          `insert into other.log_1 values (1), (2), (3)`,
          `create view a.report as select '${looksLikeSql}' as text`,
          `create sequence a.numbers start 7`,
          `create materialized view a.kept as select 1 as one`,
          `create type mood as enum ('sad', 'happy'); create table feelings (mood mood)`,
          `create function stamp() returns trigger language plpgsql as 'begin return new; end'`,
          `create table stamped (id int)`,
          `create trigger stamp before insert on stamped for each row execute function stamp()`,
        ],
        'shop',
      )
      properties = await postgresql.describe(connection, 'shop', signal)
    })
    after(async () => {
      await server?.[Symbol.asyncDispose]()
      if (work) await rm(work, { recursive: true, force: true })
    })

    const workDirectory = async () => {
      const path = join(work, String(++count))
      await mkdir(path)
      return path
    }
    const take = async (options: object, tools = own) => {
      const dump = postgresql.dump({
        connection,
        database: 'shop',
        server: facts,
        facts: properties,
        options: postgresql.dumpOptions.parse(options),
        tools,
        workDirectory: await workDirectory(),
      })
      const reader = postgresql.readDump(dump.format)
      const chunks: Uint8Array[] = []
      for await (const chunk of dumpBytes(dump, signal)) {
        reader.update(chunk)
        chunks.push(chunk)
      }
      return { dump, tools, bytes: Buffer.concat(chunks), rows: reader.finish().rows ?? {} }
    }
    type Taken = Awaited<ReturnType<typeof take>>
    /** Into a new database, by pieces of this size; its rows are compared with those that the dump tells. */
    const bringBack = async (
      { dump, tools, bytes, rows }: Taken,
      options: object = {},
      { size = 700, owner, as = connection }: { size?: number; owner?: string; as?: PostgresConnection } = {},
    ) => {
      const database = `copy ${++count}`
      await postgresql.createDatabase(as, database, { ...properties, ...(owner && { owner }) }, signal)
      const restore = postgresql.restore({
        connection: as,
        database,
        server: facts,
        format: dump.format,
        madeBy: { tool: dump.tool.name, version: dump.tool.version, serverVersion: facts.version },
        options: postgresql.restoreOptions.parse(options),
        mode: 'empty',
        tools,
        workDirectory: await workDirectory(),
        rawBytes: 0,
      })
      await loadDump(restore, pieces(bytes, size), signal)
      const found = await postgresql.countRows(connection, database, signal)
      if (!('tables' in options)) {
        assert.ok(Object.keys(rows).length > 0)
        assert.deepEqual(compareRows(rows, found).differences, [])
      }
      return { database, found }
    }
    const all = async (query: string, database: string) =>
      (await server.query(query, database)).map((row) => String(Object.values(row)[0]))
    const schemasOf = (database: string) =>
      all(
        `select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`,
        database,
      )
    const publicOf = (database: string) =>
      all(
        `select format('%s %s %s', nspowner::regrole, (select array_agg(a order by a::text) from unnest(nspacl) a),
                obj_description(oid)) from pg_namespace where nspname = 'public'`,
        database,
      )

    const ways: [title: string, tools: () => FoundTool[], jobs: boolean][] = [
      ['its own tools', () => own, true],
    ]
    if (major === 15 && missingReason('postgres18') === undefined) {
      const folder = join(rootOf('postgres18'), 'usr/lib/postgresql/18/bin')
      ways.push(['the tools of PostgreSQL 18', () => toolsIn(folder, '18.6'), false])
    }
    for (const [title, tools, isOwn] of ways) {
      // Tools of another version differ from the own ones in that a script runs between them and the server.
      for (const format of isOwn ? formats : formats.slice(0, 1)) {
        const restores = isOwn && format !== 'plain' ? [{}, { jobs: 2 }] : [{}]

        it(`a chosen schema public comes back as it was, by ${title}, in the format ${format}`, async () => {
          const withoutTypes = { excludeTables: ['feelings'] }
          for (const schemas of [['public'], ['a', 'public', 'other', 'Größen; x']]) {
            const part = await take({ format, schemas, ...withoutTypes }, tools())
            for (const options of restores) {
              const { database } = await bringBack(part, options)
              assert.deepEqual(await publicOf(database), await publicOf('shop'))
              assert.deepEqual(await schemasOf(database), [...new Set([...schemas, 'public'])].sort())
              assert.deepEqual(await all('select count(*) from orders', database), ['2'])
            }
          }
          const part = await take({ format, schemas: ['public'], extra: '--quote-all-identifiers' }, tools())
          await bringBack(part)
        })

        it(`chosen tables outside of public come back, by ${title}, in the format ${format}`, async () => {
          const part = await take({ format, tables: ['other.items', 'Größen; x.*', 'other.log_1'] }, tools())
          for (const options of restores) {
            const { database, found } = await bringBack(part, options)
            assert.deepEqual(found, { 'other.items': 300, 'other.log_1': 3 })
            assert.deepEqual(await schemasOf(database), ['Größen; x', 'other', 'public'])
            assert.deepEqual(await all('select count(*) from "Größen; x"."lo; g"', database), ['3'])
            const [definition] = await all(`select pg_get_indexdef('other.by_note'::regclass)`, database)
            assert.match(definition ?? '', /note/)
          }
          const others = await take({ format, tables: ['a.*', 'other.items'] }, tools())
          const { database } = await bringBack(others)
          assert.deepEqual(await all('select nextval($$a.numbers$$)', database), ['7'])
          assert.deepEqual(await all('select text from a.report', database), [looksLikeSql])
          assert.deepEqual(await all('select one from a.kept', database), ['1'])
          assert.deepEqual(await schemasOf(database), ['a', 'other', 'public'])
        })
      }

      it(`single tables come back out of any snapshot, by ${title}`, async () => {
        const choice = { tables: ['other.items'] }
        for (const options of [{}, { schemas: ['other', 'Größen; x'] }, { tables: ['*.*'] }]) {
          const { database, found } = await bringBack(await take(options, tools()), choice)
          assert.deepEqual(found, { 'other.items': 300 })
          assert.deepEqual(await schemasOf(database), ['other', 'public'])
        }
        const { found } = await bringBack(await take({ schemas: ['public'] }, tools()), {
          tables: ['orders'],
        })
        assert.deepEqual(found, { 'public.orders': 2 })
      })
    }

    for (const format of formats) {
      it(`what chosen tables need and a snapshot lacks is named, in the format ${format}`, async () => {
        for (const [table, lacks] of [
          ['feelings', /type "public\.mood", which is neither in it/],
          ['stamped', /function public\.stamp\(\)/],
        ] as const) {
          const part = await take({ format, tables: [table] }, own)
          const failure = await bringBack(part).catch((error: unknown) => error)
          assert.ok(failure instanceof ToolFailure, String(failure))
          const error = postgresql.explain(failure.exit.tool, failure.exit.stderr)
          assert.match(error?.message ?? '', lacks)
          assert.match(error?.hint ?? '', /chosen tables/)
        }
      })
    }

    for (const format of formats) {
      it(`a whole database comes back as ever, in the format ${format}`, async () => {
        const whole = await take({ format }, own)
        for (const size of [1, 100_000]) {
          const { database } = await bringBack(whole, {}, { size })
          assert.deepEqual(await publicOf(database), await publicOf('shop'))
          assert.deepEqual(await schemasOf(database), ['Größen; x', 'a', 'other', 'public'])
        }
      })
    }

    it('a new owner owns the schemas, too', async () => {
      const part = await take({ tables: ['other.items'] })
      const { database } = await bringBack(part, { owner: 'keeper' }, { owner: 'keeper' })
      const owner = `select nspowner::regrole from pg_namespace where nspname = 'other'`
      assert.deepEqual(await all(owner, database), ['keeper'])
    })

    it('whoever may create databases, and no more, restores a part', async () => {
      await server.query(`create role modest login createdb password 'modest'`)
      const modest = { ...connection, user: 'modest', password: 'modest' }
      const choices = [
        { schemas: ['public'] },
        ...formats.map((format) => ({ format, tables: ['other.items'] })),
      ]
      for (const choice of choices) {
        const part = await take({ owners: false, privileges: false, ...choice })
        const options = part.dump.format === 'plain' ? {} : { owners: false, privileges: false }
        const { found } = await bringBack(part, options, { as: modest })
        assert.deepEqual(found, part.rows)
      }
    })

    it('schemas that an extension creates are left to it', () => {
      // They are not in the table of contents; what users have created in them is.
      const entry = (kind: string, name: string, schema: string) => ({
        id: 1,
        kind,
        name,
        schema,
        isNamed: true,
        isCopy: false,
        isOwnCopy: false,
        hasData: false,
        place: undefined,
        file: undefined,
        dependencies: [],
      })
      const table = entry('TABLE', 'jobs', 'cron')
      assert.deepEqual(missingSchemas([table]), ['cron'])
      assert.deepEqual(missingSchemas([entry('EXTENSION', 'pg_cron', ''), table]), [])
    })

    it('a part that ends within its table of contents is not complete', async () => {
      const part = await take({ schemas: ['public'] })
      await assert.rejects(
        bringBack({ ...part, bytes: part.bytes.subarray(0, 3000) }),
        (error) => error instanceof AppError && error.code === 'dump_incomplete',
      )
    })
  })
}

function toolsIn(folder: string, version: string): FoundTool[] {
  return postgresql.tools.map(({ name }) => ({ name, path: join(folder, name), version }))
}

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
