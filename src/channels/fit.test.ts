import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bytesOf, fit } from './fit.ts'

const html = (character: string) => character.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

describe('fit', () => {
  it('leaves what fits, and cuts the rest between two characters', () => {
    assert.equal(fit('abc', 3), 'abc')
    assert.equal(fit('abcd', 3), 'ab…')
    assert.equal(fit('👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 12), '👩‍👩‍👧‍👦…')
    assert.equal(fit('👩‍👩‍👧‍👦', 5), '…')
    assert.equal(fit('<<<', 12, { escape: html }), '&lt;&lt;&lt;')
    assert.equal(fit('<<<<', 12, { escape: html }), '&lt;&lt;…')
    assert.equal(fit('ééé', 5, { measure: bytesOf }), 'é…')
    assert.equal(fit('a\ud800b\0', 9), 'a\ufffdb\ufffd')
    assert.equal(fit('', 5), '')
  })

  it('never exceeds the limit, nor leaves half of anything', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 60 })
    fc.assert(
      fc.property(texts, fc.integer({ min: 4, max: 80 }), (text, limit) => {
        const bytes = fit(text, limit, { measure: bytesOf })
        assert.ok(bytesOf(bytes) <= limit && bytes.isWellFormed())
        const escaped = fit(text, limit, { escape: html })
        assert.ok(escaped.length <= limit && !/&(?!amp;|lt;)/.test(escaped))
        if (text.length <= limit) assert.equal(fit(text, limit).length, text.length)
      }),
    )
  })
})
