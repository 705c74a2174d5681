import assert from 'node:assert/strict'
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type TempFolder, tempFolder } from '../../test/servers/temp-folder.ts'
import { connect } from '../client/client.ts'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { openStore } from '../store/database.ts'
import { leaseHolder, releaseLease, takeLease } from '../store/lease.ts'
import { describeBothStores } from '../store/test-bed.ts'
import { readConfiguration } from './configuration.ts'
import { moveStore } from './move-store.ts'
import { type RunningApp, serve } from './serve.ts'
import { readTokenFile } from './token-file.ts'

const { signal } = new AbortController()
const shop = {
  name: 'shop',
  engine: 'postgresql',
  connection: { host: '127.0.0.1', port: 1, user: 'backup', password: 'canary-password-1234' },
}

function has(code: ErrorCode, message = /./) {
  return (error: unknown) => error instanceof AppError && error.code === code && message.test(error.message)
}

describeBothStores('the app’s store is moved', (makePlace) => {
  let folder: TempFolder
  let count = 0
  before(async () => (folder = await tempFolder('moving')))
  after(() => folder[Symbol.asyncDispose]())

  /** A data directory with nothing in it, and what the environment says of its store. */
  const directory = async () => {
    const path = join(folder.path, String(++count))
    await mkdir(path, { mode: 0o700 })
    return path
  }
  const configurationOf = (dataDirectory: string, store: { path: string } | { url: string }) =>
    readConfiguration({
      HOLDFAST_DATA_DIR: dataDirectory,
      HOLDFAST_PORT: '0',
      LOG_LEVEL: 'fatal',
      ...('url' in store && { DATABASE_URL: store.url }),
    }).configuration
  /** A store of the suite’s engine for an app with this data directory. */
  const place = async (dataDirectory: string) => {
    const made = await makePlace()
    if (made.engine === 'sqlite') return { path: join(dataDirectory, 'holdfast.db') }
    await (await made.open())[Symbol.asyncDispose]()
    return made.place
  }
  const targetOf = (place: { path: string } | { url: string }) => ('url' in place ? place.url : place.path)

  it('with all that it knows, and comes back', async () => {
    const home = await directory()
    const other = await directory()
    const [source, target] = [{ path: join(home, 'holdfast.db') }, await place(other)]
    let token = ''
    {
      await using app = await serve(configurationOf(home, source))
      token = (await readTokenFile(home)) ?? assert.fail()
      const client = connect({ url: app.url ?? '', token })
      await client.ask('POST /api/v1/servers', { body: shop })
    }
    const moved = await moveStore(configurationOf(home, source), targetOf(target), signal)
    assert.ok(moved.tables.some(({ table, rows }) => table === 'servers' && rows === 1))
    assert.doesNotMatch(JSON.stringify(moved), /postgres:\/\/[^/]*:[^/]*@/)

    const dataDirectory = 'url' in target ? home : other
    if (dataDirectory === other) {
      await copyFile(join(home, 'app.key'), join(other, 'app.key'))
    }
    const check = async (configuration: ReturnType<typeof configurationOf>) => {
      await using app = await serve(configuration)
      const client = connect({ url: app.url ?? '', token })
      const { items } = (await client.ask('GET /api/v1/servers')).body
      assert.deepEqual(items[0]?.connection['password'], 'cana****', 'the secret is opened')
    }
    const configuration = configurationOf(dataDirectory, target)
    await check(configuration)

    const last = await directory()
    const back = await moveStore(configuration, last, signal)
    assert.equal(back.to, join(last, 'holdfast.db'), 'in a folder it gets the name that the app looks for')
    await copyFile(join(home, 'app.key'), join(last, 'app.key'))
    await check(configurationOf(last, { path: back.to }))
  })

  it('not while an app works with it', async () => {
    const home = await directory()
    const configuration = configurationOf(home, await place(home))
    const target = await directory()
    {
      await using app = await serve(configuration)
      await using store = await openStore(configuration.store)
      if (store.engine === 'sqlite') {
        // As from another process: this one may take what it has.
        await app[Symbol.asyncDispose]()
        assert.ok(await takeLease(store, 'app', 'another', 60_000))
      }
      await assert.rejects(moveStore(configuration, target, signal), has('store_in_use'))
      assert.deepEqual(await readdir(target), [])
      await releaseLease(store, 'app', 'another')
    }
    await moveStore(configuration, target, signal)
    // And the app starts again where it was.
    await using app = await serve(configuration)
    assert.deepEqual(app.warnings, [])
  })

  it('not if an app is started meanwhile, which waits where it can', async () => {
    const home = await directory()
    const configuration = configurationOf(home, await place(home))
    await (await serve(configuration))[Symbol.asyncDispose]()
    const target = await directory()
    let app: Promise<RunningApp> | undefined
    let isStarted = false
    const start = async () => {
      await using store = await openStore(configuration.store)
      if (store.engine === 'sqlite') {
        // As from another process, while this one was held up.
        await releaseLease(store, 'app', (await leaseHolder(store, 'app')) ?? '')
        assert.ok((isStarted = await takeLease(store, 'app', 'another', 60_000)))
        return
      }
      app = serve(configuration)
      while ((await store.otherSessions()) < 2) await sleep(10)
      assert.equal(await Promise.race([app, sleep(200, 'it waits')]), 'it waits')
      isStarted = true
    }
    const moving = moveStore(configuration, target, signal, () => (isStarted ? undefined : start()))
    await assert.rejects(moving, has('store_in_use'))
    assert.ok(isStarted)
    assert.deepEqual(await readdir(target), [])
    await (await app)?.[Symbol.asyncDispose]()
  })

  it('not to where something is, nor into itself', async () => {
    const home = await directory()
    const configuration = configurationOf(home, await place(home))
    await (await serve(configuration))[Symbol.asyncDispose]()
    await assert.rejects(moveStore(configuration, targetOf(configuration.store), signal), (error) =>
      'path' in configuration.store
        ? has('invalid_input', /already/)(error)
        : has('object_exists')(error) || has('store_in_use')(error),
    )
    const taken = await directory()
    const other = configurationOf(taken, { path: join(taken, 'holdfast.db') })
    await (await serve(other))[Symbol.asyncDispose]()
    await assert.rejects(moveStore(configuration, taken, signal), has('object_exists'))
    await assert.rejects(moveStore(configuration, 'mysql://db.example/x', signal), has('invalid_input'))
    const none = join(folder.path, 'no', 'folder', 'holdfast.db')
    await assert.rejects(moveStore(configuration, none, signal), has('store_unavailable'))
    const canary = 'postgres://holdfast:canary@127.0.0.1:1/x'
    await assert.rejects(
      moveStore(configuration, canary, signal),
      (error: AppError) => has('store_unavailable')(error) && !/canary/.test(`${error.message}${error.hint}`),
    )
  })

  it('and nothing is left where it could not be moved to', async () => {
    const home = await directory()
    const configuration = configurationOf(home, await place(home))
    await (await serve(configuration))[Symbol.asyncDispose]()
    const target = await directory()
    const stop = new AbortController()
    const moving = moveStore(configuration, target, stop.signal, () => stop.abort(new Error('enough')))
    await assert.rejects(moving, /enough/)
    assert.deepEqual(await readdir(target), [])
  })

  it('only if there is one', async () => {
    const home = await directory()
    const configuration = configurationOf(home, await place(home))
    const target = await directory()
    await assert.rejects(moveStore(configuration, target, signal), has('not_found'))
    assert.deepEqual(await readdir(home), [], 'nothing is made where nothing was')
    if (!('path' in configuration.store)) return
    await writeFile(configuration.store.path, '')
    await using store = await openStore(configuration.store)
    await assert.rejects(moveStore(configuration, target, signal), has('not_found'))
    assert.deepEqual(await store.db.introspection.getTables(), [])
  })
})
