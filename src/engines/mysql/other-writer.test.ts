import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type BackupReport,
  type CliEnd,
  type Desk,
  jsonOf,
  openDesk,
  type RunningCli,
} from '../../../test/e2e/cli.ts'
import { startMariadb } from '../../../test/servers/mariadb.ts'
import type { MysqlLikeServer } from '../../../test/servers/mysql-like.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { ownToken } from '../../lib/identity.ts'
import { findSnapshot } from '../../runner/manifests.ts'
import { type RestoreOrder, restoreSnapshot } from '../../runner/restore-snapshot.ts'
import { AppError } from '../../shared/errors.ts'
import { openVolumeUrl } from '../../volumes/index.ts'
import type { Engine } from '../engine.ts'
import { mysql } from './index.ts'
import { connectionSettings, type MysqlConnection } from './settings.ts'
import { MARK } from './unfinished-mark.ts'

const mark = mysql.unfinishedMark
assert.ok(mark)
/** A restore on a machine whose processes cannot be seen from here. */
const ELSEWHERE = 'ffffffffffff-1-1/00000000'

/** MySQL and MariaDB cannot rename a database, so a restore fills it under its own name, where others find it. */
describe('a database that a restore into MariaDB fills', { skip: skipUnless('mariadb10.11') }, () => {
  const signal = AbortSignal.timeout(600_000)
  let server: MysqlLikeServer
  let connection: MysqlConnection
  let desk: Desk
  let volume: string
  let snapshot: string
  /** A client that waits until it is told to go on, and then loads the dump, or fails. */
  let slow: { programs: string; started: string; go: (how: 'load' | 'fail') => Promise<void> }
  let runs = 0

  before(async () => {
    ;[server, desk] = await Promise.all([startMariadb({ version: '10.11' }), openDesk()])
    const { host, port, user, password } = server
    connection = connectionSettings.parse({ host, port, user, password })
    volume = join(desk.folder.path, 'volume')
    await server.query([
      'CREATE DATABASE shop',
      'CREATE TABLE shop.a (id INT PRIMARY KEY)',
      'INSERT INTO shop.a VALUES (1), (2)',
    ])
    const env = environment()
    const taken = await desk.run(['backup', 'once', urlOf('shop'), '--to', volume, '--json'], { env })
    snapshot = jsonOf<BackupReport>(taken).snapshots[0]?.id ?? assert.fail(taken.stdout + taken.stderr)
  })
  after(async () => {
    await desk?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    await server.query('DROP DATABASE IF EXISTS target')
    const programs = join(desk.folder.path, `programs-${++runs}`)
    const [started, go] = [join(programs, 'started'), join(programs, 'go')]
    const real = join(server.programs, 'mariadb')
    await mkdir(programs)
    await writeFile(
      join(programs, 'mariadb'),
      `#!/bin/sh
case "$*" in *--version*) exec '${real}' "$@" ;; esac
: > '${started}'
while [ ! -s '${go}' ]; do sleep 0.02; done
read -r how < '${go}'
[ "$how" = load ] || { echo 'ERROR 1114 (HY000) at line 1: The table is full' >&2; exit 1; }
exec '${real}' "$@"
`,
    )
    await chmod(join(programs, 'mariadb'), 0o755)
    slow = { programs, started, go: (how) => writeFile(go, `${how}\n`) }
  })

  const environment = () => ({
    HOLDFAST_DATABASE_PASSWORD: server.password,
    HOLDFAST_TOOL_PATH: server.programs,
  })
  const urlOf = (database: string) => `mysql://${server.user}@${server.host}:${server.port}/${database}`
  const restoring = (mode: string) => {
    const places = ['--from', volume, '--into', urlOf('target')]
    return ['restore', 'once', snapshot, ...places, '--mode', mode, '--json']
  }
  const restore = (mode: string) => desk.run(restoring(mode), { env: environment() })
  const errorOf = (end: CliEnd) =>
    jsonOf<BackupReport>(end).error ?? assert.fail(`It succeeded: ${end.stdout}`)
  const writer = () => mark.read(connection, 'target', signal)
  const tables = async () =>
    (
      await server.query(`SELECT TABLE_NAME AS t FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = 'target' ORDER BY 1`)
    ).map(({ t }) => t)
  const isThere = async () => (await server.query(`SHOW DATABASES LIKE 'target'`)).length > 0
  /** A restore whose mark is there, and whose client waits. */
  const begin = async (mode = 'new'): Promise<RunningCli> => {
    const running = desk.start(restoring(mode), { env: environment(), programs: [slow.programs] })
    const over = running.ended.then((end) => assert.fail(`it ended early: ${end.stdout}${end.stderr}`))
    const begun = (async () => {
      while (!existsSync(slow.started)) await sleep(10)
    })()
    await Promise.race([begun, over])
    over.catch(() => {}) // from here on it is to end
    return running
  }

  it('is refused to every other restore while it lives, which change nothing', async () => {
    const running = await begin()
    const filler = await writer()
    assert.match(filler ?? '', new RegExp(`^[0-9a-f]{12}-${running.pid}-\\d+/[0-9a-f]{8}$`))
    const others = await Promise.all(['new', 'replace', 'existing'].map(restore))
    for (const end of others) {
      const { code, message } = errorOf(end)
      assert.equal(code, 'database_in_use')
      assert.equal(message, 'Another restore is just filling “target”.')
      assert.equal(end.exitCode, 1)
    }
    assert.equal(await writer(), filler)
    assert.deepEqual(await tables(), [MARK])
    await slow.go('load')
    const end = await running.ended
    assert.equal(end.exitCode, 0, end.stdout + end.stderr)
    assert.deepEqual(await tables(), ['a'])
    assert.deepEqual(await mysql.countRows(connection, 'target', signal), { a: 2 })
  })

  it('is told apart when its writer has died: not new any more, but replaced, and not worth a snapshot', async () => {
    const running = await begin()
    running.kill('SIGKILL')
    await running.ended
    await slow.go('fail')
    assert.deepEqual(await desk.quiet(), [])
    const filler = await writer()
    assert.ok(filler)

    const again = await restore('new')
    assert.deepEqual(errorOf(again), {
      code: 'database_exists',
      message: 'The database “target” exists already, left half restored by an interrupted restore.',
      hint: 'If no other restore is just filling it, drop it (DROP DATABASE), or restore with the mode “replace”.',
      retryable: false,
    })
    assert.equal(again.exitCode, 1)
    assert.equal(await writer(), filler)

    const replaced = await restore('replace')
    assert.equal(replaced.exitCode, 0, replaced.stderr)
    assert.match(replaced.stderr, /“target” was left half restored .* No safety snapshot is taken of it/)
    assert.equal(jsonOf<{ safetySnapshot?: string }>(replaced).safetySnapshot, undefined)
    assert.deepEqual(await tables(), ['a'])
  })

  it('is replaced, but not new, where nobody here knows whether its writer lives', async () => {
    await server.query('CREATE DATABASE target')
    await mark.set(connection, 'target', ELSEWHERE, signal)
    assert.match(errorOf(await restore('new')).hint ?? '', /^If no other restore is just filling it/)
    assert.equal(await writer(), ELSEWHERE)
    const replaced = await restore('replace')
    assert.equal(replaced.exitCode, 0, replaced.stderr)
    assert.deepEqual(await tables(), ['a'])
  })

  it('keeps the mark of whoever left it half when a restore adds to it', async () => {
    await server.query('CREATE DATABASE target')
    await mark.set(connection, 'target', ELSEWHERE, signal)
    const added = await restore('existing')
    assert.equal(added.exitCode, 0, added.stderr)
    assert.match(added.stderr, /It stays marked as such/)
    assert.deepEqual(await tables(), ['a', MARK])
    assert.equal(await writer(), ELSEWHERE)
  })

  it('is dropped when its restore fails', async () => {
    const running = await begin()
    await slow.go('fail')
    const { message } = errorOf(await running.ended)
    assert.match(message, /table is full/i)
    assert.equal(await isThere(), false)
  })

  it('is dropped when its restore is interrupted', async () => {
    const running = await begin()
    running.kill('SIGTERM')
    const end = await running.ended
    assert.equal(errorOf(end).code, 'cancelled')
    assert.equal(end.exitCode, 130)
    assert.equal(await isThere(), false)
    assert.deepEqual(await desk.quiet(), [])
  })

  for (const [name, filler, left] of [
    ['another restore', ELSEWHERE, [MARK, 'theirs']],
    ['somebody who marks nothing', undefined, ['theirs']],
  ] as const) {
    it(`is left to ${name} who has taken it over, when the restore fails`, async () => {
      const running = await begin()
      await server.query(['DROP DATABASE target', 'CREATE DATABASE target'])
      if (filler !== undefined) await mark.set(connection, 'target', filler, signal)
      await server.query('CREATE TABLE target.theirs (id INT)')
      await slow.go('fail')
      const end = await running.ended
      assert.match(errorOf(end).message, /table is full/i)
      assert.deepEqual(await tables(), left)
      assert.equal(await writer(), filler)
    })
  }

  it('is no success of a restore from which another one has taken it over', async () => {
    const running = await begin()
    await server.query(['DROP DATABASE target', 'CREATE DATABASE target'])
    await mark.set(connection, 'target', ELSEWHERE, signal)
    await slow.go('load')
    const end = await running.ended
    const { code, message } = errorOf(end)
    assert.equal(code, 'database_in_use')
    assert.match(message, /Another restore has taken “target” over/)
    assert.equal(await writer(), ELSEWHERE)
  })

  /** Restores in this process, by an engine that is MySQL's but for what is said. */
  const restoreHere = async (
    change: Partial<Engine>,
    more: Partial<RestoreOrder>,
    job = new AbortController(),
  ) => {
    process.env['HOLDFAST_TOOL_PATH'] = server.programs
    const { volume: opened } = openVolumeUrl(volume, {})
    await using _opened = opened
    const order: RestoreOrder = {
      engine: { ...(mysql as unknown as Engine), ...change },
      engineName: 'mysql',
      connection,
      database: 'target',
      mode: 'new',
      restoreOptions: mysql.restoreOptions.parse({}),
      partial: false,
      endSessions: false,
      snapshot: { ...(await findSnapshot(opened, snapshot, signal)), volume: opened },
      keys: { instanceKeys: [], ageIdentities: [], agePassphrases: [] },
      stallAfter: 60_000,
      ...more,
    }
    return await restoreSnapshot(order, { signal: job.signal, log: () => {}, progress: () => {} }).then(
      () => undefined,
      (error: unknown) => (error instanceof AppError ? error : assert.fail(String(error))),
    )
  }

  it('by one that was quicker is not dropped by one that wanted to replace it, too', async () => {
    await server.query(['CREATE DATABASE target', 'CREATE TABLE target.theirs (id INT)'])
    const living = `${ownToken()}/00000000`
    const takeSafetySnapshot = async () => {
      await mark.set(connection, 'target', living, signal)
      return 'kept'
    }
    const error = await restoreHere({}, { mode: 'replace', takeSafetySnapshot })
    assert.equal(error?.code, 'database_in_use')
    assert.equal(error.hint, 'Wait until it has ended.')
    assert.deepEqual(await tables(), [MARK, 'theirs'])
    assert.equal(await writer(), living)
  })

  const all = mysql as unknown as Engine
  const marking = (change: Partial<typeof mark>) => ({
    unfinishedMark: { ...mark, ...change },
  })
  /** Calls, interrupts while the call is under way, and waits for it. */
  const during = async <T>(call: Promise<T>, stop: () => void) => {
    stop()
    return await call
  }
  const steps: Record<string, (stop: () => void) => Partial<Engine>> = {
    'is being created': (stop) => ({
      createDatabase: (...args) => during(all.createDatabase(...args), stop),
    }),
    'has been created': (stop) => ({
      createDatabase: (...args) => all.createDatabase(...args).then(stop),
    }),
    'is being marked': (stop) => marking({ set: (...args) => during(mark.set(...args), stop) }),
    'is being counted': (stop) => ({ countRows: (...args) => during(all.countRows(...args), stop) }),
  }
  for (const [step, change] of Object.entries(steps)) {
    it(`is dropped when its restore is interrupted while it ${step}`, async () => {
      const job = new AbortController()
      const error = await restoreHere(
        change(() => job.abort(new AppError('cancelled', 'Stop.'))),
        {},
        job,
      )
      assert.equal(error?.code, 'cancelled')
      assert.equal(await isThere(), false)
    })
  }

  it('is whole when its restore is interrupted while it loses its mark', async () => {
    const job = new AbortController()
    const stop = () => job.abort(new AppError('cancelled', 'Stop.'))
    const change = marking({ clear: (...args) => during(mark.clear(...args), stop) })
    assert.equal(await restoreHere(change, {}, job), undefined)
    assert.deepEqual(await tables(), ['a'])
  })
})
