import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { type PostgresServer, startPostgres } from '../../../test/servers/postgres.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { problem } from '../../shared/problems.ts'
import { server as serverSchema } from '../../shared/servers.ts'
import { testReport } from '../../shared/test-report.ts'
import { describeStores } from '../../store/test-bed.ts'
import { makeSample } from '../demo/sample.ts'
import { openApp } from '../test-bed.ts'
import { openTeam } from '../users/test-bed.ts'

const CANARY = 'canary-password-1234'

const connection = { host: 'db.example', user: 'backup', password: CANARY }
const shop = { name: 'shop', engine: 'postgresql', connection }

describeStores('servers', (makePlace) => {
  it('name what uses them as far as that is seen, and count the rest', async () => {
    await using app = await openTeam(makePlace)
    const add = async (path: string, body: object): Promise<string> => {
      const added = await app.ask('POST', `/api/v1/${path}`, body)
      assert.equal(added.statusCode, 201, added.body)
      return added.json().id
    }
    const server = (name: string) =>
      add('servers', { name, engine: 'sqlite', connection: { path: `/x/${name}.db` } })
    const one = await server('a-one')
    const other = await server('b-other')
    const role = await app.addRole('limited', ['view', 'manage-servers'], { names: ['a-*'] })
    const { ask } = await app.person('ada', { role })
    const { db, now } = app.store
    const times = { revision: 1, createdAt: now, updatedAt: now }
    const schedule = { name: 'nightly', rule: { type: 'daily', times: ['02:00'] } }
    const scheduleId = await add('schedules', schedule)
    const restore = async (name: string, targetServerId: string) => {
      await db
        .insertInto('scheduledRestores')
        .values({
          id: name,
          organizationId: app.organizationId,
          name,
          sourceServerId: one,
          sourceDatabase: 'x',
          targetServerId,
          scheduleId,
          isEnabled: 1,
          settings: '{}',
          ...times,
        })
        .execute()
    }
    await restore('own', one)
    await restore('hidden', other)
    const refused = await ask('DELETE', `/api/v1/servers/${one}`)
    assert.equal(refused.statusCode, 409, refused.body)
    assert.match(
      refused.body,
      /used by the scheduled restore “own”, and by 1 scheduled restore that you may not see\./,
    )
    assert.ok(!refused.body.includes('hidden'))
  })

  it('are added, read, listed by name, changed and forgotten', async () => {
    await using app = await openApp(makePlace)
    const added = await app.ask('POST', '/api/v1/servers', { ...shop, labels: { team: 'blue' } })
    assert.equal(added.statusCode, 201, added.body)
    const first = serverSchema.parse(added.json())
    assert.equal(added.headers['location'], `/api/v1/servers/${first.id}`)
    assert.equal(first.maxRunning, 2)
    assert.deepEqual(first.labels, { team: 'blue' })
    assert.deepEqual((await app.ask('GET', `/api/v1/servers/${first.id}`)).json(), first)

    await app.ask('POST', '/api/v1/servers', { ...shop, name: 'archive', isProduction: true })
    const { items } = (await app.ask('GET', '/api/v1/servers')).json()
    assert.deepEqual(
      items.map(({ name, isProduction }: { name: string; isProduction: boolean }) => [name, isProduction]),
      [
        ['archive', true],
        ['shop', false],
      ],
    )

    const changed = await app.ask('PATCH', `/api/v1/servers/${first.id}`, { name: 'store', maxRunning: 5 })
    assert.equal(changed.statusCode, 200, changed.body)
    assert.deepEqual(serverSchema.parse(changed.json()), {
      ...first,
      name: 'store',
      maxRunning: 5,
      updatedAt: changed.json().updatedAt,
    })
    assert.equal((await app.ask('DELETE', `/api/v1/servers/${first.id}`)).statusCode, 204)
    assert.equal((await app.ask('GET', `/api/v1/servers/${first.id}`)).statusCode, 404)
    assert.equal((await app.ask('DELETE', `/api/v1/servers/${first.id}`)).statusCode, 404)
  })

  it('are listed page by page, each once', async () => {
    await using app = await openApp(makePlace)
    const names = Array.from({ length: 7 }, (_, n) => `server ${n}`)
    for (const name of [...names].reverse()) await app.ask('POST', '/api/v1/servers', { ...shop, name })
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const response = await app.ask('GET', `/api/v1/servers?limit=3${cursor && `&cursor=${cursor}`}`)
      const page = response.json()
      assert.ok(page.items.length <= 3)
      seen.push(...page.items.map(({ name }: { name: string }) => name))
      cursor = page.nextCursor
    }
    assert.deepEqual(seen, names)
    for (const wrong of ['limit=0', 'limit=201', 'limit=x', 'cursor=nonsense', 'cursor=W10']) {
      const response = await app.ask('GET', `/api/v1/servers?${wrong}`)
      assert.equal(response.statusCode, 400, wrong)
      assert.ok(problem.parse(response.json()).errors?.[0]?.field)
    }
  })

  it('keep their password: it is sealed in the store, and only ever shown as a mask', async () => {
    await using app = await openApp(makePlace)
    const added = await app.ask('POST', '/api/v1/servers', shop)
    const { id, connection: shown } = serverSchema.parse(added.json())
    assert.equal(shown['password'], 'cana****')
    const rows = JSON.stringify(await app.store.db.selectFrom('servers').selectAll().execute())
    assert.ok(!rows.includes(CANARY))
    const changed = await app.ask('PATCH', `/api/v1/servers/${id}`, {
      connection: { ...shown, maintenanceDatabase: 'other' },
    })
    assert.equal(changed.statusCode, 200, changed.body)
    const { connectionOf, serverOf } = await import('./servers.ts')
    const { organizationId } = await app.store.db
      .selectFrom('servers')
      .select('organizationId')
      .executeTakeFirstOrThrow()
    const open = async () => connectionOf(app.context, await serverOf(app.context, organizationId, id))
    assert.equal((await open())['password'], CANARY, 'a secret that equals its mask stays')
    await app.ask('PATCH', `/api/v1/servers/${id}`, { connection: { ...shown, password: 'another-secret' } })
    assert.equal((await open())['password'], 'another-secret')
    for (const url of ['/api/v1/servers', `/api/v1/servers/${id}`]) {
      assert.doesNotMatch((await app.ask('GET', url)).body, /another-secret|canary-password/)
    }
  })

  it('send a password that is only known as a mask to nobody else', async () => {
    await using app = await openApp(makePlace)
    const { id, connection: shown } = serverSchema.parse(
      (await app.ask('POST', '/api/v1/servers', shop)).json(),
    )
    const url = `/api/v1/servers/${id}`
    const { password: _, ...withoutPassword } = shown
    for (const elsewhere of [{ host: 'evil.example' }, { port: 5433 }, { user: 'other' }]) {
      for (const connection of [shown, withoutPassword]) {
        const refused = await app.ask('PATCH', url, { connection: { ...connection, ...elsewhere } })
        assert.equal(refused.statusCode, 400, JSON.stringify(elsewhere))
        const { code, errors } = problem.parse(refused.json())
        assert.equal(code, 'invalid_input')
        assert.deepEqual(
          errors?.map(({ field }) => field),
          ['connection.password'],
        )
        assert.match(errors?.[0]?.message ?? '', new RegExp(Object.keys(elsewhere).join()))
      }
    }
    assert.deepEqual((await app.ask('GET', url)).json().connection, shown)
    const moved = { connection: { ...shown, host: 'db2.example', password: CANARY } }
    assert.equal((await app.ask('PATCH', url, moved)).statusCode, 200, 'who knows the password may move it')
    const tls = { connection: { ...shown, host: 'db2.example', tls: 'require' } }
    assert.equal((await app.ask('PATCH', url, tls)).statusCode, 200)
  })

  it('are changed only by who has seen them as they are', async () => {
    await using app = await openApp(makePlace)
    const added = await app.ask('POST', '/api/v1/servers', shop)
    const url = `/api/v1/servers/${added.json().id}`
    const etag = String(added.headers['etag'])
    const change = (name: string, ifMatch: string) => app.ask('PATCH', url, { name }, { 'if-match': ifMatch })
    assert.equal((await change('one', etag)).statusCode, 200)
    const refused = await change('two', etag)
    assert.equal(refused.statusCode, 412)
    assert.equal(problem.parse(refused.json()).code, 'changed_meanwhile')
    const now = await app.ask('GET', url)
    assert.equal(now.json().name, 'one')
    assert.equal((await change('two', String(now.headers['etag']))).statusCode, 200)
    assert.equal((await change('three', '*')).statusCode, 200)
    assert.equal((await change('four', 'nonsense')).statusCode, 412)
  })

  it('of one name are refused, and of an organization that is not ours not seen', async () => {
    await using app = await openApp(makePlace)
    const { id } = (await app.ask('POST', '/api/v1/servers', shop)).json()
    const twin = await app.ask('POST', '/api/v1/servers', shop)
    assert.equal(twin.statusCode, 409)
    assert.equal(problem.parse(twin.json()).code, 'name_taken')
    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: app.store.now })
      .execute()
    await app.store.db.updateTable('servers').set({ organizationId: 'other' }).where('id', '=', id).execute()
    assert.deepEqual((await app.ask('GET', '/api/v1/servers')).json().items, [])
    const url = `/api/v1/servers/${id}`
    for (const response of [
      await app.ask('GET', url),
      await app.ask('PATCH', url, { name: 'mine' }),
      await app.ask('DELETE', url),
      await app.ask('POST', `${url}/test`),
      await app.ask('GET', `${url}/databases`),
    ]) {
      assert.equal(response.statusCode, 404)
      assert.equal(problem.parse(response.json()).code, 'not_found')
    }
    assert.equal((await app.ask('POST', '/api/v1/servers', shop)).statusCode, 201, 'the name is free here')
  })

  it('with anything wrong change nothing, and every field is named', async () => {
    await using app = await openApp(makePlace)
    const wrong: [body: object, field: string][] = [
      [{}, 'name'],
      [{ ...shop, name: ' ' }, 'name'],
      [{ ...shop, name: 'x'.repeat(101) }, 'name'],
      [{ ...shop, engine: 'oracle' }, 'engine'],
      [{ ...shop, engine: '__proto__' }, 'engine'],
      [{ ...shop, maxRunning: 0 }, 'maxRunning'],
      [{ ...shop, labels: { 'Not A Label': 'x' } }, 'labels.Not A Label'],
      [{ ...shop, connection: { ...connection, port: 70_000 } }, 'connection.port'],
      [{ ...shop, connection: { ...connection, passwort: CANARY } }, 'connection.passwort'],
      [{ ...shop, connection: { host: 'x' } }, 'connection.user'],
      [{ ...shop, id: 'mine' }, ''],
    ]
    for (const [body, field] of wrong) {
      const response = await app.ask('POST', '/api/v1/servers', body)
      assert.equal(response.statusCode, 400, JSON.stringify(body))
      const { errors = [], code } = problem.parse(response.json())
      assert.equal(code, 'invalid_input')
      assert.ok(
        errors.some((error) => error.field === field),
        `${field}: ${response.body}`,
      )
      assert.doesNotMatch(response.body, new RegExp(CANARY))
    }
    assert.deepEqual((await app.ask('GET', '/api/v1/servers')).json().items, [])
  })

  it('describe the settings of every engine for whoever draws a form', async () => {
    await using app = await openApp(makePlace)
    const { items } = (await app.ask('GET', '/api/v1/engines')).json()
    assert.deepEqual(
      items.map(({ name }: { name: string }) => name),
      ['postgresql', 'mysql', 'sqlite'],
    )
    assert.equal(items[0].connection.properties.password.format, 'password')
    const description = (await app.ask('GET', '/api/openapi.json')).json()
    for (const path of ['/api/v1/servers', '/api/v1/servers/{id}', '/api/v1/servers/{id}/test']) {
      assert.ok(description.paths[path], path)
    }
  })
})

describeStores('settings of a server that nobody has saved', (makePlace) => {
  const test = '/api/v1/servers/test'

  it('are tried out, and nothing is stored', async () => {
    await using app = await openApp(makePlace)
    const path = join(app.context.dataDirectory, 'shop.db')
    const trial = { engine: 'sqlite', connection: { path } }
    const missing = testReport.parse((await app.ask('POST', test, trial)).json())
    assert.equal(missing.passed, false, 'the file is not there')
    makeSample(path)
    const found = testReport.parse((await app.ask('POST', test, trial)).json())
    assert.ok(found.passed, JSON.stringify(found))
    assert.deepEqual((await app.ask('GET', '/api/v1/servers')).json().items, [])
  })

  it('with anything wrong are refused, and every field is named', async () => {
    await using app = await openApp(makePlace)
    const wrong: [body: object, field: string][] = [
      [{ connection }, 'engine'],
      [{ engine: 'oracle', connection }, 'engine'],
      [{ engine: '__proto__', connection }, 'engine'],
      [{ engine: 'postgresql', connection: { ...connection, port: 70_000 } }, 'connection.port'],
      [{ engine: 'postgresql', connection: { host: 'x' } }, 'connection.user'],
    ]
    for (const [body, field] of wrong) {
      const response = await app.ask('POST', test, body)
      assert.equal(response.statusCode, 400, JSON.stringify(body))
      const { errors = [], code } = problem.parse(response.json())
      assert.equal(code, 'invalid_input')
      assert.ok(
        errors.some((error) => error.field === field),
        `${field}: ${response.body}`,
      )
    }
  })

  it('send a secret that is only known as a mask to nobody but its server', async () => {
    await using app = await openApp(makePlace)
    const { id: serverId, connection: shown } = (await app.ask('POST', '/api/v1/servers', shop)).json()
    const trial = { engine: 'postgresql', connection: shown, serverId }
    for (const elsewhere of [{ host: '127.0.0.1' }, { port: 5433 }, { user: 'other' }]) {
      const refused = await app.ask('POST', test, { ...trial, connection: { ...shown, ...elsewhere } })
      assert.equal(refused.statusCode, 400, JSON.stringify(elsewhere))
      assert.equal(problem.parse(refused.json()).errors?.[0]?.field, 'connection.password')
    }
    const none = await app.ask('POST', test, { ...trial, serverId: 'none' })
    assert.equal(none.statusCode, 404)
    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: app.store.now })
      .execute()
    await app.store.db.updateTable('servers').set({ organizationId: 'other' }).execute()
    assert.equal((await app.ask('POST', test, trial)).statusCode, 404)
  })

  it('name files of the machine only by who may', async () => {
    await using app = await openTeam(makePlace)
    const role = await app.addRole('limited', ['view', 'manage-servers'], { names: ['a-*'] })
    const { ask } = await app.person('ada', { role })
    const trial = { engine: 'sqlite', connection: { path: '/etc/passwd' } }
    const refused = await ask('POST', test, trial)
    assert.equal(refused.statusCode, 403, refused.body)
  })
})

describeStores('a real server', (makePlace) => {
  const skip = skipUnless('postgres15')
  let server: PostgresServer
  before(async () => {
    if (skip) return
    server = await startPostgres({ major: 15 })
    await server.query(['create database shop', 'create database "odd name"'])
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  it('is tested step by step, and lists its databases', { skip }, async () => {
    await using app = await openApp(makePlace)
    const { host, port, user, password } = server
    const added = await app.ask('POST', '/api/v1/servers', {
      name: 'real',
      engine: 'postgresql',
      connection: { host, port, user, password },
    })
    const url = `/api/v1/servers/${added.json().id}`
    const { passed, steps } = testReport.parse((await app.ask('POST', `${url}/test`)).json())
    assert.ok(passed, JSON.stringify(steps))
    const databases = await app.ask('GET', `${url}/databases`)
    assert.deepEqual(databases.json(), { items: ['odd name', 'postgres', 'shop'] })

    await app.ask('PATCH', url, { connection: { host, port, user, password: 'wrong' } })
    const report = testReport.parse((await app.ask('POST', `${url}/test`)).json())
    assert.equal(report.passed, false)
    assert.match(report.steps[0]?.detail ?? '', /password/)
    const refused = await app.ask('GET', `${url}/databases`)
    assert.equal(refused.statusCode, 502)
    assert.equal(problem.parse(refused.json()).code, 'authentication_failed')
  })

  it('is tested in the databases that its plans are about, and without a plan in all', { skip }, async () => {
    await using app = await openApp(makePlace)
    const { host, port, user, password } = server
    const connection = { host, port, user, password }
    const added = await app.ask('POST', '/api/v1/servers', { name: 'x', engine: 'postgresql', connection })
    const serverId = added.json().id
    await using folder = await tempFolder('server-volume')
    const place = { kind: 'local', settings: { path: folder.path } }
    const volume = await app.ask('POST', '/api/v1/volumes', { name: 'v', ...place })
    const volumes = [{ id: volume.json().id }]
    const privileges = async () => {
      const tested = await app.ask('POST', `/api/v1/servers/${serverId}/test`)
      return testReport.parse(tested.json()).steps.find(({ step }) => step === 'privileges')?.detail
    }
    const addPlan = async (databases: object, isEnabled: boolean) => {
      const plan = { serverId, volumes, databases, isEnabled }
      const added = await app.ask('POST', '/api/v1/plans', plan)
      assert.equal(added.statusCode, 201, added.body)
    }
    await addPlan({ mode: 'selected', names: ['nowhere'] }, false)
    assert.equal(await privileges(), 'enough to back up 3 databases: odd name, postgres, shop')
    await addPlan({ mode: 'selected', names: ['shop'] }, true)
    assert.equal(await privileges(), 'enough to back up shop')
    await addPlan({ mode: 'pattern', include: 'odd.*' }, true)
    await addPlan({ mode: 'selected', names: ['gone'] }, true)
    assert.equal(
      await privileges(),
      'gone: The server has no database “gone”.\nenough to back up 2 databases: odd name, shop',
    )
  })

  it('is tested with the stored password, where its mask is sent', { skip }, async () => {
    await using app = await openApp(makePlace)
    const { host, port, user, password } = server
    const added = await app.ask('POST', '/api/v1/servers', {
      name: 'real',
      engine: 'postgresql',
      connection: { host, port, user, password },
    })
    const { id: serverId, connection } = added.json()
    assert.notEqual(connection.password, password)
    const tryOut = async (trial: object) => {
      const answer = await app.ask('POST', '/api/v1/servers/test', { engine: 'postgresql', ...trial })
      return testReport.parse(answer.json())
    }
    const masked = { ...connection, maintenanceDatabase: 'shop' }
    assert.ok((await tryOut({ connection: masked, serverId })).passed)
    assert.equal((await tryOut({ connection: masked })).passed, false, 'a mask is no password')
    assert.ok((await tryOut({ connection: { host, port, user, password } })).passed)
    assert.deepEqual((await app.ask('GET', `/api/v1/servers/${serverId}`)).json().connection, connection)
  })
})
