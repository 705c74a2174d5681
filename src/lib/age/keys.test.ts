import assert from 'node:assert/strict'
import { generateHybridIdentity, generateX25519Identity } from 'age-encryption'
import { describe, it } from 'node:test'
import { parseIdentities, recipientsOf } from './keys.ts'

describe('an identity file', () => {
  it('may have comments, empty lines, several identities and any line ends', async () => {
    const [one, two] = [await generateX25519Identity(), await generateHybridIdentity()]
    const text = `# created: 2024-05-06\r\n# public key: age1…\r\n${one}\r\n\n  # another\n ${two}`
    assert.deepEqual(parseIdentities(text), [one, two])
    const recipients = await recipientsOf(text)
    assert.match(recipients[0] ?? '', /^age1(?!pq)/)
    assert.match(recipients[1] ?? '', /^age1pq1/)
  })

  it('is refused with the number of the line, not with what it says', async () => {
    const identity = await generateX25519Identity()
    const broken = identity.slice(0, -2)
    for (const line of [broken, 'AGE-PLUGIN-YUBIKEY-1SECRET', identity.toLowerCase(), 'age1notasecret']) {
      assert.throws(
        () => parseIdentities(`# comment\n${line}\n`),
        (error: Error & { code: string }) => {
          assert.ok(!String(error.stack).includes(line))
          return (
            error.code === 'invalid_input' &&
            error.message === 'Line 2 of the identity file is not an age identity.'
          )
        },
      )
    }
  })

  it('needs an identity', () => {
    for (const text of ['', '\n', '# AGE-SECRET-KEY-1\n']) {
      assert.throws(() => parseIdentities(text), { code: 'invalid_input' })
    }
  })
})
