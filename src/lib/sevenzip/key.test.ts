import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { deriveSevenzipKey, fingerprint, sevenzipPassword } from './key.ts'

describe('the password of a key value', () => {
  it('is the hex of what base64: encodes', () => {
    const bytes = randomBytes(32)
    assert.equal(sevenzipPassword(`base64:${bytes.toString('base64')}`), bytes.toString('hex'))
    assert.equal(sevenzipPassword('base64:AAE'), '0001')
  })

  it('is any other value as it is', () => {
    assert.equal(sevenzipPassword('correct horse base64:battery'), 'correct horse base64:battery')
  })

  it('is refused when it is empty or not what it says, without being repeated', () => {
    for (const value of ['', 'base64:', 'base64:n?t', 'base64:A', 'base64:AAAA=', 'base64:AA AA']) {
      assert.throws(
        () => sevenzipPassword(value),
        (error: Error & { code: string; hint?: string }) => {
          const encoded = value.slice('base64:'.length)
          if (encoded) assert.ok(!`${error.message} ${error.hint}`.includes(`“${encoded}”`))
          return error.code === 'invalid_input'
        },
      )
    }
  })
})

describe('the derived key', () => {
  it('never shows its bytes when it is printed', async () => {
    const key = await deriveSevenzipKey('secret')
    assert.equal(key.symmetricKeySize, 32)
    assert.ok(
      !inspect(key, { showHidden: true, depth: 9 }).includes(key.export().toString('hex').slice(0, 8)),
    )
  })

  it('has a fingerprint that depends on the password alone', async () => {
    const [one, again, other] = await Promise.all(['a', 'a', 'b'].map(deriveSevenzipKey))
    assert.ok(one && again && other)
    assert.match(fingerprint(one), /^[0-9a-f]{16}$/)
    assert.equal(fingerprint(one), fingerprint(again))
    assert.notEqual(fingerprint(one), fingerprint(other))
  })

  it('cannot be made of an empty password', async () => {
    await assert.rejects(deriveSevenzipKey(''), { code: 'invalid_input' })
  })
})
