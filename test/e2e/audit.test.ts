import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, it } from 'node:test'
import { connect } from '../../src/client/client.ts'
import { describeAtLength } from '../servers/share.ts'
import { startApp } from './app.ts'
import { type Desk, openDesk } from './cli.ts'

const shop = {
  name: 'shop',
  engine: 'postgresql',
  connection: { host: '127.0.0.1', port: 1, user: 'backup', password: 'canary-password-1234' },
}

describeAtLength('holdfast audit', () => {
  let desk: Desk
  before(async () => (desk = await openDesk()))
  after(() => desk[Symbol.asyncDispose]())

  it('lists, exports and verifies what was done over the API and at the command line', async () => {
    const data = join(desk.folder.path, 'data')
    let head: string
    {
      await using app = await startApp(data)
      assert.ok(app.isUp, app.said())
      const env = { HOLDFAST_DATA_DIR: data, HOLDFAST_PORT: app.port }
      const token = (await desk.run(['token', 'create', '--name', 'ci'], { env })).stdout.trim()
      await connect({ url: app.url, token }).ask('POST /api/v1/servers', { body: shop })

      const listed = await desk.run(['audit', 'list', '--action', 'server'], { env })
      assert.equal(listed.exitCode, 0, listed.stderr)
      assert.match(listed.stdout, /ci +127\.0\.0\.1 +server\.add +shop +succeeded/)
      const made = await desk.run(['audit', 'ls', '--action', 'token.add', '--json'], { env })
      const { items } = JSON.parse(made.stdout)
      assert.deepEqual(
        items.map(({ actor, target }: { actor: { kind: string }; target: { name: string } }) => [
          actor.kind,
          target.name,
        ]),
        [['command-line', 'ci']],
      )

      const file = join(desk.folder.path, 'audit.csv')
      const exported = await desk.run(['audit', 'export', '--as', 'csv', '--output', file], { env })
      assert.equal(exported.exitCode, 0, exported.stderr)
      assert.match(await readFile(file, 'utf8'), /,server\.add,succeeded,token,/)
      const lines = await desk.run(['audit', 'export', '--instance'], { env })
      const actions = lines.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).action)
      assert.ok(actions.includes('app.migrate') && actions.includes('server.add'))

      const verified = await desk.run(['audit', 'verify'], { env })
      assert.equal(verified.exitCode, 0, verified.stderr)
      assert.match(verified.stdout, /The audit log is intact: \d+ entries/)
      head = /\d+:[0-9a-f]{64}/.exec(verified.stdout)?.[0] ?? assert.fail(verified.stdout)
    }
    const env = { HOLDFAST_DATA_DIR: data }
    assert.equal((await desk.run(['audit', 'verify', '--expect', head], { env })).exitCode, 0)
    const other = head.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    assert.equal((await desk.run(['audit', 'verify', '--expect', other], { env })).exitCode, 5)
    assert.equal((await desk.run(['audit', 'verify', '--expect', 'x'], { env })).exitCode, 2)

    using store = new DatabaseSync(join(data, 'holdfast.db'))
    store.exec(`update audit_entries set address = '192.0.2.1' where action = 'server.add'`)
    const { number } = store
      .prepare(`select number from audit_entries where action = 'server.add'`)
      .get() as { number: number }
    const broken = await desk.run(['audit', 'verify'], { env })
    assert.equal(broken.exitCode, 5)
    assert.match(broken.stderr, new RegExp(`does not fit at entry ${number}\\.`))
    const json = await desk.run(['audit', 'verify', '--json'], { env })
    assert.equal(json.exitCode, 5)
    assert.equal(JSON.parse(json.stdout).fault.number, number)
  })
})
