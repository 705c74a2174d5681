import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { keyFor, safeSegment } from './keys.ts'

const at = new Date('2026-11-22T03:04:05.678Z')
const values = { server: 'prod-1', database: 'shop', at }

describe('the key of a snapshot', () => {
  it('is made of server, database and time as long as nothing else is asked for', () => {
    assert.equal(keyFor(values), 'prod-1/shop/prod-1-shop-20261122T030405Z')
  })

  it('has no folder where a dot is asked for', () => {
    assert.equal(keyFor(values, '.', '{database}'), 'shop')
  })

  it('knows every placeholder', () => {
    const all = '{organization}.{server}.{database}.{plan}.{year}.{month}.{day}.{version}'
    assert.equal(
      keyFor({ ...values, organization: 'acme', plan: 'nightly', version: '42' }, '', all),
      'acme.prod-1.shop.nightly.2026.11.22.42',
    )
  })

  for (const path of [
    '/abs',
    'a//b',
    '../x',
    'a/../b',
    'a/',
    './a',
    '{nothing}/x',
    '{server',
    'x'.repeat(256),
  ]) {
    const fine = path === '{server'
    it(`${fine ? 'takes' : 'refuses'} the path “${path.slice(0, 20)}”`, () => {
      if (fine) assert.ok(keyFor(values, path))
      else assert.throws(() => keyFor(values, path), { code: 'invalid_input' })
    })
  }

  it('refuses a file name with a folder in it', () => {
    assert.throws(() => keyFor(values, 'a', 'b/c'), { code: 'invalid_input' })
  })

  it('keeps names of every kind to one harmless segment', () => {
    const name = fc.string({ unit: 'binary', maxLength: 300 })
    fc.assert(
      fc.property(name, name, (server, database) => {
        const segments = keyFor({ server, database, at }).split('/')
        assert.equal(segments.length, 3)
        for (const segment of segments) {
          assert.ok(segment.length > 0 && segment !== '.' && segment !== '..')
          assert.ok(Buffer.byteLength(segment) <= 150)
          assert.doesNotMatch(segment, /[\p{Cc}\\:*?"<>|]|^[.-]/u)
        }
      }),
    )
  })

  it('leaves readable names as they are', () => {
    for (const name of ['shop', 'Ünïcode', 'данные', 'a b', "it's", 'a.b', '数据库'])
      assert.equal(safeSegment(name), name)
  })
})
