import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeBothStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { authOf } from './auth.ts'

type MakePlace = Parameters<typeof openApp>[0]
type Condition = { field: string; value: unknown; operator?: string; connector?: string; mode?: string }

/** better-auth’s way to the tables, with three users and a verification of each. */
async function openAdapter(makePlace: MakePlace) {
  const app = await openApp(makePlace)
  const { adapter } = await (await authOf(app.context)).$context
  for (const [n, name] of ['Ada', 'Grace_', 'ada%'].entries()) {
    const now = new Date(1_000 * (n + 1))
    const data = { name, email: `${n}@example.com`, emailVerified: n === 0, createdAt: now, updatedAt: now }
    await adapter.create({ model: 'user', data })
  }
  const names = async (where: Condition[], more: object = {}) => {
    const found = await adapter.findMany<{ name: string }>({
      model: 'user',
      where: where as never,
      sortBy: { field: 'createdAt', direction: 'asc' },
      ...more,
    })
    return found.map(({ name }) => name)
  }
  return { ...app, adapter, names }
}

describeBothStores('what better-auth keeps', (makePlace) => {
  it('has ids of ours, times in milliseconds, and truth as 0 and 1', async () => {
    await using app = await openAdapter(makePlace)
    const [row] = await app.store.db.selectFrom('users').selectAll().orderBy('createdAt').execute()
    assert.match(row?.id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    assert.equal(row?.createdAt, 1000)
    assert.equal(row?.emailVerified, 1)
    const user = await app.adapter.findOne<Record<string, unknown>>({
      model: 'user',
      where: [{ field: 'email', value: '0@example.com' }],
    })
    assert.deepEqual(user?.['createdAt'], new Date(1000))
    assert.equal(user?.['emailVerified'], true)
    assert.equal(user?.['isDisabled'], false)
  })

  it('is found by every condition', async () => {
    await using app = await openAdapter(makePlace)
    const cases: [Condition[], string[]][] = [
      [[], ['Ada', 'Grace_', 'ada%']],
      [[{ field: 'name', value: 'Ada' }], ['Ada']],
      [[{ field: 'name', value: 'ADA', mode: 'insensitive' }], ['Ada']],
      [[{ field: 'name', value: 'Ada', operator: 'ne' }], ['Grace_', 'ada%']],
      [[{ field: 'image', value: null }], ['Ada', 'Grace_', 'ada%']],
      [[{ field: 'image', value: null, operator: 'ne' }], []],
      [[{ field: 'createdAt', value: new Date(2000), operator: 'lt' }], ['Ada']],
      [[{ field: 'createdAt', value: new Date(2000), operator: 'lte' }], ['Ada', 'Grace_']],
      [[{ field: 'createdAt', value: new Date(2000), operator: 'gt' }], ['ada%']],
      [[{ field: 'createdAt', value: new Date(2000), operator: 'gte' }], ['Grace_', 'ada%']],
      [[{ field: 'name', value: ['Ada', 'ada%'], operator: 'in' }], ['Ada', 'ada%']],
      [[{ field: 'name', value: [], operator: 'in' }], []],
      [[{ field: 'name', value: ['Ada'], operator: 'not_in' }], ['Grace_', 'ada%']],
      [[{ field: 'name', value: [], operator: 'not_in' }], ['Ada', 'Grace_', 'ada%']],
      [[{ field: 'name', value: 'da', operator: 'contains' }], ['Ada', 'ada%']],
      [[{ field: 'name', value: 'DA', operator: 'contains' }], []],
      [[{ field: 'name', value: 'DA', operator: 'contains', mode: 'insensitive' }], ['Ada', 'ada%']],
      [[{ field: 'name', value: '%', operator: 'contains' }], ['ada%']],
      [[{ field: 'name', value: 'A', operator: 'starts_with' }], ['Ada']],
      [[{ field: 'name', value: 'a', operator: 'starts_with', mode: 'insensitive' }], ['Ada', 'ada%']],
      [[{ field: 'name', value: '_', operator: 'ends_with' }], ['Grace_']],
      [[{ field: 'emailVerified', value: true }], ['Ada']],
      [
        [
          { field: 'name', value: 'Ada', connector: 'OR' },
          { field: 'name', value: 'ada%', connector: 'OR' },
          { field: 'emailVerified', value: false },
        ],
        ['ada%'],
      ],
    ]
    for (const [where, expected] of cases) {
      assert.deepEqual(await app.names(where), expected, JSON.stringify(where))
      assert.equal(await app.adapter.count({ model: 'user', where: where as never }), expected.length)
    }
    assert.deepEqual(await app.names([], { limit: 1, offset: 1 }), ['Grace_'])
  })

  it('is changed and deleted, one or all', async () => {
    await using app = await openAdapter(makePlace)
    const { adapter } = app
    const unverified = [{ field: 'emailVerified', value: false }]
    const one = await adapter.update<{ image: string }>({
      model: 'user',
      where: unverified,
      update: { image: 'x' },
    })
    assert.equal(one?.image, 'x')
    assert.equal(await adapter.count({ model: 'user', where: [{ field: 'image', value: 'x' }] }), 1)
    assert.equal(await adapter.updateMany({ model: 'user', where: unverified, update: { image: 'y' } }), 2)
    const nobody = [{ field: 'name', value: 'nobody' }]
    assert.equal(await adapter.update({ model: 'user', where: nobody, update: { image: 'z' } }), null)
    await adapter.delete({ model: 'user', where: [{ field: 'name', value: 'Ada' }] })
    assert.equal(await adapter.deleteMany({ model: 'user', where: unverified }), 2)
    assert.deepEqual(await app.names([]), [])
  })

  it('is used up by one of all who come at once', async () => {
    await using app = await openAdapter(makePlace)
    const data = {
      identifier: 'once',
      value: 'v',
      expiresAt: new Date(),
      createdAt: new Date(),
      updatedAt: new Date(),
    }
    await app.adapter.create({ model: 'verification', data })
    await app.adapter.create({ model: 'verification', data })
    const where = [{ field: 'identifier', value: 'once' }]
    const consume = () => app.adapter.consumeOne({ model: 'verification', where })
    const first = await Promise.all(Array.from({ length: 10 }, consume))
    const taken = first.filter((row) => row !== null).length
    assert.ok(taken >= 1 && taken <= 2, 'each of them takes one row')
    while ((await consume()) !== null);
    assert.equal(await app.adapter.count({ model: 'verification', where }), 0)
  })

  it('is counted without losing one, and only as far as the condition allows', async () => {
    await using app = await openAdapter(makePlace)
    const user = await app.adapter.findOne<{ id: string }>({
      model: 'user',
      where: [{ field: 'name', value: 'Ada' }],
    })
    const data = { userId: user?.id, secret: 's', backupCodes: 'b', verified: true }
    await app.adapter.create({ model: 'twoFactor', data })
    const add = () =>
      app.adapter.incrementOne<{ failedVerificationCount: number }>({
        model: 'twoFactor',
        where: [
          { field: 'userId', value: user?.id ?? '' },
          { field: 'failedVerificationCount', operator: 'lt', value: 5 },
        ],
        increment: { failedVerificationCount: 1 },
        set: { lockedUntil: new Date(7) },
      })
    const counted = await Promise.all(Array.from({ length: 12 }, add))
    const counts = counted.flatMap((row) => row?.failedVerificationCount ?? []).toSorted((a, b) => a - b)
    assert.deepEqual(counts, [1, 2, 3, 4, 5])
    const row = await app.store.db.selectFrom('twoFactors').selectAll().executeTakeFirstOrThrow()
    assert.equal(row.lockedUntil, 7)
  })

  it('is kept altogether, or not at all', async () => {
    await using app = await openAdapter(makePlace)
    const { adapter } = app
    const work = adapter.transaction(async (trx) => {
      await trx.deleteMany({ model: 'user', where: [{ field: 'emailVerified', value: false }] })
      // Also who does not use what it was given is within the transaction: on SQLite it would wait for itself.
      assert.equal(await adapter.count({ model: 'user' }), 1)
      await adapter.transaction(async (inner) => {
        await inner.deleteMany({ model: 'user', where: [{ field: 'name', value: 'Ada' }] })
      })
      throw new Error('changed my mind')
    })
    await assert.rejects(work, /changed my mind/)
    assert.equal((await app.names([])).length, 3)
  })
})
