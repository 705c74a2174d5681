import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startApp } from './app.ts'
import { type Desk, openDesk } from './cli.ts'

describe('holdfast hooks, and the scripts of the installation', () => {
  let desk: Desk
  before(async () => (desk = await openDesk()))
  after(() => desk[Symbol.asyncDispose]())

  it('are read from files, and no secret is shown', async () => {
    const data = join(desk.folder.path, 'data')
    await using app = await startApp(data)
    assert.ok(app.isUp, app.said())
    const env = { HOLDFAST_DATA_DIR: data, HOLDFAST_URL: app.url, HOLDFAST_TOKEN: app.token ?? '' }
    const run = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await desk.run([...args, '--json'], { env })
      assert.equal(exitCode, 0, stderr + stdout)
      return JSON.parse(stdout) as Record<string, unknown>
    }
    const file = async (name: string, text: string) => {
      const path = join(desk.folder.path, name)
      await writeFile(path, text)
      return path
    }
    const script = await file('script.sh', 'echo "$BACKUP_DATABASE_NAME"\n')
    const set = ['settings', 'instance', 'set', 'scriptTimeoutMinutes=5', '--post-backup-script-file', script]
    const settings = await run(...set)
    assert.equal(settings['postBackupScript'], 'echo "$BACKUP_DATABASE_NAME"\n')
    assert.equal(settings['scriptTimeoutMinutes'], 5)

    const secret = await file('secret', 'canary of mine\n')
    const common = ['hooks', 'add', '--moment', 'after', '--name']
    const added = await run(...common, 'tell', '--url', 'https://hooks.example.com/', '--secret-file', secret)
    assert.deepEqual(added['settings'], {
      url: 'https://hooks.example.com/',
      method: 'POST',
      headers: {},
      secret: 'cana****',
    })
    const both = [...common, 'both', '--script-file', script, '--sql-file', script]
    assert.equal((await desk.run(both, { env })).exitCode, 2)
    const { items } = await run('hooks', 'ls')
    assert.deepEqual(
      (items as { name: string }[]).map(({ name }) => name),
      ['tell'],
    )
    assert.deepEqual(await run('hooks', 'rm', 'tell'), { deleted: added['id'] })
  })
})
