import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'
import { type BackupReport, type Desk, jsonOf, openDesk } from '../../../test/e2e/cli.ts'
import { startMariadb } from '../../../test/servers/mariadb.ts'
import type { MysqlLikeServer } from '../../../test/servers/mysql-like.ts'
import { startMysql } from '../../../test/servers/mysql.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { isEverything } from '../../../test/servers/share.ts'
import { mysql } from './index.ts'
import { connectionSettings, type MysqlConnection } from './settings.ts'
import { MARK } from './unfinished-mark.ts'

const kinds = [
  { title: 'MariaDB 10.11', need: 'mariadb10.11', start: () => startMariadb({ version: '10.11' }) },
  { title: 'MySQL 9', need: 'mysql9', start: () => startMysql() },
] as const

for (const { title, need, start } of isEverything ? kinds : kinds.slice(0, 1)) {
  describe(`a restore into ${title} that is killed`, { skip: skipUnless(need) }, () => {
    const signal = AbortSignal.timeout(600_000)
    let server: MysqlLikeServer
    let connection: MysqlConnection
    let desk: Desk
    let volume: string
    let snapshot: string

    before(async () => {
      ;[server, desk] = await Promise.all([start(), openDesk()])
      const { host, port, user, password } = server
      connection = connectionSettings.parse({ host, port, user, password })
      volume = join(desk.folder.path, 'volume')
      await server.query([
        'CREATE DATABASE shop',
        'CREATE TABLE shop.a (id INT PRIMARY KEY, words LONGTEXT)',
        `INSERT INTO shop.a VALUES (1, REPEAT('some words ', 1000000))`,
        'CREATE TABLE shop.b (id INT PRIMARY KEY)',
        'INSERT INTO shop.b VALUES (1)',
      ])
      snapshot = await backUp('shop')
    })
    after(async () => {
      await desk?.[Symbol.asyncDispose]()
      await server?.[Symbol.asyncDispose]()
    })

    const holdfast = (...args: string[]) =>
      [
        args,
        { env: { HOLDFAST_DATABASE_PASSWORD: server.password, HOLDFAST_TOOL_PATH: server.programs } },
      ] as const
    const urlOf = (database: string) => `mysql://${server.user}@${server.host}:${server.port}/${database}`
    const backUp = async (database: string) => {
      const end = await desk.run(...holdfast('backup', 'once', urlOf(database), '--to', volume, '--json'))
      assert.equal(end.exitCode, 0, end.stderr)
      const [taken] = jsonOf<BackupReport>(end).snapshots
      assert.ok(taken)
      return taken.id
    }
    const restoring = (mode: string) =>
      holdfast(
        'restore',
        'once',
        snapshot,
        '--from',
        volume,
        '--into',
        urlOf('target'),
        '--mode',
        mode,
        '--json',
      )
    const isMarked = async () =>
      (await mysql.unfinishedMark?.read(connection, 'target', signal)) !== undefined

    it('leaves a database that tells of it, and that is replaced without a safety snapshot', async () => {
      const { host, port, user, password } = server
      const running = desk.start(...restoring('new'))
      const gone = running.ended.then((end) => assert.fail(`it ended before it was killed: ${end.stderr}`))
      const begun = (async () => {
        while (!(await isMarked())) await sleep(5)
      })()
      await Promise.race([begun, gone])
      const admin = await createConnection({ host, port, user, password })
      try {
        await admin.query('FLUSH TABLES WITH READ LOCK') // nothing goes on until we have killed it
        gone.catch(() => {}) // from here on it is to end
        running.kill('SIGKILL')
        await running.ended
      } finally {
        await admin.end()
      }
      assert.equal(await isMarked(), true)
      await desk.quiet()

      const again = await desk.run(...restoring('new'))
      assert.equal(again.exitCode, 1)
      assert.match(again.stdout + again.stderr, /left half restored by an interrupted restore/)
      assert.match(again.stdout + again.stderr, /DROP DATABASE.*mode “replace”/)
      const { warnings = [] } = await mysql.describe(connection, 'target', signal)
      assert.match(warnings[0] ?? '', /restore into this database was interrupted/)

      const replaced = await desk.run(...restoring('replace'))
      assert.equal(replaced.exitCode, 0, replaced.stderr)
      assert.match(replaced.stderr, /No safety snapshot is taken/)
      assert.equal(jsonOf<{ safetySnapshot?: string }>(replaced).safetySnapshot, undefined)
      assert.equal(await isMarked(), false)
      assert.deepEqual(await mysql.countRows(connection, 'target', signal), { a: 1, b: 1 })
    })

    it('a whole database is kept as a safety snapshot before it is replaced', async () => {
      await server.query([
        'DROP DATABASE IF EXISTS target',
        'CREATE DATABASE target',
        'CREATE TABLE target.mine (id INT)',
      ])
      const replaced = await desk.run(...restoring('replace'))
      assert.equal(replaced.exitCode, 0, replaced.stderr)
      assert.ok(jsonOf<{ safetySnapshot?: string }>(replaced).safetySnapshot)
      assert.deepEqual(await mysql.countRows(connection, 'target', signal), { a: 1, b: 1 })
    })

    it('the mark is never part of a dump, nor counted', async () => {
      await server.query('CREATE DATABASE half')
      await mysql.unfinishedMark?.set(connection, 'half', 'test', signal)
      assert.deepEqual(await mysql.countRows(connection, 'half', signal), {})
      snapshot = await backUp('half')
      await server.query('DROP DATABASE IF EXISTS target')
      const restored = await desk.run(...restoring('new'))
      assert.equal(restored.exitCode, 0, restored.stderr)
      const tables = await server.query(
        `SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'target' AND TABLE_NAME = '${MARK}'`,
      )
      assert.deepEqual(tables, [])
    })
  })
}
