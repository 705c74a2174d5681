import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { startTcpProxy } from '../../test/servers/tcp-proxy.ts'
import { tempFolder } from '../../test/servers/temp-folder.ts'
import { openStore, type Store } from './database.ts'
import { migrate, readMigrations, type Migration } from './migrate.ts'
import { openPostgresqlStore } from './postgresql.ts'
import { describeOnPostgresql, describeBothStores } from './test-bed.ts'

const first = await readMigrations()

describeBothStores('the store', (makePlace) => {
  it('gets its tables once, whoever asks how often', async () => {
    const place = await makePlace()
    await using store = await place.open()
    assert.deepEqual(
      await migrate(store),
      first.map(({ number }) => number),
    )
    assert.deepEqual(await migrate(store), [])
    await using again = await place.open()
    assert.deepEqual(await migrate(again), [])
  })

  it('is migrated by one of several that try at the same time', async () => {
    const place = await makePlace()
    const done = await Promise.all(
      Array.from({ length: 4 }, async () => {
        await using store = await place.open()
        return await migrate(store)
      }),
    )
    assert.deepEqual(
      done.flat(),
      first.map(({ number }) => number),
    )
  })

  it('is as it was before when a migration fails half-way', async () => {
    await using store = await (await makePlace()).openMigrated()
    const broken: Migration = {
      number: first.length + 1,
      name: 'broken',
      statements: ['create table half (id {integer}) {strict}', 'create tabel other (id text)'],
    }
    await assert.rejects(migrate(store, { migrations: [...first, broken] }))
    await assert.rejects(sql`select * from half`.execute(store.db))
    assert.deepEqual(await migrate(store), [])
  })

  it('lets an app backup be made before it changes, and does not change without', async () => {
    await using store = await (await makePlace()).openMigrated()
    const next: Migration = {
      number: first.length + 1,
      name: 'next',
      statements: ['create table more (id text primary key) {strict}'],
    }
    const migrations = [...first, next]
    const failing = async () => {
      throw new Error('The disk is full.')
    }
    await assert.rejects(migrate(store, { migrations, before: failing }), /The disk is full/)
    await assert.rejects(sql`select * from more`.execute(store.db))
    const seen: number[][] = []
    await migrate(store, { migrations, before: async (from, to) => void seen.push([from, to]) })
    assert.deepEqual(seen, [[first.length, first.length + 1]])
  })

  it('asks for no backup of what is new and empty', async () => {
    await using store = await (await makePlace()).open()
    await migrate(store, { before: () => assert.fail('There is nothing to be backed up.') })
  })

  it('refuses a schema that only a newer release knows', async () => {
    await using store = await (await makePlace()).openMigrated()
    await assert.rejects(migrate(store, { migrations: [] }), { code: 'store_newer' })
  })

  it('keeps a transaction’s changes together, and apart from everybody else’s', async () => {
    await using store = await (await makePlace()).openMigrated()
    const organization = (id: string) => ({ id, name: id, createdAt: store.now })
    const count = async () => (await store.db.selectFrom('organizations').select('id').execute()).length
    await assert.rejects(
      store.db.transaction().execute(async (trx) => {
        await trx.insertInto('organizations').values(organization('a')).execute()
        throw new Error('never mind')
      }),
      /never mind/,
    )
    assert.equal(await count(), 0)
    let counted: Promise<number> | undefined
    await store.db.transaction().execute(async (trx) => {
      await trx.insertInto('organizations').values(organization('b')).execute()
      counted = count()
      await new Promise((resolve) => setTimeout(resolve, 50))
      await sql`savepoint x`.execute(trx)
      await trx.insertInto('organizations').values(organization('c')).execute()
      await sql`rollback to savepoint x`.execute(trx)
    })
    const seen = await counted
    assert.ok(seen === 0 || seen === 1, `half a transaction was seen: ${seen}`)
    assert.equal(await count(), 1)
  })

  it('counts increments of many transactions at once, each of them', async () => {
    const place = await makePlace()
    const stores = await Promise.all(Array.from({ length: 3 }, () => place.open()))
    const [one] = stores
    assert.ok(one)
    await migrate(one)
    await one.db.insertInto('resources').values({ name: 'counter', capacity: 1 }).execute()
    const increment = (store: Store) =>
      store.db.transaction().execute((trx) =>
        trx
          .updateTable('resources')
          .set(({ eb }) => ({ capacity: eb('capacity', '+', 1) }))
          .execute(),
      )
    await Promise.all(stores.flatMap((store) => Array.from({ length: 20 }, () => increment(store))))
    const { capacity } = await one.db.selectFrom('resources').select('capacity').executeTakeFirstOrThrow()
    assert.equal(capacity, 61)
    for (const store of stores) await store[Symbol.asyncDispose]()
  })

  it('tells a broken unique constraint from other errors', async () => {
    await using store = await (await makePlace()).openMigrated()
    const insert = (values: { name: string; capacity: number }) =>
      store.db.insertInto('resources').values(values).execute()
    await insert({ name: 'a', capacity: 1 })
    await assert.rejects(insert({ name: 'a', capacity: 1 }), (error) => store.isUniqueViolation(error))
    await assert.rejects(insert({ name: 'b', capacity: 0 }), (error) => !store.isUniqueViolation(error))
  })

  it('has a clock that goes in milliseconds', async () => {
    await using store = await (await makePlace()).open()
    const { rows } = await sql<{ now: number }>`select ${store.now} as now`.execute(store.db)
    assert.ok(Math.abs((rows[0]?.now ?? 0) - Date.now()) < 60_000)
  })

  it('gives everything acknowledged back after kill -9 of the process that wrote it', async () => {
    const place = await makePlace()
    await (await place.openMigrated())[Symbol.asyncDispose]()
    await using folder = await tempFolder('store-kill')
    const program = join(folder.path, 'write.ts')
    await writeFile(
      program,
      `import { openStore } from ${JSON.stringify(join(import.meta.dirname, 'database.ts'))}
       const store = await openStore(${JSON.stringify(place.place)})
       for (let n = 0; ; n++) {
         await store.db.insertInto('organizations').values({ id: String(n), name: String(n), createdAt: store.now }).execute()
         process.stdout.write(n + '\\n')
       }`,
    )
    const writer = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    writer.stdout.on('data', (text: Buffer) => {
      said += text.toString()
      if (said.split('\n').length > 50) writer.kill('SIGKILL')
    })
    await once(writer, 'close')
    await using store = await place.open()
    const ids = new Set(
      (await store.db.selectFrom('organizations').select('id').execute()).map(({ id }) => id),
    )
    const acknowledged = said.split('\n').slice(0, -1)
    assert.ok(acknowledged.length >= 50)
    assert.deepEqual(
      acknowledged.filter((id) => !ids.has(id)),
      [],
    )
  })
})

describeOnPostgresql('the way to the store', (makePlace) => {
  it('may hang, and may break: whoever asked hears of it, and the next one is answered', async () => {
    const made = await makePlace()
    assert.ok('url' in made.place)
    await using direct = await made.openMigrated()
    const { hostname: host, port, href } = new URL(made.place.url)
    await using proxy = await startTcpProxy({ to: { host, port: Number(port) } })
    const url = Object.assign(new URL(href), { host: `${proxy.host}:${proxy.port}` })
    await using store = await openPostgresqlStore(url.href, 500)
    const ask = () => store.db.transaction().execute((trx) => sql`select pg_sleep(0.2)`.execute(trx))
    await ask()
    proxy.trouble.stalled = true
    await assert.rejects(ask(), /timeout/)
    proxy.trouble.stalled = false
    // Not within the transaction that has begun by now.
    await store.db.insertInto('organizations').values({ id: 'o', name: 'Kept', createdAt: 0 }).execute()
    const { name } = await direct.db.selectFrom('organizations').select('name').executeTakeFirstOrThrow()
    assert.equal(name, 'Kept')
    await ask()
    const broken = assert.rejects(ask())
    await sleep(100)
    proxy.resetAll()
    await broken
    await ask()
  })
})

it('a store that cannot be opened says why, without its password', async () => {
  const unavailable = { code: 'store_unavailable' }
  await assert.rejects(openStore({ path: '/nowhere/at/all/holdfast.db' }), unavailable)
  const unreachable = openStore({ url: 'postgres://me:secret-word@127.0.0.1:1/holdfast' })
  await assert.rejects(unreachable, (error: Error) => {
    assert.equal((error as unknown as { code: string }).code, 'store_unavailable')
    assert.doesNotMatch(error.message, /secret-word/)
    assert.match(error.message, /127\.0\.0\.1:1/)
    return true
  })
  await assert.rejects(openStore({ url: 'mysql://somewhere/x' }), { code: 'invalid_input' })
})
