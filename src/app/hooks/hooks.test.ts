import assert from 'node:assert/strict'
import { it } from 'node:test'
import { problem } from '../../shared/problems.ts'
import { describeStores } from '../../store/test-bed.ts'
import { openHooks } from './test-bed.ts'

const url = '/api/v1/hooks'
const call = {
  name: 'tell',
  around: 'backup',
  moment: 'after',
  kind: 'http',
  settings: {
    url: 'https://hooks.example.com/a',
    headers: { authorization: 'Bearer canary-header' },
    secret: 'canary-secret',
  },
}

describeStores('hooks', (makePlace) => {
  it('are added, shown with their secrets masked, changed, listed and deleted', async () => {
    await using app = await openHooks(makePlace)
    const added = await app.ask('POST', url, call)
    assert.equal(added.statusCode, 201, added.body)
    const { id, settings, ...rest } = added.json()
    assert.equal(added.headers['location'], `${url}/${id}`)
    const masked = {
      url: call.settings.url,
      method: 'POST',
      headers: { authorization: 'Bear****' },
      secret: 'cana****',
    }
    assert.deepEqual(settings, masked)
    const { onFailure, timeoutSeconds, isEnabled, position, planId } = rest
    assert.deepEqual([onFailure, timeoutSeconds, isEnabled, position, planId], ['warn', 600, true, 0, null])
    const stored = await app.store.db.selectFrom('hooks').select('settings').executeTakeFirstOrThrow()
    assert.doesNotMatch(stored.settings, /canary/)

    const etag = String(added.headers['etag'])
    const changes = { settings: { ...masked, method: 'PUT' }, onFailure: 'fail', isEnabled: false }
    const changed = await app.ask('PATCH', `${url}/${id}`, changes, { 'if-match': etag })
    assert.equal(changed.statusCode, 200, changed.body)
    assert.deepEqual(changed.json().settings, { ...masked, method: 'PUT' })
    assert.equal(
      (await app.ask('PATCH', `${url}/${id}`, { position: 3 }, { 'if-match': etag })).statusCode,
      412,
    )
    const elsewhere = { settings: { ...masked, url: 'https://thief.example.com' } }
    const refused = await app.ask('PATCH', `${url}/${id}`, elsewhere)
    assert.deepEqual(
      problem.parse(refused.json()).errors?.map(({ field }) => field),
      ['settings.headers.authorization', 'settings.secret'],
    )

    const plan = await app.addPlan()
    await app.addHook('true', { name: 'of the plan', planId: plan.id })
    await app.addHook('true', { name: 'of restores', around: 'restore' })
    const names = async (query: string) =>
      (await app.ask('GET', `${url}${query}`))
        .json<{ items: { name: string }[] }>()
        .items.map(({ name }) => name)
    assert.deepEqual(await names(''), ['of restores', 'of the plan', 'tell'])
    assert.deepEqual(await names(`?plan=${plan.id}`), ['of the plan'])
    assert.deepEqual(await names('?around=restore'), ['of restores'])
    assert.equal((await app.ask('POST', url, call)).statusCode, 409)

    assert.equal((await app.ask('DELETE', `/api/v1/plans/${plan.id}`)).statusCode, 204)
    assert.deepEqual(await names(''), ['of restores', 'tell'], 'those of a plan go with it')
    assert.equal((await app.ask('DELETE', `${url}/${id}`)).statusCode, 204)
    assert.equal((await app.ask('GET', `${url}/${id}`)).statusCode, 404)
    assert.equal((await app.ask('DELETE', `${url}/${id}`)).statusCode, 404)
  })

  it('that make no sense are refused, with the field that is wrong', async () => {
    await using app = await openHooks(makePlace)
    const plan = await app.addPlan()
    const script = { ...call, kind: 'script', settings: { script: 'true' } }
    const wrong: [string, object][] = [
      ['kind', { ...call, kind: 'smoke signal' }],
      ['settings.url', { ...call, settings: { ...call.settings, url: 'ftp://hooks.example.com' } }],
      [
        'settings.url',
        { ...call, settings: { ...call.settings, url: 'https://me:secret@hooks.example.com' } },
      ],
      ['settings.secret', { ...call, settings: { ...call.settings, secret: 'short' } }],
      [
        'settings.headers.x-holdfast-signature',
        { ...call, settings: { url: call.settings.url, headers: { 'x-holdfast-signature': 'mine' } } },
      ],
      ['settings.script', { ...script, settings: { script: 'x'.repeat(10_001) } }],
      ['settings.script', { ...script, settings: { script: ' \n' } }],
      ['settings.sql', { ...call, kind: 'sql', settings: { sql: '' } }],
      ['onFailure', { ...script, moment: 'after-success', onFailure: 'skip' }],
      ['planId', { ...script, around: 'restore', planId: plan.id }],
      ['planId', { ...script, planId: '01890000-0000-7000-8000-000000000000' }],
      ['timeoutSeconds', { ...script, timeoutSeconds: 0 }],
    ]
    for (const [field, body] of wrong) {
      const refused = await app.ask('POST', url, body)
      assert.equal(refused.statusCode, 400, JSON.stringify(body))
      assert.deepEqual(
        problem.parse(refused.json()).errors?.map(({ field }) => field),
        [field],
      )
    }
    const { id } = await app.addHook('true', { moment: 'before', onFailure: 'skip' })
    assert.equal((await app.ask('PATCH', `${url}/${id}`, { moment: 'after' })).statusCode, 400)
  })

  it('have kinds whose forms are told', async () => {
    await using app = await openHooks(makePlace)
    const { items } = (await app.ask('GET', '/api/v1/hook-kinds')).json()
    assert.deepEqual(
      items.map(({ name }: { name: string }) => name),
      ['script', 'http', 'sql'],
    )
    assert.match(JSON.stringify(items[1]), /"secret":true/)
  })
})
