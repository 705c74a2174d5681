import assert from 'node:assert/strict'
import { it } from 'node:test'
import { DEFAULT_INSTANCE_SETTINGS } from '../../shared/instance-settings.ts'
import { problem } from '../../shared/problems.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openApp } from '../test-bed.ts'
import { instanceSettingsOf, mailOf } from './instance-settings.ts'

const url = '/api/v1/instance-settings'
const mail = {
  host: 'mail.example.com',
  port: 587,
  tls: 'starttls',
  user: 'holdfast',
  password: 'correct horse',
  from: 'Holdfast <holdfast@example.com>',
}

describeStores('settings of the instance', (makePlace) => {
  it('have their defaults until somebody changes them, and again with null', async () => {
    await using app = await openApp(makePlace)
    assert.deepEqual((await app.ask('GET', url)).json(), DEFAULT_INSTANCE_SETTINGS)
    const changed = await app.ask('PATCH', url, { postBackupScript: 'env | sort', remoteAppBackups: 0 })
    assert.equal(changed.statusCode, 200, changed.body)
    const expected = { ...DEFAULT_INSTANCE_SETTINGS, postBackupScript: 'env | sort', remoteAppBackups: 0 }
    assert.deepEqual((await app.ask('GET', url)).json(), expected)
    await app.ask('PATCH', url, { postBackupScript: null, remoteAppBackups: null })
    assert.deepEqual((await app.ask('GET', url)).json(), DEFAULT_INSTANCE_SETTINGS)
  })

  it('keep the password of mail sealed, show its mask, and take that for it', async () => {
    await using app = await openApp(makePlace)
    assert.equal((await app.ask('PATCH', url, { smtp: mail })).json().smtp.password, 'corr****')
    const stored = await app.context.store.db
      .selectFrom('instanceSettings')
      .select('content')
      .executeTakeFirstOrThrow()
    assert.ok(!stored.content.includes('correct horse'))
    const shown = (await app.ask('GET', url)).json().smtp
    assert.equal((await app.ask('PATCH', url, { smtp: { ...shown, from: 'a@example.com' } })).statusCode, 200)
    const { smtp } = await instanceSettingsOf(app.context)
    assert.deepEqual(smtp, { ...mail, from: 'a@example.com' })

    const elsewhere = await app.ask('PATCH', url, { smtp: { ...shown, host: 'thief.example.com' } })
    assert.equal(elsewhere.statusCode, 400)
    assert.deepEqual(
      problem.parse(elsewhere.json()).errors?.map(({ field }) => field),
      ['smtp.password'],
    )
    assert.equal((await app.ask('PATCH', url, { smtp: null })).json().smtp, undefined)
  })

  it('are what the environment says of mail, without its password, and cannot be changed then', async () => {
    await using app = await openApp(makePlace)
    await app.ask('PATCH', url, { smtp: mail })
    app.context.smtp = { host: 'relay', port: 25, tls: 'none', user: 'u', password: 'canary', from: 'a@b.c' }
    assert.equal((await mailOf(app.context))?.password, 'canary')
    const shown = await app.ask('GET', url)
    assert.ok(!shown.body.includes('canary') && !shown.body.includes('cana*'))
    const { smtp, isSmtpFromEnvironment } = shown.json()
    assert.deepEqual(smtp, { host: 'relay', port: 25, tls: 'none', user: 'u', from: 'a@b.c' })
    assert.equal(isSmtpFromEnvironment, true)
    for (const changed of [mail, null]) {
      const refused = await app.ask('PATCH', url, { smtp: changed })
      assert.equal(refused.statusCode, 400)
      assert.match(problem.parse(refused.json()).title, /SMTP is set by the environment/)
    }
    assert.equal((await app.ask('PATCH', url, { localAppBackups: 2 })).statusCode, 200)
    app.context.smtp = undefined
    assert.equal((await mailOf(app.context))?.host, mail.host)
    assert.equal((await app.ask('GET', url)).json().smtp.password, 'corr****')
  })

  it('are changed only by who has seen them as they are, and to what makes sense', async () => {
    await using app = await openApp(makePlace)
    const etag = String((await app.ask('GET', url)).headers['etag'])
    assert.equal((await app.ask('PATCH', url, { localAppBackups: 3 }, { 'if-match': etag })).statusCode, 200)
    assert.equal((await app.ask('PATCH', url, { localAppBackups: 4 }, { 'if-match': etag })).statusCode, 412)
    for (const wrong of [
      { localAppBackups: 16 },
      { remoteAppBackups: -1 },
      { scriptTimeoutMinutes: 0 },
      { postBackupScript: 'x'.repeat(10_001) },
      { smtp: { host: 'mail.example.com' } },
      { unknown: 1 },
    ]) {
      const refused = await app.ask('PATCH', url, wrong)
      assert.equal(refused.statusCode, 400, JSON.stringify(wrong))
    }
    assert.equal((await app.ask('GET', url)).json().localAppBackups, 3)
  })
})
