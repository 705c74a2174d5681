import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { rootOf, skipUnless } from '../../../test/servers/needs.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { feedStdin, ToolFailure } from '../../lib/process.ts'
import { findTools, type FoundTool } from '../../lib/tools.ts'
import { dumpBytes } from '../../runner/dump.ts'
import { loadDump } from '../../runner/load.ts'
import { AppError } from '../../shared/errors.ts'
import type { Dump, RestoreRequest } from '../engine.ts'
import { TocParser } from './archive-toc.ts'
import { postgresql } from './index.ts'
import { quoteName } from './names.ts'
import type { PostgresConnection } from './settings.ts'

const signal = AbortSignal.timeout(300_000)

describe('restoring PostgreSQL', { skip: skipUnless('postgres15') }, () => {
  let server: PostgresServer
  let connection: PostgresConnection
  let work: string
  let tools: FoundTool[]
  let count = 0

  before(async () => {
    server = await startPostgres({ major: 15 })
    const { host, port, user, password } = server
    connection = postgresql.connection.parse({ host, port, user, password })
    work = await mkdtemp(join(tmpdir(), 'restore-test-'))
    tools = (await findTools(postgresql.tools, signal)).filter(({ version }) => version.startsWith('15.'))
    await server.query(['create role owner_of_shop', 'create role "new owner"', 'create database shop'])
    await server.query(
      [
        `create schema "Sales & Co"; create schema other`,
        `create type "Sales & Co".mood as enum ('sad', 'happy')`,
        `create table "Sales & Co"."Order Items" (id serial primary key, mood "Sales & Co".mood, note text)`,
        `insert into "Sales & Co"."Order Items" (mood, note) select 'happy', 'n' || n from generate_series(1, 50) n`,
        `create index by_note on "Sales & Co"."Order Items" (note)`,
        `create table other."Order Items" (id int)`,
        `create table public.customers (id int primary key); insert into customers values (1), (2)`,
        `create table public.orders (id int primary key, customer int references customers)`,
        `insert into orders values (10, 1), (11, 2)`,
        `create view public.report as select * from orders`,
        `create table public.log_one (id int); insert into log_one values (1)`,
        `create table public.log_two (id int); insert into log_two values (1)`,
        `create table public."lo*" (id int); insert into "lo*" values (1)`,
        `create table measures (at int) partition by range (at)`,
        `create table measures_old partition of measures for values from (0) to (10)`,
        `create table measures_new partition of measures for values from (10) to (20) partition by range (at)`,
        `create table measures_new_a partition of measures_new for values from (10) to (20)`,
        `insert into measures values (1), (11), (12)`,
        `create table unborn (at int) partition by range (at)`,
        `alter table orders owner to owner_of_shop`,
        `comment on table orders is 'orders'; grant select on orders to public`,
      ],
      'shop',
    )
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
  const dumpShop = async (options: object = {}, withTools = tools) => {
    const dump = postgresql.dump({
      connection,
      database: 'shop',
      server: await postgresql.inspect(connection, signal),
      facts: await postgresql.describe(connection, 'shop', signal),
      options: postgresql.dumpOptions.parse(options),
      tools: withTools,
      workDirectory: await workDirectory(),
    })
    const reader = postgresql.readDump(dump.format)
    const chunks: Uint8Array[] = []
    for await (const chunk of dumpBytes(dump, signal)) {
      reader.update(chunk)
      chunks.push(chunk)
    }
    return { dump, bytes: Buffer.concat(chunks), contents: reader.finish() }
  }
  const planRestore = async (
    database: string,
    { format, tool }: Pick<Dump, 'format' | 'tool'>,
    options: object,
    more: { mode?: 'empty' | 'existing'; tools?: FoundTool[]; foreign?: true } = {},
  ) => {
    const facts = await postgresql.inspect(connection, signal)
    const request: RestoreRequest<PostgresConnection, ReturnType<typeof postgresql.restoreOptions.parse>> = {
      connection,
      database,
      server: facts,
      format,
      madeBy: more.foreign
        ? undefined
        : { tool: tool.name, version: tool.version, serverVersion: facts.version },
      options: postgresql.restoreOptions.parse(options),
      mode: more.mode ?? 'empty',
      tools: more.tools ?? tools,
      workDirectory: await workDirectory(),
      rawBytes: 0,
    }
    return postgresql.restore(request)
  }
  const planGlobals = async ({ format, tool }: Pick<Dump, 'format' | 'tool'>) => {
    const facts = await postgresql.inspect(connection, signal)
    return (
      postgresql.globals?.restore({
        connection,
        server: facts,
        format,
        madeBy: { tool: tool.name, version: tool.version, serverVersion: facts.version },
        options: postgresql.restoreOptions.parse({}),
        tools,
        workDirectory: await workDirectory(),
        rawBytes: 0,
      }) ?? assert.fail('there is no way to restore them')
    )
  }
  const restoreShop = async (
    from: { dump: Pick<Dump, 'format' | 'tool'>; bytes: Uint8Array },
    options: object = {},
    more: Parameters<typeof planRestore>[3] & { database?: string } = {},
  ) => {
    const database = more.database ?? `copy ${++count}`
    if (!more.database) await server.query(`create database ${quoteName(database)} template template0`)
    await loadDump(await planRestore(database, from.dump, options, more), pieces(from.bytes), signal)
    return database
  }
  const one = async (query: string, database: string) =>
    Object.values((await server.query(query, database))[0] ?? {})[0]
  const tablesOf = async (database: string) =>
    (
      await server.query(`select relid::regclass::text as name from pg_stat_user_tables order by 1`, database)
    ).map(({ name }) => name)

  it('restores chosen tables with all that they are made of, and nothing else', async () => {
    const shop = await dumpShop()
    const database = await restoreShop(shop, { tables: ['Sales & Co.Order Items', 'public.orders'] })
    assert.deepEqual(await tablesOf(database), ['"Sales & Co"."Order Items"', 'orders'])
    assert.equal(await one(`select count(*)::int from "Sales & Co"."Order Items"`, database), 50)
    assert.equal(await one(`select nextval('"Sales & Co"."Order Items_id_seq"')::int`, database), 51)
    assert.equal(
      await one(`select count(*)::int from pg_indexes where schemaname = 'Sales & Co'`, database),
      2,
    )
    assert.equal(await one(`select count(*)::int from orders`, database), 2)
    assert.equal(await one(`select obj_description('orders'::regclass)`, database), 'orders')
    assert.equal(await one(`select count(*)::int from pg_constraint where contype = 'f'`, database), 0)
    assert.equal(await one(`select count(*)::int from pg_views where schemaname = 'public'`, database), 0)
  })

  it('restores a foreign key when both of its tables are chosen', async () => {
    const database = await restoreShop(await dumpShop(), { tables: ['orders', 'customers'] })
    assert.equal(await one(`select count(*)::int from pg_constraint where contype = 'f'`, database), 1)
  })

  it('says so when a chosen table is not in the snapshot', async () => {
    await assert.rejects(
      restoreShop(await dumpShop(), { tables: ['public.nothing'] }),
      hasCode('nothing_matched'),
    )
  })

  it('restores the schema alone, then the rows alone', async () => {
    const shop = await dumpShop()
    const database = await restoreShop(shop, { content: 'schema' })
    assert.equal(await one(`select count(*)::int from orders`, database), 0)
    await restoreShop(shop, { content: 'data' }, { mode: 'existing', database })
    assert.equal(await one(`select count(*)::int from orders`, database), 2)
  })

  it('leaves an existing database as it was when something is in the way, and replaces it when told to', async () => {
    const shop = await dumpShop()
    const database = await restoreShop(shop)
    await server.query(`delete from orders; create table kept (id int)`, database)
    const failure = await restoreShop(shop, {}, { mode: 'existing', database }).catch(
      (error: unknown) => error,
    )
    assert.ok(failure instanceof ToolFailure)
    assert.equal(postgresql.explain(failure.exit.tool, failure.exit.stderr)?.code, 'database_error')
    assert.equal(await one(`select count(*)::int from orders`, database), 0)
    await restoreShop(shop, { clean: true }, { mode: 'existing', database })
    assert.equal(await one(`select count(*)::int from orders`, database), 2)
    assert.equal(await one(`select count(*)::int from kept`, database), 0)
  })

  it('keeps the owners, leaves them out, or gives all to one role', async () => {
    const shop = await dumpShop()
    const owner = `select tableowner from pg_tables where tablename = 'orders'`
    assert.equal(await one(owner, await restoreShop(shop)), 'owner_of_shop')
    assert.equal(await one(owner, await restoreShop(shop, { owners: false })), 'postgres')
    const database = `copy ${++count}`
    await server.query(`create database ${quoteName(database)} template template0 owner "new owner"`)
    assert.equal(await one(owner, await restoreShop(shop, { owner: 'new owner' }, { database })), 'new owner')
  })

  it('restores by several jobs, from a file and from a directory', async () => {
    for (const options of [{}, { format: 'directory' }]) {
      const database = await restoreShop(await dumpShop(options), { jobs: 3 })
      assert.equal(await one(`select count(*)::int from orders`, database), 2)
    }
  })

  it('refuses several jobs for chosen tables instead of using one', async () => {
    await assert.rejects(
      restoreShop(await dumpShop(), { jobs: 2, tables: ['orders'] }),
      hasCode('unsupported'),
    )
  })

  it('dumps what was chosen, by names as they are', async () => {
    const rowsOf = async (options: object) =>
      Object.keys((await dumpShop(options)).contents.rows ?? {}).sort()
    assert.deepEqual(await rowsOf({ schemas: ['Sales & Co'] }), ['Sales & Co.Order Items'])
    const both = ['Sales & Co.Order Items', 'other.Order Items']
    assert.deepEqual(await rowsOf({ tables: ['*.Order Items'] }), both)
    assert.deepEqual(await rowsOf({ tables: ['orders'] }), ['public.orders'])
    assert.deepEqual(await rowsOf({ tables: ['public.log_*'] }), ['public.log_one', 'public.log_two'])
    assert.deepEqual(await rowsOf({ tables: ['public."lo*"'] }), ['public."lo*"'])
    const withoutLogs = await rowsOf({
      excludeTables: ['*.Order Items', 'lo*', 'measures*'],
      excludeTableData: ['customers'],
    })
    assert.deepEqual(withoutLogs, ['public.orders'])
  })

  it('says what leaves nothing out, because there is no such table', async () => {
    const { dump } = await dumpShop({
      excludeTables: ['order', 'log_*'],
      excludeTableData: ['customers', 'Orders', 'nowhere.*'],
    })
    assert.deepEqual(await dump.check?.(signal), [
      '“order” matches no table of “shop”: it leaves nothing out.',
      '“Orders” matches no table of “shop”: it leaves nothing out.',
      '“nowhere.*” matches no table of “shop”: it leaves nothing out.',
    ])
  })

  it('never takes what belongs to the system for chosen', async () => {
    // information_schema has views that begin with a c, pg_catalog has tables.
    for (const options of [
      { tables: ['*.c*', '*.*'], excludeTables: ['Sales & Co.*'] },
      { schemas: ['*'] },
    ]) {
      const shop = await dumpShop(options)
      const archive = new TocParser()
      archive.push(shop.bytes)
      const ofSystem = archive.entries.find(({ schema, name }) =>
        /^(pg_|information_schema)/.test(schema || name),
      )
      assert.equal(ofSystem?.name, undefined)
      assert.ok(shop.contents.rows?.['public.customers'])
    }
  })

  it('what matches nothing of the user’s is no success, in any format', async () => {
    for (const [options, pattern] of [
      [{ tables: ['orders', 'Orders'] }, /“Orders” matches no table of “shop”/],
      [{ tables: ['o?ders'] }, /o\?ders/],
      [{ tables: ['*.pg_*'] }, /pg_/],
      [{ tables: ['information_schema.*'] }, /information_schema/],
      [{ tables: ['*.parameters', 'orders'] }, /parameters/],
      [{ tables: ['log_'] }, /log_/],
      [{ schemas: ['nothing'] }, /“nothing” matches no schema/],
      [{ schemas: ['pg_*'] }, /pg_/],
      [{ tables: ['orders', 'log_*'], excludeTables: ['*'] }, /left out again/],
    ] as const) {
      for (const format of ['custom', 'plain', 'directory']) {
        await assert.rejects(dumpShop({ format, ...options }), (error) => {
          return error instanceof AppError && error.code === 'nothing_matched' && pattern.test(error.message)
        })
      }
    }
  })

  it('passes extra options on', async () => {
    const { contents, bytes } = await dumpShop({ extra: `--schema-only --lock-wait-timeout '5 s'` })
    assert.deepEqual(contents.rows, {})
    assert.ok(bytes.length > 0)
  })

  it('never runs a program that a script asks for', async () => {
    const canary = join(work, 'canary')
    const ask = `\\! touch ${canary}\n`
    const script = (text: string) => ({
      dump: { format: 'plain', tool: { name: 'pg_dump', version: '15.18' } },
      bytes: Buffer.from(text),
    })
    for (const text of [
      `select 1;\n${ask}`,
      ask,
      `\\restrict abc\n\\unrestrict abc\n${ask}`,
      `\\restrict abc\nselect 1;\n${ask}\\unrestrict abc\n\n`,
      `copy (select 1) to stdout;\n\\o |touch ${canary}\nselect 1;\n`,
      `select 1 \\g |touch ${canary}\n`,
      `\\connect postgres\n`,
    ]) {
      const failure = await restoreShop(script(text)).catch((error: unknown) => error)
      assert.ok(failure instanceof ToolFailure, text)
      assert.equal(existsSync(canary), false, text)
    }
  })

  it('a script that fails in its middle leaves nothing', async () => {
    const tool = { name: 'pg_dump', version: '15.18' }
    const database = `copy ${++count}`
    await server.query(`create database ${quoteName(database)}`)
    const bytes = Buffer.from('create table half (id int);\nselect 1/0;\ncreate table other_half (id int);\n')
    await assert.rejects(
      restoreShop({ dump: { format: 'plain', tool }, bytes }, {}, { database }),
      ToolFailure,
    )
    assert.deepEqual(await tablesOf(database), [])
  })

  it('a script whose input just stops, as when we are killed, commits nothing', async () => {
    const shop = await dumpShop({ format: 'plain' })
    const database = `copy ${++count}`
    await server.query(`create database ${quoteName(database)}`)
    const { target } = await planRestore(database, shop.dump, {})
    assert.ok(target.into === 'stdin')
    let script: AsyncIterable<Uint8Array> = pieces(shop.bytes)
    for (const stage of target.through ?? []) {
      assert.ok(typeof stage === 'function')
      script = stage(script, signal)
    }
    const whole = Buffer.concat(await Array.fromAsync(script))
    for (const cut of [whole.indexOf('COPY public.orders') + 60, whole.lastIndexOf('COMMIT')]) {
      await feedStdin(target.command, pieces(whole.subarray(0, cut)), signal).catch((error: unknown) => {
        if (!(error instanceof ToolFailure)) throw error
      })
      assert.deepEqual(await tablesOf(database), [])
    }
    await feedStdin(target.command, pieces(whole), signal)
    assert.ok((await tablesOf(database)).includes('orders'))
  })

  it('refuses choices that a script does not offer', async () => {
    const shop = await dumpShop({ format: 'plain' })
    for (const options of [{ tables: ['orders'] }, { content: 'data' }, { jobs: 2 }, { owners: false }]) {
      await assert.rejects(restoreShop(shop, options), hasCode('unsupported'))
    }
  })

  it('brings roles back, and keeps those that are there', async () => {
    await server.query(`create role "Ro""le; x" login password 'secret' connection limit 7`)
    const globals = await dumpShop({ globals: true })
    assert.equal(globals.dump.format, 'globals')
    await server.query(`drop role "Ro""le; x"`)
    await assert.rejects(
      restoreShop(globals, {}, { database: 'postgres', mode: 'existing' }),
      hasCode('unsupported'),
    )
    await loadDump(await planGlobals(globals.dump), pieces(globals.bytes), signal)
    assert.equal(await one(`select rolconnlimit from pg_roles where rolname = 'Ro"le; x'`, 'postgres'), 7)
    assert.match(
      String(await one(`select rolpassword from pg_authid where rolname = 'Ro"le; x'`, 'postgres')),
      /^SCRAM/,
    )
    assert.throws(() => {
      const reader = postgresql.readDump('globals')
      reader.update(globals.bytes.subarray(0, -1))
      reader.finish()
    }, hasCode('dump_incomplete'))
  })

  it('gives the globals of those who may not read passwords without them, and says so', async () => {
    await server.query(`create role modest login password 'modest'`)
    const modest = { ...connection, user: 'modest', password: 'modest' }
    const dump = postgresql.dump({
      connection: modest,
      database: 'shop',
      server: await postgresql.inspect(modest, signal),
      facts: {},
      options: postgresql.dumpOptions.parse({ globals: true }),
      tools,
      workDirectory: await workDirectory(),
    })
    const text = Buffer.concat(await Array.fromAsync(dumpBytes(dump, signal))).toString()
    assert.match(text, /CREATE ROLE modest/)
    assert.doesNotMatch(text, /SCRAM-SHA-256/)
    assert.equal(dump.warnings?.length, 1)
  })

  describe('with the tools of PostgreSQL 18 alone', { skip: skipUnless('postgres18') }, () => {
    let newer: FoundTool[]
    before(async () => {
      const folder = join(rootOf('postgres18'), 'usr/lib/postgresql/18/bin')
      newer = tools.map((tool) => ({ ...tool, path: join(folder, tool.name), version: '18.6' }))
    })

    for (const format of ['custom', 'plain', 'directory']) {
      it(`a dump in the format ${format} comes back into PostgreSQL 15`, async () => {
        const shop = await dumpShop({ format }, newer)
        const database = await restoreShop(shop, {}, { tools: newer })
        assert.equal(await one(`select count(*)::int from orders`, database), 2)
        assert.equal(await one(`select count(*)::int from "Sales & Co"."Order Items"`, database), 50)
      })
    }

    it('takes the partitions of a chosen table along', async () => {
      const { contents } = await dumpShop({ tables: ['measures'] }, newer)
      assert.deepEqual(contents.rows, { 'public.measures_new_a': 2, 'public.measures_old': 1 })
    })

    it('refuses several jobs for a server that only understands its script', async () => {
      for (const format of ['custom', 'directory']) {
        const shop = await dumpShop({ format }, newer)
        await assert.rejects(restoreShop(shop, { jobs: 2 }, { tools: newer }), (error) => {
          return hasCode('unsupported')(error) && /pg_restore 18.* PostgreSQL 15/.test(String(error))
        })
      }
    })

    it('chosen tables and files of unknown origin come back too', async () => {
      const shop = await dumpShop({}, newer)
      const chosen = await restoreShop(shop, { tables: ['orders'] }, { tools: newer })
      assert.deepEqual(await tablesOf(chosen), ['orders'])
      for (const more of [{ tools: newer, foreign: true as const }, { tools: [...tools, ...newer] }]) {
        const database = await restoreShop(shop, {}, more)
        assert.equal(await one(`select count(*)::int from orders`, database), 2)
      }
    })

    it('prefers the older of two tools for an older server', async () => {
      const { dump } = await dumpShop({}, [...newer, ...tools])
      assert.match(dump.tool.version, /^15\./)
    })

    it('says which tool is missing for a newer dump', async () => {
      const shop = await dumpShop({}, newer)
      await assert.rejects(restoreShop(shop), (error: unknown) => {
        return (
          error instanceof AppError &&
          error.code === 'tool_missing' &&
          /pg_restore 18 or newer .* found only 15/.test(error.message)
        )
      })
    })
  })
})

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
}
