import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fingerprint, knownKeys, pinnedKey } from './host-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-keys-'))
after(() => rmSync(folder, { recursive: true }))

const key = keyOf('ssh-ed25519')
const other = keyOf('ssh-ed25519')

describe('the keys of known_hosts', () => {
  const cases: [string, string, number, boolean][] = [
    ['server.example', 'server.example', 22, true],
    ['Server.Example', 'SERVER.example', 22, true],
    ['server.example', 'server.example', 2222, false],
    ['[server.example]:2222', 'server.example', 2222, true],
    ['[server.example]:2222', 'server.example', 22, false],
    ['a,server.example,b', 'server.example', 22, true],
    ['*.example', 'server.example', 22, true],
    ['10.0.0.?', '10.0.0.7', 22, true],
    ['10.0.0.?', '10.0.0.77', 22, false],
    ['*.example,!server.example', 'server.example', 22, false],
    ['server.exampl.', 'server.example', 22, false],
    [hashed('server.example'), 'server.example', 22, true],
    [hashed('server.example'), 'other.example', 22, false],
    [hashed('[server.example]:2222'), 'server.example', 2222, true],
    [hashed('server.example'), 'server.example', 2222, false],
  ]
  for (const [hosts, host, port, isKnown] of cases) {
    it(`${isKnown ? 'know' : 'do not know'} ${host}:${port} by “${hosts.slice(0, 30)}”`, () => {
      const rule = knownKeys(host, port, [file(`# comment\n\n${line(hosts, key)}`)])
      assert.equal(rule.accepts(key), isKnown)
      assert.equal(rule.accepts(other), false)
      assert.deepEqual(rule.kinds, isKnown ? ['ssh-ed25519'] : [])
      assert.equal(rule.refused(other).code, isKnown ? 'host_key_changed' : 'host_key_unknown')
    })
  }

  it('are taken from all files, and missing files are none', () => {
    const rule = knownKeys('h.example', 22, [
      join(folder, 'missing'),
      file(line('x', other)),
      file(line('h.example', key)),
    ])
    assert.ok(rule.accepts(key))
  })

  it('never accept a revoked key', () => {
    const rule = knownKeys('h.example', 22, [
      file(`@revoked * ssh-ed25519 ${key.toString('base64')}\n${line('h.example', key)}`),
    ])
    assert.equal(rule.accepts(key), false)
    assert.equal(rule.refused(key).code, 'host_key_changed')
  })

  it('do not take a certificate authority for a host', () => {
    const rule = knownKeys('h.example', 22, [file(`@cert-authority * ssh-ed25519 ${key.toString('base64')}`)])
    assert.equal(rule.accepts(key), false)
  })
})

describe('a pinned key', () => {
  it('is the only one accepted', () => {
    const rule = pinnedKey('h:22', fingerprint(key))
    assert.ok(rule.accepts(key))
    assert.equal(rule.accepts(other), false)
    const { message } = rule.refused(other)
    assert.ok(message.includes(fingerprint(key)) && message.includes(fingerprint(other)))
  })
})

function keyOf(kind: string): Buffer {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes])
  return Buffer.concat([field(Buffer.from(kind)), field(randomBytes(32))])
}

function line(hosts: string, hostKey: Buffer): string {
  return `${hosts} ssh-ed25519 ${hostKey.toString('base64')} comment`
}

function hashed(name: string): string {
  const salt = randomBytes(20)
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

function file(content: string): string {
  const path = join(folder, randomBytes(6).toString('hex'))
  writeFileSync(path, content)
  return path
}
