import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { it } from 'node:test'
import { sealer } from '../../lib/sealing.ts'
import { sign } from '../../lib/signature.ts'
import type { Channel } from '../../shared/channels.ts'
import { problem } from '../../shared/problems.ts'
import type { TestReport } from '../../shared/test-report.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openChannelApp, SECRET, startReceiver } from './test-bed.ts'

const url = '/api/v1/channels'
const hook = 'https://hooks.example.com/holdfast'

describeStores('channels', (makePlace) => {
  it('are added, shown without their secrets, changed and deleted', async () => {
    await using app = await openChannelApp(makePlace)
    const added = await app.addChannel('ops', hook)
    assert.deepEqual(added, {
      ...added,
      name: 'ops',
      kind: 'webhook',
      settings: { url: hook, secret: 'cana****' },
      isEnabled: true,
      isShared: false,
      lastDeliveredAt: null,
      lastFailedAt: null,
      lastError: null,
      isFailing: false,
    })
    const { settings } = await app.store.db
      .selectFrom('channels')
      .select('settings')
      .executeTakeFirstOrThrow()
    assert.ok(!settings.includes(SECRET))

    const shown = await app.ask('GET', `${url}/${added.id}`)
    const etag = String(shown.headers['etag'])
    const change = (body: object, ifMatch = etag) =>
      app.ask('PATCH', `${url}/${added.id}`, body, { 'if-match': ifMatch })
    const changed = await change({ name: 'ops team', isEnabled: false })
    assert.deepEqual([changed.statusCode, changed.json().name], [200, 'ops team'])
    assert.equal((await change({ name: 'late' })).statusCode, 412)

    await app.addChannel('other', hook)
    assert.equal(problem.parse((await change({ name: 'other' }, '*')).json()).code, 'name_taken')
    const { items } = (await app.ask('GET', url)).json<{ items: Channel[] }>()
    assert.deepEqual(
      items.map(({ name }) => name),
      ['ops team', 'other'],
    )
    assert.deepEqual((await app.ask('GET', `${url}?kind=email`)).json().items, [])
    assert.equal((await app.ask('DELETE', `${url}/${added.id}`)).statusCode, 204)
    assert.equal((await app.ask('GET', `${url}/${added.id}`)).statusCode, 404)
    assert.equal((await app.ask('DELETE', `${url}/${added.id}`)).statusCode, 404)
  })

  it('keep a secret behind its mask only for the receiver that has it', async () => {
    await using app = await openChannelApp(makePlace)
    const { id, settings } = await app.addChannel('ops', hook)
    const same = await app.ask('PATCH', `${url}/${id}`, { settings })
    assert.equal(same.statusCode, 200, same.body)
    const { channelOf, settingsOf } = await import('./channels.ts')
    const row = await channelOf(app.context, app.organizationId, id)
    assert.equal(settingsOf(app.context, row)['secret'], SECRET)

    const elsewhere = { settings: { ...settings, url: 'https://thief.example.com/' } }
    for (const refused of [
      await app.ask('PATCH', `${url}/${id}`, elsewhere),
      await app.ask('POST', `${url}/test`, { kind: 'webhook', channelId: id, ...elsewhere }),
    ]) {
      assert.equal(refused.statusCode, 400, refused.body)
      const fields = problem.parse(refused.json()).errors?.map(({ field }) => field)
      assert.deepEqual(fields, ['settings.secret'])
    }
  })

  it('say which of their settings is wrong, and which kinds there are', async () => {
    await using app = await openChannelApp(makePlace)
    const add = (body: object) => app.ask('POST', url, { name: 'x', ...body })
    for (const [body, field] of [
      [{ kind: 'pigeon', settings: {} }, 'kind'],
      [{ kind: 'webhook', settings: { url: 'ftp://x', secret: SECRET } }, 'settings.url'],
      [{ kind: 'webhook', settings: { url: hook, secret: SECRET, more: 1 } }, 'settings.more'],
    ] as const) {
      const refused = await add(body)
      assert.equal(refused.statusCode, 400)
      assert.equal(problem.parse(refused.json()).errors?.[0]?.field, field)
    }
    const { items } = (await app.ask('GET', '/api/v1/channel-kinds')).json()
    const webhook = items.find(({ name }: { name: string }) => name === 'webhook')
    assert.equal(webhook.settings.properties.secret.format, 'password')
  })

  it('send a real message when they are tested, and tell the truth about the answer', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver(200, 410)
    const { id } = await app.addChannel('ops', receiver.url, { isEnabled: false })
    const test = async () => (await app.ask('POST', `${url}/${id}/test`)).json<TestReport>()
    const passed = await test()
    assert.equal(passed.passed, true, JSON.stringify(passed))
    assert.match(passed.steps[0]?.detail ?? '', /status 200: “answer 1”/)
    assert.equal(typeof passed.steps[0]?.milliseconds, 'number')
    assert.match(receiver.received[0]?.body.text ?? '', /“ops” works/)
    const before = await app.channel(id)
    assert.notEqual(before.lastDeliveredAt, null)
    assert.equal(before.isFailing, false)

    const failed = await test()
    assert.deepEqual([failed.passed, failed.steps[0]?.outcome], [false, 'failed'])
    assert.match(failed.steps[0]?.detail ?? '', /status 410: “answer 2”/)
    const after = await app.channel(id)
    assert.deepEqual([after.isFailing, after.lastError?.code], [true, 'channel_refused'])
    assert.equal(after.updatedAt, before.updatedAt, 'nobody has changed it')
  })

  it('need no mail server that is not known any more, unless they send mail', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver()
    const smtp = { host: '127.0.0.1', user: 'u', password: 'canary-mail', from: 'a@example.com' }
    assert.equal((await app.ask('PATCH', '/api/v1/instance-settings', { smtp })).statusCode, 200)
    app.context.sealer = sealer({ current: createSecretKey(Buffer.alloc(32, 2)) }) // the former is lost
    const hooked = await app.addChannel('ops', receiver.url)
    const mailed = await app.addChannel('mail', '', { kind: 'email', settings: { to: ['a@example.com'] } })
    const test = async (id: string) => (await app.ask('POST', `${url}/${id}/test`)).json<TestReport>()
    const passed = await test(hooked.id)
    assert.equal(passed.passed, true, JSON.stringify(passed))
    assert.equal((await test(mailed.id)).passed, false)
    assert.equal((await app.channel(mailed.id)).lastError?.code, 'key_wrong')
  })

  it('are tested before they are saved, also with masks of what is saved', async () => {
    await using app = await openChannelApp(makePlace)
    await using receiver = await startReceiver()
    const { id, settings } = await app.addChannel('ops', receiver.url)
    const trial = async (body: object) => await app.ask('POST', `${url}/test`, { kind: 'webhook', ...body })
    assert.equal((await trial({ settings, channelId: id })).json().passed, true)
    assert.equal((await trial({ settings: { url: receiver.url, secret: SECRET } })).json().passed, true)
    const [masked, plain] = receiver.received
    for (const one of [masked, plain]) {
      const [timestamp, signature] = ['timestamp', 'signature'].map((name) =>
        String(one?.headers[`x-holdfast-${name}`]),
      )
      assert.equal(sign(SECRET, one?.text ?? '', Number(timestamp)).signature, signature)
    }
    assert.equal((await app.channel(id)).lastDeliveredAt, null)
    assert.equal(
      (await trial({ settings: { url: 'http://127.0.0.1:1/', secret: SECRET } })).json().passed,
      false,
    )
    assert.equal((await trial({ settings, channelId: 'none' })).statusCode, 404)
  })

  it('are not deleted, nor taken from others, while rules name them', async () => {
    await using app = await openChannelApp(makePlace)
    const { id } = await app.addChannel('ops', hook, { isShared: true })
    await app.addOrganization('theirs')
    const rule = { name: 'to ops', events: ['backup.failed'], channels: [id] }
    const added = await app.ask('POST', '/api/v1/notification-rules', rule)
    assert.equal(added.statusCode, 201, added.body)
    const refused = await app.ask('DELETE', `${url}/${id}`)
    assert.equal(refused.statusCode, 409)
    assert.match(problem.parse(refused.json()).title, /is used by the notification rule “to ops”/)
    assert.equal((await app.ask('PATCH', `${url}/${id}`, { isShared: false })).statusCode, 200)
    await app.ask('PATCH', `${url}/${id}`, { isShared: true })

    await app.store.db.updateTable('notificationRules').set({ organizationId: 'theirs' }).execute()
    for (const answer of [
      await app.ask('DELETE', `${url}/${id}`),
      await app.ask('PATCH', `${url}/${id}`, { isShared: false }),
    ]) {
      const { code, title } = problem.parse(answer.json())
      assert.equal(code, 'in_use')
      assert.match(title, /is used by a rule of other organizations/)
      assert.doesNotMatch(title, /to ops/)
    }
    await app.store.db.deleteFrom('notificationRules').execute()
    assert.equal((await app.ask('DELETE', `${url}/${id}`)).statusCode, 204)
  })

  it('belong to one organization, and others see no more of a shared one than its name', async () => {
    await using app = await openChannelApp(makePlace)
    const own = await app.addChannel('mine', hook, { isShared: true })
    const shared = await app.addChannel('pager', hook, { isShared: true })
    const hidden = await app.addChannel('hidden', hook)
    await app.addOrganization('theirs', shared.id)
    await app.addOrganization('others', hidden.id)
    const { items } = (await app.ask('GET', url)).json<{ items: Channel[] }>()
    assert.deepEqual(
      items.map(({ id }) => id),
      [own.id],
    )
    assert.equal((await app.ask('GET', `${url}/${shared.id}`)).statusCode, 404)
    assert.equal((await app.ask('PATCH', `${url}/${shared.id}`, { name: 'x' })).statusCode, 404)
    assert.equal((await app.ask('DELETE', `${url}/${shared.id}`)).statusCode, 404)
    assert.equal((await app.ask('POST', `${url}/${shared.id}/test`)).statusCode, 404)
    assert.deepEqual((await app.ask('GET', '/api/v1/shared-channels')).json(), {
      items: [{ id: shared.id, name: 'pager', kind: 'webhook', isEnabled: true }],
    })
  })
})
