import assert from 'node:assert/strict'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, it } from 'node:test'
import { type EncryptionChoice, fingerprintOfRecipients, type KeyRing } from './encryption.ts'
import { listSnapshots } from './manifests.ts'
import { takeSafetySnapshot } from './safety-snapshot.ts'
import { takeSnapshot } from './take-snapshot.ts'
import { engineRunning, job, newVolume, order } from './test-bed.ts'
import { verifyCopy } from './verify-copy.ts'

const INSTANCE = 'base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='
const named: KeyRing['namedKeys'] = [
  { id: 'key-1', kind: 'password', secret: 'first password' },
  { id: 'key-2', kind: 'password', secret: INSTANCE.replace('AAEC', 'ffff') },
  { id: 'key-3', kind: 'passphrase', secret: 'third passphrase' },
]
const ring: KeyRing = {
  instanceKeys: [INSTANCE],
  ageIdentities: [],
  agePassphrases: [],
  namedKeys: named,
}
const engine = engineRunning('warns-and-succeeds')

async function take(encryption: EncryptionChoice, keys: KeyRing) {
  const { volume } = newVolume()
  const { key, manifest } = await takeSnapshot(order(engine, [volume], { encryption, keys }), job())
  const open = (keys: KeyRing) => verifyCopy(engine, volume, key, manifest, keys, job())
  return { volume, manifest, open }
}

describe('a snapshot that is encrypted with a key that has an id', () => {
  const choices: [EncryptionChoice, id: string][] = [
    [{ method: '7z', key: { id: 'key-1', password: 'first password' } }, 'key-1'],
    [{ method: '7z', key: { id: 'key-2', password: INSTANCE.replace('AAEC', 'ffff') } }, 'key-2'],
    [{ method: 'age', passphrase: 'third passphrase', keyId: 'key-3' }, 'key-3'],
  ]
  for (const [choice, id] of choices) {
    it(`names it, and is opened by it alone: ${choice.method} with ${id}`, async () => {
      const { manifest, open } = await take(choice, ring)
      assert.equal(manifest.encryption?.keyId, id)
      const renamed = named.map((key) => ({ ...key, id: `another-${key.id}` }))
      await open({ ...ring, namedKeys: renamed }) // the app was lost, and the key entered again
      const others = named.filter((key) => key.id !== id)
      const code = choice.method === '7z' ? 'key_wrong' : 'key_missing'
      await assert.rejects(open({ ...ring, namedKeys: others }), { code })
      await assert.rejects(open({ ...ring, instanceKeys: [], namedKeys: [] }), { code: 'key_missing' })
    })
  }

  it('names it also where only its recipients can read', async () => {
    const identity = await generateX25519Identity()
    const recipients = [await identityToRecipient(identity)]
    const { manifest, open } = await take({ method: 'age', recipients, keyId: 'key-9' }, ring)
    assert.deepEqual(manifest.encryption, {
      method: 'age',
      keyId: 'key-9',
      fingerprint: fingerprintOfRecipients(recipients),
      recipients,
    })
    await open({ ...ring, ageIdentities: [identity] })
    await assert.rejects(open(ring), { code: 'key_wrong' })
  })

  it('is not confused with what the command line makes, which names no key of the app', async () => {
    const keys: KeyRing = { ...ring, agePassphrases: ['of the command line'] }
    const cases: [EncryptionChoice, string][] = [
      [{ method: '7z' }, 'instance'],
      [{ method: 'age', passphrase: true }, 'passphrase'],
    ]
    for (const [choice, id] of cases) {
      const { manifest, open } = await take(choice, keys)
      assert.equal(manifest.encryption?.keyId, id)
      await open({ ...keys, namedKeys: [] })
    }
    await assert.rejects(take({ method: 'age', passphrase: true }, ring), { code: 'key_missing' })
    await assert.rejects(take({ method: '7z' }, { ...ring, instanceKeys: [] }), { code: 'key_missing' })
  })
})

describe('a safety snapshot', () => {
  const choices: EncryptionChoice[] = [
    { method: '7z' },
    { method: '7z', key: { id: 'key-1', password: 'first password' } },
    { method: 'age', passphrase: 'third passphrase', keyId: 'key-3' },
  ]
  for (const choice of choices) {
    it(`is encrypted like the snapshot that takes its place: ${JSON.stringify(choice)}`, async () => {
      const { volume, manifest: like } = await take(choice, ring)
      const id = await takeSafetySnapshot(
        {
          engine,
          engineName: 'sqlite',
          connection: {},
          database: 'shop',
          serverName: 'prod',
          volume,
          keys: ring,
          like,
          stallAfter: 60_000,
        },
        job(),
      )
      const { snapshots } = await listSnapshots(volume, new AbortController().signal)
      const made = snapshots.map(({ manifest }) => manifest).find(({ snapshot }) => snapshot === id)
      assert.deepEqual(made?.encryption, like.encryption)
    })
  }
})
