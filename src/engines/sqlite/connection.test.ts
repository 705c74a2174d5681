import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { AppError } from '../../shared/errors.ts'
import { databasePath, sqliteConnection, sqliteFromUrl } from './connection.ts'

describe('the URL of an SQLite database', () => {
  it('is absolute with one slash or three, and relative without', () => {
    assert.equal(sqliteFromUrl('sqlite:/srv/a.db').database, '/srv/a.db')
    assert.equal(sqliteFromUrl('sqlite:///srv/a.db').database, '/srv/a.db')
    assert.equal(sqliteFromUrl('SQLite:a.db').database, resolve('a.db'))
    assert.deepEqual(sqliteFromUrl('sqlite:../a.db').connection, { path: resolve('../a.db') })
  })

  it('stands for any file name when it is percent-encoded', () => {
    assert.equal(sqliteFromUrl('sqlite:/srv/50%25%20%3F%23%F0%9F%8E%89.db').database, '/srv/50% ?#🎉.db')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (name) => {
        fc.pre(!/[\0/]/.test(name) && name !== '.' && name !== '..')
        const { database, connection } = sqliteFromUrl(`sqlite:/srv/${encodeURIComponent(name)}`)
        assert.equal(database, `/srv/${name}`)
        assert.deepEqual(sqliteConnection.parse(connection), connection)
      }),
    )
  })

  it('that was written elsewhere is absolute', () => {
    assert.equal(sqliteFromUrl('sqlite:/srv/a.db', {}, 'elsewhere').database, '/srv/a.db')
    assert.throws(() => sqliteFromUrl('sqlite:a.db', {}, 'elsewhere'), /names no absolute path/)
  })

  it('that means no file is refused', () => {
    for (const url of [
      'sqlite:',
      'sqlite:/',
      'sqlite:///',
      'sqlite:/srv/',
      'sqlite://host/a.db',
      'sqlite://a.db',
      'sqlite:/a.db?mode=ro',
      'sqlite:/a#b.db',
      'sqlite:/50%.db',
      'sqlite:/a%00b.db',
      'mysql:/a.db',
    ]) {
      assert.throws(
        () => sqliteFromUrl(url),
        (error) => error instanceof AppError && error.code === 'invalid_input' && error.hint !== undefined,
        url,
      )
    }
  })
})

describe('the name of an SQLite database', () => {
  it('is its path; a relative one lies beside the connection’s file', () => {
    assert.equal(databasePath({ path: '/srv/a.db' }, '/b.db'), '/b.db')
    assert.equal(databasePath({ path: '/srv/a.db' }, 'b.db'), '/srv/b.db')
  })

  it('that cannot be a file is refused', () => {
    for (const name of ['', '/', 'a/', 'a\0b']) {
      assert.throws(() => databasePath({ path: '/srv/a.db' }, name), AppError, name)
    }
  })
})
