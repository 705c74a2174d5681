import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { AppError } from '../../shared/errors.ts'
import { besideName, conninfo, exactTable, tableName, toolPattern } from './names.ts'

describe('the pattern that pg_dump gets', () => {
  const cases: [pattern: string, kind: 'table' | 'schema', expected: string][] = [
    ['public.orders', 'table', '"public"."orders"'],
    ['Orders', 'table', '"public"."Orders"'],
    ['public.log_*', 'table', '"public"."log_"*'],
    ['*.log', 'table', '*."log"'],
    ['-rf', 'table', '"public"."-rf"'],
    ['two words.и.dot', 'table', '"two words"."и.dot"'],
    ['"a.b"."c.*"', 'table', '"a.b"."c.*"'],
    ['"quo""te"', 'table', '"public"."quo""te"'],
    ['(a|b)?[$]', 'table', '"public"."(a|b)?[$]"'],
    ['a.b', 'schema', '"a.b"'],
  ]
  for (const [pattern, kind, expected] of cases) {
    it(`is ${expected} for the ${kind} ${pattern}`, () => assert.equal(toolPattern(pattern, kind), expected))
  }

  for (const pattern of ['', '.', 'a.', '.b', '"a', 'a\0b']) {
    it(`is refused for ${JSON.stringify(pattern)}`, () => {
      assert.throws(
        () => toolPattern(pattern, 'table'),
        (error) => error instanceof AppError && error.code === 'invalid_input',
      )
    })
  }
})

const name = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'))

describe('the name of a table', () => {
  it('is read back as the table it was made of, whatever that is called', () => {
    fc.assert(
      fc.property(name, name, (schema, table) => {
        assert.deepEqual(exactTable(tableName(schema, table)), { schema, table })
      }),
    )
  })

  it('is plain where nothing could be misread', () => {
    assert.equal(tableName('public', 'Order Items'), 'public.Order Items')
    assert.equal(tableName('a.b', 'c"d'), '"a.b"."c""d"')
  })

  it('belongs to the schema public if it names none', () => {
    assert.deepEqual(exactTable('orders'), { schema: 'public', table: 'orders' })
  })

  it('is not a pattern', () => {
    assert.throws(() => exactTable('public.*'), /pattern/)
  })
})

describe('a name beside another', () => {
  it('is valid, ends with the token and never breaks a character', () => {
    fc.assert(
      fc.property(name, (database) => {
        const beside = besideName(database, 'restore_0123abcd')
        assert.ok(Buffer.byteLength(beside) <= 63)
        assert.ok(beside.endsWith('_restore_0123abcd'))
        assert.ok(database.startsWith(beside.slice(0, -17)))
        assert.ok(beside.isWellFormed() || !database.isWellFormed())
      }),
    )
  })
})

describe('a connection string for a database', () => {
  it('quotes whatever could be read as anything else', () => {
    assert.equal(conninfo("a='b\\"), String.raw`dbname='a=\'b\\'`)
  })
})
