import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { redact } from './redact.ts'

describe('what somebody has said', () => {
  it('is told without the secrets, however they are spelled', () => {
    const secret = 'a/secret "of" ours'
    for (const spelled of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
      assert.equal(redact(`It is ${spelled}, no?`, [secret, undefined]), 'It is ***, no?')
    }
    assert.equal(
      redact('POST /hooks/T0123/B456 failed', ['https://x.example/hooks/T0123/B456']),
      'POST *** failed',
    )
  })

  it('is told without what was cut off of one, of which little is left only at the end of what was cut', () => {
    const secret = 'correct-horse-battery'
    assert.equal(redact('Wrong: correct-horse-…', [secret]), 'Wrong: ***…')
    assert.equal(redact('Wrong: corr', [secret]), 'Wrong: corr')
    assert.equal(redact('Wrong: corr', [secret], { isCut: true }), 'Wrong: ***')
    assert.equal(redact('Wrong: Correct-H\uFFFD', [secret], { isCut: true }), 'Wrong: ***')
    assert.equal(redact('Wrong: short', ['shorts!!'], { isCut: true }), 'Wrong: ***')
    assert.equal(redact('Wrong: other', [secret], { isCut: true }), 'Wrong: other')
  })
})
