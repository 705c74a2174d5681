import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { AppError } from '../../shared/errors.ts'
import { faultOf, refuseBadPassword } from './password-policy.ts'
import { hashPassword, isPassword } from './passwords.ts'

const ada = { email: 'ada.lovelace@analytical.example', name: 'Ada Lovelace' }

describe('a password', () => {
  it('is kept as argon2id with a salt of its own, and told from others', async () => {
    const [first, second] = await Promise.all([hashPassword('Nacre 7'), hashPassword('Nacre 7')])
    assert.match(first, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.notEqual(first, second)
    assert.equal(await isPassword('Nacre 7', first), true)
    assert.equal(await isPassword('nacre 7', first), false)
    assert.equal(await isPassword('', first), false)
  })

  it('is the one that the reference program of argon2 has made', async () => {
    // echo -n "password" | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 24 -e
    const made = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
    assert.equal(await isPassword('password', made), true)
  })

  it('is the same whichever way a keyboard composes its letters', async () => {
    assert.equal(await isPassword('Cafe\u0301', await hashPassword('Caf\u00e9')), true)
  })

  it('waits for its turn, and is refused where too many wait', async () => {
    const kept = await hashPassword('Nacre 7')
    const looked = await Promise.allSettled(Array.from({ length: 60 }, () => isPassword('Nacre 7', kept)))
    const refused = looked.filter(({ status }) => status === 'rejected')
    assert.equal(refused.length, 10, 'two are looked at, and 48 wait')
    const { reason } = refused[0] as PromiseRejectedResult
    assert.ok(reason.code === 'too_many_requests' && reason.retryAfter > 0)
    assert.equal(await isPassword('Nacre 7', kept), true, 'and then it goes on')
  })

  it('is not what fits a hash that is none', async () => {
    for (const kept of ['', 'plain', '$2b$10$abc', '$argon2id$v=19$m=1,t=1,p=1$$']) {
      assert.equal(await isPassword('plain', kept), false, kept)
    }
  })
})

describe('what a password must be', () => {
  const refused = (passwords: readonly string[], why: RegExp) => {
    for (const password of passwords) assert.match(faultOf(password, ada) ?? 'is good', why, password)
  }

  it('is long enough, and not too long', () => {
    refused(['', 'Xk3$vQ9!pz7', '🔑🔑🔑🔑🔑🔑'], /^is too short: it has \d+ characters, and needs 12\.$/)
    refused(['Nacre-tiled 7 harbours '.repeat(12)], /too long/)
  })

  it('is no repetition, no sequence, and no number', () => {
    refused(['aaaaaaaaaaaa', 'abababababab', 'abcxabcxabcx', 'xkvqxkvqxkvq'], /repeats/)
    refused(['abcdefghijklm', 'qwertyuiop12', 'zyxwvutsrqpo', 'asdfghjklqwe', '1qaz2wsx3edc'], /sequence/)
    refused(['192837465564', '1990-12-24 1990', '+49 30 1234567'], /digits/)
  })

  it('is none of those that everybody uses, however it is dressed up', () => {
    const dressed = [
      'CorrectHorseBatteryStaple',
      'correct horse battery staple',
      'Winter1sComing!',
      'helloworld123!',
    ]
    refused(dressed, /most often/)
    refused(
      ['Password2026!!', 'P@ssw0rd2026!', 'Holdfast-2026', 'welcome!!2026', 'AdminAdmin#42'],
      /everybody/,
    )
  })

  it('is not the name or the e-mail of its user', () => {
    refused(
      ['AdaLovelace1815', 'ada.lovelace@analytical.example', 'Lovelace!!1815', 'analytical#99'],
      /your name/,
    )
  })

  it('may be anything else', () => {
    const good = [
      'Nacre-tiled 7 harbours',
      'vQ9!pz7Xk3$mLw2',
      'four sober otters juggle',
      'зелёный чай по средам',
      '木漏れ日の中で眠る猫と犬たち',
    ]
    for (const password of good) assert.equal(faultOf(password, ada), undefined, password)
  })

  it('is said in a sentence, with the field', async () => {
    await assert.rejects(refuseBadPassword('short', ada, 'new'), (error) => {
      assert.ok(error instanceof AppError)
      assert.equal(error.message, 'The password is too short: it has 5 characters, and needs 12.')
      assert.deepEqual(error.fields, [
        { field: 'new', message: 'is too short: it has 5 characters, and needs 12.' },
      ])
      return true
    })
  })

  it('has a list of hundreds that are long enough and known all the same', () => {
    const listed = readFileSync(new URL('common-passwords.txt', import.meta.url), 'utf8')
      .trim()
      .split('\n')
    assert.ok(listed.length >= 500)
    for (const password of listed) {
      assert.ok(password.length >= 12 && password === password.toLowerCase(), password)
      assert.notEqual(faultOf(password, ada), undefined, password)
    }
  })
})
