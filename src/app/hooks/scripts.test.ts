import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { startHttpReceiver } from '../../../test/servers/http-receiver.ts'
import { hookVariables } from '../../shared/hooks.ts'
import { describeStores } from '../../store/test-bed.ts'
import { fillFile } from '../restores/test-bed.ts'
import { openHooks, scriptInGuide } from './test-bed.ts'

const heading = {
  webhook: 'Tell a webhook',
  byServer: 'Do one thing for one server, and another for the others',
  all: 'See all that there is',
  restored: 'Tell people of a restore',
}

describeStores('the scripts of the installation', (makePlace) => {
  it('of the guide do what it says of them', async () => {
    await using receiver = await startHttpReceiver(() => ({ status: 204 }))
    await using app = await openHooks(makePlace)
    // A name that needs all quotes that there are.
    const odd = app.file(`it's "my" & shop.db`)
    fillFile(odd, 2)
    const serverId = await app.addServer('odd "one"', 'sqlite', { path: odd })
    const plan = await app.addPlan({ serverId, name: 'odd' })

    const webhook = await scriptInGuide(heading.webhook)
    await app.set({ postBackupScript: webhook.replace('https://hooks.example.com', receiver.origin) })
    const told = await app.backUp(plan)
    assert.equal(told.state, 'succeeded')
    const result = told.result as Record<string, string | number>
    const form = new URLSearchParams(receiver.received[0]?.body)
    assert.deepEqual(Object.fromEntries(form), {
      database: odd,
      file: result['key'],
      bytes: String(result['storedBytes']),
    })
    assert.equal(receiver.received[0]?.path, '/backups')

    const byServer = await scriptInGuide(heading.byServer)
    const chosen = byServer.replace('01980000-0000-7000-8000-000000000001', serverId)
    await app.set({ postBackupScript: chosen })
    const first = await app.backUp(plan)
    const key = (first.result as { key: string }).key
    assert.ok((await app.linesOf(first)).includes(`info The shop is safe: ${key} on first`))
    await app.set({ postBackupScript: byServer })
    assert.ok((await app.linesOf(await app.backUp(plan))).includes('info odd "one" needs nothing else'))

    await app.set({ postBackupScript: await scriptInGuide(heading.all) })
    const shown = await app.backUp(plan, { comment: 'x' })
    const { snapshotId, sha256, storedBytes, key: file } = shown.result as Record<string, string>
    const lines = await app.linesOf(shown)
    const values = {
      BACKUP_SERVER_ID: serverId,
      BACKUP_SERVER_NAME: 'odd "one"',
      BACKUP_DATABASE_NAME: odd,
      BACKUP_DATABASE_TYPE: 'sqlite',
      BACKUP_FILENAME: file,
      BACKUP_FILE_SIZE: String(storedBytes),
      BACKUP_CHECKSUM: sha256,
      BACKUP_VOLUME_NAME: 'first',
      BACKUP_SNAPSHOT_ID: snapshotId,
      BACKUP_TRIGGER: 'manual',
      BACKUP_VERSION: '',
    }
    for (const [name, value] of Object.entries(values)) {
      assert.ok(lines.includes(`info ${name}=${value}`), `${name} in ${lines.join('\n')}`)
    }
    const known = Object.keys(values)
    assert.deepEqual(
      lines.flatMap((line) => /^info (BACKUP_\w+|HOOK_\w+)=/.exec(line)?.[1] ?? []),
      known.toSorted(),
    )

    const restored = await scriptInGuide(heading.restored)
    await app.set({ postRestoreScript: restored.replace('https://ntfy.example.com', receiver.origin) })
    const target = app.file('restored.db')
    const restore = await app.restore({ snapshotId, serverId: app.shop, database: target })
    assert.equal(restore.state, 'succeeded', JSON.stringify(restore.error))
    assert.equal(
      receiver.received.at(-1)?.body,
      `${odd} was restored into ${target} on shop, from ${file} on first.`,
    )
  })

  it('get all volumes, the version and the trigger of a release, and are in the result of the job', async () => {
    await using app = await openHooks(makePlace)
    const second = await app.addVolume('second')
    const plan = await app.addPlan({ volumes: [{ id: app.volumeId }, { id: second }] })
    await app.set({ postBackupScript: 'echo "$BACKUP_VOLUME_NAME $BACKUP_VERSION $BACKUP_TRIGGER"' })
    const job = await app.backUp(plan, { trigger: 'migration', version: '7.1' })
    assert.ok((await app.linesOf(job)).includes('info first,second 7.1 migration'))
    const { hooks } = job.result as { hooks: { name: string; outcome: string }[] }
    assert.deepEqual(
      hooks.map(({ name, outcome }) => [name, outcome]),
      [['post-backup script', 'succeeded']],
    )
  })

  it('that fail leave a warning and all that they have said, and the backup as it is', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan({ tries: 3 })
    await app.set({ postBackupScript: 'echo one\r\necho two >&2\r\necho three\r\nexit 3\r\n' })
    const job = await app.backUp(plan)
    assert.deepEqual([job.state, job.attempt, job.error], ['succeeded', 1, null])
    assert.equal((await app.snapshots()).length, 1)
    assert.equal((await app.standing()).standing, 'protected')
    const lines = await app.linesOf(job)
    const at = lines.indexOf('info one')
    assert.deepEqual(lines.slice(at, at + 4), [
      'info one',
      'info two',
      'info three',
      'warning Hook “post-backup script” has failed: its exit code is 3, its last words “three”.',
    ])

    const script = `echo "into $RESTORE_DATABASE_NAME"; exit 1`
    await app.set({ postBackupScript: null, postRestoreScript: script })
    const [snapshot] = await app.snapshots()
    const target = app.file('target.db')
    const order = { snapshotId: snapshot?.id, serverId: app.shop, database: target }
    const restore = await app.restore(order)
    assert.equal(restore.state, 'succeeded')
    assert.ok(existsSync(target))
    assert.equal(restore.hooks[0]?.outcome, 'failed')
    assert.match(await app.logOf(restore.id), /warning +Hook “post-restore script” has failed/)
  })

  it('are not run behind what has failed, and are not there when they are empty', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan({ databases: { mode: 'selected', names: [app.database] } })
    const seen = app.file('seen')
    await app.set({ postBackupScript: `echo x >> '${seen}'` })
    writeFileSync(app.database, 'no database at all, but long enough to be looked at as one')
    const job = await app.backUp(plan)
    assert.equal(job.state, 'failed')
    assert.equal(existsSync(seen), false)
  })

  it('have 10 000 characters at most', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan()
    const script = `echo said\n#${'x'.repeat(10_000 - 11)}`
    assert.equal(script.length, 10_000)
    await app.set({ postBackupScript: script })
    assert.ok((await app.linesOf(await app.backUp(plan))).includes('info said'))
    const refused = await app.ask('PATCH', '/api/v1/instance-settings', { postBackupScript: `${script}x` })
    assert.equal(refused.statusCode, 400)
  })

  it('and all that they get to know are listed by the API, and told by the guide', async () => {
    await using app = await openHooks(makePlace)
    const { items } = (await app.ask('GET', '/api/v1/hook-variables')).json()
    assert.deepEqual(items, hookVariables)
    const { readFile } = await import('node:fs/promises')
    const guide = await readFile(new URL('../../../docs/guide/hooks.md', import.meta.url), 'utf8')
    const untold = hookVariables.filter(({ name }) => !guide.includes(`\`${name}\``))
    assert.deepEqual(untold, [])
  })
})
