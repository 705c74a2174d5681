import assert from 'node:assert/strict'
import { Decrypter, Encrypter, generateHybridIdentity, generateX25519Identity, Stanza } from 'age-encryption'
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { skipUnless } from '../../../test/servers/needs.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { AppError } from '../../shared/errors.ts'
import { pipeThrough, run } from '../process.ts'
import { ageIdentityFits, decryptAge, encryptAge, recipientsOf } from './index.ts'

const signal = AbortSignal.timeout(600_000)
const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 3 * 1_048_576]
const skip = skipUnless('age')
const CHUNK = 65_536 + 16

let identity: string
let other: string
let recipients: string[]
before(async () => {
  identity = await generateX25519Identity()
  other = await generateX25519Identity()
  recipients = await recipientsOf(identity)
})

describe('an age file', () => {
  it('gives back what was put in, in whatever pieces it comes', async () => {
    for (const size of sizes) {
      const content = randomBytes(size)
      const file = await encrypted(content)
      for (const piece of [977, 1_000_003]) {
        assert.ok(
          (await all(decryptAge({ identities: [identity] }, inPieces(file, piece), signal))).equals(content),
        )
      }
    }
  })

  it('is opened by each of its recipients, post-quantum ones too', async () => {
    const identities = [identity, await generateHybridIdentity(), other]
    const to = (await Promise.all(identities.map(recipientsOf))).flat()
    const file = await all(encryptAge({ recipients: to }, inPieces(Buffer.from('content'), 3)))
    for (const one of identities) {
      assert.equal(String(await decrypted(file, { identities: [one] })), 'content')
    }
    assert.equal(
      String(await decrypted(file, { identities: [await generateX25519Identity(), other] })),
      'content',
    )
  })

  it('is opened by its passphrase only', async () => {
    const file = await all(encryptAge({ passphrase: 'pässword' }, inPieces(Buffer.from('content'), 3)))
    assert.equal(
      String(await decrypted(file, { identities: [identity], passphrases: ['wrong', 'pässword'] })),
      'content',
    )
    await assert.rejects(decrypted(file, { passphrases: ['password'] }), { code: 'key_wrong' })
    await assert.rejects(decrypted(file, { identities: [identity] }), { code: 'key_wrong' })
  })

  it('leaves the event loop free while a passphrase is stretched', async () => {
    let turns = 0
    const turn = setInterval(() => turns++, 1)
    await all(encryptAge({ passphrase: 'password' }, inPieces(Buffer.alloc(0), 1)))
    clearInterval(turn)
    assert.ok(turns > 10, `${turns} turns`)
  })

  it('says before the first byte that no key fits', async () => {
    const file = await encrypted(randomBytes(100))
    for (const keys of [{ identities: [other] }, { identities: [] }, {}]) {
      await assert.rejects(decrypted(file, keys), { code: 'key_wrong' })
    }
  })

  it('throws the very error that its source threw, in both directions', async () => {
    const error = new Error('the tool failed')
    const isIt = (thrown: unknown) => thrown === error
    const file = await encrypted(randomBytes(200_000))
    await assert.rejects(all(encryptAge({ recipients }, failingAfter(file, error))), isIt)
    for (const length of [0, 50, 100_000, file.length]) {
      const source = failingAfter(file.subarray(0, length), error)
      await assert.rejects(all(decryptAge({ identities: [identity] }, source, signal)), isIt)
    }
  })

  it('closes its source when the reader leaves', async () => {
    let isClosed = false
    const file = await encrypted(randomBytes(200_000))
    const source = (async function* () {
      try {
        yield* inPieces(file, 1_000)
      } finally {
        isClosed = true
      }
    })()
    for await (const _ of decryptAge({ identities: [identity] }, source, signal)) break
    assert.ok(isClosed)
  })

  it('stops when the signal aborts', async () => {
    const reason = new Error('stopped')
    const file = await encrypted(Buffer.from('content'))
    const stopped = decryptAge({ identities: [identity] }, inPieces(file, 10), AbortSignal.abort(reason))
    await assert.rejects(all(stopped), (thrown) => thrown === reason)
  })

  it('needs a recipient, and a real one', async () => {
    for (const to of [
      { recipients: [] },
      { recipients: ['age1nonsense'] },
      { recipients: ['ssh-ed25519 AAAA'] },
      { passphrase: '' },
    ]) {
      await assert.rejects(all(encryptAge(to, inPieces(Buffer.from('x'), 1))), { code: 'invalid_input' })
    }
  })

  it('never repeats an identity that is broken', async () => {
    const broken = `${identity.slice(0, -1)}${identity.endsWith('Q') ? 'P' : 'Q'}`
    const file = await encrypted(Buffer.from('x'))
    await assert.rejects(decrypted(file, { identities: [broken] }), (error: AppError) => {
      assert.equal(error.code, 'invalid_input')
      return !`${error.stack} ${error.hint} ${JSON.stringify(error.cause)}`.includes(broken.slice(20, 40))
    })
  })

  it('asking for too much work is refused before any is done', async () => {
    const encrypter = new Encrypter()
    encrypter.addRecipient({
      wrapFileKey: () => [
        new Stanza(['scrypt', randomBytes(16).toString('base64').slice(0, 22), '40'], randomBytes(32)),
      ],
    })
    const file = Buffer.from(await encrypter.encrypt('content'))
    await assert.rejects(decrypted(file, { passphrases: ['any'] }), {
      code: 'unsupported',
      message: 'The age file asks for 2^40 rounds of scrypt; at most 2^20 are done.',
    })
  })
})

describe('an age file that is not as it was', () => {
  it('is refused when it is truncated anywhere', async () => {
    const content = randomBytes(2 * 65_536 + 500)
    const file = await encrypted(content)
    const payload = file.length - 2 * CHUNK - 516
    const lengths = new Set<number>()
    for (let length = 0; length <= payload + 40; length++) lengths.add(length)
    for (let length = payload; length < file.length; length += 6_007) lengths.add(length)
    for (const border of [payload, payload + CHUNK, payload + 2 * CHUNK, file.length]) {
      for (let beside = -20; beside <= 20; beside++) lengths.add(Math.min(border + beside, file.length - 1))
    }
    for (const length of lengths)
      await refused(file.subarray(0, length), content, `${length} of ${file.length} bytes`)
  })

  it('is refused when it is truncated to whole chunks', async () => {
    const content = randomBytes(3 * 65_536)
    const file = await encrypted(content)
    for (const chunks of [1, 2])
      await refused(file.subarray(0, -CHUNK * chunks), content, `without ${chunks} chunks`)
  })

  it('is refused when any bit is flipped', async () => {
    const content = Buffer.from('a content of some length')
    const file = await encrypted(content)
    for (let bit = 0; bit < file.length * 8; bit++)
      await refused(withFlipped(file, bit), content, `bit ${bit}`)
  })

  it('is refused when a bit of a large one is flipped', async () => {
    const content = randomBytes(200_000)
    const file = await encrypted(content)
    const anyBit = fc.nat(file.length * 8 - 1)
    await fc.assert(fc.asyncProperty(anyBit, (bit) => refused(withFlipped(file, bit), content, `bit ${bit}`)))
  })

  it('is refused when its chunks are in another order, repeated, or left out', async () => {
    const content = randomBytes(3 * 65_536 + 100)
    const file = await encrypted(content)
    const start = file.length - 3 * CHUNK - 116
    const [a, b, c, end] = [0, 1, 2, 3].map((i) =>
      file.subarray(start + i * CHUNK, start + (i + 1) * CHUNK),
    ) as [Buffer, Buffer, Buffer, Buffer]
    for (const [what, chunks] of Object.entries({
      bac: [b, a, c, end],
      aabc: [a, a, b, c, end],
      ac: [a, c, end],
      end: [end],
      abcend: [a, b, c, end, end],
    })) {
      await refused(Buffer.concat([file.subarray(0, start), ...chunks]), content, what)
    }
  })

  it('is refused when bytes follow it', async () => {
    for (const size of [0, 100, 65_536]) {
      const content = randomBytes(size)
      const file = await encrypted(content)
      for (const more of [1, 16, 17, CHUNK]) {
        await refused(Buffer.concat([file, Buffer.alloc(more)]), content, `${more} bytes after ${size}`)
      }
    }
  })

  it('is refused when it never was one', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((random) => Buffer.from(random)),
      fc.string({ maxLength: 300 }).map((text) => Buffer.from(`age-encryption.org/v1\n${text}`)),
      fc
        .string({ maxLength: 300 })
        .map((text) =>
          Buffer.from(`age-encryption.org/v1\n-> X25519 ${text}\n${text}\n--- ${text}\n${text.repeat(9)}`),
        ),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (file) => {
        await assert.rejects(decrypted(file, { identities: [identity], passphrases: ['p'] }), AppError)
      }),
      { numRuns: 300 },
    )
  })

  it('is refused when its header never ends', async () => {
    const file = Buffer.concat([Buffer.from('age-encryption.org/v1\n'), Buffer.alloc(100_000, 'A')])
    await assert.rejects(decrypted(file, { identities: [identity] }), { code: 'decryption_failed' })
  })

  it('is called armored when it is', async () => {
    const file = Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n')
    await assert.rejects(decrypted(file, { identities: [identity] }), { code: 'unsupported' })
  })
})

describe('whether a key fits', () => {
  it('is known from the header alone', async () => {
    const file = await encrypted(randomBytes(1_000))
    const header = file.subarray(0, file.indexOf('\n--- ') + 49)
    assert.equal(await ageIdentityFits(header, { identities: [identity] }), true)
    assert.equal(await ageIdentityFits(file, { identities: [other, identity] }), true)
    assert.equal(await ageIdentityFits(header, { identities: [other] }), false)
    assert.equal(await ageIdentityFits(header, {}), false)
  })

  it('cannot be known from less', async () => {
    const file = await encrypted(randomBytes(1_000))
    await assert.rejects(ageIdentityFits(file.subarray(0, 100), { identities: [identity] }), {
      code: 'decryption_failed',
    })
  })
})

describe('the age-encryption package', () => {
  it('opens what we encrypted, and the reverse', async () => {
    for (const size of [0, 65_536, 65_537]) {
      const content = randomBytes(size)
      const decrypter = new Decrypter()
      decrypter.addIdentity(identity)
      assert.ok(content.equals(await decrypter.decrypt(await encrypted(content))))
      const encrypter = new Encrypter()
      for (const recipient of recipients) encrypter.addRecipient(recipient)
      const file = Buffer.from(await encrypter.encrypt(content))
      assert.ok((await decrypted(file, { identities: [identity] })).equals(content))
    }
  })
})

describe('the age program', { skip }, () => {
  it('opens what we encrypted, and the reverse', async () => {
    await using folder = await tempFolder('age')
    const identityFile = await folder.write('identity.txt', identity)
    for (const size of sizes) {
      const content = randomBytes(size)
      const decrypt = { file: 'age', args: ['-d', '-i', identityFile] }
      assert.ok(
        (await all(pipeThrough(decrypt, inPieces(await encrypted(content), 70_000), signal))).equals(content),
      )
      const encrypt = { file: 'age', args: recipients.flatMap((recipient) => ['-r', recipient]) }
      const file = await all(pipeThrough(encrypt, inPieces(content, 70_000), signal))
      assert.ok((await decrypted(file, { identities: [identity] })).equals(content))
    }
  })

  it('opens what we encrypted with a passphrase, and the reverse', async () => {
    await using folder = await tempFolder('age')
    const content = randomBytes(70_000)
    const [plain, ours, theirs, back] = ['plain', 'ours.age', 'theirs.age', 'back'].map((name) =>
      join(folder.path, name),
    ) as [string, string, string, string]
    await writeFile(plain, content)
    await writeFile(ours, await all(encryptAge({ passphrase: 'pass phrase' }, inPieces(content, 9_999))))
    await atTerminal(`age -d -o ${back} ${ours}`, 'pass phrase\n')
    assert.ok((await readFile(back)).equals(content))
    await atTerminal(`age -p -o ${theirs} ${plain}`, 'pass phrase\npass phrase\n')
    assert.ok((await decrypted(await readFile(theirs), { passphrases: ['pass phrase'] })).equals(content))
  })

  it('makes identity files that we read', async () => {
    const file = await run({ file: 'age-keygen', args: [] }, signal)
    const [recipient] = await recipientsOf(file)
    assert.ok(recipient && file.includes(`public key: ${recipient}\n`))
  })
})

function encrypted(content: Buffer): Promise<Buffer> {
  return all(encryptAge({ recipients }, inPieces(content, 50_021)))
}

function decrypted(file: Buffer, keys: Parameters<typeof decryptAge>[0]): Promise<Buffer> {
  return all(decryptAge(keys, inPieces(file, 50_021), signal))
}

/** Also checks that whatever came out before the error is what was put in. */
async function refused(file: Buffer, content: Buffer, message: string): Promise<void> {
  let given = 0
  const read = async () => {
    for await (const bytes of decryptAge({ identities: [identity] }, inPieces(file, 50_021), signal)) {
      assert.ok(content.subarray(given, given + bytes.length).equals(bytes), message)
      given += bytes.length
    }
  }
  await assert.rejects(
    read,
    (error) => {
      assert.ok(error instanceof AppError, `${message}: ${String(error)}`)
      return error.code === 'decryption_failed' || error.code === 'key_wrong'
    },
    message,
  )
}

function withFlipped(file: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(file)
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

/** age asks for passphrases at a terminal only. */
async function atTerminal(command: string, typed: string): Promise<void> {
  await all(
    pipeThrough(
      { file: 'script', args: ['-qec', command, '/dev/null'] },
      inPieces(Buffer.from(typed), 99),
      signal,
    ),
  )
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source))
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function* failingAfter(bytes: Buffer, error: Error): AsyncGenerator<Uint8Array, void> {
  yield* inPieces(bytes, 9_999)
  throw error
}
