import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plan as planSchema } from '../../shared/plans.ts'
import { problem } from '../../shared/problems.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { planOf, plansOfSchedule } from './plans.ts'
import { openPlans } from './test-bed.ts'

const url = '/api/v1/plans'

function named({ items }: { items: { name: string }[] }): string[] {
  return items.map(({ name }) => name)
}

function fieldsOf(response: { body: string }): string[] {
  return (problem.parse(JSON.parse(response.body)).errors ?? []).map(({ field }) => field)
}

describeBothStores('plans', (makePlace) => {
  it('are added with all their defaults, read, changed and deleted', async () => {
    await using app = await openPlans(makePlace)
    const { serverId, volumeId, scheduleId } = app
    const body = { serverId, schedules: [scheduleId, scheduleId], volumes: [{ id: volumeId }] }
    const added = await app.ask('POST', url, body)
    assert.equal(added.statusCode, 201, added.body)
    const first = planSchema.parse(added.json())
    assert.equal(added.headers['location'], `${url}/${first.id}`)
    const { id, createdAt, updatedAt, ...rest } = first
    assert.deepEqual(rest, {
      serverId,
      name: 'shop nightly',
      isEnabled: true,
      databases: { mode: 'all' },
      excludedDatabases: [],
      dumpOptions: {},
      path: '{server}/{database}',
      fileName: '{server}-{database}-{timestamp}',
      compression: { method: 'zstd', level: 3, threads: 1 },
      encryption: { method: 'none' },
      retention: { keepLast: 7, minimumKept: 1 },
      tries: 3,
      backoffSeconds: 60,
      timeoutMinutes: 360,
      stallMinutes: 30,
      jitterMinutes: 0,
      schedules: [scheduleId],
      volumes: [{ id: volumeId }],
    })
    assert.ok(createdAt <= updatedAt)
    assert.deepEqual((await app.ask('GET', `${url}/${id}`)).json(), first)

    const second = await app.addVolume('second')
    const changes = {
      name: 'each night',
      isEnabled: false,
      schedules: [],
      volumes: [{ id: second, retention: { keepDays: 3 } }, { id: volumeId }],
      databases: { mode: 'selected', names: ['/srv/*.db'] },
      encryption: { method: '7z' },
      windowMinutes: 30,
    }
    const changed = await app.ask('PATCH', `${url}/${id}`, changes)
    assert.equal(changed.statusCode, 200, changed.body)
    const expected = {
      ...first,
      ...changes,
      volumes: [{ id: second, retention: { keepDays: 3, minimumKept: 1 } }, { id: volumeId }],
      encryption: { method: '7z', keyId: 'instance' },
      updatedAt: changed.json().updatedAt,
    }
    assert.deepEqual(changed.json(), expected)
    assert.deepEqual((await app.ask('GET', `${url}/${id}`)).json(), expected)
    const without = await app.ask('PATCH', `${url}/${id}`, { windowMinutes: null })
    assert.equal(without.json().windowMinutes, undefined)
    assert.deepEqual(without.json().volumes, expected.volumes, 'what is not given stays')

    assert.equal((await app.ask('DELETE', `${url}/${id}`)).statusCode, 204)
    assert.equal((await app.ask('GET', `${url}/${id}`)).statusCode, 404)
    assert.equal((await app.ask('DELETE', `${url}/${id}`)).statusCode, 404)
  })

  it('take from the settings what they do not say, when they are added', async () => {
    await using app = await openPlans(makePlace)
    await app.ask('PATCH', '/api/v1/settings', {
      compression: { method: 'gzip', level: 9 },
      tries: 5,
      timeoutMinutes: 10,
      overdueMinutes: 100,
    })
    const first = await app.addPlan({ timeoutMinutes: 20 })
    assert.deepEqual(first.compression, { method: 'gzip', level: 9 })
    assert.equal(first.tries, 5)
    assert.equal(first.timeoutMinutes, 20)
    assert.equal(first.overdueMinutes, 100)
    const second = await app.addPlan({ overdueMinutes: null, tries: 1 })
    assert.equal(second.overdueMinutes, undefined, 'null: by its schedules, whatever the settings say')
    await app.ask('PATCH', '/api/v1/settings', { tries: 9 })
    assert.equal((await app.ask('GET', `${url}/${first.id}`)).json().tries, 5)
  })

  it('get a name that none of their server’s has, if nobody chose one', async () => {
    await using app = await openPlans(makePlace)
    const schedules = [app.scheduleId]
    assert.equal((await app.addPlan()).name, 'shop by hand')
    assert.equal((await app.addPlan({ schedules })).name, 'shop nightly')
    assert.equal((await app.addPlan({ schedules })).name, 'shop nightly 2')
    assert.equal((await app.addPlan({ schedules })).name, 'shop nightly 3')
    const adding = Array.from({ length: 5 }, () => app.addPlan())
    const names = (await Promise.all(adding)).map(({ name }) => name)
    assert.deepEqual(
      names.sort(),
      [2, 3, 4, 5, 6].map((n) => `shop by hand ${n}`),
      'also when several are added at once',
    )
    const serverId = await app.addServer(`${'x'.repeat(85)}🐘${'y'.repeat(10)}`)
    const long = await app.ask('POST', '/api/v1/schedules', {
      name: 'z'.repeat(50),
      rule: { type: 'migration' },
    })
    for (let n = 0; n < 2; n++) {
      const { name } = await app.addPlan({ serverId, schedules: [long.json().id] })
      assert.ok(name.length <= 100 && name.isWellFormed(), name)
    }
    const taken = { serverId: app.serverId, name: 'shop nightly', volumes: [{ id: app.volumeId }] }
    const refused = await app.ask('POST', url, taken)
    assert.equal(refused.statusCode, 409)
    assert.equal(problem.parse(refused.json()).code, 'name_taken')
    assert.equal((await app.ask('POST', url, { ...taken, serverId })).statusCode, 201, 'another server’s')
  })

  it('are listed by name, page by page, and found by what they are about', async () => {
    await using app = await openPlans(makePlace)
    const serverId = await app.addServer('other')
    const volumeId = await app.addVolume('second')
    await app.addPlan({ name: 'b 100%' })
    await app.addPlan({ name: 'A', schedules: [app.scheduleId], volumes: [{ id: volumeId }] })
    await app.addPlan({ name: 'b 100', serverId, volumes: [{ id: app.volumeId }, { id: volumeId }] })
    await app.addPlan({ name: 'Ärzte' })
    const list = async (query: string) => named((await app.ask('GET', `${url}?${query}`)).json()).sort()
    assert.deepEqual(await list(''), ['A', 'b 100', 'b 100%', 'Ärzte'])
    assert.deepEqual(await list(`server=${serverId}`), ['b 100'])
    assert.deepEqual(await list(`schedule=${app.scheduleId}`), ['A'])
    assert.deepEqual(await list(`volume=${volumeId}`), ['A', 'b 100'])
    assert.deepEqual(await list('search=B%20100'), ['b 100', 'b 100%'])
    assert.deepEqual(await list('search=100%25'), ['b 100%'])
    assert.deepEqual(await list('search=_'), [])
    assert.deepEqual(await list('search=%C3%84rz'), ['Ärzte'])
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const response = await app.ask('GET', `${url}?limit=2${cursor && `&cursor=${cursor}`}`)
      const page: { items: { name: string }[]; nextCursor: string | null } = response.json()
      assert.ok(page.items.length <= 2)
      seen.push(...named(page))
      cursor = page.nextCursor
    }
    assert.deepEqual(seen.sort(), ['A', 'b 100', 'b 100%', 'Ärzte'])
  })

  it('with anything wrong change nothing, and every field is named', async () => {
    await using app = await openPlans(makePlace)
    const readOnly = await app.addVolume('read only', { isReadOnly: true })
    const body = { serverId: app.serverId, volumes: [{ id: app.volumeId }] }
    const pattern = { mode: 'pattern', include: '(' }
    const wrong: [body: object, ...fields: string[]][] = [
      [{ serverId: 'x' }, 'serverId'],
      [{ serverId: 'x', path: '{nonsense}', schedules: ['y'] }, 'serverId', 'path', 'schedules.0'],
      [{ schedules: [app.scheduleId, 'x'] }, 'schedules.1'],
      [{ volumes: [{ id: app.volumeId }, { id: 'x' }] }, 'volumes.1.id'],
      [{ volumes: [{ id: app.volumeId }, { id: app.volumeId }] }, 'volumes.1.id'],
      [{ volumes: [{ id: readOnly }] }, 'volumes.0.id'],
      [{ volumes: [] }, 'volumes'],
      [{ volumes: [{ id: app.volumeId, retention: {} }] }, 'volumes.0.retention'],
      [{ dumpOptions: { format: 'custom' } }, 'dumpOptions.format'],
      [{ path: '../other' }, 'path'],
      [{ path: '/absolute' }, 'path'],
      [{ path: 'a//b' }, 'path'],
      [{ path: '{server}/{databse}' }, 'path'],
      [{ fileName: 'a/b', path: '..' }, 'path', 'fileName'],
      [{ fileName: '{time}' }, 'fileName'],
      [{ encryption: { method: '7z', keyId: 'x' } }, 'encryption.keyId'],
      [{ encryption: { method: 'age', keyId: 'instance' } }, 'encryption.keyId'],
      [{ encryption: { method: 'rot13' } }, 'encryption.method'],
      [{ databases: { mode: 'selected', names: [] } }, 'databases.names'],
      [{ databases: { mode: 'selected', names: ['a', '/srv/*/a.db'] } }, 'databases.names.1'],
      [{ databases: pattern }, 'databases.include'],
      [{ tries: 0 }, 'tries'],
      [{ tries: 11, timeoutMinutes: 10_081 }, 'tries', 'timeoutMinutes'],
      [{ retention: {} }, 'retention'],
      [{ name: ' ' }, 'name'],
      [{ nonsense: 1 }, ''],
    ]
    const existing = await app.addPlan({ name: 'mine' })
    for (const [part, ...fields] of wrong) {
      const responses = [await app.ask('POST', url, { ...body, ...part })]
      if (!('serverId' in part)) responses.push(await app.ask('PATCH', `${url}/${existing.id}`, part))
      for (const response of responses) {
        assert.equal(response.statusCode, 400, response.body)
        const found = fieldsOf(response)
        for (const field of fields) assert.ok(found.includes(field), `${field}: ${response.body}`)
      }
    }
    const moved = await app.ask('PATCH', `${url}/${existing.id}`, { serverId: await app.addServer('other') })
    assert.equal(moved.statusCode, 400, 'a plan stays with its server')
    assert.deepEqual(named((await app.ask('GET', url)).json()), ['mine'])
    assert.deepEqual((await app.ask('GET', `${url}/${existing.id}`)).json(), existing)
  })

  it('refer to nothing of another organization', async () => {
    await using app = await openPlans(makePlace)
    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: app.store.now })
      .execute()
    for (const table of ['servers', 'schedules', 'volumes'] as const) {
      await app.store.db.updateTable(table).set({ organizationId: 'other' }).execute()
    }
    const { serverId, scheduleId, volumeId } = app
    const body = { serverId, schedules: [scheduleId], volumes: [{ id: volumeId }] }
    const response = await app.ask('POST', url, body)
    assert.equal(response.statusCode, 400)
    assert.deepEqual(fieldsOf(response), ['serverId', 'schedules.0', 'volumes.0.id'])
    const preview = await app.ask('POST', `${url}/preview`, { serverId })
    assert.equal(preview.statusCode, 400)
    assert.deepEqual(fieldsOf(preview), ['serverId'])
  })

  it('of an organization that is not ours are not seen', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan()
    await app.giveAway('plans')
    assert.deepEqual(named((await app.ask('GET', url)).json()), [])
    for (const response of [
      await app.ask('GET', `${url}/${id}`),
      await app.ask('PATCH', `${url}/${id}`, { name: 'mine' }),
      await app.ask('DELETE', `${url}/${id}?snapshots=delete`),
      await app.ask('GET', `${url}/${id}/databases`),
      await app.ask('POST', `${url}/${id}/run`),
    ]) {
      assert.equal(response.statusCode, 404, response.body)
      assert.equal(problem.parse(response.json()).code, 'not_found')
    }
    assert.equal((await app.store.db.selectFrom('plans').select('name').execute()).length, 1)
  })

  it('are changed only by who has seen them as they are', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan()
    const one = `${url}/${id}`
    const etag = String((await app.ask('GET', one)).headers['etag'])
    assert.equal(
      (await app.ask('PATCH', one, { schedules: [app.scheduleId] }, { 'if-match': etag })).statusCode,
      200,
    )
    const refused = await app.ask('PATCH', one, { name: 'two' }, { 'if-match': etag })
    assert.equal(refused.statusCode, 412)
    assert.equal(problem.parse(refused.json()).code, 'changed_meanwhile')
    assert.equal((await app.ask('GET', one)).json().name, 'shop by hand')
  })

  it('can be switched off, and renamed, whatever has become of what they refer to', async () => {
    await using app = await openPlans(makePlace)
    const { id, volumes } = await app.addPlan()
    await app.ask('PATCH', `/api/v1/volumes/${app.volumeId}`, { isReadOnly: true })
    assert.equal((await app.ask('PATCH', `${url}/${id}`, { volumes })).statusCode, 400)
    const changed = await app.ask('PATCH', `${url}/${id}`, { isEnabled: false, name: 'off' })
    assert.deepEqual([changed.statusCode, changed.json().isEnabled], [200, false], changed.body)
  })

  it('never refer to a key that was deleted, or retired, at the same time', async () => {
    await using app = await openPlans(makePlace)
    const { id } = await app.addPlan()
    for (let n = 0; n < 10; n++) {
      const key = { name: `key ${n}`, kind: 'password', password: 'long enough for a key of a test' }
      const keyId = (await app.ask('POST', '/api/v1/keys', key)).json().id
      const encryption = { method: '7z', keyId }
      const one = `/api/v1/keys/${keyId}`
      const [changed, taken] = await Promise.all([
        app.ask('PATCH', `${url}/${id}`, { encryption }),
        n % 2 === 0 ? app.ask('DELETE', one) : app.ask('PATCH', one, { state: 'retired' }),
      ])
      assert.ok([200, 400, 412].includes(changed.statusCode), changed.body)
      assert.equal(taken.statusCode === 409, changed.statusCode === 200, taken.body)
    }
  })

  it('never refer to a schedule or a volume that was deleted at the same time', async () => {
    await using app = await openPlans(makePlace)
    for (let n = 0; n < 10; n++) {
      const schedule = await app.addSchedule(`schedule ${n}`, { type: 'migration' })
      const volume = await app.addVolume(`volume ${n}`)
      const [added, ...deleted] = await Promise.all([
        app.ask('POST', url, { serverId: app.serverId, schedules: [schedule], volumes: [{ id: volume }] }),
        app.ask('DELETE', `/api/v1/schedules/${schedule}`),
        app.ask('DELETE', `/api/v1/volumes/${volume}`),
      ])
      assert.ok([201, 400, 412].includes(added.statusCode), added.body)
      for (const { statusCode, body } of deleted) {
        assert.ok(
          added.statusCode === 201 ? statusCode === 409 : statusCode < 300 || statusCode === 409,
          body,
        )
      }
    }
  })

  it('are found for a schedule with all that they refer to, in three queries', async () => {
    await using app = await openPlans(makePlace)
    const other = await app.addSchedule('other', { type: 'migration' })
    const second = await app.addVolume('second')
    const volumes = [{ id: second }, { id: app.volumeId, retention: { keepLast: 3 } }]
    const first = await app.addPlan({ schedules: [other, app.scheduleId], volumes })
    const bare = await app.addPlan({ schedules: [app.scheduleId] })
    await app.addPlan({ schedules: [other] })
    await app.addPlan({ schedules: [app.scheduleId], isEnabled: false })
    const organizationId = await app.organizationId()
    const { plans: found } = await plansOfSchedule(app.store.db, app.scheduleId)
    assert.deepEqual(found, [
      await planOf(app.context, organizationId, first.id),
      await planOf(app.context, organizationId, bare.id),
    ])
    assert.deepEqual(found[0]?.volumes, first.volumes)
    assert.deepEqual(found[0]?.schedules, [app.scheduleId, other].sort())
  })

  it('show which databases they are about now, and why not the others', async () => {
    await using app = await openPlans(makePlace)
    const databases = { mode: 'selected', names: [`${app.folder}/*.db`, '/srv/gone.db'] }
    const { id } = await app.addPlan({ databases, excludedDatabases: ['*/shop.db'] })
    const shown = await app.ask('GET', `${url}/${id}/databases`)
    assert.equal(shown.statusCode, 200, shown.body)
    assert.deepEqual(shown.json(), {
      items: [{ database: app.path, isIncluded: false, why: 'excluded' }],
      missing: ['/srv/gone.db'],
    })
    const preview = async (choice: object) =>
      (await app.ask('POST', `${url}/preview`, { serverId: app.serverId, ...choice })).json()
    const included = { items: [{ database: app.path, isIncluded: true }], missing: [] }
    assert.deepEqual(await preview({}), included)
    assert.deepEqual(await preview({ databases: { mode: 'pattern', include: '.*/shop[.]db' } }), included)
    assert.deepEqual(await preview({ databases: { mode: 'pattern', include: 'shop' } }), {
      items: [{ database: app.path, isIncluded: false, why: 'not_matched' }],
      missing: [],
    })
    assert.deepEqual(named((await app.ask('GET', url)).json()), ['shop by hand'], 'nothing was saved')
  })

  it('say what the server says, if it cannot be asked', async () => {
    await using app = await openPlans(makePlace)
    const serverId = await app.addServer('gone')
    const { id } = await app.addPlan({ serverId })
    await app.ask('PATCH', `/api/v1/servers/${serverId}`, { connection: { path: '/no/such/file.db' } })
    const response = await app.ask('GET', `${url}/${id}/databases`)
    assert.equal(response.statusCode, 404, response.body)
    assert.equal(problem.parse(response.json()).code, 'database_not_found')
  })
})
