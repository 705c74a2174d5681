import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { inspect, promisify } from 'node:util'
import { keyId, makeKey, readKey, sealer, writeKey } from '../lib/sealing.ts'
import { AppError } from '../shared/errors.ts'
import { instanceKeys, loadAppKey, makeDataDirectory } from './app-key.ts'

const base = mkdtempSync(join(tmpdir(), 'holdfast-test-app-key-'))
after(() => rmSync(base, { recursive: true }))

let count = 0
/** The path of a data directory that is not there yet. */
const newFolder = () => join(base, String(++count), 'data')
const alone = (dataDirectory: string) => ({ dataDirectory, appKey: undefined, previousAppKeys: [] })
const mode = (path: string) => statSync(path).mode & 0o777

/** A data directory with a key file of this text and mode. */
function folderWith(text: string, mode = 0o600): { folder: string; path: string } {
  const folder = newFolder()
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'app.key')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return { folder, path }
}

async function refusal(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => assert.fail('nothing was thrown'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof AppError, inspect(error))
  return error
}

describe('the app key', () => {
  it('is made once, and kept where only its owner can read it', async () => {
    const folder = newFolder()
    const umask = process.umask(0)
    const made = await loadAppKey(alone(folder)).finally(() => process.umask(umask))
    assert.equal(made.origin, 'made')
    assert.equal(made.path, join(folder, 'app.key'))
    assert.deepEqual([mode(folder), mode(made.path)], [0o700, 0o600])
    const text = readFileSync(made.path, 'utf8')
    assert.match(text, /^base64:[A-Za-z0-9+/]{43}=\n$/)
    assert.ok(readKey(text).equals(made.current))
    assert.deepEqual(readdirSync(folder), ['app.key'])
    assert.ok(made.note?.includes(made.path))
    const again = await loadAppKey(alone(folder))
    assert.deepEqual([again.origin, again.note, again.previous.length], ['file', undefined, 0])
    assert.ok(again.current.equals(made.current))
    assert.equal(readFileSync(made.path, 'utf8'), text)
  })

  it('is shown by nothing that is printed', async () => {
    const made = await loadAppKey(alone(newFolder()))
    const encoded = writeKey(made.current).slice('base64:'.length)
    for (const text of [
      inspect(made, { depth: 9, showHidden: true }),
      JSON.stringify(made),
      `${made.note}`,
    ]) {
      assert.ok(!text.includes(encoded))
    }
  })

  it('does not change a data directory that is there', async () => {
    const folder = newFolder()
    mkdirSync(folder, { recursive: true, mode: 0o755 })
    chmodSync(folder, 0o755)
    assert.equal((await loadAppKey(alone(folder))).origin, 'made')
    assert.equal(mode(folder), 0o755)
  })

  it('is the environment’s if that has one; nothing is written then', async () => {
    const folder = newFolder()
    const [appKey, former] = [makeKey(), makeKey()]
    const found = await loadAppKey({
      dataDirectory: folder,
      appKey,
      previousAppKeys: [former, appKey, former],
    })
    assert.equal(found.origin, 'environment')
    assert.ok(found.current.equals(appKey))
    assert.deepEqual(found.previous.map(keyId), [keyId(former)])
    assert.throws(() => statSync(folder), { code: 'ENOENT' })
  })

  it('of the file is a previous one when the environment has another', async () => {
    const folder = newFolder()
    const made = await loadAppKey(alone(folder))
    const token = sealer(made).seal('hunter2', 'a')
    const appKey = makeKey()
    const found = await loadAppKey({ dataDirectory: folder, appKey, previousAppKeys: [] })
    assert.deepEqual([found.origin, found.previous.map(keyId)], ['environment', [keyId(made.current)]])
    assert.equal(sealer(found).open(token, 'a'), 'hunter2')
    const same = await loadAppKey({ dataDirectory: folder, appKey: made.current, previousAppKeys: [] })
    assert.deepEqual([same.origin, same.previous], ['environment', []])
  })

  it('is not taken from a file that others can read or write', async () => {
    const written = writeKey(makeKey())
    for (const bad of [0o640, 0o604, 0o644, 0o620, 0o602, 0o660, 0o777]) {
      const { folder, path } = folderWith(written, bad)
      const error = await refusal(loadAppKey(alone(folder)))
      assert.deepEqual([error.code, error.exitCode], ['configuration_invalid', 2])
      assert.match(error.message, /by others \(mode 0\d\d\d\)/)
      assert.ok(error.hint?.includes(`chmod 600 ${path}`))
      assert.equal(mode(path), bad)
    }
    const { folder } = folderWith(written, 0o400)
    assert.equal((await loadAppKey(alone(folder))).origin, 'file')
  })

  it('is not taken from a file that is damaged, and that file is not replaced', async () => {
    const written = writeKey(makeKey())
    for (const text of [
      '',
      '\n',
      written.slice(0, 20),
      written.slice(0, -4),
      `${written}${written}`,
      'hunter2hunter2',
    ]) {
      const { folder, path } = folderWith(text)
      const error = await refusal(loadAppKey(alone(folder)))
      assert.equal(error.code, 'configuration_invalid')
      assert.ok(error.message.includes(path))
      if (text.trim() !== '') assert.ok(!inspect(error).includes(text.trim()))
      assert.equal(readFileSync(path, 'utf8'), text)
    }
  })

  it('is not taken from what is no file', async () => {
    const folder = newFolder()
    mkdirSync(join(folder, 'app.key'), { recursive: true })
    assert.match((await refusal(loadAppKey(alone(folder)))).message, /is not a file/)
    const other = newFolder()
    mkdirSync(other, { recursive: true })
    symlinkSync('app.key', join(other, 'app.key'))
    assert.match((await refusal(loadAppKey(alone(other)))).message, /cannot be read/)
  })

  it('of the environment works in spite of a bad file, with a warning', async () => {
    const { folder } = folderWith(writeKey(makeKey()), 0o644)
    const found = await loadAppKey({ dataDirectory: folder, appKey: makeKey(), previousAppKeys: [] })
    assert.deepEqual([found.origin, found.previous], ['environment', []])
    assert.match(found.warnings.join(), /by others .* APP_KEY is used/)
  })

  it('is not made where a store is that was sealed with a lost one', async () => {
    const folder = newFolder()
    const error = await refusal(loadAppKey(alone(folder), { mayMake: false }))
    assert.equal(error.code, 'key_missing')
    assert.ok(error.message.includes(join(folder, 'app.key')))
    assert.throws(() => statSync(folder), { code: 'ENOENT' })
  })

  it('cannot be made where no directory can be', async () => {
    const file = join(base, 'file')
    writeFileSync(file, '')
    const error = await refusal(loadAppKey(alone(join(file, 'data'))))
    assert.equal(error.code, 'configuration_invalid')
    assert.equal((await refusal(makeDataDirectory(join(file, 'data')))).code, 'configuration_invalid')
  })

  it('leaves nothing of those who were killed while they made one', async () => {
    const folder = newFolder()
    mkdirSync(folder, { recursive: true })
    // The token of a process of this machine that is over.
    const script = `import('${new URL('../lib/identity.ts', import.meta.url).href}').then((m) => process.stdout.write(m.ownToken()))`
    const { stdout: token } = await promisify(execFile)(process.execPath, ['-e', script])
    writeFileSync(join(folder, `.app.key.${token}.0011aabb.tmp`), 'base64:half of a k')
    writeFileSync(join(folder, '.app.key.elsewhere.0011aabb.tmp'), '')
    await loadAppKey(alone(folder))
    assert.deepEqual(readdirSync(folder).sort(), ['.app.key.elsewhere.0011aabb.tmp', 'app.key'])
  })

  it('is the same for all that start at the same time', async () => {
    const folder = newFolder()
    const found = await Promise.all(Array.from({ length: 20 }, () => loadAppKey(alone(folder))))
    assert.equal(new Set(found.map(({ current }) => keyId(current))).size, 1)
    assert.equal(found.filter(({ origin }) => origin === 'made').length, 1)
    assert.deepEqual(readdirSync(folder), ['app.key'])
  })
})

describe('the instance keys', () => {
  it('begin with the one in use, and hold all that may open older snapshots, each once', () => {
    const appKey = { current: makeKey(), previous: [makeKey()] }
    const [current, former] = [writeKey(appKey.current), ...appKey.previous.map(writeKey)] as [string, string]
    assert.deepEqual(instanceKeys({ backupKey: undefined, previousBackupKeys: ['old'] }, appKey), [
      current,
      'old',
      former,
    ])
    assert.deepEqual(instanceKeys({ backupKey: 'new', previousBackupKeys: ['old', former] }, appKey), [
      'new',
      'old',
      former,
      current,
    ])
  })
})
