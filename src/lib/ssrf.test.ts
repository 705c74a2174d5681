import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { describe, it } from 'node:test'
import { AppError } from '../shared/errors.ts'
import { checkedUrl, guardedLookup, whyRefused } from './ssrf.ts'

const REFUSED = [
  '169.254.169.254',
  '169.254.0.1',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '0.0.0.0',
  '0.1.2.3',
  '224.0.0.1',
  '239.255.255.250',
  '255.255.255.255',
  '::',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'ff02::1',
  'fd00:ec2::254',
  'FD00:0EC2:0:0:0:0:0:0254',
  'fd00:ec2::23',
  'fd00:ec2:ffff::1',
  'fd20:ce::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '::169.254.169.254',
  '::ffff:0:169.254.169.254',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::a9fe:a9fe',
  '64:ff9b:1:a9fe:a9:fe00::',
  '2002:a9fe:a9fe::1',
  '2001:0:a9fe:a9fe::1',
  '2001::5601:5601',
  'fd00::5efe:169.254.169.254',
]

const ALLOWED = [
  '127.0.0.1',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '100.100.100.201',
  '8.8.8.8',
  '169.253.255.255',
  '169.255.0.0',
  '223.255.255.255',
  '::1',
  '::ffff:127.0.0.1',
  'fd12:3456::1',
  'fd00:ec1::23',
  'fd00:ec3::23',
  'fec0::1',
  '2001:db8::1',
  '2606:4700::1111',
  '64:ff9b::8.8.8.8',
]

describe('addresses that nothing is sent to', () => {
  it('are known in every form', () => {
    for (const address of REFUSED) assert.notEqual(whyRefused(address), undefined, address)
  })

  it('say why', () => {
    const error = thrown(() => checkedUrl('http://[fd00:ec2::23]/v1/credentials'))
    assert.match(
      error.message,
      /fd00:ec2::23: this address is of a cloud’s own services, which give out cred/,
    )
  })

  it('are neither private nor loopback addresses', () => {
    for (const address of ALLOWED) assert.equal(whyRefused(address), undefined, address)
  })

  it('are found in URLs, however these spell them', () => {
    for (const host of [
      '169.254.169.254',
      '2852039166',
      '0xa9fea9fe',
      '0251.0376.0251.0376',
      '169.254.43518',
      '0xa9.254.0251.254',
      '0',
      '[::ffff:169.254.169.254]',
      '[::FFFF:A9FE:A9FE]',
      '１６９.254.169.254',
    ]) {
      const error = thrown(() => checkedUrl(`http://${host}:8080/latest`))
      assert.equal(error.code, 'address_refused', host)
    }
    assert.equal(checkedUrl('http://127.0.0.1:8080/').port, '8080')
    assert.equal(checkedUrl('https://[::1]/').hostname, '[::1]')
  })
})

describe('URLs that are asked', () => {
  it('are http or https, and their passwords are not told', () => {
    for (const [url, sentence] of [
      ['file:///etc/passwd', /must begin with http/],
      ['gopher://localhost/', /must begin with http/],
      ['not a url', /is not a URL/],
      ['https://me:secret-word@example.com/secret-path', /example\.com must not contain a user/],
    ] as const) {
      const error = thrown(() => checkedUrl(url))
      assert.equal(error.code, 'invalid_input')
      assert.match(error.message, sentence)
      assert.doesNotMatch(error.message, /secret/)
    }
  })
})

describe('a guarded lookup', () => {
  const answering =
    (...addresses: string[]): LookupFunction =>
    (_hostname, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
  const lookedUp = (lookup: LookupFunction, all: boolean) =>
    new Promise<unknown>((resolve, reject) => {
      guardedLookup(lookup)('some.test', { all }, (error, address, family) =>
        error ? reject(error) : resolve(all ? address : [address, family]),
      )
    })

  it('leaves out what is refused, and fails if nothing is left', async () => {
    const mixed = answering('169.254.169.254', 'fe80::1', '10.0.0.7')
    assert.deepEqual(await lookedUp(mixed, true), [{ address: '10.0.0.7', family: 4 }])
    assert.deepEqual(await lookedUp(mixed, false), ['10.0.0.7', 4])
    for (const all of [true, false]) {
      await assert.rejects(lookedUp(answering('::ffff:169.254.169.254'), all), { code: 'address_refused' })
      await assert.rejects(lookedUp(answering(), all), { code: 'ENOTFOUND' })
    }
  })

  it('passes on why a name could not be looked up', async () => {
    const failure = Object.assign(new Error('none'), { code: 'EAI_AGAIN' })
    await assert.rejects(
      lookedUp((_hostname, _options, callback) => callback(failure, []), true),
      failure,
    )
  })
})

function thrown(work: () => unknown): AppError {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof AppError)
    return error
  }
  return assert.fail('nothing was thrown')
}
