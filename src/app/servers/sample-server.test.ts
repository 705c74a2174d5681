import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { type Ability, abilityNames } from '../../shared/abilities.ts'
import { restoreCheck } from '../../shared/restores.ts'
import { server as serverSchema } from '../../shared/servers.ts'
import { testReport } from '../../shared/test-report.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { tempFolder } from '../../../test/servers/temp-folder.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { makeOrganization } from '../organizations/organizations.ts'
import { openApp } from '../test-bed.ts'
import { addToken, unrestricted } from '../tokens/tokens.ts'

const url = '/api/v1/sample-server'

describeBothStores('the sample server', (makePlace) => {
  it('is added once, with a database in it, also when asked for several times at once', async () => {
    await using app = await openApp(makePlace)
    const path = join(app.context.dataDirectory, 'sample', 'shop.db')
    const answers = await Promise.all(Array.from({ length: 4 }, () => app.ask('POST', url)))
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode).sort((a, b) => a - b),
      [200, 200, 200, 201],
    )
    const [{ id, name, engine, connection } = assert.fail(), ...others] = answers.map((answer) =>
      serverSchema.parse(answer.json()),
    )
    assert.deepEqual([name, engine, connection], ['Sample shop', 'sqlite', { path }])
    for (const other of others) assert.equal(other.id, id)
    assert.deepEqual(readdirSync(join(path, '..')), ['shop.db'])
    const database = new DatabaseSync(path, { readOnly: true })
    assert.deepEqual({ ...database.prepare('select count(*) as n from orders').get() }, { n: 5000 })
    database.close()
    const report = testReport.parse((await app.ask('POST', `/api/v1/servers/${id}/test`)).json())
    assert.ok(report.passed, JSON.stringify(report))
    const { items } = (await app.ask('GET', '/api/v1/audit?action=server.add-sample')).json()
    assert.equal(items[0]?.target.id, id)
    assert.equal((await app.ask('PATCH', `/api/v1/servers/${id}`, { name: 'mine' })).statusCode, 200)
    const again = await app.ask('POST', url)
    assert.deepEqual([again.statusCode, again.json().name], [200, 'mine'], 'it is known by its file')
  })

  it('replaces no file, whatever it is', async () => {
    await using app = await openApp(makePlace)
    const folder = join(app.context.dataDirectory, 'sample')
    const path = join(folder, 'shop.db')
    await mkdir(folder)
    await writeFile(path, 'mine')
    assert.equal((await app.ask('POST', url)).statusCode, 201)
    assert.equal(await readFile(path, 'utf8'), 'mine')
    await rm(path)
    await symlink(join(folder, 'elsewhere.db'), path)
    assert.equal((await app.ask('POST', url)).statusCode, 200)
    assert.ok(!existsSync(join(folder, 'elsewhere.db')))
  })

  it('is refused where its name is that of another server', async () => {
    await using app = await openApp(makePlace)
    const other = { name: 'Sample shop', engine: 'sqlite', connection: { path: '/srv/other.db' } }
    assert.equal((await app.ask('POST', '/api/v1/servers', other)).statusCode, 201)
    const refused = await app.ask('POST', url)
    assert.deepEqual([refused.statusCode, refused.json().code], [409, 'name_taken'])
  })

  it('is for who may name files of the machine', async () => {
    await using app = await openApp(makePlace)
    const { store, organizationId } = app
    const scopes: Ability[] = [...abilityNames]
    const order = { ...unrestricted, name: 'member', scopes, isInstanceAdministrator: false }
    const { token } = await addToken(store, organizationId, order)
    await store.db.transaction().execute((trx) => makeOrganization(store, trx, 'Second'))
    const headers = { authorization: `Bearer ${token}` }
    const refused = await app.app.inject({ method: 'POST', url, headers })
    assert.equal(refused.statusCode, 403, refused.body)
    assert.ok(!existsSync(join(app.context.dataDirectory, 'sample')))
  })

  it('is backed up, and restored beside, though other files of the data directory are not', async () => {
    await using volumeFolder = await tempFolder('sample')
    await using app = await openApp(makePlace)
    const { id: serverId } = (await app.ask('POST', url)).json()
    const folder = join(app.context.dataDirectory, 'sample')
    const place = { kind: 'local', settings: { path: volumeFolder.path } }
    const { id: volumeId } = (await app.ask('POST', '/api/v1/volumes', { name: 'here', ...place })).json()
    const plan = { name: 'sample', serverId, volumes: [{ id: volumeId }] }
    const { id: planId } = (await app.ask('POST', '/api/v1/plans', plan)).json()
    await app.ask('POST', `/api/v1/plans/${planId}/run`)
    await runJobs(app.context)
    const [snapshot] = (await app.ask('GET', '/api/v1/snapshots')).json().items
    const order = { snapshotId: snapshot.id, serverId, database: join(folder, 'copy.db') }
    const { jobId } = (await app.ask('POST', '/api/v1/restores', order)).json()
    await runJobs(app.context)
    const job = (await app.ask('GET', `/api/v1/jobs/${jobId}`)).json()
    assert.equal(job.state, 'succeeded', JSON.stringify(job.error))
    assert.ok(existsSync(join(folder, 'copy.db')))
    await symlink('..', join(folder, 'out'))
    for (const database of ['../other.db', '../sample2/x.db', 'out/other.db', '../work/x.db']) {
      const body = { ...order, database: join(folder, database) }
      const { problems } = restoreCheck.parse((await app.ask('POST', '/api/v1/restores/check', body)).json())
      assert.match(JSON.stringify(problems), /own data directory/, database)
    }
  })
})
