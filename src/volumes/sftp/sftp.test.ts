import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { skipUnless } from '../../../test/servers/needs.ts'
import { smallDisk } from '../../../test/servers/small-disk.ts'
import { startSshd, type SshdServer } from '../../../test/servers/sshd.ts'
import { startTcpProxy } from '../../../test/servers/tcp-proxy.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import {
  abandonedName,
  digest,
  fails,
  keys,
  pattern,
  read,
  signal,
  text,
  volumeConformance,
} from '../conformance.ts'
import { openVolumeUrl } from '../index.ts'
import { isTemporary, withCheckedKeys } from '../key.ts'
import { openSftp, sftp } from './index.ts'

const skip = skipUnless('sshd')
const quick = { tries: 3, firstPause: 10, longestPause: 20 }
const MB = 1_000_000

let server: SshdServer
let folders = 0

before(async () => {
  if (!skip) server = await startSshd()
})
after(async () => await server?.[Symbol.asyncDispose]())

const settings = (root: string, at: { host: string; port: number } = server) =>
  sftp.config.parse({
    host: at.host,
    port: at.port,
    user: server.user,
    privateKey: server.privateKey,
    hostKey: server.hostKeyFingerprint,
    root,
  })

/** A volume in a folder of its own, reached through a proxy. */
const open = async () => {
  const root = join(server.folder, `volume-${folders++}`)
  const proxy = await startTcpProxy({ to: server })
  const volume = withCheckedKeys(openSftp(settings(root, proxy), quick, 5_000))
  return {
    volume,
    proxy,
    root,
    leftovers: () => leftovers(root),
    async abandon(key: string) {
      const path = join(root, key)
      await mkdir(join(path, '..'), { recursive: true })
      // Made by root, to be removed by the user who signs in.
      for (let folder = join(path, '..'); folder.startsWith(root); folder = join(folder, '..'))
        await chmod(folder, 0o777)
      await writeFile(join(path, '..', abandonedName(key.slice(key.lastIndexOf('/') + 1))), 'half')
    },
    stall: { begin: () => (proxy.trouble.stalled = true), end: () => (proxy.trouble.stalled = false) },
    async [Symbol.asyncDispose]() {
      await volume[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

// 2 MiB are under way; the rest is what sockets on loopback hold.
volumeConformance('An SFTP server', open, { skip, page: 100, ahead: 16 * MB, memory: 32 * MB })

describe('an SFTP server', { skip, timeout: 200_000 }, () => {
  it('stores by password, by key, and below the folder where logins begin', async () => {
    const address = `${server.user}@${server.host}:${server.port}`
    const pin = `?host-key=${server.hostKeyFingerprint}`
    const keyFile = await write('key', server.privateKey)
    const environments = [
      { HOLDFAST_VOLUME_PRIVATE_KEY_FILE: keyFile },
      ...(server.password
        ? [{ HOLDFAST_VOLUME_PASSWORD_FILE: await write('password', `${server.password}\n`) }]
        : []),
    ]
    for (const environment of environments) {
      await using volume = openVolumeUrl(`sftp://${address}/~/logins${pin}`, environment).volume
      await volume.write('a/b', text('stored'), signal())
      assert.deepEqual(await readdir(join(server.folder, 'logins/a')), ['b'])
      await using absolute = openVolumeUrl(
        `sftp://${address}${server.folder}/logins${pin}`,
        environment,
      ).volume
      assert.equal(await read(absolute, 'a/b'), 'stored')
    }
  })

  it('opens a private key with its passphrase', async () => {
    const key = await write('locked', server.privateKey)
    await chmod(key, 0o600)
    await promisify(execFile)('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'a passphrase', '-f', key])
    const url = `sftp://${server.user}@${server.host}:${server.port}/~/x?host-key=${server.hostKeyFingerprint}`
    const unlock = (passphrase: string) =>
      openVolumeUrl(url, {
        HOLDFAST_VOLUME_PRIVATE_KEY_FILE: key,
        HOLDFAST_VOLUME_PRIVATE_KEY_PASSPHRASE: passphrase,
      })
    await using right = unlock('a passphrase').volume
    assert.deepEqual(await keys(right), [])
    await using wrong = unlock('another').volume
    await fails('authentication_failed', keys(wrong))
    await using none = openVolumeUrl(url, { HOLDFAST_VOLUME_PRIVATE_KEY_FILE: key }).volume
    const error = await fails('authentication_failed', keys(none))
    assert.match(error.hint ?? '', /passphrase/)
  })

  it('says who was refused, without the password', async () => {
    const url = `sftp://${server.user}:wr%20ong@${server.host}:${server.port}/x?host-key=${server.hostKeyFingerprint}`
    const { volume, warnings } = openVolumeUrl(url, {})
    const error = await fails('authentication_failed', volume.write('a', text('x'), signal()))
    assert.match(error.message, new RegExp(server.user))
    assert.doesNotMatch(
      JSON.stringify([error.message, error.hint, warnings, volume.location]),
      /wr(%20| )ong/,
    )
    assert.equal(warnings.length, 1)
    await volume[Symbol.asyncDispose]()
  })

  it('refuses a server that is not known, and shows its key', async () => {
    const home = await folder('home')
    const url = `sftp://${server.user}@${server.host}:${server.port}/~/known`
    const environment = { HOME: home, HOLDFAST_VOLUME_PRIVATE_KEY: server.privateKey }
    const attempt = async () => {
      await using volume = openVolumeUrl(url, environment).volume
      return await keys(volume)
    }
    const error = await fails('host_key_unknown', attempt())
    assert.ok(error.message.includes(server.hostKeyFingerprint))
    // The hint's own words work.
    const pin = /\?host-key=\S+(?=\.$)/.exec(error.hint ?? '')?.[0]
    await using pinned = openVolumeUrl(url + pin, environment).volume
    assert.deepEqual(await keys(pinned), [])

    const knownHosts = join(home, '.ssh/known_hosts')
    await mkdir(join(home, '.ssh'))
    await writeFile(knownHosts, `[${server.host}]:${server.port} ${server.hostKey}\n`)
    assert.deepEqual(await attempt(), [])
    await promisify(execFile)('ssh-keygen', ['-q', '-H', '-f', knownHosts])
    assert.deepEqual(await attempt(), [])
  })

  it('says nothing of leftovers where it could not sign in', async () => {
    const access = `${server.user}@${server.host}:${server.port}/~/x`
    const environment = { HOME: await folder('nobody'), HOLDFAST_VOLUME_PASSWORD: 'wrong' }
    for (const [url, code] of [
      [`sftp://${access}`, 'host_key_unknown'],
      [`sftp://${access}?host-key=${server.hostKeyFingerprint}`, 'authentication_failed'],
    ] as const) {
      await using volume = openVolumeUrl(url, environment).volume
      const error = await fails(code, volume.write('a', text('x'), signal()))
      assert.doesNotMatch(error.message, /so far could not be removed/)
    }
  })

  it('tells a folder that is missing from an empty one, and from what is no folder', async () => {
    const root = join(await folder('there'), 'new')
    await chmod(join(root, '..'), 0o777)
    await using volume = openSftp(settings(root))
    assert.deepEqual([await keys(volume), await volume.isThere?.(signal())], [[], false])
    await volume.write('a', text('x'), signal())
    await volume.remove('a', signal())
    assert.deepEqual([await keys(volume), await volume.isThere?.(signal())], [[], true])
    await using file = openSftp(settings(await write('no-folder', 'x')))
    const error = await fails('volume_refused', file.isThere?.(signal()) ?? assert.fail())
    assert.match(error.message, /no-folder” on sftp:.* is not a folder\.$/)
  })

  it('refuses a server whose key has changed, and shows both', async () => {
    const old = `SHA256:${'A'.repeat(43)}`
    const url = `sftp://${server.user}@${server.host}:${server.port}/~/x?host-key=${old}`
    await using volume = openVolumeUrl(url, { HOLDFAST_VOLUME_PRIVATE_KEY: server.privateKey }).volume
    const error = await fails('host_key_changed', keys(volume))
    assert.ok(error.message.includes(server.hostKeyFingerprint) && error.message.includes(old))
  })

  it('finds the pinned key among the several that a server has', async () => {
    const folder = await tempFolder('host-keys')
    try {
      const key = join(folder.path, 'rsa')
      await promisify(execFile)('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-N', '', '-f', key])
      const { stdout } = await promisify(execFile)('ssh-keygen', ['-lf', `${key}.pub`])
      await chmod(key, 0o600)
      // Of a repeated setting sshd takes all HostKeys.
      await using two = await startSshd({ settings: { 'HostKey ': key } })
      for (const fingerprint of [two.hostKeyFingerprint, stdout.split(' ')[1]]) {
        const url = `sftp://${two.user}@${two.host}:${two.port}/~/x?host-key=${fingerprint}`
        await using volume = openVolumeUrl(url, { HOLDFAST_VOLUME_PRIVATE_KEY: two.privateKey }).volume
        assert.deepEqual(await keys(volume), [])
      }
    } finally {
      await folder[Symbol.asyncDispose]()
    }
  })

  it('keeps the old object when the connection is lost half-way, and cleans up by a new one', async () => {
    await using test = await open()
    await test.volume.write('a/object', text('old'), signal())
    for (const bytes of [1, 300_000, 3 * MB]) {
      const start = test.proxy.passed.toServer
      let lost = false
      const body = async function* () {
        for await (const chunk of pattern(10 * MB)) {
          yield chunk
          if (lost || test.proxy.passed.toServer < start + bytes) continue
          lost = true
          test.proxy.resetAll()
        }
      }
      await fails('volume_unreachable', test.volume.write('a/object', { body: body() }, signal()))
      assert.equal(await read(test.volume, 'a/object'), 'old')
      assert.deepEqual(await test.leftovers(), [])
    }
    assert.deepEqual(await keys(test.volume), ['a/object'])
  })

  it('goes on reading when the connection is lost', async () => {
    await using test = await open()
    await test.volume.write('object', { body: pattern(8 * MB) }, signal())
    const whole = await digest(test.volume, 'object')
    let losses = 0
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of test.volume.read('object', signal())) {
      hash.update(chunk)
      bytes += chunk.length
      if (bytes > (losses + 1) * 2 * MB && losses < 3) {
        losses++
        test.proxy.resetAll()
      }
    }
    assert.equal(losses, 3)
    assert.deepEqual({ bytes, sha256: hash.digest('hex') }, whole)
  })

  it('notices that the object was replaced while it was read', async () => {
    await using test = await open()
    await test.volume.write('object', { body: pattern(8 * MB) }, signal())
    await fails(
      'volume_corrupted',
      (async () => {
        let first = true
        for await (const chunk of test.volume.read('object', signal())) {
          assert.ok(chunk.length > 0)
          if (!first) continue
          first = false
          await test.volume.write('object', { body: pattern(4 * MB) }, signal())
          test.proxy.resetAll()
        }
      })(),
    )
  })

  it('connects anew when an idle connection was lost', async () => {
    await using test = await open()
    await test.volume.write('a', text('1'), signal())
    for (const use of [
      () => test.volume.stat('a', signal()),
      () => keys(test.volume),
      () => test.volume.write('a', text('2'), signal()),
      () => test.volume.remove('b', signal()),
      () => read(test.volume, 'a'),
    ]) {
      test.proxy.resetAll()
      await use()
    }
    assert.equal(await read(test.volume, 'a'), '2')
  })

  it('gives up on a server that does not answer any more', async () => {
    await using proxy = await startTcpProxy({ to: server })
    const root = join(server.folder, `volume-${folders++}`)
    await using volume = openSftp({ ...settings(root, proxy), timeout: 1 }, { ...quick, tries: 1 }, 500)
    await volume.write('a', text('old'), signal())
    const body = async function* () {
      yield* pattern(2 * MB)
      proxy.trouble.stalled = true
      yield* pattern(20 * MB)
    }
    const error = await fails('volume_unreachable', volume.write('a', { body: body() }, signal()))
    assert.match(error.message, /did not answer/)
    await fails('volume_unreachable', volume.stat('a', signal()))
    proxy.trouble.stalled = false
    proxy.resetAll()
    assert.equal(await read(volume, 'a'), 'old')
    // Its writer, this process, lives: it is left alone.
    await volume.discard('a', signal())
    assert.equal((await leftovers(root)).length, 1)
  })

  it('fails when the server is killed half-way, and discards what is left when it is back', async () => {
    await using test = await open()
    await using mortal = await startSshd({ folder: await folder('mortal') })
    const { hostKeyFingerprint, privateKey, user, host, port } = mortal
    const root = `${mortal.folder}/v`
    const config = {
      ...settings(root),
      host,
      port,
      user,
      privateKey,
      hostKey: hostKeyFingerprint,
      timeout: 2,
    }
    await using volume = openSftp(config, { ...quick, tries: 1 }, 2_000)
    await volume.write('a', text('old'), signal())
    const body = async function* () {
      yield* pattern(2 * MB)
      await mortal.process.kill()
      yield* pattern(20 * MB)
    }
    const error = await fails('volume_unreachable', volume.write('a', { body: body() }, signal()))
    assert.match(error.message, /could not be removed/)
    assert.deepEqual(
      (await readdir(root)).filter((name) => !isTemporary(name)),
      ['a'],
    )
    assert.deepEqual(await test.leftovers(), [])
  })

  it('says that the disk is full, and keeps what was there', { skip: skipUnless('root') }, async () => {
    await using disk = await smallDisk({ bytes: 4 * MB })
    await using full = await startSshd({ folder: disk.path })
    const { hostKeyFingerprint, privateKey, user, host, port } = full
    await using volume = openSftp({
      ...settings(disk.path),
      host,
      port,
      user,
      privateKey,
      hostKey: hostKeyFingerprint,
    })
    await volume.write('a/old', { body: pattern(1 * MB) }, signal())
    const before = await digest(volume, 'a/old')
    for (const key of ['a/old', 'b/new']) {
      await fails('volume_full', volume.write(key, { body: pattern(10 * MB) }, signal()))
    }
    assert.deepEqual(await digest(volume, 'a/old'), before)
    assert.deepEqual(await keys(volume), ['a/old'])
    assert.deepEqual(await leftovers(disk.path), [])
  })

  it('says that it may not write', async () => {
    await using test = await open()
    await test.volume.write('a/old', text('old'), signal())
    const body = async function* () {
      yield* pattern(1 * MB)
      await chmod(join(test.root, 'a'), 0o500)
    }
    const error = await fails('volume_refused', test.volume.write('a/old', { body: body() }, signal()))
    assert.match(error.message, /Permission denied/)
    assert.equal(await read(test.volume, 'a/old'), 'old')
    await chmod(join(test.root, 'a'), 0o700)
    assert.equal((await test.leftovers()).length, 1)
  })

  it('does not keep the process alive', async () => {
    const url = `sftp://${server.user}@${server.host}:${server.port}/~/x?host-key=${server.hostKeyFingerprint}`
    const script = `
      import { openVolumeUrl } from ${JSON.stringify(join(import.meta.dirname, '../index.ts'))}
      const { volume } = openVolumeUrl(${JSON.stringify(url)}, process.env)
      for await (const object of volume.list('', new AbortController().signal)) console.log(object.key)
      console.log('listed')`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module-typescript', '-e', script],
      {
        env: { ...process.env, HOLDFAST_VOLUME_PRIVATE_KEY: server.privateKey },
        timeout: 30_000,
      },
    )
    assert.match(stdout, /listed/)
  })

  it('explains what else is wrong', async () => {
    const config = settings('/x')
    await using closed = openSftp({ ...config, port: 1 }, { ...quick, tries: 1 })
    assert.match((await fails('volume_unreachable', keys(closed))).hint ?? '', /host and port/)
    await using unknown = openSftp({ ...config, host: 'no-such-host.invalid' }, { ...quick, tries: 1 })
    await fails('volume_unreachable', keys(unknown))
    await using broken = openSftp({ ...config, privateKey: 'not a key' }, quick)
    await fails('invalid_input', keys(broken))
  })
})

async function folder(name: string): Promise<string> {
  const path = join(server.folder, `files-${folders++}`, name)
  await mkdir(path, { recursive: true })
  await chmod(join(path, '..'), 0o755)
  return path
}

async function write(name: string, content: string): Promise<string> {
  const path = join(await folder('secrets'), name)
  await writeFile(path, content, { mode: 0o600 })
  return path
}

/** Temporary files, and folders below the root that are empty. */
async function leftovers(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    },
  )
  const isLeft = await Promise.all(
    entries.map(async (entry) => {
      if (!entry.isDirectory()) return isTemporary(entry.name)
      return (await readdir(join(entry.parentPath, entry.name))).length === 0
    }),
  )
  return entries.filter((_, index) => isLeft[index]).map((entry) => join(entry.parentPath, entry.name))
}
