import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { MysqlLikeServer } from '../../../test/servers/mysql-like.ts'
import { findTools, type FoundTool } from '../../lib/tools.ts'
import { ToolFailure } from '../../lib/process.ts'
// oxlint-disable-next-line no-restricted-imports -- this is test code: a dump is judged by what the runner makes of it
import { dumpBytes } from '../../runner/dump.ts'
// oxlint-disable-next-line no-restricted-imports -- as above
import { loadDump } from '../../runner/load.ts'
import { AppError, type ErrorCode } from '../../shared/errors.ts'
import type { DumpContents } from '../engine.ts'
import { mysql } from './index.ts'
import { connectionSettings, type MysqlConnection } from './settings.ts'
import { addToolFolder } from './test-bed.ts'

interface Traps {
  /** A server that logs, and the same kind with TLS for the host name `elsewhere.test` only. */
  start(): Promise<MysqlLikeServer>
  startWithTls(): Promise<MysqlLikeServer>
  /** Whether the client of this version checks the name of a loopback host. MariaDB's from 11.4 on does not. */
  checksLoopbackName: boolean
  skip: string | false
}

const signal = AbortSignal.timeout(300_000)

/** What the conformance suite does not ask, because only these servers have it. */
export function mysqlTraps(name: string, traps: Traps): void {
  const { checksLoopbackName, skip } = traps
  describe(`${name} and its traps`, { skip }, () => {
    let server: MysqlLikeServer
    let connection: MysqlConnection
    let tools: FoundTool[]
    let work: string
    let count = 0

    before(async () => {
      server = await traps.start()
      addToolFolder(server.programs)
      connection = connectionOf(server)
      tools = await findTools(mysql.tools, signal)
      work = await mkdtemp(join(tmpdir(), 'holdfast-mysql-'))
    })
    after(async () => {
      await server?.[Symbol.asyncDispose]()
      if (work) await rm(work, { recursive: true, force: true })
    })

    const fill = async (database: string, statements: string[]) => {
      await server.query([
        `CREATE DATABASE ${database}`,
        ...statements.map((sql) => sql.replaceAll('§', `${database}.`)),
      ])
    }
    const directory = () => mkdtemp(join(work, `${++count}-`))
    const dump = async (
      database: string,
      options: object = {},
      {
        settings = connection,
        with: withTools = tools,
      }: { settings?: MysqlConnection; with?: FoundTool[] } = {},
    ): Promise<{ text: Buffer; contents: DumpContents; warnings: string[] | undefined }> => {
      const plan = mysql.dump({
        connection: settings,
        database,
        server: await mysql.inspect(settings, signal),
        facts: {},
        options: mysql.dumpOptions.parse(options),
        tools: withTools,
        workDirectory: await directory(),
      })
      const reader = mysql.readDump(plan.format)
      const chunks: Uint8Array[] = []
      for await (const chunk of dumpBytes(plan, signal)) {
        reader.update(chunk)
        chunks.push(chunk)
      }
      return { text: Buffer.concat(chunks), contents: reader.finish(), warnings: plan.warnings }
    }
    const restore = async (database: string, text: Buffer, options: object = {}) => {
      const plan = mysql.restore({
        connection,
        database,
        server: await mysql.inspect(connection, signal),
        format: 'plain',
        options: mysql.restoreOptions.parse(options),
        mode: 'empty',
        tools,
        workDirectory: await directory(),
        rawBytes: text.length,
      })
      await loadDump(plan, inPieces(text), signal)
    }
    const names = async (database: string) => {
      const rows = await server.query(
        `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${database}' ORDER BY 1`,
      )
      return rows.map((row) => String(row['name']))
    }

    it('notes the position in the binary log', async () => {
      await fill('positioned', ['CREATE TABLE §t (a INT)'])
      const { contents } = await dump('positioned')
      assert.match(contents.position?.['file'] ?? '', /bin.*\.\d+$/)
      assert.ok(Number(contents.position?.['offset']) > 0)
      assert.equal((await dump('positioned', { position: false })).contents.position, undefined)
    })

    it('leaves chosen tables out', async () => {
      await fill('partly', [
        'CREATE TABLE §a (x INT)',
        'INSERT INTO §a VALUES (1)',
        'CREATE TABLE §b (x INT)',
        'INSERT INTO §b VALUES (1)',
      ])
      const { text, contents } = await dump('partly', { excludeTables: ['a'] })
      assert.deepEqual(contents.rows, { b: 1 })
      await server.query('CREATE DATABASE partly_back')
      await restore('partly_back', text)
      assert.deepEqual(await names('partly_back'), ['b'])
    })

    it('says what leaves nothing out, because there is no such table', async () => {
      await fill('misspelt', ['CREATE TABLE §orders (x INT)', 'CREATE TABLE §log_one (x INT)'])
      const plan = mysql.dump({
        connection,
        database: 'misspelt',
        server: await mysql.inspect(connection, signal),
        facts: {},
        options: mysql.dumpOptions.parse({
          excludeTables: ['order', 'log_*'],
          excludeTableData: ['orders', 'x*'],
        }),
        tools,
        workDirectory: await directory(),
      })
      assert.deepEqual(await plan.check?.(signal), [
        '“order” matches no table of “misspelt”: it leaves nothing out.',
        '“x*” matches no table of “misspelt”: it leaves nothing out.',
      ])
    })

    it('leaves the rows of chosen tables out, and keeps the tables with their triggers', async () => {
      const rows = `VALUES (1, ');\\nUNLOCK TABLES;\\n-- Dumping data for table \`kept\`\\n')`
      await fill('rowless', [
        ...['log_one', 'log_two', 'sessions', 'kept'].flatMap((table) => [
          `CREATE TABLE §${table} (x INT, words TEXT)`,
          `INSERT INTO §${table} ${rows}`,
        ]),
        'CREATE TRIGGER §tr BEFORE INSERT ON §sessions FOR EACH ROW SET NEW.x = 7',
        'CREATE VIEW §log_view AS SELECT x FROM §kept',
      ])
      const all = ['kept', 'log_one', 'log_two', 'log_view', 'sessions']
      for (const [options, counted, tables] of [
        [{ excludeTableData: ['sessions'] }, { kept: 1, log_one: 1, log_two: 1 }, all],
        [{ excludeTableData: ['log_*', 'sessions', 'no_such'] }, { kept: 1 }, all],
        [{ excludeTableData: ['*'] }, {}, all],
        [{ excludeTables: ['log_*'], excludeTableData: ['kept'] }, { sessions: 1 }, ['kept', 'sessions']],
      ] as const) {
        const { text, contents } = await dump('rowless', options)
        assert.deepEqual(contents.rows, counted)
        await server.query(['DROP DATABASE IF EXISTS rowless_back', 'CREATE DATABASE rowless_back'])
        await restore('rowless_back', text)
        assert.deepEqual(await names('rowless_back'), tables)
        const found = await mysql.countRows(connection, 'rowless_back', signal)
        const present = Object.entries(found).filter(([, number]) => number > 0)
        assert.deepEqual(Object.fromEntries(present), counted)
        await server.query('INSERT INTO rowless_back.sessions (x) VALUES (1)')
        assert.equal((await server.query('SELECT MAX(x) AS x FROM rowless_back.sessions'))[0]?.['x'], 7)
      }
    })

    it('restores what was chosen of a whole dump', async () => {
      await fill('whole', [
        'CREATE TABLE §a (x INT, words TEXT)',
        `INSERT INTO §a VALUES (1, ');\\nUNLOCK TABLES;\\n-- it''s')`,
        'CREATE TABLE §b (x INT)',
        'INSERT INTO §b VALUES (1), (2)',
        'CREATE TRIGGER §tr BEFORE INSERT ON §b FOR EACH ROW SET NEW.x = NEW.x + 100',
        'CREATE VIEW §v AS SELECT x FROM §b',
        'CREATE PROCEDURE §p () SELECT 1',
      ])
      const { text } = await dump('whole')
      const back = async (options: object) => {
        await server.query(['DROP DATABASE IF EXISTS back', 'CREATE DATABASE back'])
        await restore('back', text, options)
        const routines = await server.query(
          `SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'back'`,
        )
        const triggers = await server.query(
          `SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'back'`,
        )
        return { tables: await names('back'), routines: routines.length, triggers: triggers.length }
      }
      assert.deepEqual(await back({}), { tables: ['a', 'b', 'v'], routines: 1, triggers: 1 })
      assert.deepEqual(await back({ tables: ['b', 'v'] }), { tables: ['b', 'v'], routines: 0, triggers: 1 })
      assert.deepEqual(await mysql.countRows(connection, 'back', signal), { b: 2 })
      assert.deepEqual(await back({ content: 'schema' }), {
        tables: ['a', 'b', 'v'],
        routines: 1,
        triggers: 1,
      })
      assert.deepEqual(await mysql.countRows(connection, 'back', signal), { a: 0, b: 0 })
      await restore('back', text, { content: 'data', tables: ['a'] })
      assert.deepEqual(await mysql.countRows(connection, 'back', signal), { a: 1, b: 0 })
      await assert.rejects(back({ tables: ['nope'] }), { code: 'nothing_matched', message: /“nope”/ })
    })

    it('warns of tables outside the snapshot and of views that make the dump fail, which it explains', async () => {
      await fill('warned', [
        'CREATE TABLE §safe (x INT) ENGINE = InnoDB',
        'CREATE TABLE §unsafe (x INT) ENGINE = MyISAM',
        'CREATE TABLE §gone (x INT)',
        'CREATE VIEW §broken AS SELECT x FROM §gone',
        'DROP TABLE §gone',
      ])
      const { warnings = [] } = await mysql.describe(connection, 'warned', signal)
      assert.equal(warnings.length, 2, warnings.join('\n'))
      assert.match(warnings[0] ?? '', /^Table unsafe is MyISAM: not part of the consistent snapshot/)
      assert.match(warnings[1] ?? '', /^View broken makes the dump fail: .*broken/)
      const failure = await failureOf(dump('warned'))
      const explained = mysql.explain(failure.exit.tool, failure.exit.stderr)
      assert.match(explained?.message ?? '', /is gone/, failure.exit.stderr)
      assert.match(explained?.hint ?? '', /Tables to leave out/)
      assert.deepEqual((await dump('warned', { excludeTables: ['broken'] })).contents.rows, {
        safe: 0,
        unsafe: 0,
      })
    })

    it('brings objects back whose definer does not exist', async () => {
      await fill('orphaned', [
        'CREATE TABLE §t (x INT)',
        `CREATE DEFINER = nobody_at_all@localhost PROCEDURE §p () SELECT 1`,
        `CREATE DEFINER = nobody_at_all@localhost TRIGGER §tr BEFORE INSERT ON §t FOR EACH ROW SET NEW.x = 1`,
      ])
      const { text } = await dump('orphaned')
      await server.query('CREATE DATABASE adopted')
      await restore('adopted', text)
      const [row] = await server.query(
        `SELECT DEFINER AS definer FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'adopted'`,
      )
      assert.equal(row?.['definer'], 'nobody_at_all@localhost')
    })

    it('never touches another database than the chosen one', async () => {
      await fill('here', ['CREATE TABLE §t (x INT)'])
      for (const statement of [
        'USE elsewhere',
        'CREATE DATABASE elsewhere',
        '/*!40000 DROP DATABASE IF EXISTS `here`*/',
      ]) {
        const text = Buffer.from(`CREATE TABLE u (x INT);\n\n${statement};\nCREATE TABLE v (x INT);\n`)
        await assert.rejects(restore('here', text), { code: 'unsupported' }, statement)
        await server.query('DROP TABLE IF EXISTS here.u')
      }
      assert.deepEqual(await names('here'), ['t'])
      assert.equal(await mysql.databaseExists(connection, 'elsewhere', signal), false)
    })

    it('stops a restore at the first error', async () => {
      await server.query('CREATE DATABASE stopped')
      const text = Buffer.from(
        'CREATE TABLE a (x INT);\nINSERT INTO nope VALUES (1);\nCREATE TABLE b (x INT);\n-- Dump completed\n',
      )
      const failure = await failureOf(restore('stopped', text))
      assert.match(failure.exit.stderr, /ERROR 1146/)
      assert.deepEqual(await names('stopped'), ['a'])
    })

    it('runs nothing that stands in a dump on this machine', async () => {
      await server.query('CREATE DATABASE tame')
      const trace = join(work, 'trace')
      const text = Buffer.from(`\\! touch ${trace}\nsystem touch ${trace}\nCREATE TABLE a (x INT);\n`)
      await assert.rejects(restore('tame', text))
      await assert.rejects(rm(trace), { code: 'ENOENT' })
    })

    it('hides the system’s databases, and does not drop one in use unless told to', async () => {
      await fill('in_use', ['CREATE TABLE §t (x INT)'])
      const databases = await mysql.listDatabases(connection, signal)
      assert.ok(databases.includes('in_use'))
      for (const hidden of ['mysql', 'sys', 'information_schema', 'performance_schema'])
        assert.ok(!databases.includes(hidden))
      const sleeping = server.query('SELECT SLEEP(60)', 'in_use').catch(() => 'ended')
      while (!(await isInUse('in_use'))) await new Promise((resolve) => setTimeout(resolve, 20))
      await assert.rejects(mysql.dropDatabase(connection, 'in_use', signal), (error) => {
        assert.ok(error instanceof AppError && error.code === 'database_in_use')
        assert.match(error.message, /1 sessions \(root\)/)
        return true
      })
      await mysql.dropDatabase(connection, 'in_use', signal, { endSessions: true })
      await sleeping
      assert.equal(await mysql.databaseExists(connection, 'in_use', signal), false)
    })
    const isInUse = async (database: string) =>
      (await server.query(`SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = '${database}'`)).length > 0

    it('creates a database with the collation of the one that was dumped, or says why not', async () => {
      const like = { encoding: 'latin1', collation: 'latin1_german2_ci' }
      await mysql.createDatabase(connection, 'like it', like, signal)
      const { encoding, collation } = await mysql.describe(connection, 'like it', signal)
      assert.deepEqual({ encoding, collation }, like)
      await assert.rejects(mysql.createDatabase(connection, 'unknown', { collation: 'klingon_ci' }, signal), {
        code: 'unsupported',
      })
    })

    it('takes a backup as the user that it proposes', async () => {
      await fill('proposed', [
        'CREATE TABLE §t (x INT)',
        'CREATE PROCEDURE §p () SELECT 1',
        'INSERT INTO §t VALUES (1)',
      ])
      const facts = await mysql.inspect(connection, signal)
      await server.query(mysql.backupUserStatements("back'up", 'proposed', facts))
      const settings = { ...connection, user: "back'up", password: 'choose a password' }
      assert.deepEqual(await mysql.missingPrivileges(settings, 'proposed', signal), [])
      const { text, contents } = await dump('proposed', {}, { settings })
      assert.match(String(text), /PROCEDURE `p`/)
      assert.deepEqual(contents.rows, { t: 1 })
      assert.ok(contents.position)
    })

    it('works with MariaDB’s tools on Oracle’s server, and warns', async (context) => {
      const mariadbs = tools.filter(
        (tool) => tool.name.startsWith('mariadb') || tool.version.endsWith('-MariaDB'),
      )
      if (name.startsWith('MariaDB') || mariadbs.length === 0)
        return context.skip('this is not what is tried here')
      await fill('foreign_tools', [
        'CREATE TABLE §t (x INT, j JSON)',
        `INSERT INTO §t VALUES (1, '{"a": 1}')`,
      ])
      const { text, contents, warnings } = await dump('foreign_tools', {}, { with: mariadbs })
      assert.match(warnings?.[0] ?? '', /MariaDB’s mariadb-dump/)
      assert.deepEqual(contents.rows, { t: 1 })
      await server.query('CREATE DATABASE foreign_back')
      await restore('foreign_back', text)
      assert.deepEqual(await mysql.countRows(connection, 'foreign_back', signal), { t: 1 })
    })

    describe('with TLS', () => {
      let secured: MysqlLikeServer
      before(async () => (secured = await traps.startWithTls()))
      after(() => secured?.[Symbol.asyncDispose]())

      const cases: {
        title: string
        settings: () => Partial<MysqlConnection>
        fails?: ErrorCode
        toolFails?: boolean
      }[] = [
        { title: 'prefer', settings: () => ({ tls: 'prefer' }) },
        { title: 'require', settings: () => ({ tls: 'require' }) },
        { title: 'verify-ca', settings: () => ({ tls: 'verify-ca', tlsCa: secured.certificates?.ca }) },
        {
          title: 'verify-ca with another CA',
          settings: () => ({ tls: 'verify-ca', tlsCa: secured.certificates?.otherCa }),
          fails: 'tls_failed',
        },
        { title: 'verify-ca without a CA', settings: () => ({ tls: 'verify-ca' }), fails: 'tls_failed' },
        {
          title: 'verify-full for another name',
          settings: () => ({ tls: 'verify-full', tlsCa: secured.certificates?.ca }),
          fails: 'tls_failed',
          toolFails: checksLoopbackName,
        },
        {
          title: 'disable',
          settings: () => ({ tls: 'disable' }),
          fails: name === 'MariaDB 10.11' ? 'authentication_failed' : 'tls_failed',
        },
        {
          title: 'a client certificate',
          settings: () => ({
            tls: 'require',
            user: 'certified',
            tlsCertificate: secured.certificates?.client.certificate,
            tlsKey: secured.certificates?.client.key,
          }),
        },
        {
          title: 'no client certificate',
          settings: () => ({ tls: 'require', user: 'certified' }),
          fails: 'authentication_failed',
        },
      ]
      for (const { title, settings, fails, toolFails = fails !== undefined } of cases) {
        it(`${title} ${fails ? 'is refused' : 'works'}, for us and for the tool`, async () => {
          const base = connectionOf(secured)
          const chosen = { ...base, ...settings() }
          const facts = await mysql.inspect(base, signal)
          if (fails) await assert.rejects(mysql.inspect(chosen, signal), { code: fails })
          else assert.match(String((await mysql.inspect(chosen, signal)).tls), /^TLSv1\.[23]$/)
          const plan = mysql.dump({
            connection: chosen,
            database: 'mysql',
            server: facts,
            facts: {},
            options: mysql.dumpOptions.parse({
              extra: '--no-data --skip-events --skip-routines',
              position: false,
            }),
            tools,
            workDirectory: await directory(),
          })
          const reader = mysql.readDump('plain')
          const dumped = (async () => {
            for await (const chunk of dumpBytes(plan, signal)) reader.update(chunk)
            reader.finish()
          })()
          if (!toolFails) return await dumped
          const failure = await failureOf(dumped)
          assert.equal(
            mysql.explain(failure.exit.tool, failure.exit.stderr)?.code,
            fails,
            failure.exit.stderr,
          )
        })
      }
    })
  })
}

function connectionOf({ host, port, user, password }: MysqlLikeServer): MysqlConnection {
  return connectionSettings.parse({ host, port, user, password })
}

async function failureOf(promise: Promise<unknown>): Promise<ToolFailure> {
  const error = await promise.then(
    () => assert.fail('it succeeded'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof ToolFailure, String(error))
  return error
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
}
