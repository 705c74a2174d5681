import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { AppError } from '../shared/errors.ts'
import { tokenise } from './tokenise.ts'

describe('tokenise', () => {
  it('splits at white space and keeps what is quoted', () => {
    assert.deepEqual(tokenise(`  --a=1\t--b 'two words' "say \\"hi\\"" back\\ slash '' x'y'"z"\n`), [
      '--a=1',
      '--b',
      'two words',
      'say "hi"',
      'back slash',
      '',
      'xyz',
    ])
  })

  it('expands nothing', () => {
    const line = '$HOME `id` $(id) *.c ~ a;b a|b >f &'
    assert.deepEqual(tokenise(line), line.split(' '))
  })

  it('reads back whatever was quoted for it', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (tokens) => {
        const single = tokens.map((token) => `'${token.replaceAll("'", `'"'"'`)}'`).join(' ')
        const double = tokens.map((token) => `"${token.replace(/["\\]/g, '\\$&')}"`).join('\t')
        assert.deepEqual(tokenise(single), tokens)
        assert.deepEqual(tokenise(double), tokens)
      }),
    )
  })

  it('refuses a quote without its partner', () => {
    for (const line of [`'a`, `"a`, 'a\\', `"a\\"`]) {
      assert.throws(
        () => tokenise(line),
        (error) => error instanceof AppError && error.code === 'invalid_input',
        line,
      )
    }
  })
})
