import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { skipUnless } from '../../../test/servers/needs.ts'
import { startPostgres, type PostgresServer } from '../../../test/servers/postgres.ts'
import { nameReader } from './encodings.ts'

describe('names in the encodings of PostgreSQL', { skip: skipUnless('postgres15') }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres({ major: 15 })
    await server.query(`create function read_by_server(bytes bytea, encoding text) returns text language plpgsql as $$
      begin return convert_from(bytes, encoding); exception when others then return null; end $$`)
  })
  after(() => server?.[Symbol.asyncDispose]())

  /** How many of these the reader reads; all of them as the server does. */
  const readAlike = async (encoding: string, bytes: string, from: string) => {
    const read = nameReader(encoding)
    const rows = await server.query(
      `select bytes, read_by_server(bytes, '${encoding}') as text
         from (select decode(${bytes}, 'hex') as bytes from ${from}) as all_of_them`,
    )
    const names = rows.map(({ bytes, text }) => ({ bytes, text, name: read(bytes as Buffer) }))
    const certain = names.filter(({ name }) => name !== undefined)
    assert.deepEqual(
      certain.filter(({ name, text }) => name !== text),
      [],
      encoding,
    )
    return certain.length
  }

  it('are read as the server reads them, or not at all', async () => {
    const letters: Record<string, number> = {}
    const encodings = await server.query(
      `select pg_encoding_to_char(e) as name from generate_series(0, 41) e where pg_encoding_max_length(e) = 1`,
    )
    for (const { name } of encodings) {
      letters[String(name)] = await readAlike(String(name), 'to_hex(a)', 'generate_series(128, 255) a')
    }
    assert.equal(letters['SQL_ASCII'], 0)
    assert.equal(letters['LATIN1'], 128)
    const unread = Object.entries(letters).filter(([, count]) => count < 50)
    assert.deepEqual(unread, [['SQL_ASCII', 0]])
    const pairs = 'generate_series(161, 254) a, generate_series(161, 254) b'
    assert.ok((await readAlike('EUC_JP', 'to_hex(a) || to_hex(b)', pairs)) > 6000)
    assert.ok((await readAlike('EUC_KR', 'to_hex(a) || to_hex(b)', pairs)) > 8000)
    await readAlike('EUC_JP', `'8f' || to_hex(a) || to_hex(b)`, pairs)
  })

  it('are certain in ASCII, whatever the encoding is', () => {
    for (const encoding of ['SQL_ASCII', 'EUC_TW', 'SJIS', 'NO_SUCH']) {
      assert.equal(nameReader(encoding)(Buffer.from('a "name"')), 'a "name"')
      assert.equal(nameReader(encoding)(Buffer.from([0x61, 0xdc])), undefined)
    }
  })
})
