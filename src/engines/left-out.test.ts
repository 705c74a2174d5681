import assert from 'node:assert/strict'
import { it } from 'node:test'
import { engineNamed } from './index.ts'

it('each engine says what its options leave out of a database', () => {
  const words = (name: string, options: object) => {
    const engine = engineNamed(name)
    return engine.leftOut?.(engine.dumpOptions.parse(options))
  }
  assert.deepEqual(words('postgresql', { owners: false }), [])
  assert.deepEqual(words('postgresql', { globals: true, excludeTables: ['a'] }), [])
  assert.deepEqual(words('postgresql', { schemas: ['sales'] }), ['only schema sales'])
  assert.deepEqual(words('postgresql', { tables: ['a'] }), ['only table a'])
  const some = { excludeTables: ['a'], excludeTableData: ['b'] }
  const named = ['without table a', 'without the rows of b']
  assert.deepEqual(words('postgresql', { ...some, largeObjects: false }), [...named, 'without large objects'])
  assert.deepEqual(words('mysql', some), named)
  assert.equal(words('sqlite', {}), undefined)
})
