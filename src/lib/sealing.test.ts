import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { AppError } from '../shared/errors.ts'
import { keyId, keyIdOf, makeKey, readKey, sealer, writeKey } from './sealing.ts'

const CONTEXT = 'volumes/0199/secretAccessKey'

/** The error of a call that must fail. */
function refusal(call: () => unknown): AppError {
  try {
    call()
  } catch (error) {
    assert.ok(error instanceof AppError, inspect(error))
    return error
  }
  return assert.fail('nothing was thrown')
}

describe('a sealed secret', () => {
  const seals = sealer({ current: makeKey() })

  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, context) => {
        assert.equal(seals.open(seals.seal(text, context), context), text)
      }),
    )
  })

  it('is printable, names its key, and is different each time', () => {
    const token = seals.seal('hunter2', CONTEXT)
    assert.match(token, /^hf1\.[0-9a-f]{16}\.[A-Za-z0-9_-]+$/)
    assert.equal(keyIdOf(token), seals.keyId)
    assert.equal(keyIdOf('hunter2'), undefined)
    const tokens = Array.from({ length: 1000 }, () => seals.seal('hunter2', CONTEXT))
    assert.equal(new Set(tokens).size, 1000)
  })

  it('does not open in another place', () => {
    const token = seals.seal('hunter2', CONTEXT)
    for (const other of ['volumes/0198/secretAccessKey', 'volumes/0199/sessionToken', '', `${CONTEXT} `]) {
      const error = refusal(() => seals.open(token, other))
      assert.equal(error.code, 'decryption_failed')
      assert.ok(!inspect(error).includes('hunter2'))
    }
  })

  it('does not open when any character is another one, is missing, or is there twice', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n'
    for (const text of ['', 'a', 'ab', 'abc', 'Ωmega']) {
      const token = seals.seal(text, CONTEXT)
      for (let at = 0; at < token.length; at++) {
        const [before, here, after] = [token.slice(0, at), token[at], token.slice(at + 1)]
        // All of them for the last, whose lowest bits base64 may ignore; elsewhere the eighth part.
        const others =
          at === token.length - 1 ? alphabet : Array.from(alphabet).filter((_, i) => i % 8 === at % 8)
        for (const other of others) {
          if (other === here) continue
          const { code } = refusal(() => seals.open(before + other + after, CONTEXT))
          assert.ok(['decryption_failed', 'key_wrong'].includes(code), code)
        }
        refusal(() => seals.open(before + after, CONTEXT))
        refusal(() => seals.open(before + here + here + after, CONTEXT))
      }
      refusal(() => seals.open(`${token}=`, CONTEXT))
      refusal(() => seals.open(`${token}\n`, CONTEXT))
    }
  })

  it('is refused when it is none at all', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.equal(refusal(() => seals.open(text, CONTEXT)).code, 'decryption_failed')
        assert.equal(keyIdOf(text), undefined)
      }),
    )
  })

  it('cannot be text that would come back as other text', () => {
    assert.equal(refusal(() => seals.seal('a\ud800', CONTEXT)).code, 'invalid_input')
  })
})

describe('the keys that seal', () => {
  it('can be rotated: what the former ones sealed opens, and tells which one that was', () => {
    const [first, second, third] = [makeKey(), makeKey(), makeKey()]
    const oldest = sealer({ current: first }).seal('one', CONTEXT)
    const older = sealer({ current: second, previous: [first] }).seal('two', CONTEXT)
    const now = sealer({ current: third, previous: [second, first] })
    assert.deepEqual([now.open(oldest, CONTEXT), now.open(older, CONTEXT)], ['one', 'two'])
    assert.deepEqual([oldest, older].map(keyIdOf), [first, second].map(keyId))
    const again = now.seal(now.open(oldest, CONTEXT), CONTEXT)
    assert.equal(keyIdOf(again), now.keyId)
    assert.equal(sealer({ current: third }).open(again, CONTEXT), 'one')
    assert.deepEqual([now.has(keyId(first)), now.has(keyId(makeKey()))], [true, false])
  })

  it('are named by their ids when the one that is needed is not there', () => {
    const [lost, current, previous] = [makeKey(), makeKey(), makeKey()]
    const token = sealer({ current: lost }).seal('hunter2', CONTEXT)
    const seals = sealer({ current, previous: [previous] })
    const error = refusal(() => seals.open(token, CONTEXT))
    assert.equal(error.code, 'key_wrong')
    for (const key of [lost, current, previous]) assert.ok(error.message.includes(keyId(key)))
    for (const key of [lost, current, previous]) {
      assert.ok(!inspect(error).includes(writeKey(key).slice('base64:'.length)))
    }
  })

  it('are not the ones that are written down: ids and ciphertexts come from derived ones', () => {
    const key = createSecretKey(Buffer.alloc(32, 7))
    assert.equal(keyId(key), '08200a524eaeab22')
    assert.equal(sealer({ current: key }).keyId, keyId(key))
  })

  it('may stand among the previous ones too', () => {
    const key = makeKey()
    const seals = sealer({ current: key, previous: [key] })
    assert.equal(seals.open(seals.seal('x', CONTEXT), CONTEXT), 'x')
  })

  it('have 32 bytes', () => {
    for (const length of [1, 16, 31, 33, 64]) {
      const short = createSecretKey(randomBytes(length))
      assert.equal(refusal(() => sealer({ current: short })).code, 'invalid_input')
      assert.equal(refusal(() => sealer({ current: makeKey(), previous: [short] })).code, 'invalid_input')
    }
  })

  it('are written as base64, with or without its padding', () => {
    const key = makeKey()
    const written = writeKey(key)
    assert.match(written, /^base64:[A-Za-z0-9+/]{43}=$/)
    for (const text of [written, written.slice(0, -1), `${written}\n`]) {
      assert.ok(readKey(text).equals(key))
    }
  })

  it('are refused, without being quoted, when they are not that', () => {
    const bytes = (length: number) => `base64:${randomBytes(length).toString('base64')}`
    const whole = bytes(32)
    const cases = ['', 'base64:', 'hunter2hunter2', whole.slice(7), bytes(31), bytes(33), bytes(64)]
    cases.push(`${whole.slice(0, -3)} ${whole.slice(-3)}`, `${whole.slice(0, -2)}?=`, `${whole}=`)
    // Decodes to the same bytes, but is not what anything writes.
    cases.push(`base64:${'A'.repeat(42)}B=`)
    for (const text of cases) {
      const error = refusal(() => readKey(text))
      assert.equal(error.code, 'invalid_input', text)
      assert.match(error.hint ?? '', /openssl rand/)
      const encoded = text.replace('base64:', '')
      if (encoded.length > 8) assert.ok(!inspect(error).includes(encoded))
    }
    assert.match(refusal(() => readKey(bytes(16))).message, /it has 16/)
  })
})
