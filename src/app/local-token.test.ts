import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { describeBothStores } from '../store/test-bed.ts'
import { organizationNamed } from './organizations/organizations.ts'
import { keepLocalToken } from './local-token.ts'
import { openApp } from './test-bed.ts'
import { readTokenFile } from './token-file.ts'

describeBothStores('the token of a data directory', (makePlace) => {
  async function openDirectories() {
    const app = await openApp(makePlace)
    const organizationId = await organizationNamed(app.store, undefined)
    const keep = async (name: string) => {
      const dataDirectory = join(app.context.dataDirectory, name)
      await mkdir(dataDirectory, { recursive: true })
      await keepLocalToken({ ...app.context, dataDirectory }, organizationId)
      return (await readTokenFile(dataDirectory)) ?? assert.fail()
    }
    const statusOf = async (token: string) => (await app.get('/api/v1/tokens', `Bearer ${token}`)).statusCode
    return { ...app, keep, statusOf, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() }
  }

  it('is its own, and stays as long as it is valid', async () => {
    await using app = await openDirectories()
    // A name that is cut must tell them apart, and still be one.
    for (const [one, other] of [
      ['a', 'b'],
      [`${'x'.repeat(120)}/a`, `${'x'.repeat(120)}/b`],
    ] as const) {
      const [first, second] = [await app.keep(one), await app.keep(other)]
      assert.notEqual(first, second)
      assert.deepEqual([await app.statusOf(first), await app.statusOf(second)], [200, 200])
      assert.equal(await app.keep(one), first)
    }
  })

  it('goes with its answers when another one takes its place', async () => {
    await using app = await openDirectories()
    const lost = await app.keep('a')
    const headers = { authorization: `Bearer ${lost}`, 'idempotency-key': randomUUID() }
    await app.ask('POST', '/api/v1/tokens', { name: 'ci' }, headers)
    const answers = () => app.store.db.selectFrom('idempotencyKeys').selectAll().execute()
    assert.equal((await answers()).length, 1)
    await rm(join(app.context.dataDirectory, 'a', 'cli.token'))
    assert.equal(await app.statusOf(await app.keep('a')), 200)
    assert.equal(await app.statusOf(lost), 401)
    assert.deepEqual(await answers(), [])
  })

  it('is valid, too, when several processes that share the directory start at once', async () => {
    await using app = await openDirectories()
    await Promise.all(Array.from({ length: 4 }, () => app.keep('shared')))
    const token = (await readTokenFile(join(app.context.dataDirectory, 'shared'))) ?? assert.fail()
    assert.equal(await app.statusOf(token), 200)
  })
})
