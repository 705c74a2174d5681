import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { AppError } from '../shared/errors.ts'
import { maskUrl, openVolumeUrl, volumes } from './index.ts'
import { checkKey, isLeftOver, isTemporary, temporaryName } from './key.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-urls-'))
after(() => rmSync(folder, { recursive: true }))

const refusal = (url: string, environment: NodeJS.ProcessEnv = {}): AppError => {
  try {
    openVolumeUrl(url, environment)
  } catch (error) {
    assert.ok(error instanceof AppError, String(error))
    assert.equal(error.code, 'invalid_input')
    return error
  }
  return assert.fail(`${url} was accepted`)
}

describe('a volume URL', () => {
  it('is a path, or begins with a scheme that a driver knows', () => {
    const password = { HOLDFAST_VOLUME_PASSWORD: 'x' }
    const cases: [string, string, string][] = [
      ['/srv/b', 'local', '/srv/b'],
      ['./b c', 'local', join(process.cwd(), 'b c')],
      ['./a:b?c=d', 'local', join(process.cwd(), 'a:b?c=d')],
      ['file:/srv/b%20c', 'local', '/srv/b c'],
      ['file:///srv/b', 'local', '/srv/b'],
      ['s3://bucket', 's3', 's3://bucket'],
      ['s3://bucket/a/b/', 's3', 's3://bucket/a/b'],
      ['S3://bucket/a', 's3', 's3://bucket/a'],
      ['sftp://u@h/a/b', 'sftp', 'sftp://u@h:22/a/b'],
      ['sftp://u@h:2222/~/b', 'sftp', 'sftp://u@h:2222/~/b'],
      ['sftp://u@[::1]/', 'sftp', 'sftp://u@::1:22/'],
    ]
    for (const [url, kind, location] of cases) {
      const opened = openVolumeUrl(url, password)
      assert.deepEqual([opened.kind, opened.volume.location, opened.warnings], [kind, location, []], url)
    }
  })

  it('sets what its query says', () => {
    const url =
      's3://bucket?endpoint=https://s3.example.org&path-style=true&concurrency=8&storage-class=STANDARD_IA'
    const { config } = openVolumeUrl(url, {})
    const { endpoint, pathStyle, concurrency, storageClass } = config
    assert.deepEqual(
      [endpoint, pathStyle, concurrency, storageClass],
      ['https://s3.example.org', true, 8, 'STANDARD_IA'],
    )
    assert.equal(openVolumeUrl('file:/srv/b?file-mode=0600', {}).config['fileMode'], '0600')
    const role = 's3://bucket?role-arn=arn:aws:iam::123456789012:role/backup'
    const sts = { AWS_ENDPOINT_URL_STS: 'https://sts.example.org' }
    const { roleArn, roleSessionName, stsEndpoint } = openVolumeUrl(role, sts).config
    assert.deepEqual(
      [roleArn, roleSessionName, stsEndpoint],
      ['arn:aws:iam::123456789012:role/backup', 'holdfast', 'https://sts.example.org'],
    )
    assert.equal(openVolumeUrl('s3://bucket', sts).config['stsEndpoint'], undefined)
  })

  it('names the setting that is missing or wrong', () => {
    assert.match(refusal('s3://bucket?colour=red').message, /colour/)
    assert.match(refusal('s3://bucket?colour=red').hint ?? '', /path-style/)
    assert.match(refusal('s3://bucket?path-style=maybe').message, /path-style/)
    assert.match(refusal('s3://bucket?endpoint=ftp://x').message, /endpoint/)
    assert.match(refusal('s3://bucket', { AWS_ACCESS_KEY_ID: 'x' }).message, /secret-access-key/)
    assert.match(refusal('s3://bucket?role-arn=backup').message, /role-arn/)
    assert.match(refusal('s3://bucket?sts-endpoint=https://sts.example.org').message, /role-arn/)
    assert.match(refusal('s3://bucket?object-lock-mode=GOVERNANCE').message, /object-lock-days/)
    assert.match(refusal('sftp://h/x', { HOLDFAST_VOLUME_PASSWORD: 'x' }).message, /user/)
    assert.match(refusal('sftp://u@h/x').message, /password or a private key/)
    assert.match(refusal('sftp://u:p@h/x?host-key=MD5:12').message, /host-key/)
    assert.match(
      refusal('sftp://u@h/x', { HOLDFAST_VOLUME_PASSWORD_FILE: '/nowhere' }).message,
      /HOLDFAST_VOLUME_PASSWORD_FILE/,
    )
    assert.match(refusal('gopher://h').hint ?? '', /s3:.*sftp:/)
    assert.match(refusal(`file:${process.cwd()}/src/backups`).message, /must not be inside/)
  })

  it('says in a sentence what a setting must be', () => {
    const password = { HOLDFAST_VOLUME_PASSWORD: 'x' }
    const sentences: [string, string][] = [
      ['s3://', 'bucket: must be the name of a bucket, which has 3 to 255 characters'],
      ['s3://bucket?concurrency=x', 'concurrency: must be a whole number from 1 to 32'],
      ['s3://bucket?concurrency=1.5', 'concurrency: must be a whole number from 1 to 32'],
      ['s3://bucket?concurrency=33', 'concurrency: must be a whole number from 1 to 32'],
      ['s3://bucket?endpoint=x', 'endpoint: must be a URL that begins with http:// or https://'],
      ['sftp://h/x', 'user: must be given: the name to sign in with, in a URL sftp://user@host/path'],
      ['sftp://u@h/x?timeout=soon', 'timeout: must be a number from 1 to 300'],
      ['file:?file-mode=0600', 'path: must not be empty'],
    ]
    for (const [url, sentence] of sentences)
      assert.equal(refusal(url, password).message, `${url} is not a valid volume: ${sentence}.`)
  })

  it('that is empty is not the current directory', () => {
    for (const url of ['', ' ', '\n']) assert.equal(refusal(url).message, 'The volume URL is empty.')
    assert.match(refusal('').hint ?? '', /written as a dot/)
    assert.match(refusal('.').message, /must not be inside the program/) // where this test runs
  })

  it('gets its secrets from the environment, or from files that it names', () => {
    const file = join(folder, 'secret')
    writeFileSync(file, 'from a file\n')
    assert.equal(
      openVolumeUrl('sftp://u@h/', { HOLDFAST_VOLUME_PASSWORD: 'here' }).config['password'],
      'here',
    )
    assert.equal(
      openVolumeUrl('sftp://u@h/', { HOLDFAST_VOLUME_PASSWORD_FILE: file }).config['password'],
      'from a file',
    )
    const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY_FILE: file }
    assert.equal(openVolumeUrl('s3://bucket', keys).config['secretAccessKey'], 'from a file')
  })

  it('may contain a secret, which is warned of and never shown', () => {
    const urls = [
      'sftp://u:canary@h/x',
      'sftp://u:cana%2Fry@h/x',
      's3://id:canary@bucket/x',
      's3://bucket?access-key-id=id&secret-access-key=canary',
      'sftp://u@h/x?password=canary&timeout=5',
      'sftp://u:p@h/x?passphrase=canary',
    ]
    for (const url of urls) {
      const { warnings, volume } = openVolumeUrl(url, {})
      assert.equal(warnings.length, 1)
      assert.doesNotMatch([...warnings, volume.location, maskUrl(url)].join(), /cana/)
    }
    for (const url of [
      'sftp://u:can/ary@h',
      'sftp://u:canary@h:port/x',
      's3://b?secret_access_key=canary&x=1',
    ]) {
      assert.doesNotMatch(maskUrl(url), /can\/?ary/)
      assert.doesNotMatch(refusal(url).message, /can\/?ary/)
    }
    for (const url of [
      '/a?password=x',
      'sftp://h:22/a@b',
      's3://b/x?endpoint=http://h:1',
      'sftp://u@h/a:b@c',
    ]) {
      assert.equal(maskUrl(url), url)
    }
  })

  it('has a title for every setting of every kind', () => {
    for (const driver of Object.values(volumes)) {
      const { properties = {} } = z.toJSONSchema(driver.config, { io: 'input' })
      for (const [name, field] of Object.entries(properties)) assert.ok(Object(field).title, name)
    }
  })
})

describe('keys', () => {
  it('that are accepted cannot lead out of a folder, whatever they are', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('.', '/', 'a', '\0', '\\') }),
    )
    fc.assert(
      fc.property(anything, (key) => {
        try {
          checkKey(key)
        } catch (error) {
          assert.ok(error instanceof AppError && error.code === 'invalid_input')
          return
        }
        assert.ok(join('/root', key).startsWith('/root/'))
        assert.equal(join('/root', key), `/root/${key}`)
      }),
      { numRuns: 2000 },
    )
  })

  it('have temporary names that fit, are never keys, and are left alone while their writer lives', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }), (name) => {
        const temporary = temporaryName(name)
        assert.ok(Buffer.byteLength(temporary) <= 255)
        assert.ok(isTemporary(temporary))
        assert.throws(() => checkKey(temporary))
        assert.equal(isLeftOver('', temporary, '', new Date(0)), false)
        const foreign = temporary.replace(/tmp-[0-9a-f]{12}/, 'tmp-000000000000')
        assert.equal(isLeftOver('', foreign, '', new Date()), false)
        assert.equal(isLeftOver('', foreign, '', new Date(0)), true)
        assert.equal(isLeftOver('', foreign, 'no such prefix', new Date(0)), false)
      }),
    )
  })
})
