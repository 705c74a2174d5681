import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Client, type ConnectConfig, type SFTPWrapper } from 'ssh2'
import { skipUnless } from './needs.ts'
import { smallDisk } from './small-disk.ts'
import { startSshd, type SshdServer } from './sshd.ts'

describe('an sshd', { skip: skipUnless('sshd') }, () => {
  it('lets the user in with a key, and shows the key it said it would', async () => {
    await using server = await startSshd()
    let shown = ''
    const hostVerifier = (key: Buffer) => {
      shown = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
      return true
    }
    const written = await writeBySftp(server, { privateKey: server.privateKey, hostVerifier })
    assert.equal(written, 'hello')
    assert.equal(shown, server.hostKeyFingerprint)
  })

  it('lets the user in with the password and no other', { skip: skipUnless('root') }, async () => {
    await using server = await startSshd()
    assert.equal(await writeBySftp(server, { password: server.password }), 'hello')
    await assert.rejects(writeBySftp(server, { password: 'wrong' }), /authentication/i)
  })

  it('works on a disk that can be full', { skip: skipUnless('root') }, async () => {
    await using disk = await smallDisk({ bytes: 65_536 })
    await using server = await startSshd({ folder: disk.path })
    await assert.rejects(writeBySftp(server, { privateKey: server.privateKey }, Buffer.alloc(1_000_000)))
  })
})

describe('a small disk', { skip: skipUnless('root') }, () => {
  it('holds what it was made for and no more', async () => {
    await using disk = await smallDisk({ bytes: 1_048_576 })
    await writeFile(join(disk.path, 'fits'), Buffer.alloc(900_000))
    await assert.rejects(writeFile(join(disk.path, 'does not'), Buffer.alloc(900_000)), { code: 'ENOSPC' })
  })
})

/** Writes a file over SFTP and returns what then is on the server's disk. */
async function writeBySftp(
  server: SshdServer,
  how: ConnectConfig,
  bytes = Buffer.from('hello'),
): Promise<string> {
  const client = new Client()
  const closed = new Promise<void>((resolve) => client.once('close', resolve))
  const ready = new Promise<void>((resolve, reject) => client.once('ready', resolve).once('error', reject))
  client.connect({ host: server.host, port: server.port, username: server.user, ...how })
  try {
    await ready
    const sftp = await new Promise<SFTPWrapper>((resolve, reject) => {
      client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp)))
    })
    await new Promise<void>((resolve, reject) => {
      sftp.writeFile('written', bytes, (error) => (error ? reject(error) : resolve()))
    })
    return await readFile(join(server.folder, 'written'), 'utf8')
  } finally {
    client.end()
    await closed
  }
}
