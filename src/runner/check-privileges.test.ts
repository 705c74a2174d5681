import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startMariadb } from '../../test/servers/mariadb.ts'
import { skipUnless } from '../../test/servers/needs.ts'
import { type PostgresServer, startPostgres } from '../../test/servers/postgres.ts'
import type { Engine, MissingPrivilege } from '../engines/engine.ts'
import { engines } from '../engines/index.ts'
import { AppError } from '../shared/errors.ts'
import type { TestStep } from '../shared/test-report.ts'
import { engineRunning } from './test-bed.ts'
import { testConnection, type TestedServer } from './test-connection.ts'

const { signal } = new AbortController()

async function privileges(server: TestedServer, limit?: number): Promise<TestStep> {
  const steps = await testConnection(server, signal, limit)
  const step = steps.find((step) => step.step === 'privileges')
  assert.ok(step, JSON.stringify(steps))
  return step
}

const mayNotRead = (table: string, database: string): MissingPrivilege => ({
  what: `read table ${table}`,
  grant: `GRANT SELECT ON ${database}.${table} TO backup`,
})

/** A server with these databases, which answers for each as told. */
function serverWith(
  listed: string[],
  missingPrivileges: (database: string, signal: AbortSignal) => Promise<MissingPrivilege[]>,
  more: Partial<Engine> = {},
): TestedServer {
  const engine = engineRunning('warns-and-succeeds', {
    tools: [],
    listDatabases: async () => listed,
    databaseExists: async (_, database) => listed.includes(database),
    missingPrivileges: async (_, database, signal) => await missingPrivileges(database, signal),
    ...more,
  })
  return { engine, connection: {} }
}

const many = Array.from({ length: 200 }, (_, i) => `db${String(i).padStart(3, '0')}`)

describe('the privileges in all databases of a server', () => {
  it('are looked at a few at once, in their order, and what is alike is said once', async () => {
    const [asked, atOnce] = [[] as string[], { now: 0, most: 0 }]
    const server = serverWith(many, async (database) => {
      asked.push(database)
      atOnce.most = Math.max(atOnce.most, ++atOnce.now)
      await sleep(1)
      atOnce.now--
      if (database === 'db007') return [mayNotRead('bills', database), mayNotRead('cash', database)]
      return database < 'db150' ? [mayNotRead('orders', database)] : []
    })
    const { outcome, detail, statements = '' } = await privileges(server)
    assert.deepEqual(asked, many)
    assert.ok(atOnce.most > 1 && atOnce.most <= 3, String(atOnce.most))
    assert.equal(outcome, 'failed')
    assert.equal(
      detail,
      [
        'db000, db001, db002, db003, db004 and 144 more: may not read table orders',
        'db007: may not read table bills, read table cash',
        'enough to back up 50 databases: db150, db151, db152, db153, db154 and 45 more',
      ].join('\n'),
    )
    const lines = statements.split('\n')
    assert.equal(lines.filter((line) => line.startsWith('GRANT ')).length, 151, 'for each')
    const at = lines.indexOf('-- in db007')
    assert.equal(lines[at + 1], 'GRANT SELECT ON db007.bills TO backup;')
  })

  it('are asked for all at once of an engine that knows them all by one connection', async () => {
    const asked: string[][] = []
    const server = serverWith(many, () => assert.fail('one was asked for alone'), {
      async missingPrivilegesOfAll(_, databases) {
        asked.push([...databases])
        return new Map(many.map((name) => [name, name === 'db199' ? [mayNotRead('t', name)] : []]))
      },
    })
    assert.match((await privileges(server)).detail ?? '', /^db199: may not read table t\n/)
    assert.deepEqual(asked, [many])
  })

  it('say of a single one no more than what it lacks', async () => {
    const one = serverWith(['shop'], async () => [mayNotRead('orders', 'shop')])
    const { detail, statements } = await privileges(one)
    assert.equal(detail, 'shop: may not read table orders')
    assert.equal(statements, 'GRANT SELECT ON shop.orders TO backup;')
    const good = await privileges(serverWith(['shop'], async () => []))
    assert.deepEqual([good.outcome, good.detail], ['ok', 'enough to back up shop'])
  })

  it('have no more statements than can be shown', async () => {
    const tables = Array.from({ length: 2500 }, (_, i) => `t${i}`)
    const server = serverWith(['a'], async () => tables.map((table) => mayNotRead(table, 'a')))
    const { detail, statements = '' } = await privileges(server)
    assert.match(detail ?? '', /^a: may not read table t0, .* and 2495 more$/)
    assert.equal(statements.split('\n').length, 1001)
    assert.match(statements, /\n-- and 1500 more: test again when these have been run$/)
  })

  it('are a warning where there was no time to look, with the names', async () => {
    const stuck = new Set(['b', 'c', 'd'])
    const server = serverWith(['a', 'b', 'c', 'd', 'e'], async (database) => {
      return stuck.has(database) ? await new Promise<never>(() => {}) : []
    })
    const awake = setInterval(() => {}, 1000)
    try {
      const { outcome, detail } = await privileges(server, 300)
      assert.equal(outcome, 'warning')
      assert.equal(
        detail,
        'not looked at, because the time of the test was over: b, c, d, e\nenough to back up a',
      )
      const none = await privileges(
        serverWith(['b', 'c'], () => new Promise<never>(() => {})),
        300,
      )
      assert.deepEqual([none.outcome, none.detail], ['failed', 'No answer within 0.3 seconds.'])
    } finally {
      clearInterval(awake)
    }
  })

  it('are asked for again, one at a time, where a user may have one connection only', async () => {
    let open = 0
    const server = serverWith(['a', 'b', 'c', 'd'], async () => {
      try {
        if (++open > 1) throw new AppError('database_unreachable', 'The server has no free connection.')
        await sleep(5)
        return []
      } finally {
        open--
      }
    })
    const { outcome, detail } = await privileges(server)
    assert.deepEqual([outcome, detail], ['ok', 'enough to back up 4 databases: a, b, c, d'])
  })

  it('are asked for all at once again where that was refused', async () => {
    const asked: string[][] = []
    const server = serverWith(['a', 'b', 'c'], () => assert.fail('one was asked for alone'), {
      async missingPrivilegesOfAll(_, databases) {
        asked.push([...databases])
        if (asked.length > 1) return new Map(databases.map((name) => [name, []]))
        throw new AppError('database_unreachable', 'The server has no free connection.')
      },
    })
    const { outcome, detail } = await privileges(server)
    assert.deepEqual([outcome, detail], ['ok', 'enough to back up 3 databases: a, b, c'])
    assert.equal(asked.length, 2)
  })

  it('tell one that is not there, where a plan names it, from one that has gone meanwhile', async () => {
    const listed = ['a', 'b']
    const server = serverWith(listed, async (database) => {
      if (database === 'b') throw new AppError('database_not_found', 'The server has no database “b”.')
      return []
    })
    const choose = async () => ['a', 'b', 'c']
    const { outcome, detail } = await privileges({ ...server, choose })
    assert.equal(outcome, 'failed')
    assert.equal(
      detail,
      [
        'c: The server has no database “c”.',
        'b: not there any more since the databases were listed',
        'enough to back up a',
      ].join('\n'),
    )
    const both = await privileges(server)
    assert.equal(both.outcome, 'warning', both.detail)
  })
})

describe('the test of a PostgreSQL server', { skip: skipUnless('postgres15') }, () => {
  let server: PostgresServer
  let connection: object
  after(() => server[Symbol.asyncDispose]())
  before(async () => {
    server = await startPostgres({ major: 15 })
    const names = ['a1', 'a2', 'a3', 'a4 refuses', 'a5 closed', 'a6 goes']
    await server.query([
      `create role backup login password 'x'`,
      ...names.map((name) => `create database "${name}"`),
    ])
    for (const name of names) {
      const tables = ['create table orders (id int)', 'create table "Bills" (id int)']
      await server.query([...tables, 'grant select on all tables in schema public to backup'], name)
    }
    await server.query('revoke select on "Bills" from backup', 'a3')
    await server.query([
      `alter database "a4 refuses" connection limit 0`,
      `revoke connect on database "a5 closed" from public`,
    ])
    process.env['HOLDFAST_TOOL_PATH'] = server.programs
    const { host, port } = server
    connection = engines.postgresql.connection.parse({ host, port, user: 'backup', password: 'x' })
  })

  it('looks into each of its databases, and names what the user lacks in which', async () => {
    const { postgresql } = engines
    const engine = {
      ...postgresql,
      async listDatabases(...asked: Parameters<typeof postgresql.listDatabases>) {
        const names = await postgresql.listDatabases(...asked)
        await server.query('drop database "a6 goes"')
        return names
      },
    } as unknown as Engine
    const steps = await testConnection({ engine, connection }, signal)
    assert.deepEqual(
      steps.filter(({ outcome }) => outcome === 'failed').map(({ step }) => step),
      ['privileges'],
      JSON.stringify(steps),
    )
    const { detail, statements } = steps.at(-1) ?? {}
    const hinted = / Try again later.*$| PostgreSQL at [^ ]+:\d+:/g
    assert.deepEqual(
      detail?.split('\n').map((line) => line.replaceAll(hinted, '')),
      [
        'a3: may not read table public.Bills',
        'a4 refuses: the server has no free connection.',
        'a5 closed: may not connect (what else is missing shows after that)',
        'a6 goes: not there any more since the databases were listed',
        'enough to back up 3 databases: a1, a2, postgres',
      ],
    )
    assert.equal(
      statements,
      [
        '-- in a3',
        'GRANT SELECT ON TABLE "public"."Bills" TO "backup";',
        '-- in a5 closed',
        'GRANT CONNECT ON DATABASE "a5 closed" TO "backup";',
      ].join('\n'),
    )
  })

  it('looks into those alone that would be backed up, also if they are not listed', async () => {
    const engine = engines.postgresql as unknown as Engine
    const good = await privileges({ engine, connection, choose: async () => ['a1', 'a2'] })
    assert.deepEqual([good.outcome, good.detail], ['ok', 'enough to back up 2 databases: a1, a2'])
    const bad = await privileges({ engine, connection, choose: async () => ['a2', 'nowhere'] })
    assert.equal(bad.outcome, 'failed')
    assert.match(bad.detail ?? '', /^nowhere: The server has no database “nowhere”\./m)
  })
})

describe('the test of a MariaDB server', { skip: skipUnless('mariadb10.11') }, () => {
  it('looks into each of its databases, and names what the user lacks in which', async () => {
    await using server = await startMariadb({ version: '10.11' })
    const names = ['a1', 'a2', 'a3', 'a_4', 'a5']
    const full = ['a1', 'a2', 'a_4', 'a5']
    await server.query([
      ...names.flatMap((name) => [
        `create database ${name}`,
        `create table ${name}.orders (id int)`,
        `create table ${name}.bills (id int)`,
      ]),
      `create user backup@'%' identified by 'x'`,
      `grant select on mysql.proc to backup@'%'`,
      ...full.map((name) => `grant select, show view, trigger, event on ${name}.* to backup@'%'`),
      `grant select, show view, trigger on a3.orders to backup@'%'`,
      `grant event on a3.* to backup@'%'`,
      `revoke trigger, event on a5.* from backup@'%'`,
    ])
    process.env['HOLDFAST_TOOL_PATH'] = server.programs
    const { host, port } = server
    const connection = engines.mysql.connection.parse({ host, port, user: 'backup', password: 'x' })
    const engine = engines.mysql as unknown as Engine
    const { outcome, detail, statements } = await privileges({ engine, connection })
    assert.equal(outcome, 'failed')
    assert.equal(
      detail,
      [
        'a3: may not read the tables, read the definitions of views, read triggers',
        'a5: may not read triggers, read events',
        'enough to back up 3 databases: a1, a2, a_4',
      ].join('\n'),
    )
    const to = `TO 'backup'@'%';`
    assert.equal(
      statements,
      [
        '-- in a3',
        `GRANT SELECT ON \`a3\`.* ${to}`,
        `GRANT SHOW VIEW ON \`a3\`.* ${to}`,
        `GRANT TRIGGER ON \`a3\`.* ${to}`,
        '-- in a5',
        `GRANT TRIGGER ON \`a5\`.* ${to}`,
        `GRANT EVENT ON \`a5\`.* ${to}`,
      ].join('\n'),
    )
    await server.query(statements?.split('\n').filter((line) => line.startsWith('GRANT')) ?? [])
    assert.equal((await privileges({ engine, connection })).outcome, 'ok')
    // One that nobody told the user of is not listed; its plan names it.
    await server.query(['create database hidden', 'drop database a5'])
    const hidden = await privileges({ engine, connection, choose: async () => ['a1', 'hidden'] })
    assert.match(hidden.detail ?? '', /^hidden: may not read the tables, /m)
  })
})
