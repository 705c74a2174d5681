import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Job } from '../../src/shared/jobs.ts'
import type { ScheduledRestore } from '../../src/shared/scheduled-restores.ts'
import type { Snapshot } from '../../src/shared/snapshots-api.ts'
import { startCeph } from '../servers/ceph.ts'
import { startHttpReceiver } from '../servers/http-receiver.ts'
import { skipUnless } from '../servers/needs.ts'
import { startPostgres } from '../servers/postgres.ts'
import { client, startApp } from './app.ts'
import { openDesk } from './cli.ts'

/** An app, and the command line on the same machine. */
async function open() {
  await using stack = new AsyncDisposableStack()
  const desk = stack.use(await openDesk())
  const data = join(desk.folder.path, 'data')
  let app = stack.use(await startApp(data))
  assert.ok(app.isUp && app.token, app.said())
  const { token, port } = app
  const env = { HOLDFAST_DATA_DIR: data, HOLDFAST_PORT: port }
  const run = (args: string[], more: Record<string, string> = {}) =>
    desk.run(args, { env: { ...env, ...more } })
  const cleanUp = stack.move()
  return {
    folder: desk.folder,
    run,
    /** Fails unless the command succeeds; gives what it prints. */
    async say(args: string[], more?: Record<string, string>): Promise<string> {
      const { exitCode, stdout, stderr } = await run(args, more)
      assert.equal(exitCode, 0, `holdfast ${args.join(' ')}: ${exitCode}\n${stdout}${stderr}`)
      return stdout
    },
    async ask<T>(args: string[], more?: Record<string, string>): Promise<T> {
      return JSON.parse(await this.say([...args, '--json'], more)) as T
    },
    api: () => client(app.url, token),
    async killAndRestart() {
      await app.stop('SIGKILL')
      app = cleanUp.use(await startApp(data, { env: { HOLDFAST_PORT: port } }))
      assert.ok(app.isUp, app.said())
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  }
}

// They mostly wait.
describe('the app by the command line alone', { concurrency: 4 }, () => {
  it(
    'backs a real server up to two volumes on time, restores, replaces, and takes that back',
    { skip: skipUnless('postgres15', 'ceph') },
    async () => {
      await using database = await startPostgres({ major: 15 })
      await using s3 = await startCeph()
      await database.query('create database shop')
      await database.query(
        'create table orders as select n as id, md5(n::text) as note from generate_series(1, 20000) n',
        'shop',
      )
      const count = async (name: string) => {
        const [row] = await database.query('select count(*)::int as count from orders', name)
        return row?.['count']
      }
      await using app = await open()
      const programs = { HOLDFAST_TOOL_PATH: database.programs }
      await app.say(
        [
          'servers',
          'add',
          `postgresql://${database.user}@${database.host}:${database.port}`,
          '--name',
          'prod',
        ],
        { HOLDFAST_DATABASE_PASSWORD: database.password, ...programs },
      )
      assert.match(await app.say(['servers', 'test', 'prod']), /ok +reach and sign in/)
      const bucket = await s3.createBucket()
      await app.say(
        [
          'volumes',
          'add',
          `s3://${bucket}/backups?endpoint=${encodeURIComponent(s3.endpoint)}&region=us-east-1&path-style=true`,
          '--name',
          'bucket',
        ],
        { AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey },
      )
      assert.match(await app.say(['volumes', 'test', 'bucket']), /ok +write/)
      await app.say(['schedules', 'add', 'each minute', '--cron', '* * * * *'])
      await app.say([
        'plans',
        'add',
        '--server',
        'prod',
        '--name',
        'shop',
        '--database',
        'shop',
        '--volume',
        'This machine',
        '--volume',
        'bucket',
        '--schedule',
        'each minute',
      ])

      // By itself, each minute.
      const scheduled = await until(async () => {
        const found = await app.api().all<Snapshot>('/api/v1/snapshots')
        return found.length > 0 ? found : undefined
      })
      assert.equal(scheduled[0]?.trigger, 'schedule')
      assert.deepEqual(
        scheduled[0]?.copies.map(({ state }) => state),
        ['stored', 'stored'],
      )

      // Killed in the middle, it ends by itself.
      await app.say(['backup', 'run', 'shop'])
      await sleep(1_000)
      await app.killAndRestart()
      await until(async () => {
        const busy = await app.api().all<Job>('/api/v1/jobs?state=queued,running')
        return busy.length === 0 ? true : undefined
      })
      const failed = await app.api().all<Job>('/api/v1/jobs?state=failed')
      assert.deepEqual(failed, [])

      const [newest] = (await app.ask<{ items: Snapshot[] }>(['snapshots', 'ls'])).items
      assert.ok(newest)
      await app.say(['restore', 'run', newest.id, '--server', 'prod', '--database', 'shop_copy'])
      assert.equal(await count('shop_copy'), 20_000)

      await database.query('delete from orders where id > 100', 'shop_copy')
      const replaced = await app.ask<Job>([
        'restore',
        'run',
        newest.id,
        '--server',
        'prod',
        '--database',
        'shop_copy',
        '--mode',
        'replace',
      ])
      assert.equal(await count('shop_copy'), 20_000)
      await app.say(['restore', 'undo', replaced.id])
      assert.equal(await count('shop_copy'), 100, 'what was there before the restore')

      assert.match(await app.say(['retention', 'preview']), /shop: \d+ copies go/)
      assert.match(await app.say(['overview']), /1 protected · 0 overdue · 0 failing · 0 never/)
    },
  )

  it('says to a deploy pipeline whether it may go on', async () => {
    await using app = await open()
    const { path } = app.folder
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(join(path, 'shop.db'))
    database.exec('create table orders (id integer primary key); insert into orders values (1), (2)')
    database.close()
    await app.say(['servers', 'add', `sqlite:${join(path, 'shop.db')}`, '--name', 'shop'])
    await app.say(['volumes', 'add', join(path, 'second'), '--name', 'second'])
    await app.say([
      'plans',
      'add',
      '--server',
      'shop',
      '--name',
      'releases',
      '--volume',
      'This machine',
      '--volume',
      'second',
      '--path',
      'releases/{version}',
    ])
    const before = ['backup', 'run', 'releases', '--trigger', 'migration', '--wait', '--version']
    assert.match(
      await app.say([...before, '42']),
      /Backed up .*shop\.db[^]* {2}copy {6}This machine: stored\n/,
    )

    await rm(join(path, 'second'), { recursive: true })
    await writeFile(join(path, 'second'), 'no folder')
    const partial = await app.run([...before, '43'])
    assert.equal(partial.exitCode, 3, partial.stdout + partial.stderr)
    assert.match(partial.stdout, /PARTLY backed up/)

    // When the volume is back, so is its copy, and nothing was dumped again.
    await rm(join(path, 'second'))
    const [newest] = (await app.ask<{ items: Snapshot[] }>(['snapshots', 'ls'])).items
    const repaired = await until(async () => {
      const [snapshot] = await app.api().all<Snapshot>('/api/v1/snapshots')
      return snapshot?.copies.every(({ state }) => state === 'stored') ? snapshot : undefined
    })
    assert.equal(repaired.id, newest?.id)

    await rm(join(path, 'shop.db'))
    const failed = await app.run([...before, '44'])
    assert.ok(failed.exitCode !== 0 && failed.exitCode !== 3, failed.stdout + failed.stderr)
    assert.match(failed.stderr, /shop\.db/)
  })

  it('has a command for each thing, which does it and says so to people and to programs', async () => {
    await using app = await open()
    const { path } = app.folder
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(join(path, 'shop.db'))
    database.exec('create table orders (id integer primary key); insert into orders values (1), (2)')
    database.close()
    await app.say(['servers', 'add', `sqlite:${join(path, 'shop.db')}`, '--name', 'shop', '--label', 'eu'])
    assert.match(await app.say(['servers', 'ls']), /shop +sqlite +eu/)
    assert.match(await app.say(['servers', 'test', 'shop']), /ok +reach and sign in/)
    assert.match(await app.say(['servers', 'databases', 'shop']), /shop\.db/)
    assert.equal((await app.ask<{ name: string }>(['servers', 'show', 'shop'])).name, 'shop')
    await app.say(['volumes', 'add', join(path, 'vault'), '--name', 'vault'])
    assert.match(await app.say(['volumes', 'test', 'vault']), /ok +write/)
    const key = await app.ask<{ secret?: string }>(['keys', 'add', 'vault key', '--kind', 'password'])
    assert.ok((key.secret ?? '').length >= 12, 'a key that was made is shown once')
    assert.match(await app.say(['keys', 'ls']), /vault key +password +active/)
    assert.match(
      await app.say(['schedules', 'add', 'nightly', '--daily', '03:00']),
      /\d{4}-\d\d-\d\d 03:00 UTC/,
    )
    const wrong = await app.run(['schedules', 'add', 'x', '--weekly', 'someday', '--at', '25:00'])
    assert.equal(wrong.exitCode, 2)
    assert.match(wrong.stderr, /25:00/)
    await app.say([
      'plans',
      'add',
      '--server',
      'shop',
      '--name',
      'shop',
      '--volume',
      'vault',
      '--schedule',
      'nightly',
      '--encryption',
      '7z:vault key',
      '--keep-last',
      '3',
    ])
    assert.match(await app.say(['plans', 'databases', 'shop']), /shop\.db +yes/)

    const { items: started } = await app.ask<{ items: { jobId: string }[] }>(['schedules', 'run', 'nightly'])
    assert.equal(started.length, 1)
    await app.api().jobOver(started[0]?.jobId ?? '')
    const done = await app.ask<{ state: string }>(['backup', 'run', 'shop', '--wait'])
    assert.equal(done.state, 'succeeded')
    const [newest, oldest] = (await app.ask<{ items: Snapshot[] }>(['snapshots', 'ls', '--limit', '2'])).items
    assert.ok(newest && oldest)
    assert.match(await app.say(['snapshots', 'show', newest.id]), /orders +2/)
    assert.match(await app.say(['snapshots', 'verify', newest.id]), /verify: done/)
    assert.match(await app.say(['volumes', 'usage', 'vault']), /2 snapshots/)
    assert.match(await app.say(['volumes', 'scan', 'vault']), /scan-volume: done/)
    const checks = await app.ask<{ jobs: Job[] }>(['volumes', 'check', 'vault', '--contents'])
    assert.deepEqual(
      checks.jobs.map(({ state }) => state),
      ['succeeded', 'succeeded'],
    )
    assert.match(await app.say(['keys', 'check']), /vault key .* yes +2/)
    assert.match(await app.say(['retention', 'preview', '--plan', 'shop']), /0 copies go/)

    const file = join(path, 'saved.db')
    await app.say(['snapshots', 'download', newest.id, '--plain', '-o', file])
    const saved = new DatabaseSync(file, { readOnly: true })
    assert.equal(saved.prepare('select count(*) as count from orders').get()?.['count'], 2)
    saved.close()
    assert.equal((await app.run(['snapshots', 'download', newest.id, '-o', file])).exitCode, 1, 'it is there')

    const from = ['--source', 'shop', '--source-database', join(path, 'shop.db'), '--plan', 'shop']
    const into = ['--server', 'shop', '--database', join(path, 'staging.db'), '--schedule', 'nightly']
    await app.say(['scheduled-restores', 'add', 'staging', ...from, ...into])
    assert.match(await app.say(['scheduled-restores', 'ls']), /staging .*shop\.db .*staging\.db/)
    const staged = await app.ask<{ result: object }>(['scheduled-restores', 'run', 'staging'])
    assert.deepEqual(staged.result, { ...staged.result, rows: { tables: 1, rows: 2 } })
    const shownAs = await app.ask<ScheduledRestore>(['scheduled-restores', 'show', 'staging'])
    assert.deepEqual([shownAs.mode, shownAs.lastSnapshotId], ['replace', newest.id])
    await app.say(['scheduled-restores', 'rm', 'staging'])
    assert.match((await app.run(['scheduled-restores', 'ls'])).stderr, /There are no scheduled restores yet/)

    assert.match(await app.say(['settings', 'show']), /safetyDays +7\n/)
    const changes = ['safetyDays=14', 'cleanUpTime=02:30', 'compression=zstd:6']
    assert.match(
      await app.say(['settings', 'set', ...changes]),
      /compression +zstd:6:1\n[^]*safetyDays +14\n/,
    )
    const restored = await app.ask<{ safetyDays: number }>(['settings', 'set', 'safetyDays=default'])
    assert.equal(restored.safetyDays, 7)
    const nonesuch = await app.run(['settings', 'set', 'cleanUpTime=soon'])
    assert.equal(nonesuch.exitCode, 2)
    assert.match(nonesuch.stderr, /cleanUpTime/)

    await app.say(['snapshots', 'lock', oldest.id])
    const locked = await app.run(['snapshots', 'rm', oldest.id, '--yes'])
    assert.equal(locked.exitCode, 1)
    assert.match(locked.stderr, /It is locked/)
    await app.say(['snapshots', 'unlock', oldest.id])
    const shown = await app.run(['snapshots', 'rm', oldest.id])
    assert.match(shown.stdout, /1 snapshots, 1 copies/)
    assert.equal(shown.exitCode, 1, 'only shown')
    await app.say(['snapshots', 'rm', oldest.id, '--yes'])
    assert.equal((await app.run(['snapshots', 'show', oldest.id])).exitCode, 4)

    // Gone from its volume, it is found missing, and the command says so.
    await rm(join(path, 'vault', newest.copies[0]?.key ?? ''))
    const missing = await app.run(['volumes', 'check', 'vault'])
    assert.notEqual(missing.exitCode, 0, missing.stdout)
    assert.match(missing.stderr, /missing/)

    const [job] = (await app.ask<{ items: Job[] }>(['jobs', 'ls', '--kind', 'backup', '--limit', '1'])).items
    assert.match(await app.say(['jobs', 'logs', job?.id ?? '']), /Copying the database/)
    assert.equal((await app.ask<Job>(['jobs', 'show', job?.id ?? ''])).id, job?.id)
    assert.match(await app.say(['jobs', 'cancel', job?.id ?? '']), /It is succeeded/)
    const used = await app.run(['volumes', 'rm', 'vault'])
    assert.match(used.stderr, /“shop”|“vault”/)
    const unsaid = await app.run(['plans', 'rm', 'shop'])
    assert.notEqual(unsaid.exitCode, 0)
    assert.match(unsaid.stdout, /^With --snapshots delete: \d+ snapshots, \d+ copies, .*\n {2}“.*shop.*”: /)
    assert.match(unsaid.stderr, /“shop” has \d+ snapshot/)
    assert.equal((await app.run(['plans', 'losses', 'shop'])).stdout, unsaid.stdout)
    await app.say(['plans', 'rm', 'shop', '--snapshots', 'keep'])
    await app.say(['schedules', 'rm', 'nightly'])
    await app.say(['volumes', 'rm', 'vault', '--copies', 'forget'])
    await app.say(['servers', 'rm', 'shop'])
    assert.match((await app.run(['plans', 'ls'])).stderr, /There are no plans yet/)
  })

  it('tells those who want to know, in their channels', async () => {
    await using receiver = await startHttpReceiver(() => ({ status: 200, body: 'thanks' }))
    await using app = await open()
    const secret = { HOLDFAST_CHANNEL_SECRET: 'canary-of-a-channel' }
    const url = `url=${receiver.origin}`
    await app.say(['channels', 'add', 'webhook', '--name', 'ops', '--set', url], secret)
    assert.match(await app.say(['channels', 'test', 'ops']), /ok +send a message .*status 200: “thanks”/)
    assert.match(receiver.received[0]?.body ?? '', /“ops” works/)
    const bare = await app.run(['channels', 'add', 'webhook', '--name', 'x', '--set', 'secret=canary'])
    assert.equal(bare.exitCode, 2)
    assert.match(bare.stderr, /“secret” is a secret, which everybody/)

    const rule = ['rules', 'add', 'starts', '--event', 'backup.started', '--channel', 'ops', '--label', 'eu']
    await app.say(rule)
    assert.match(await app.say(['rules', 'ls']), /starts +1 +eu +1/)
    const used = await app.run(['channels', 'rm', 'ops'])
    assert.equal(used.exitCode, 1)
    assert.match(used.stderr, /is used by the notification rule “starts”/)
    await app.say(['rules', 'rm', 'starts'])
    await app.say(['channels', 'rm', 'ops'])
  })

  it('explains what is missing, in sentences', async () => {
    await using app = await open()
    const unknown = await app.run(['backup', 'run', 'nothing'])
    assert.equal(unknown.exitCode, 4)
    assert.match(unknown.stderr, /There is no plan “nothing”/)
    await using desk = await openDesk()
    const never = await desk.run(['plans', 'ls'], {
      env: { HOLDFAST_DATA_DIR: join(desk.folder.path, 'nowhere'), HOLDFAST_PORT: '1' },
    })
    assert.equal(never.exitCode, 2)
    assert.match(never.stderr, /No app has been started with .*nowhere/)
    const away = await desk.run(['plans', 'ls'], {
      env: { HOLDFAST_URL: 'http://127.0.0.1:1', HOLDFAST_TOKEN: 'hf_x' },
    })
    assert.equal(away.exitCode, 1)
    assert.match(away.stderr, /does not answer at http:\/\/127\.0\.0\.1:1/)
  })
})

/** Looks again and again, for three minutes at most. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 180_000; ;) {
    const found = await look()
    if (found !== undefined) return found
    assert.ok(Date.now() < deadline, 'It did not come to pass.')
    await sleep(500)
  }
}
