import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { after, before, it } from 'node:test'
import { startHttpReceiver } from '../../../test/servers/http-receiver.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { verify } from '../../lib/signature.ts'
import type { HookOutcome } from '../../shared/hooks.ts'
import type { Job } from '../../shared/jobs.ts'
import { describeStores } from '../../store/test-bed.ts'
import { jobKinds } from '../jobs/kinds.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { openHooks } from './test-bed.ts'

function outcomesOf({ result }: Job): [string, string][] {
  return (result as { hooks: HookOutcome[] }).hooks.map(({ name, outcome }) => [name, outcome])
}

describeStores('hooks around a backup', (makePlace) => {
  it('run in their order, those of the organization and of the plan, with what is known by then', async () => {
    await using app = await openHooks(makePlace)
    const [plan, other] = [await app.addPlan(), await app.addPlan({ name: 'other' })]
    const say = 'echo "$HOOK_NAME: [$BACKUP_TRIGGER] [$BACKUP_FILENAME] [$BACKUP_ERROR_CODE]"'
    await app.addHook(say, { name: 'second', moment: 'before', position: 2, planId: plan.id })
    await app.addHook(say, { name: 'first', moment: 'before', position: 1 })
    await app.addHook(say, { name: 'z', moment: 'after' })
    await app.addHook(say, { name: 'a' })
    await app.addHook('exit 1', { name: 'not mine', planId: other.id })
    await app.addHook('exit 1', { name: 'disabled', isEnabled: false })
    await app.addHook('exit 1', { name: 'of failures', moment: 'after-failure' })
    await app.set({ postBackupScript: 'echo "the script:$HOOK_NAME"' })
    const job = await app.backUp(plan)
    assert.equal(job.state, 'succeeded')
    const { key } = job.result as { key: string }
    const said = (await app.linesOf(job)).filter((line) => /^info (first|second|the script|a|z):/.test(line))
    assert.deepEqual(said, [
      'info first: [manual] [] []',
      'info second: [manual] [] []',
      'info the script:',
      `info a: [manual] [${key}] []`,
      `info z: [manual] [${key}] []`,
    ])
    const succeeded = ['first', 'second', 'post-backup script', 'a', 'z'].map((name) => [name, 'succeeded'])
    assert.deepEqual(outcomesOf(job), succeeded)
    assert.deepEqual(await app.jobsOf('run-hooks'), [])
  })

  it('leave it out where one that runs before says so: it is cancelled for that reason, and has not failed', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan({ tries: 3 })
    const seen = app.file('seen')
    await app.addHook('echo "It is Sunday."; exit 1', { name: 'a', moment: 'before', onFailure: 'skip' })
    await app.addHook(`echo ran >> '${seen}'`, { name: 'b', moment: 'before' })
    await app.addHook(`echo ran >> '${seen}'`, { name: 'c', moment: 'after' })
    const job = await app.backUp(plan)
    assert.deepEqual([job.state, job.attempt, job.error?.code], ['cancelled', 1, 'hook_skipped'])
    assert.match(job.error?.message ?? '', /“a”.*It is Sunday\./)
    assert.deepEqual(outcomesOf(job), [['a', 'failed']])
    assert.equal(existsSync(seen), false)
    assert.deepEqual(await app.snapshots(), [])
    assert.deepEqual(await app.jobsOf('sweep-volume'), [])
    assert.deepEqual((await app.standing()).lastError, null)
  })

  it('fail it before anything is dumped, once for each attempt; and behind the last one those of failures run once', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan({ tries: 2 })
    const [tried, told] = [app.file('tried'), app.file('told')]
    await app.addHook(`echo x >> '${tried}'; exit 4`, {
      name: 'quiesce',
      moment: 'before',
      onFailure: 'fail',
    })
    const tell = `echo "$BACKUP_ERROR_CODE|$BACKUP_ERROR_MESSAGE|$BACKUP_DATABASE_NAME|$BACKUP_SERVER_NAME" >> '${told}'`
    await app.addHook(tell, { name: 'tell', moment: 'after-failure', planId: plan.id })
    await app.addHook(`echo always >> '${told}'; exit 5`, {
      name: 'ever',
      moment: 'after',
      onFailure: 'fail',
    })
    const job = await app.backUp(plan)
    assert.deepEqual([job.state, job.attempt, job.error?.code], ['failed', 2, 'hook_failed'])
    assert.equal(job.error?.message, 'Hook “quiesce” has failed: its exit code is 4.')
    assert.equal(readFileSync(tried, 'utf8'), 'x\nx\n')
    assert.deepEqual(await app.snapshots(), [])
    const { standing, lastError } = await app.standing()
    assert.deepEqual([standing, lastError?.code], ['failing', 'hook_failed'])
    const expected = `always\nhook_failed|${job.error?.message}|${app.database}|shop\n`
    assert.equal(readFileSync(told, 'utf8'), expected)
    const [run, ...others] = await app.jobsOf('run-hooks')
    assert.equal(others.length, 0)
    assert.deepEqual([run?.parentId, run?.state, run?.error?.code], [job.id, 'failed', 'hook_failed'])
    assert.deepEqual(outcomesOf(run ?? job), [
      ['ever', 'failed'],
      ['tell', 'succeeded'],
    ])
  })

  it('that keep a further attempt from its work do not keep what the one before has left', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan({ tries: 3 })
    for (const onFailure of ['skip', 'fail']) {
      const hook = { name: onFailure, moment: 'before', onFailure }
      const { id } = await app.addHook('exit 1', hook)
      await app.start(plan)
      const { 'run-plan': runPlan } = jobKinds
      assert.ok(runPlan)
      await runJobs(app.context, { kinds: { 'run-plan': runPlan } })
      // As if the first attempt had been killed.
      await app.store.db.updateTable('jobs').set({ attempt: 1 }).where('kind', '=', 'backup').execute()
      await runJobs(app.context, { evenLater: true })
      const [job] = await app.jobsOf('backup')
      assert.equal(job?.error?.code, onFailure === 'skip' ? 'hook_skipped' : 'hook_failed')
      assert.equal((await app.jobsOf('sweep-volume')).length, onFailure === 'skip' ? 1 : 2)
      await app.ask('DELETE', `/api/v1/hooks/${id}`)
    }
  })

  it('that only warn, or are ignored, change nothing', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan()
    await app.addHook('exit 6', { name: 'warn', moment: 'before', onFailure: 'warn' })
    await app.addHook('exit 7', { name: 'ignore', moment: 'before', onFailure: 'ignore' })
    const job = await app.backUp(plan)
    assert.equal(job.state, 'succeeded')
    const lines = await app.linesOf(job)
    assert.ok(lines.includes('warning Hook “warn” has failed: its exit code is 6.'))
    assert.ok(lines.includes('info Hook “ignore” has failed: its exit code is 7.'))
    assert.deepEqual(outcomesOf(job), [
      ['ignore', 'failed'],
      ['warn', 'failed'],
    ])
  })

  it('fail the job behind a success, whose snapshot stays and is good', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan({ tries: 3 })
    const told = app.file('told')
    await app.addHook('exit 8', { name: 'publish', onFailure: 'fail', position: 1 })
    await app.addHook(`echo after >> '${told}'`, { name: 'after', moment: 'after', position: 2 })
    const facts = '$BACKUP_FILENAME $BACKUP_FILE_SIZE $BACKUP_CHECKSUM $BACKUP_SNAPSHOT_ID'
    await app.addHook(`echo "failure ${facts}" >> '${told}'`, { name: 'failure', moment: 'after-failure' })
    const job = await app.backUp(plan)
    assert.deepEqual([job.state, job.attempt, job.error?.code], ['failed', 1, 'hook_failed'])
    assert.match(job.error?.message ?? '', /“publish”/)
    const [snapshot, ...others] = await app.snapshots()
    assert.equal(others.length, 0)
    const { key, storedBytes, sha256, snapshotId } = job.result as Record<string, string | number>
    assert.equal(snapshotId, snapshot?.id)
    const { standing, lastError } = await app.standing()
    assert.deepEqual([standing, lastError?.code], ['failing', 'hook_failed'])
    const expected = `after\nfailure ${key} ${storedBytes} ${sha256} ${snapshotId}\n`
    assert.equal(readFileSync(told, 'utf8'), expected, 'each of them once')
    await app.ask('DELETE', `/api/v1/hooks/${(await app.ask('GET', '/api/v1/hooks')).json().items[2].id}`)
    assert.equal((await app.backUp(plan)).state, 'succeeded')
    assert.equal((await app.standing()).standing, 'protected')
  })

  it('run once where the plan could not even begin, and not at all where somebody has cancelled it', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan()
    const told = app.file('told')
    await app.addHook(`echo "[$BACKUP_DATABASE_NAME] $BACKUP_SERVER_NAME $BACKUP_ERROR_CODE" >> '${told}'`, {
      moment: 'after-failure',
    })
    rmSync(app.database)
    await app.start(plan)
    await runJobs(app.context, { evenLater: true })
    assert.match(readFileSync(told, 'utf8'), /^\[\] shop [a-z_]+\n$/)
    await app.start(plan)
    const [waiting] = await app.jobsOf('run-plan')
    await app.ask('POST', `/api/v1/jobs/${waiting?.id}/cancel`)
    await runJobs(app.context, { evenLater: true })
    assert.equal((await app.jobsOf('run-hooks')).length, 1)
  })

  it('are ended when their time is over, and that is their failure alone', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan()
    await app.addHook('echo begun; sleep 9999', { timeoutSeconds: 1 })
    const job = await app.backUp(plan)
    assert.equal(job.state, 'succeeded')
    const lines = await app.linesOf(job)
    assert.ok(lines.includes('info begun'))
    assert.ok(lines.includes('warning Hook “hook” has failed: it took longer than 1 second, and was ended.'))
  })

  it('call a URL with what they know, signed so that the receiver can verify it', async () => {
    await using receiver = await startHttpReceiver(() => ({
      status: 202,
      body: 'thank you, canary-token\nmore',
    }))
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan()
    const secret = 'a shared secret'
    const settings = { url: `${receiver.origin}/hook`, secret, headers: { 'x-token': 'canary-token' } }
    const { id } = await app.addHook('', { name: 'tell', kind: 'http', settings })
    const job = await app.backUp(plan)
    const [request, ...others] = receiver.received
    assert.ok(request)
    assert.equal(others.length, 0)
    assert.deepEqual([request.method, request.path], ['POST', '/hook'])
    assert.equal(request.headers['x-token'], 'canary-token')
    const signed = {
      timestamp: String(request.headers['x-holdfast-timestamp']),
      signature: String(request.headers['x-holdfast-signature']),
    }
    assert.equal(verify(secret, request.body, signed, Date.now() / 1000), true)
    assert.equal(verify('another secret', request.body, signed, Date.now() / 1000), false)
    const { hook, around, moment, facts } = JSON.parse(request.body)
    assert.deepEqual([hook, around, moment], ['tell', 'backup', 'after-success'])
    assert.equal(facts.BACKUP_SNAPSHOT_ID, (job.result as { snapshotId: string }).snapshotId)
    assert.equal(facts.BACKUP_ERROR_CODE, '')
    const host = receiver.origin.slice('http://'.length)
    assert.ok((await app.linesOf(job)).includes(`info ${host} answered with status 202: “thank you, ***”.`))

    receiver.answer(() => ({ status: 500, body: 'no\n' }))
    const warned = await app.backUp(plan)
    assert.equal(warned.state, 'succeeded')
    assert.match(
      await app.logOf(warned.id),
      /warning +Hook “tell” has failed: \S+ answered with status 500: “no”\./,
    )
    const metadata = { url: 'http://169.254.169.254/latest', method: 'PUT', secret: 'another secret' }
    const moved = await app.ask('PATCH', `/api/v1/hooks/${id}`, { settings: metadata })
    assert.equal(moved.statusCode, 200, moved.body)
    assert.match(await app.logOf((await app.backUp(plan)).id), /warning +Hook “tell” has failed: .*169\.254/)
  })

  it('run SQL in the database', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan()
    const sql = `insert into orders values (1000, 'hook')`
    await app.addHook('', {
      name: 'mark',
      kind: 'sql',
      moment: 'before',
      settings: { sql },
      onFailure: 'fail',
    })
    assert.equal((await app.backUp(plan)).state, 'succeeded')
    const database = new DatabaseSync(app.database, { readOnly: true })
    assert.equal(database.prepare('select email from orders where id = 1000').get()?.['email'], 'hook')
    database.close()
    const again = await app.backUp(plan)
    assert.equal(again.state, 'failed')
    assert.match(again.error?.message ?? '', /^Hook “mark” has failed: The SQL of “mark” failed: .*UNIQUE/)
  })

  it('cannot keep it from its work by settings that nobody can read any more', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan()
    const settings = { url: 'http://127.0.0.1:1', secret: 'a shared secret' }
    await app.addHook('', { name: 'broken', kind: 'http', settings, onFailure: 'ignore' })
    await app.store.db
      .updateTable('hooks')
      .set({ settings: JSON.stringify({ ...settings, secret: 'x' }) })
      .execute()
    await app.set({ postBackupScript: 'echo said' })
    const { content } = await app.store.db
      .selectFrom('instanceSettings')
      .select('content')
      .executeTakeFirstOrThrow()
    const smtp = { host: 'mail.example.com', password: 'x', from: 'a@example.com' }
    await app.store.db
      .updateTable('instanceSettings')
      .set({ content: JSON.stringify({ ...(JSON.parse(content) as object), smtp }) })
      .execute()
    const job = await app.backUp(plan)
    assert.equal(job.state, 'succeeded')
    assert.deepEqual(outcomesOf(job), [
      ['post-backup script', 'succeeded'],
      ['broken', 'failed'],
    ])
  })
})

describeStores('hooks around a restore', (makePlace) => {
  const skip = skipUnless('postgres15')
  let server: PostgresServer
  before(async () => {
    if (!skip) server = await startPostgres({ major: 15 })
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  it('run before it and behind it, and SQL in what was restored', { skip }, async () => {
    await using app = await openHooks(makePlace)
    await server.query('create database source')
    await server.query(['create table notes (t text)', `insert into notes values ('a')`], 'source')
    const { host, port, user, password } = server
    const serverId = await app.addServer('pg', 'postgresql', { host, port, user, password })
    const snapshotId = await app.takeSnapshot(serverId, 'source')
    const common = { around: 'restore' }
    await app.addHook(
      'echo "into $RESTORE_DATABASE_NAME of $RESTORE_SERVER_NAME, was $RESTORE_SOURCE_DATABASE"',
      {
        ...common,
        name: 'announce',
        moment: 'before',
      },
    )
    const sql = `insert into notes values ('by the hook')`
    await app.addHook('', { ...common, name: 'mark', kind: 'sql', settings: { sql } })
    const restored = await app.restore({ snapshotId, serverId, database: 'target' })
    assert.equal(restored.state, 'succeeded', JSON.stringify(restored.error))
    assert.deepEqual(
      restored.hooks.map(({ name, outcome }) => [name, outcome]),
      [
        ['announce', 'succeeded'],
        ['mark', 'succeeded'],
      ],
    )
    assert.match(await app.logOf(restored.id), /into target of pg, was source/)
    const rows = await server.query('select t from notes order by t', 'target')
    assert.deepEqual(
      rows.map(({ t }) => t),
      ['a', 'by the hook'],
    )
  })

  it('leave it out, or fail it, before anything is changed', async () => {
    await using app = await openHooks(makePlace)
    const snapshotId = await app.takeSnapshot(app.shop, app.database)
    const target = app.file('target.db')
    const order = { snapshotId, serverId: app.shop, database: target }
    const { id } = await app.addHook('echo not now; exit 1', {
      around: 'restore',
      moment: 'before',
      onFailure: 'skip',
    })
    const told = app.file('told')
    await app.addHook(
      `echo "$RESTORE_ERROR_CODE $RESTORE_SOURCE_DATABASE $RESTORE_DATABASE_NAME" > '${told}'`,
      {
        name: 'tell',
        around: 'restore',
        moment: 'after-failure',
      },
    )
    const skipped = await app.restore(order)
    assert.deepEqual([skipped.state, skipped.error?.code], ['cancelled', 'hook_skipped'])
    assert.match(skipped.error?.message ?? '', /not now/)
    assert.deepEqual([skipped.result, skipped.hooks.map(({ outcome }) => outcome)], [null, ['failed']])
    assert.equal(existsSync(told), false)
    await app.ask('PATCH', `/api/v1/hooks/${id}`, { onFailure: 'fail' })
    const failed = await app.restore(order)
    assert.deepEqual([failed.state, failed.error?.code], ['failed', 'hook_failed'])
    assert.equal(existsSync(target), false)
    assert.equal(readFileSync(told, 'utf8'), `hook_failed ${app.database} ${target}\n`)
    assert.deepEqual(await app.tidying(), [])
  })

  it('fail the job behind a success, and what was restored is there', async () => {
    await using app = await openHooks(makePlace)
    const snapshotId = await app.takeSnapshot(app.shop, app.database)
    await app.addHook('exit 1', { around: 'restore', onFailure: 'fail' })
    const target = app.file('target.db')
    writeFileSync(app.file('nothing'), '')
    const failed = await app.restore({ snapshotId, serverId: app.shop, database: target })
    assert.deepEqual([failed.state, failed.error?.code], ['failed', 'hook_failed'])
    assert.deepEqual(failed.result?.rows, { tables: 1, rows: 3 })
    assert.ok(existsSync(target))
  })
})
