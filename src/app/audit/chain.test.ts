import assert from 'node:assert/strict'
import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { it, test } from 'node:test'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import type { Store } from '../../store/database.ts'
import { copyStore } from '../../store/copy-store.ts'
import { describeBothStores, placeOf } from '../../store/test-bed.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { type NewAuditEntry, recordAudit, recordAuditNow, systemActor } from './record.ts'
import { verifyChain } from './verify.ts'

function entry(given: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return {
    organizationId: 'here',
    action: 'server.change',
    outcome: 'succeeded',
    actor: { kind: 'token', id: 'token-1', name: 'ci', owner: { id: 'user-1', name: 'ann@example.com' } },
    address: '192.0.2.1',
    target: { kind: 'server', id: 'server-1', name: 'shop' },
    details: { before: { port: 5432, näme: [null, 'a'] }, after: { port: 1.5e21, tags: { b: 1, a: [{}] } } },
    ...given,
  }
}

async function addEntries(store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await recordAuditNow(store, entry({ address: `192.0.2.${n}` }))
}

async function isBrokenAt(store: Store): Promise<number | null> {
  const { isIntact, fault } = await verifyChain(store)
  assert.equal(isIntact, fault === null)
  return fault?.number ?? null
}

const columns = [
  'id',
  'organization_id',
  'at',
  'action',
  'outcome',
  'actor',
  'actor_id',
  'address',
  'target',
  'target_id',
  'details',
  'hash',
]

describeBothStores('the chain of the audit log', (makePlace) => {
  it('is intact while nothing has happened, and after every entry', async () => {
    await using store = await (await makePlace()).openMigrated()
    const empty = await verifyChain(store)
    assert.deepEqual([empty.isIntact, empty.entries, empty.head], [true, 0, null])
    await addEntries(store, 3)
    await recordAuditNow(store, {
      organizationId: null,
      action: 'app.restore',
      outcome: 'succeeded',
      actor: systemActor,
      address: null,
      target: null,
    })
    const verified = await verifyChain(store)
    assert.deepEqual([verified.isIntact, verified.entries, verified.first], [true, 4, 1])
    assert.equal(verified.head?.number, 4)
    assert.match(verified.head?.hash ?? '', /^[0-9a-f]{64}$/)
  })

  it('is broken by one changed byte in any column', async () => {
    await using store = await (await makePlace()).openMigrated()
    await addEntries(store, 5)
    const row = await store.db
      .selectFrom('auditEntries')
      .selectAll()
      .where('number', '=', 3)
      .executeTakeFirstOrThrow()
    const known = row as unknown as Record<string, string | number>
    for (const column of columns) {
      const value = known[column.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())]
      const changed = typeof value === 'number' ? value + 1 : flip(String(value))
      const set = (to: unknown) =>
        sql`update audit_entries set ${sql.ref(column)} = ${isJson(column) ? sql`cast(${to} as ${sql.raw(store.dialect.json)})` : to} where number = 3`.execute(
          store.db,
        )
      await set(changed)
      assert.equal(await isBrokenAt(store), 3, column)
      await set(value)
      assert.equal(await isBrokenAt(store), null, column)
    }
  })

  it('is broken by rows that are removed, added, swapped or numbered anew', async () => {
    await using store = await (await makePlace()).openMigrated()
    await addEntries(store, 8)
    const { db } = store
    const rows = await db.selectFrom('auditEntries').selectAll().orderBy('number').execute()
    const chain = await db.selectFrom('auditChain').selectAll().executeTakeFirstOrThrow()
    const restore = async () => {
      await db.deleteFrom('auditEntries').execute()
      await db.deleteFrom('auditChain').execute()
      await db.insertInto('auditEntries').values(rows).execute()
      await db.insertInto('auditChain').values(chain).execute()
      assert.equal(await isBrokenAt(store), null)
    }
    const [row] = rows.slice(3)
    assert.ok(row)
    const without = (from: number, to = from) =>
      db.deleteFrom('auditEntries').where('number', '>=', from).where('number', '<=', to).execute()

    await without(4)
    assert.equal(await isBrokenAt(store), 4, 'one from the middle')
    await restore()
    await without(7, 8)
    assert.equal(await isBrokenAt(store), 7, 'the last ones')
    await restore()
    await without(1, 2)
    assert.equal(await isBrokenAt(store), 1, 'the first ones')
    await db
      .updateTable('auditChain')
      .set({ goneNumber: 2, goneHash: rows[1]?.hash ?? '' })
      .execute()
    assert.equal(await isBrokenAt(store), 2, 'the first ones, as if their time were over')
    await restore()
    await db
      .insertInto('auditEntries')
      .values({ ...row, number: 9, id: 'new' })
      .execute()
    assert.equal(await isBrokenAt(store), 9, 'one at the end')
    await restore()
    await db
      .insertInto('auditEntries')
      .values({ ...row, number: 0, id: 'new' })
      .execute()
    assert.equal(await isBrokenAt(store), 0, 'one before the beginning')
    await restore()
    await without(4)
    await db
      .insertInto('auditEntries')
      .values({ ...row, address: 'elsewhere' })
      .execute()
    assert.equal(await isBrokenAt(store), 4, 'another one in the place of one')
    await restore()
    for (const [from, to] of [
      [5, 100],
      [4, 5],
      [100, 4],
    ] as const) {
      await db.updateTable('auditEntries').set({ number: to }).where('number', '=', from).execute()
    }
    assert.equal(await isBrokenAt(store), 4, 'two that are swapped')
    await restore()
    await db.deleteFrom('auditChain').execute()
    assert.equal(await isBrokenAt(store), 1, 'without its ends')
    await restore()
    await db
      .updateTable('auditChain')
      .set({ hash: flip(chain.hash) })
      .execute()
    assert.equal(await isBrokenAt(store), 8, 'another hash of its end')
  })

  it('proves by a head that was noted elsewhere that nothing before it was written anew', async () => {
    await using store = await (await makePlace()).openMigrated()
    await addEntries(store, 4)
    const { head } = await verifyChain(store)
    assert.ok(head)
    await addEntries(store, 3)
    assert.equal((await verifyChain(store, { expected: head })).isIntact, true)
    const other = { ...head, hash: flip(head.hash) }
    assert.equal((await verifyChain(store, { expected: other })).fault?.number, 4)
    assert.equal((await verifyChain(store, { expected: { ...head, number: 8 } })).fault?.number, 8)

    await store.db.deleteFrom('auditEntries').execute()
    await store.db.deleteFrom('auditChain').execute()
    await addEntries(store, 7)
    assert.equal(await isBrokenAt(store), null)
    assert.equal((await verifyChain(store, { expected: head })).fault?.number, 4)
  })

  it('has no gap where many write at once, from several connections', async () => {
    const place = await makePlace()
    await using first = await place.openMigrated()
    await using second = await place.open()
    await using third = await place.open()
    await using fourth = await place.open()
    const each = Array.from({ length: 25 }, (_, n) => n)
    await Promise.all(
      [first, second, third, fourth].flatMap((store) =>
        each.map((n) => recordAuditNow(store, entry({ target: { kind: 'x', id: `${n}`, name: null } }))),
      ),
    )
    const { isIntact, entries } = await verifyChain(first)
    assert.deepEqual([isIntact, entries], [true, 100])
  })

  it('has no entry of a transaction that was rolled back', async () => {
    await using store = await (await makePlace()).openMigrated()
    await addEntries(store, 2)
    const failing = store.db.transaction().execute(async (trx) => {
      await recordAudit(store, trx, entry())
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    await addEntries(store, 1)
    const { isIntact, entries } = await verifyChain(store)
    assert.deepEqual([isIntact, entries], [true, 3])
  })

  it('is whole when a process that writes to it is killed', async () => {
    const place = await makePlace()
    await using store = await place.openMigrated()
    const child = fork(new URL('../../../test/misbehaving/audit-writer.ts', import.meta.url), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    child.send(place.place)
    await once(child, 'message')
    await addEntries(store, 5)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await addEntries(store, 5)
    const { isIntact, entries, fault } = await verifyChain(store)
    assert.ok(isIntact, JSON.stringify(fault))
    assert.ok(entries > 10)
  })

  it('is the same when the store is copied to another engine', async () => {
    await using store = await (await makePlace()).openMigrated()
    await addEntries(store, 3)
    await using folder = await tempFolder('audit')
    await using target = await placeOf('sqlite', { path: `${folder.path}/copy.db` }).openMigrated()
    await target.db.deleteFrom('organizations').execute()
    await copyStore(store, target, new AbortController().signal)
    const [before, after] = [await verifyChain(store), await verifyChain(target)]
    assert.deepEqual(after, before)
    assert.ok(after.isIntact)
  })

  it('keeps details that are too long cut, and text that cannot be stored mended', async () => {
    await using store = await (await makePlace()).openMigrated()
    const details = { script: 'a'.repeat(20_000), broken: 'x\0y\ud800', n: 1 }
    await recordAuditNow(store, entry({ details }))
    await recordAuditNow(store, entry({ details: { list: Array.from({ length: 9_000 }, () => 'abcdefgh') } }))
    const many = Object.fromEntries(Array.from({ length: 9_000 }, (_, n) => [`name ${n}`, n]))
    await recordAuditNow(store, entry({ details: many }))
    const rows = await store.db.selectFrom('auditEntries').select('details').orderBy('number').execute()
    const [first, second, third] = rows.map(({ details }) => JSON.parse(details) as Record<string, unknown>)
    assert.match(String(first?.['script']), /^a{10000}… \(cut, of 20000 characters\)$/)
    assert.equal(first?.['broken'], 'x\ufffdy\ufffd')
    const list = second?.['list'] as string[]
    assert.deepEqual([list.length, list[0], list[200]], [201, 'abcdefgh', '… (cut, of 9000)'])
    assert.match(String(third?.['cut']), /bytes, and were not kept/)
    assert.equal(await isBrokenAt(store), null)
  })
})

test('only its store writes the tables of the audit log', async () => {
  const writing = String.raw`(insertInto|replaceInto|mergeInto|updateTable|deleteFrom)\(\s*['"]audit|(into|update|delete from|truncate) (table )?audit_`
  const { stdout } = await promisify(execFile)('grep', [
    '-rnoE',
    writing,
    'src',
    '--include=*.ts',
    '--include=*.sql',
  ])
  const found = stdout
    .trim()
    .split('\n')
    .map((line) => /^(.*?):\d+:(\w+)/.exec(line)?.slice(1).join(' '))
    .filter((line) => !/\btest(-bed)?\.ts/.test(line ?? ''))
  assert.deepEqual(found, [
    'src/app/audit/store.ts insertInto',
    'src/app/audit/store.ts insertInto',
    'src/app/audit/store.ts updateTable',
    'src/app/audit/store.ts deleteFrom',
    'src/app/audit/store.ts updateTable',
  ])
})

function isJson(column: string): boolean {
  return ['actor', 'target', 'details'].includes(column)
}

/** One byte is another one: the last letter or digit. */
function flip(text: string): string {
  const at = text.search(/[a-z0-9][^a-z0-9]*$/i)
  return `${text.slice(0, at)}${text[at] === '7' ? '8' : '7'}${text.slice(at + 1)}`
}
