import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateIdentity } from 'age-encryption'
import { recipientsOf } from '../../lib/age/index.ts'
import { restoreCheck } from '../../shared/restores.ts'
import { claimJob } from '../../store/queue.ts'
import { describeStores } from '../../store/test-bed.ts'
import { jobKinds } from '../jobs/kinds.ts'
import { runJobs } from '../jobs/test-bed.ts'
import { reap } from '../jobs/worker.ts'
import { snapshotOf } from '../snapshots/snapshots.ts'
import { emailsIn, fillFile, openRestores, type RestoreBed } from './test-bed.ts'
import { enqueueTidying, tidyRestore } from './tidy.ts'

const THREE = ['person1@shop.example', 'person2@shop.example', 'person3@shop.example']

/** What lies in the folder of the databases, without what belongs to a database that is open. */
async function filesBeside(app: RestoreBed): Promise<string[]> {
  const names = await readdir(app.file(''), { withFileTypes: true })
  return names
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort()
}

describeStores('a restore', (makePlace) => {
  it('is looked at, made under a new name, and shown with what came of it', async () => {
    await using app = await openRestores(makePlace)
    const snapshotId = await app.takeSnapshot(app.shop, app.file('shop.db'))
    const body = { snapshotId, serverId: app.shop, database: app.file('copy.db') }

    const looked = await app.ask('POST', '/api/v1/restores/check', body)
    assert.equal(looked.statusCode, 200, looked.body)
    const check = restoreCheck.parse(looked.json())
    assert.deepEqual(check.problems, [])
    assert.equal(check.isPossible, true)
    assert.equal(check.copy?.volumeId, app.volumeId)
    assert.deepEqual([check.snapshot.tables, check.snapshot.rows], [1, 3])
    assert.deepEqual([check.target.exists, check.needsConfirmation], [false, false])
    assert.equal(check.estimate.basis, 'size')
    assert.deepEqual([...new Set(check.steps.map(({ outcome }) => outcome))], ['ok'])
    assert.equal(existsSync(app.file('copy.db')), false)
    assert.deepEqual((await app.ask('GET', '/api/v1/jobs')).json().items, [])

    const restored = await app.restore(body)
    assert.equal(restored.state, 'succeeded', JSON.stringify(restored.error))
    assert.deepEqual(restored.result?.rows, { tables: 1, rows: 3 })
    assert.equal(restored.result?.database, app.file('copy.db'))
    assert.equal(restored.safetySnapshotId, null)
    assert.deepEqual(emailsIn(app.file('copy.db')), THREE)
    assert.deepEqual(await filesBeside(app), ['copy.db', 'shop.db'])

    const listed = (await app.ask('GET', `/api/v1/restores?database=${app.file('copy.db')}`)).json()
    assert.deepEqual(listed.items, [restored])
    assert.deepEqual((await app.ask('GET', '/api/v1/restores?database=none')).json().items, [])
    const again = restoreCheck.parse(
      (await app.ask('POST', '/api/v1/restores/check', { ...body, database: app.file('b.db') })).json(),
    )
    assert.equal(again.estimate.basis, 'last restore')
  })

  it('is found by the database of a plan that its snapshot is of, whatever it was restored as', async () => {
    await using app = await openRestores(makePlace)
    const shop = app.file('shop.db')
    const snapshotId = await app.takeSnapshot(app.shop, shop)
    const restored = await app.restore({ snapshotId, serverId: app.shop, database: app.file('copy.db') })
    const volumes = [{ id: app.volumeId }]
    const plan = await app.ask('POST', '/api/v1/plans', { name: 'nightly', serverId: app.shop, volumes })
    const planId = plan.json<{ id: string }>().id
    const found = async (query: Record<string, string>) =>
      await app.ask('GET', `/api/v1/restores?${new URLSearchParams(query).toString()}`)
    const of = { sourcePlan: planId, sourceDatabase: shop }
    assert.deepEqual((await found(of)).json().items, [], 'the snapshot is of no plan')
    await app.store.db.updateTable('snapshots').set({ planId }).where('id', '=', snapshotId).execute()
    assert.deepEqual((await found(of)).json().items, [restored])
    assert.deepEqual((await found({ ...of, sourceDatabase: 'x' })).json().items, [])
    assert.deepEqual((await found({ ...of, state: 'failed' })).json().items, [])
    assert.equal((await found({ sourcePlan: planId })).statusCode, 400)
  })

  it('that replaces a database keeps what was there, and undoing it brings that back', async () => {
    await using app = await openRestores(makePlace)
    const path = app.file('shop.db')
    const snapshotId = await app.takeSnapshot(app.shop, path)
    await rm(path)
    fillFile(path, 5)
    const replaced = await app.restore({ snapshotId, serverId: app.shop, database: path, mode: 'replace' })
    assert.equal(replaced.state, 'succeeded', JSON.stringify(replaced.error))
    assert.equal(emailsIn(path).length, 3)

    const kept = await snapshotOf(app.context, app.organizationId, replaced.safetySnapshotId ?? '')
    assert.equal(replaced.result?.safetySnapshotId, kept.id)
    assert.deepEqual([kept.cause, kept.serverId, kept.planId], ['safety', app.shop, null])
    assert.equal(kept.jobId, replaced.id)
    assert.equal(kept.manifest.server.id, app.shop)
    const days = ((kept.lockedUntil ?? 0) - kept.finishedAt) / 86_400_000
    assert.equal(Math.round(days * 100) / 100, 7)
    const copies = (await app.ask('GET', `/api/v1/snapshots/${kept.id}`)).json().copies
    assert.deepEqual(
      copies.map(({ volumeId, state }: Record<string, string>) => [volumeId, state]),
      [[app.volumeId, 'stored']],
    )

    const undone = await app.ask('POST', `/api/v1/restores/${replaced.id}/undo`)
    assert.equal(undone.statusCode, 201, undone.body)
    await runJobs(app.context)
    const undo = await app.restoreOf(undone.json().jobId)
    assert.equal(undo.state, 'succeeded', JSON.stringify(undo.error))
    assert.equal(undo.undoes, replaced.id)
    assert.equal(emailsIn(path).length, 5)

    await app.ask('POST', `/api/v1/restores/${undo.id}/undo`, {})
    await runJobs(app.context)
    assert.equal(emailsIn(path).length, 3, 'undoing can be undone')
  })

  it('without a safety snapshot, or into a new database, has nothing to undo', async () => {
    await using app = await openRestores(makePlace)
    const path = app.file('shop.db')
    const snapshotId = await app.takeSnapshot(app.shop, path)
    const body = { snapshotId, serverId: app.shop, database: path, mode: 'replace', safetySnapshot: false }
    const replaced = await app.restore(body)
    assert.deepEqual([replaced.state, replaced.safetySnapshotId], ['succeeded', null])
    const { code } = await app.refused({}, `restores/${replaced.id}/undo`)
    assert.equal(code, 'snapshot_not_found')
    assert.equal((await app.refused({}, 'restores/nonesuch/undo')).code, 'not_found')
    const waiting = await app.order(body)
    assert.equal((await app.refused({}, `restores/${waiting}/undo`)).code, 'in_use')
  })

  it('runs SQL before the database takes its name, and if that fails leaves the target as it was', async () => {
    await using app = await openRestores(makePlace)
    const path = app.file('shop.db')
    const snapshotId = await app.takeSnapshot(app.shop, path)
    const target = app.file('staging.db')
    fillFile(target, 1)
    const body = { snapshotId, serverId: app.shop, database: target, mode: 'replace' }

    const failed = await app.restore({ ...body, runAfter: 'delete from orders; update nonesuch set a = 1' })
    assert.deepEqual([failed.state, failed.error?.code], ['failed', 'sql_failed'])
    assert.match(failed.error?.message ?? '', /no such table: nonesuch/)
    assert.equal(emailsIn(target).length, 1)
    assert.equal(failed.safetySnapshotId, null, 'nothing was about to be dropped')
    assert.deepEqual(await filesBeside(app), ['shop.db', 'staging.db'])

    const runAfter = `update orders set email = 'masked' || id`
    const masked = await app.restore({ ...body, runAfter })
    assert.equal(masked.state, 'succeeded', JSON.stringify(masked.error))
    assert.equal(masked.runAfter, runAfter)
    assert.deepEqual(emailsIn(target), ['masked1', 'masked2', 'masked3'])
    assert.ok((masked.result?.seconds['masking'] ?? 0) > 0)
  })

  it('wants keys that the app does not have, and forgets them as soon as it begins', async () => {
    await using app = await openRestores(makePlace)
    const identity = await generateIdentity()
    const recipients = await recipientsOf(identity)
    const snapshotId = await app.takeSnapshot(app.shop, app.file('shop.db'), {
      encryption: { method: 'age', recipients },
    })
    const body = { snapshotId, serverId: app.shop, database: app.file('copy.db') }

    const without = await app.refused(body)
    assert.deepEqual([without.code, without.errors?.[0]?.field], ['key_missing', 'keys'])
    assert.match(without.title, new RegExp(recipients[0] ?? 'none'))
    const wrong = { ...body, keys: { ageIdentity: await generateIdentity() } }
    assert.equal((await app.refused(wrong)).code, 'key_wrong')
    const broken = await app.refused({ ...body, keys: { ageIdentity: 'AGE-SECRET-KEY-1NONSENSE' } })
    assert.deepEqual([broken.code, broken.errors?.[0]?.field], ['invalid_input', 'keys.ageIdentity'])
    const check = await app.ask('POST', '/api/v1/restores/check', wrong)
    assert.deepEqual(
      restoreCheck.parse(check.json()).problems.map(({ code, field }) => [code, field]),
      [['key_wrong', 'keys']],
    )

    const id = await app.order({ ...body, keys: { ageIdentity: `# of mine\n${identity}\n` } })
    const payload = async () =>
      (await app.store.db.selectFrom('jobs').select('payload').where('id', '=', id).executeTakeFirstOrThrow())
        .payload
    const sealed = await payload()
    assert.doesNotMatch(sealed, new RegExp(identity))
    assert.match(sealed, /"ageIdentity": ?"hf1\./)
    await runJobs(app.context)
    const restored = await app.restoreOf(id)
    assert.equal(restored.state, 'succeeded', JSON.stringify(restored.error))
    assert.doesNotMatch(await payload(), /hf1|ageIdentity/)
    assert.equal(emailsIn(app.file('copy.db')).length, 3)
  })

  it('keeps what it replaces under the key that came with it', async () => {
    await using app = await openRestores(makePlace)
    const path = app.file('shop.db')
    const passphrase = 'known to nobody but me'
    const key = { id: 'of-an-app-that-is-lost', password: passphrase }
    const encryption = { method: '7z' as const, key }
    const snapshotId = await app.takeSnapshot(app.shop, path, { encryption })
    const body = { snapshotId, serverId: app.shop, database: path, mode: 'replace', keys: { passphrase } }
    const replaced = await app.restore(body)
    assert.equal(replaced.state, 'succeeded', JSON.stringify(replaced.error))
    const kept = await snapshotOf(app.context, app.organizationId, replaced.safetySnapshotId ?? '')
    assert.equal(kept.manifest.encryption?.keyId, key.id)
    const undo = `restores/${replaced.id}/undo`
    assert.equal((await app.refused({}, undo)).code, 'key_wrong')
    await app.post(undo, { keys: { passphrase } })
  })

  it('that is cancelled before it begins has its keys forgotten with that', async () => {
    await using app = await openRestores(makePlace)
    const identity = await generateIdentity()
    const encryption = { method: 'age' as const, recipients: await recipientsOf(identity) }
    const snapshotId = await app.takeSnapshot(app.shop, app.file('shop.db'), { encryption })
    const body = { snapshotId, serverId: app.shop, keys: { ageIdentity: identity } }
    const id = await app.order({ ...body, database: app.file('a.db') })
    await app.ask('POST', `/api/v1/jobs/${id}/cancel`)
    const { payload } = await app.store.db
      .selectFrom('jobs')
      .select('payload')
      .where('id', '=', id)
      .executeTakeFirstOrThrow()
    assert.doesNotMatch(payload, /hf1/)
    assert.equal((await app.restoreOf(id)).state, 'cancelled')
  })

  it('that is cancelled while its runner is killed is tidied up behind', async () => {
    await using app = await openRestores(makePlace)
    const snapshotId = await app.takeSnapshot(app.shop, app.file('shop.db'))
    const id = await app.order({ snapshotId, serverId: app.shop, database: app.file('a.db') })
    const runner = { name: 'killed', node: 'killed', capacity: 1, kinds: ['restore'], lease: 1 }
    assert.equal((await claimJob(app.store, runner))?.id, id)
    await app.ask('POST', `/api/v1/jobs/${id}/cancel`)
    assert.deepEqual(await app.tidying(), [])
    await sleep(10)
    assert.deepEqual(await reap(app.context, jobKinds), [id])
    assert.equal((await app.restoreOf(id)).state, 'cancelled')
    assert.deepEqual(await app.tidying(), ['queued'])
  })

  it('that takes the place of tidying up owes it, if it never comes so far', async () => {
    await using app = await openRestores(makePlace)
    const database = app.file('a.db')
    const serverId = app.shop
    const snapshotId = await app.takeSnapshot(serverId, app.file('shop.db'))
    const body = { snapshotId, serverId, database }
    const cancel = (id: string) => app.ask('POST', `/api/v1/jobs/${id}/cancel`)
    const restored = async (id: string) => {
      await runJobs(app.context)
      return await app.restoreOf(id)
    }
    const tidy = () =>
      app.store.db
        .transaction()
        .execute((trx) => enqueueTidying(app.store, trx, app.organizationId, { serverId, database }))
    await tidy()
    const first = await app.order(body)
    assert.deepEqual(await app.tidying(), ['cancelled'])
    await cancel(first)
    assert.deepEqual(await app.tidying(), ['queued', 'cancelled'])

    const second = await app.order(body)
    await app.ask('PATCH', `/api/v1/servers/${serverId}`, { isProtected: true })
    assert.equal((await restored(second)).error?.code, 'target_protected')
    assert.deepEqual(await app.tidying(), ['succeeded', 'cancelled', 'cancelled'])
    await app.ask('PATCH', `/api/v1/servers/${serverId}`, { isProtected: false })

    const third = await app.order(body)
    await tidy()
    assert.equal((await app.tidying()).length, 3, 'one waits that will do it')
    await cancel(third)
    assert.equal((await app.tidying())[0], 'queued')

    let fourth = ''
    const kinds = {
      'tidy-restore': {
        ...tidyRestore,
        async run() {
          fourth = await app.order(body)
          throw new Error('out of reach')
        },
      },
    }
    await runJobs(app.context, { kinds })
    assert.equal((await app.tidying())[0], 'failed', 'the restore is its next try')
    await cancel(fourth)
    assert.deepEqual((await app.tidying()).slice(0, 2), ['queued', 'failed'])
  })

  it('into a protected server is refused, and into one in production until its name is typed', async () => {
    await using app = await openRestores(makePlace)
    const path = app.file('shop.db')
    const snapshotId = await app.takeSnapshot(app.shop, path)
    const safe = await app.addServer('safe', 'sqlite', { path: app.file('safe.db') }, { isProtected: true })
    const refused = await app.refused({ snapshotId, serverId: safe, database: app.file('new.db') })
    assert.deepEqual([refused.code, refused.status], ['target_protected', 403])
    assert.match(refused.title, /“safe”/)

    const production = await app.addServer('prod', 'sqlite', { path }, { isProduction: true })
    const body = { snapshotId, serverId: production, database: path, mode: 'replace' }
    for (const confirmation of [undefined, '', 'shop', 'prod']) {
      const unconfirmed = await app.refused({ ...body, confirmation })
      assert.equal(unconfirmed.code, 'confirmation_needed')
      assert.equal(unconfirmed.errors?.[0]?.field, 'confirmation')
    }
    const check = restoreCheck.parse((await app.ask('POST', '/api/v1/restores/check', body)).json())
    assert.deepEqual([check.needsConfirmation, check.isPossible], [true, true])
    for (const confirmation of [path, 'shop.db']) {
      assert.equal((await app.restore({ ...body, confirmation })).state, 'succeeded')
    }
    const short = { ...body, database: 'shop.db', confirmation: 'shop.db' }
    assert.equal((await app.restore(short)).database, path)
    const fresh = { ...body, mode: 'new', database: app.file('new.db') }
    assert.equal((await app.restore(fresh)).state, 'succeeded', 'a new database harms nobody')
  })

  it('does not begin if the server has been protected, or has become one of production, meanwhile', async () => {
    await using app = await openRestores(makePlace)
    const path = app.file('shop.db')
    const snapshotId = await app.takeSnapshot(app.shop, path)
    for (const [change, code] of [
      [{ isProtected: true }, 'target_protected'],
      [{ isProtected: false, isProduction: true }, 'confirmation_needed'],
    ] as const) {
      const id = await app.order({ snapshotId, serverId: app.shop, database: path, mode: 'replace' })
      await app.ask('PATCH', `/api/v1/servers/${app.shop}`, change)
      await runJobs(app.context)
      assert.equal((await app.restoreOf(id)).error?.code, code)
      await app.ask('PATCH', `/api/v1/servers/${app.shop}`, { isProtected: false, isProduction: false })
    }
  })

  it('never goes among Holdfast’s own files', async () => {
    await using app = await openRestores(makePlace)
    const snapshotId = await app.takeSnapshot(app.shop, app.file('shop.db'))
    const body = { snapshotId, serverId: app.shop, mode: 'replace' }
    const own = [join(app.context.dataDirectory, 'new.db')]
    if (app.store.engine === 'sqlite') own.push(app.store.location)
    for (const database of own) {
      const refused = await app.refused({ ...body, database, endSessions: true })
      assert.deepEqual([refused.code, refused.errors?.[0]?.field], ['invalid_input', 'database'], database)
      assert.match(refused.title, /Holdfast/)
    }
  })

  it('names the field that is wrong, and nothing is enqueued', async () => {
    await using app = await openRestores(makePlace)
    const path = app.file('shop.db')
    const snapshotId = await app.takeSnapshot(app.shop, path)
    const other = await app.addServer('pg', 'postgresql', { host: '127.0.0.1', port: 1, user: 'x' })
    const body = { snapshotId, serverId: app.shop, database: app.file('new.db') }
    const second = await app.addVolume('second')
    const wrong: [body: object, code: string, field: string][] = [
      [{ ...body, mode: 'merge' }, 'invalid_input', 'mode'],
      [{ ...body, nonesuch: 1 }, 'invalid_input', ''],
      [{ ...body, options: { content: 'half' } }, 'invalid_input', 'options.content'],
      [{ ...body, options: { jobs: 4 } }, 'invalid_input', 'options.jobs'],
      [{ ...body, options: { content: 'data' } }, 'unsupported', 'options'],
      [{ ...body, tables: [] }, 'invalid_input', 'tables'],
      [{ ...body, runAfter: ' ' }, 'invalid_input', 'runAfter'],
      [{ ...body, snapshotId: 'nonesuch' }, 'not_found', 'snapshotId'],
      [{ ...body, serverId: 'nonesuch' }, 'not_found', 'serverId'],
      [{ ...body, serverId: other }, 'unsupported', 'serverId'],
      [{ ...body, database: path }, 'database_exists', 'database'],
      [{ ...body, mode: 'existing' }, 'database_not_found', 'database'],
      [{ ...body, database: path, mode: 'replace', tables: ['orders'] }, 'invalid_input', 'database'],
      [{ ...body, database: path, mode: 'existing', runAfter: 'select 1' }, 'invalid_input', 'database'],
      [{ snapshotId, serverId: app.shop }, 'invalid_input', 'database'],
      [{ ...body, database: '/' }, 'invalid_input', 'database'],
      [{ ...body, volumeId: second }, 'object_not_found', 'volumeId'],
    ]
    for (const [wrongBody, code, field] of wrong) {
      const refused = await app.refused(wrongBody)
      assert.equal(refused.code, code, `${JSON.stringify(wrongBody)}: ${refused.title}`)
      assert.equal(refused.errors?.[0]?.field, field, JSON.stringify(wrongBody))
    }
  })

  it('of a snapshot without a good copy, of one that is being deleted, or of another organization is refused', async () => {
    await using app = await openRestores(makePlace)
    const path = app.file('shop.db')
    const first = await app.takeSnapshot(app.shop, path)
    const body = { serverId: app.shop, database: app.file('new.db') }
    await app.store.db.updateTable('copies').set({ state: 'delete_pending' }).execute()
    assert.equal((await app.refused({ ...body, snapshotId: first })).code, 'snapshot_deleting')
    await app.store.db.updateTable('copies').set({ state: 'corrupt' }).execute()
    assert.equal((await app.refused({ ...body, snapshotId: first })).code, 'object_not_found')
    await app.store.db.updateTable('copies').set({ state: 'stored' }).execute()
    const id = await app.order({ ...body, snapshotId: first })

    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: app.store.now })
      .execute()
    await app.store.db.updateTable('snapshots').set({ organizationId: 'other' }).execute()
    assert.equal((await app.refused({ ...body, snapshotId: first })).code, 'not_found')
    await app.store.db.updateTable('jobs').set({ organizationId: 'other' }).execute()
    assert.equal((await app.ask('GET', `/api/v1/restores/${id}`)).statusCode, 404)
    assert.deepEqual((await app.ask('GET', '/api/v1/restores')).json().items, [])
  })

  it('into a database for which another one waits is refused, by whatever name', async () => {
    await using app = await openRestores(makePlace)
    const snapshotId = await app.takeSnapshot(app.shop, app.file('shop.db'))
    const body = { snapshotId, serverId: app.shop, database: app.file('new.db') }
    const id = await app.order(body)
    for (const database of [body.database, 'new.db']) {
      const refused = await app.refused({ ...body, database, runAfter: 'select 1' })
      assert.deepEqual([refused.status, refused.code], [409, 'database_in_use'])
    }
    assert.equal((await app.restoreOf(id)).runAfter, null)
    await runJobs(app.context)
    assert.equal((await app.restoreOf(id)).state, 'succeeded')
  })

  it('keeps what it replaces on another volume of the plan if its own takes nothing', async () => {
    await using app = await openRestores(makePlace)
    const path = app.file('shop.db')
    const [fixed, full, good] = [
      await app.addVolume('fixed'),
      await app.addVolume('full'),
      await app.addVolume('good'),
    ]
    const volumes = [fixed, full, good].map((id) => ({ id }))
    const { id: planId } = await app.post('plans', { serverId: app.shop, name: 'nightly', volumes })
    const plan = { id: planId, name: 'nightly' }
    const snapshotId = await app.takeSnapshot(app.shop, path, { plan, on: fixed })
    await app.ask('PATCH', `/api/v1/volumes/${fixed}`, { isReadOnly: true })
    // A file where the folder of safety snapshots would be.
    fillFile(join(app.file('volume full'), 'safety'), 0)

    const body = { snapshotId, serverId: app.shop, database: path, mode: 'replace' }
    const replaced = await app.restore(body)
    assert.equal(replaced.state, 'succeeded', JSON.stringify(replaced.error))
    const { copies } = (await app.ask('GET', `/api/v1/snapshots/${replaced.safetySnapshotId}`)).json()
    assert.deepEqual(
      copies.map(({ volumeId }: { volumeId: string }) => volumeId),
      [good],
    )
    assert.match(await app.logOf(replaced.id), /could not be kept on “full”/)

    await app.ask('PATCH', `/api/v1/volumes/${full}`, { isReadOnly: true })
    await app.ask('PATCH', `/api/v1/volumes/${good}`, { quota: 1, quotaAction: 'refuse' })
    const beyond = await app.restore(body)
    assert.equal(beyond.state, 'succeeded', JSON.stringify(beyond.error))
    assert.notEqual(beyond.safetySnapshotId, null, 'a quota refuses backups, and no safety snapshot')
    assert.match(await app.logOf(beyond.id), /“good” holds .* its quota is 1 B\. .* kept there all the same/)

    for (const id of [full, good]) await app.ask('PATCH', `/api/v1/volumes/${id}`, { isReadOnly: true })
    const refused = await app.refused(body)
    assert.deepEqual([refused.code, refused.errors?.[0]?.field], ['volume_read_only', 'safetySnapshot'])
    assert.match(refused.hint ?? '', /without a safety snapshot/)
    assert.equal((await app.restore({ ...body, safetySnapshot: false })).state, 'succeeded')
  })
})
