import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sign, signatureHeaders, verify } from './signature.ts'

const secret = 'a secret of both sides'
const body = '{"title":"Grüße"}'

describe('signature', () => {
  it('is the HMAC-SHA256 of timestamp, full stop and body', () => {
    // printf '%s' '1767225600.{"title":"Grüße"}' | openssl dgst -sha256 -hmac 'a secret of both sides'
    assert.deepEqual(sign(secret, body, 1_767_225_600.9), {
      timestamp: '1767225600',
      signature: 'sha256=487ac508b78c27d6b672cd52f61c41b8c3835fad21fc01bef07a4de3beb3b733',
    })
    assert.deepEqual(sign(secret, Buffer.from(body), 1_767_225_600), sign(secret, body, 1_767_225_600))
  })

  it('is verified for the same secret, body and time only', () => {
    const now = 1_767_225_600
    const signed = sign(secret, body, now)
    assert.ok(verify(secret, body, signed, now))
    assert.ok(verify(secret, body, signed, now + 300))
    assert.ok(!verify(secret, body, signed, now + 301))
    assert.ok(!verify(secret, body, signed, now - 301))
    assert.ok(!verify('another secret', body, signed, now))
    assert.ok(!verify(secret, `${body} `, signed, now))
    assert.ok(!verify(secret, body, { ...signed, timestamp: String(now + 1) }, now))
    for (const signature of ['', 'sha256=', signed.signature.slice(0, -1), signed.signature.slice(7)]) {
      assert.ok(!verify(secret, body, { ...signed, signature }, now))
    }
    for (const timestamp of ['', 'NaN', `${now}.0`, ` ${now}`, '-1']) {
      assert.ok(!verify(secret, body, { ...signed, timestamp }, now))
    }
  })

  it('travels in two headers', () => {
    const headers = signatureHeaders(secret, body)
    const signed = {
      timestamp: headers['x-holdfast-timestamp'] ?? '',
      signature: headers['x-holdfast-signature'] ?? '',
    }
    assert.ok(verify(secret, body, signed, Date.now() / 1000))
  })
})
