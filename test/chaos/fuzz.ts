import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { openDatabaseUrl } from '../../src/engines/index.ts'
import { engineNamed } from '../../src/engines/index.ts'
import { findSnapshot, listSnapshots } from '../../src/runner/manifests.ts'
import { verifyCopy } from '../../src/runner/verify-copy.ts'
import { parseCompression } from '../../src/shared/codecs.ts'
import { AppError } from '../../src/shared/errors.ts'
import { keyFor } from '../../src/shared/keys.ts'
import { maskUrl, openVolumeUrl } from '../../src/volumes/index.ts'
import { checkKey } from '../../src/volumes/key.ts'
import { type BackupReport, jsonOf, openDesk } from '../e2e/cli.ts'
import { tempFolder } from '../servers/temp-folder.ts'
import { allForms } from './forms.ts'
import { type Bench, type Group, momentIn, oneOf } from './suite.ts'

const signal = new AbortController().signal
const secret = 'canary5ecret'
/** Characters that mean something to URLs, paths, shells, templates and JSON, and some that nothing can show. */
const odd = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '/',
      '..',
      '.',
      ':',
      '@',
      '?',
      '#',
      '%',
      '%2',
      '%00',
      '%2e',
      '\0',
      '\n',
      '{',
      '}',
      '\\',
      '"',
      "'",
      ' ',
      '*',
      '~',
      '-',
      '\u202e',
      '\ud800',
      'ü',
      '🎉',
    ),
    fc.constantFrom(
      '{database}',
      '{server}',
      '{__proto__}',
      'constructor',
      '.manifest.json',
      '.holdfast',
      '$(x)',
      'a'.repeat(4_096),
    ),
    fc.string({ minLength: 1, maxLength: 3 }),
  ),
  maxLength: 12,
})
const databaseSchemes = fc.constantFrom('postgresql:', 'postgres:', 'mysql:', 'mariadb:', 'sqlite:')
const volumeSchemes = fc.constantFrom('s3:', 'sftp:', 'file:', './', '/tmp/x')

/** Whatever is said, the answer is a value or a clear error for a person; never a crash, and never a secret. */
export function fuzz(bench: Bench): Group[] {
  const words = (name: string, property: () => fc.IRawProperty<unknown>): Group => ({
    name,
    needs: [],
    few: 1,
    round: async () => {
      await fc.assert(property() as fc.IAsyncProperty<unknown>, { numRuns: 300 })
    },
  })
  return [
    words('database URLs', () =>
      fc.property(databaseSchemes, odd, odd, odd, (scheme, user, host, rest) => {
        const url = `${scheme}//${user}:${secret}@${host}/${rest}`
        clearly(() => openDatabaseUrl(url, {}), [secret])
      }),
    ),
    words('volume URLs', () =>
      fc.property(volumeSchemes, odd, odd, odd, (scheme, user, host, rest) => {
        const url = `${scheme}//${user}:${secret}@${host}/${rest}`
        clearly(() => openVolumeUrl(url, { HOLDFAST_VOLUME_PASSWORD: secret }), [])
        if (!/[:@/?]/.test(user) && /^(s3|sftp):/.test(url))
          assert.ok(!maskUrl(url).includes(secret), maskUrl(url))
      }),
    ),
    words('key templates', () =>
      fc.property(odd, odd, odd, odd, (server, database, path, name) => {
        const at = new Date(0)
        const key = clearly(() => keyFor({ server, database, at }, path, name), [])
        if (key === undefined) return
        assert.ok(
          !key.split('/').some((segment) => segment === '..' || segment === '.' || segment === ''),
          key,
        )
        clearly(() => checkKey(key), [])
      }),
    ),
    words('compressions', () => fc.property(odd, (text) => void clearly(() => parseCompression(text), []))),
    {
      name: 'keys of objects stay below their volume',
      needs: [],
      few: 1,
      async round() {
        await using folder = await tempFolder('fuzz')
        const root = join(folder.path, 'a', 'volume')
        await mkdir(root, { recursive: true })
        await writeFile(join(folder.path, 'a', 'outside'), 'outside')
        const { volume } = openVolumeUrl(root, {})
        await fc.assert(
          fc.asyncProperty(
            fc.oneof(odd, fc.constant('../outside'), fc.constant('a/../../outside')),
            async (key) => {
              const body = (async function* () {
                yield Buffer.from('x')
              })()
              await clearlyDone(volume.write(key, { body }, signal))
              await clearlyDone(findSnapshot(volume, key, signal))
              await clearlyDone(volume.remove(key, signal))
              assert.deepEqual(await readdir(join(folder.path, 'a')), ['outside', 'volume'])
              assert.equal(await readFile(join(folder.path, 'a', 'outside'), 'utf8'), 'outside')
            },
          ),
          { numRuns: 100 },
        )
      },
    },
    {
      name: 'manifests',
      needs: [],
      few: 1,
      async round(_n, isShort) {
        const { manifest } = await takenSnapshot(bench, isShort)
        await using folder = await tempFolder('fuzz')
        const { volume } = openVolumeUrl(folder.path, {})
        const text = manifest.toString('utf8')
        const put = fc.constantFrom(
          '',
          '0',
          '"',
          '}',
          '-1',
          '1e999',
          'null',
          '{"__proto__": {"polluted": 1}}',
          '\0',
        )
        const changed = fc
          .tuple(fc.nat(text.length - 1), put, fc.nat(30))
          .map(([at, put, cut]) => text.slice(0, at) + put + text.slice(at + cut))
        await fc.assert(
          fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: changed }, fc.json(), odd), async (json) => {
            await writeFile(join(folder.path, 'x.manifest.json'), json)
            await clearlyDone(findSnapshot(volume, 'x', signal))
            const { snapshots, unreadable } = await listSnapshots(volume, signal)
            assert.equal(snapshots.length + unreadable.length, 1)
            assert.equal(({} as { polluted?: unknown }).polluted, undefined)
          }),
          { numRuns: isShort ? 50 : 200 },
        )
      },
    },
    {
      name: 'damaged objects and manifests, by the command line',
      needs: ['age'],
      few: 1,
      async round(_n, isShort) {
        const { key, folder, env } = await takenSnapshot(bench, isShort)
        await using copy = await tempFolder('damaged')
        const [object, manifest] = await Promise.all([
          readFile(join(folder, key)),
          readFile(join(folder, `${key}.manifest.json`)),
        ])
        const [damaged, changed] = momentIn(3) === 0 ? [object, harm(manifest)] : [harm(object), manifest]
        await mkdir(dirname(join(copy.path, key)), { recursive: true })
        await writeFile(join(copy.path, key), damaged)
        await writeFile(join(copy.path, `${key}.manifest.json`), changed)
        const { volume } = openVolumeUrl(copy.path, {})
        const listing = await listSnapshots(volume, signal)
        assert.equal(listing.snapshots.length + listing.unreadable.length, 1)
        await using desk = await openDesk()
        const target = join(desk.folder.path, 'restored.db')
        for (const args of [
          ['snapshots', 'ls', '--on', copy.path, '--json'],
          ['snapshots', 'show', key, '--on', copy.path, '--json'],
          ['verify', key, '--on', copy.path, '--json'],
          ['restore', 'once', key, '--from', copy.path, '--into', `sqlite:${target}`, '--json'],
        ]) {
          const end = await desk.run(args, { env })
          const about = `holdfast ${args.join(' ')}: ${end.exitCode} ${end.stdout}${end.stderr}`
          assert.ok(end.exitCode !== null && end.exitCode !== 130, about)
          const { error } = jsonOf<BackupReport>(end)
          if (end.exitCode !== 0) assert.ok(error && error.code !== 'internal', about)
          assert.doesNotMatch(end.stdout + end.stderr, /\n\s+at .*:\d+/, 'a stack is nothing for a person')
          if (args[0] === 'verify' && damaged !== object) assert.notEqual(end.exitCode, 0, about)
        }
        if (damaged !== object) {
          const left = await readdir(desk.folder.path)
          assert.ok(
            !left.some((name) => name.includes('restored.db')),
            `left by a refused restore: ${left.join(', ')}`,
          )
        }
        await clearlyDone(verifyManifest(volume, key))
      },
    },
  ]
}

async function verifyManifest(volume: Parameters<typeof findSnapshot>[0], key: string): Promise<void> {
  const { manifest } = await findSnapshot(volume, key, signal)
  const job = { signal, log: () => {}, progress: () => {} }
  const keys = { instanceKeys: [], ageIdentities: [], agePassphrases: [] }
  await verifyCopy(engineNamed(manifest.server.engine), volume, key, manifest, keys, job)
}

let taken:
  | Promise<{ key: string; folder: string; manifest: Buffer; env: Record<string, string> }[]>
  | undefined

/** Any of some snapshots of a small database, each in another form. */
async function takenSnapshot({ sources, grounds }: Bench, isShort: boolean) {
  taken ??= (async () => {
    const source = await sources.source('sqlite')
    const place = await grounds.place('local')
    const forms = allForms().filter(({ name }) => !name.includes('passphrase'))
    const all = []
    for (const form of isShort ? [oneOf(forms)] : forms) {
      await using desk = await openDesk()
      const args = ['backup', 'once', source.url(), '--to', place.url, ...form.args, '--json']
      const [snapshot] = jsonOf<BackupReport>(await desk.run(args, { env: form.env })).snapshots
      assert.ok(snapshot)
      const manifest = await place.read(`${snapshot.key}.manifest.json`)
      all.push({ key: snapshot.key, folder: place.url, manifest, env: form.env })
    }
    return all
  })()
  return oneOf(await taken)
}

/** One bit flipped, the end cut off, or some bytes too many. */
function harm(bytes: Buffer): Buffer {
  const at = momentIn(bytes.length)
  switch (oneOf(['flip', 'cut', 'add'] as const)) {
    case 'flip': {
      const flipped = Buffer.from(bytes)
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << momentIn(8)), at)
      return flipped
    }
    case 'cut':
      return bytes.subarray(0, at)
    case 'add':
      return Buffer.concat([bytes, Buffer.alloc(1 + momentIn(100), at)])
    default:
      throw new Error('There is no other harm.')
  }
}

/** What it returns, or undefined if it refused in a clear sentence. */
function clearly<T>(act: () => T, secrets: string[]): T | undefined {
  try {
    return act()
  } catch (error) {
    checkRefusal(error, secrets)
    return undefined
  }
}

async function clearlyDone(act: Promise<unknown>): Promise<void> {
  try {
    await act
  } catch (error) {
    checkRefusal(error, [])
  }
}

function checkRefusal(error: unknown, secrets: string[]): void {
  if (!(error instanceof AppError) || error.code === 'internal') throw error
  const said = `${error.message} ${error.hint ?? ''}`
  assert.ok(error.message.length > 10, `not a sentence: ${error.message}`)
  for (const value of secrets) assert.ok(!said.includes(value), `a secret is said: ${said}`)
}
