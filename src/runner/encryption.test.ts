import assert from 'node:assert/strict'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { describe, it } from 'node:test'
import { type EncryptionChoice, fingerprintOfRecipients, type KeyRing } from './encryption.ts'
import { listSnapshots } from './manifests.ts'
import { takeSafetySnapshot } from './safety-snapshot.ts'
import { takeSnapshot } from './take-snapshot.ts'
import { engineRunning, job, newVolume, order } from './test-bed.ts'
import { verifyCopy } from './verify-copy.ts'
import { isEverything } from '../../test/servers/share.ts'

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
  return { volume, key, manifest, open }
}

/** Takes a safety snapshot beside the given one, and returns its manifest. */
async function keep({ volume, key, manifest: like }: Awaited<ReturnType<typeof take>>, keys: KeyRing) {
  const server = { engine, engineName: 'sqlite', connection: {}, database: 'shop', serverName: 'prod' }
  const order = { ...server, volume, keys, like: { volume, key, manifest: like }, stallAfter: 60_000 }
  const id = await takeSafetySnapshot(order, job())
  const { snapshots } = await listSnapshots(volume, new AbortController().signal)
  const made = snapshots.find(({ manifest }) => manifest.snapshot === id)
  assert.ok(made)
  return {
    encryption: made.manifest.encryption,
    open: (keys: KeyRing) => verifyCopy(engine, volume, made.key, made.manifest, keys, job()),
  }
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
      const snapshot = await take(choice, ring)
      const kept = await keep(snapshot, ring)
      assert.deepEqual(kept.encryption, snapshot.manifest.encryption)
    })

    if (choice.method === 'age' && !isEverything) continue // scrypt takes a second for each
    if (choice.method === '7z' && !choice.key) continue
    it(`is encrypted with a key that was given for the restore alone: ${JSON.stringify(choice)}`, async () => {
      const snapshot = await take(choice, ring)
      const secret = choice.method === '7z' ? 'first password' : 'third passphrase'
      const given = { ...ring, namedKeys: [], instanceKeys: [INSTANCE, secret] }
      const kept = await keep(snapshot, { ...given, agePassphrases: ['of no snapshot', secret] })
      assert.deepEqual(kept.encryption, snapshot.manifest.encryption)
      await kept.open({ ...given, instanceKeys: [secret], agePassphrases: [secret] })
    })

    it(`is encrypted with a key that has another id by now: ${JSON.stringify(choice)}`, async () => {
      const snapshot = await take(choice, ring)
      const renamed = named.map((key) => ({ ...key, id: `another-${key.id}` }))
      const kept = await keep(snapshot, { ...ring, instanceKeys: [], namedKeys: renamed })
      const { encryption } = snapshot.manifest
      assert.deepEqual(kept.encryption, { ...encryption, keyId: `another-${encryption?.keyId}` })
    })

    it(`is not encrypted with a key that does not fit: ${JSON.stringify(choice)}`, async () => {
      const snapshot = await take(choice, ring)
      const others = { ...ring, namedKeys: [], agePassphrases: ['mistyped'] }
      await assert.rejects(keep(snapshot, others), { code: 'key_wrong' })
    })
  }

  it('has the instance key that is in use, where the snapshot has a former one', async () => {
    const snapshot = await take({ method: '7z' }, ring)
    const keys = { ...ring, instanceKeys: ['of today, since the summer', INSTANCE] }
    const kept = await keep(snapshot, keys)
    assert.equal(kept.encryption?.keyId, 'instance')
    assert.notEqual(kept.encryption?.fingerprint, snapshot.manifest.encryption?.fingerprint)
    await kept.open({ ...keys, instanceKeys: keys.instanceKeys.slice(0, 1) })
  })
})
