import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { tempFolder } from '../servers/temp-folder.ts'
import { startApp } from './app.ts'

const start = (dataDirectory: string, env: Record<string, string> = {}) => startApp(dataDirectory, { env })

describe('holdfast serve', () => {
  it('starts with nothing, tells how the first account is made, answers, and stops in order', async () => {
    await using folder = await tempFolder('serve')
    const data = join(folder.path, 'data')
    let token: string
    let former: string
    {
      await using app = await start(data)
      assert.ok(app.isUp, app.said())
      assert.ok(app.token && app.setupToken)
      token = app.token
      former = app.setupToken
      assert.doesNotMatch(app.said(), /hf_/, 'tokens of programs are told to nobody')
      assert.match(app.said(), /A new APP_KEY was made/)
      assert.match(app.said(), /^\{.*"msg":"Server listening/m, 'to programs the log speaks JSON')
      assert.deepEqual(await (await fetch(`${app.url}/health/ready`)).json(), { status: 'ok' })
      const { exitCode, stderr } = await app.stop()
      assert.equal(exitCode, 0)
      assert.doesNotMatch(stderr, /warning/i)
    }
    for (const name of ['app.key', 'holdfast.db']) {
      assert.equal((await stat(join(data, name))).mode & 0o777, 0o600, name)
    }
    await using again = await start(data, { LOG_FORMAT: 'pretty' })
    assert.ok(again.isUp, again.said())
    assert.match(again.said(), /^\S+Z INFO {2}Server listening/m)
    assert.equal(again.token, token)
    assert.ok(again.setupToken !== undefined && again.setupToken !== former, 'a new one at each start')
    assert.doesNotMatch(again.said(), /APP_KEY/)
    const authorization = `Bearer ${token}`
    const response = await fetch(`${again.url}/api/v1/no-such-thing`, { headers: { authorization } })
    assert.equal(response.status, 404, 'the token of the first start is still valid')
  })

  it('is refused while another one runs on the same data, and not after that one was killed', async () => {
    await using folder = await tempFolder('serve')
    const data = join(folder.path, 'data')
    await using first = await start(data)
    assert.ok(first.isUp, first.said())
    {
      await using second = await start(data)
      assert.equal(second.isUp, false)
      assert.equal((await second.ended).exitCode, 1)
      assert.match(second.said(), /Another Holdfast \(process \d+\) is running/)
    }
    await first.stop('SIGKILL')
    await using third = await start(data)
    assert.ok(third.isUp, third.said())
  })

  it('refuses a port that is taken, an environment that is wrong, and data of a newer release', async () => {
    await using folder = await tempFolder('serve')
    const data = join(folder.path, 'data')
    await using first = await start(data)
    assert.ok(first.isUp, first.said())
    {
      await using other = await start(join(folder.path, 'other'), { HOLDFAST_PORT: first.port })
      assert.equal((await other.ended).exitCode, 2)
      assert.match(other.said(), /something else listens there/)
    }
    {
      await using wrong = await start(data, { HOLDFAST_TIMEZONE: 'Mars/Olympus', LOG_LEVEL: 'loud' })
      assert.equal((await wrong.ended).exitCode, 2)
      assert.match(wrong.said(), /HOLDFAST_TIMEZONE/)
      assert.match(wrong.said(), /LOG_LEVEL/)
    }
    await first.stop()
    const database = new DatabaseSync(join(data, 'holdfast.db'))
    database.exec(`insert into migrations values (9999, 'of tomorrow', 0)`)
    database.close()
    await using older = await start(data)
    assert.equal((await older.ended).exitCode, 2)
    assert.match(older.said(), /schema 9999/)
  })

  it('does not start, and makes no other key, when its key is lost', async () => {
    await using folder = await tempFolder('serve')
    const data = join(folder.path, 'data')
    {
      await using app = await start(data)
      assert.ok(app.isUp, app.said())
      await app.stop()
    }
    const { rename } = await import('node:fs/promises')
    await rename(join(data, 'app.key'), join(folder.path, 'kept.key'))
    {
      await using app = await start(data)
      assert.equal((await app.ended).exitCode, 2)
      assert.match(app.said(), /Put the file back, or set APP_KEY/)
    }
    assert.ok(!(await readdir(data)).includes('app.key'))
    await rename(join(folder.path, 'kept.key'), join(data, 'app.key'))
    await using back = await start(data)
    assert.ok(back.isUp, back.said())
  })

  it('is refused where others can read its key', async () => {
    await using folder = await tempFolder('serve')
    const data = join(folder.path, 'data')
    await mkdir(data)
    {
      await using app = await start(data)
      assert.ok(app.isUp, app.said())
      await app.stop()
    }
    await chmod(join(data, 'app.key'), 0o644)
    await using app = await start(data)
    assert.equal((await app.ended).exitCode, 2)
  })
})
