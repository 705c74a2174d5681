import assert from 'node:assert/strict'
import { it } from 'node:test'
import { problem } from '../../shared/problems.ts'
import { snapshot as snapshotSchema, snapshotDetails } from '../../shared/snapshots-api.ts'
import { describeBothStores } from '../../store/test-bed.ts'
import { type Catalogue, openCatalogue } from './test-bed.ts'

const day = (n: number) => new Date(Date.UTC(2026, 0, n))

/** The ids of all pages, one after the other. */
async function idsByPage(app: Catalogue, query: string, limit: number): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const path: string = `snapshots?limit=${limit}&${query}${cursor && `&cursor=${cursor}`}`
    const page = await app.get<{ items: { id: string }[]; nextCursor: string | null }>(path)
    assert.ok(page.items.length <= limit)
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  }
  return ids
}

describeBothStores('snapshots', (makePlace) => {
  it('are listed newest first, page by page, each once, also those of one moment', async () => {
    await using app = await openCatalogue(makePlace)
    const made: string[] = []
    for (let n = 0; n < 7; n++) made.push(await app.add({ takenAt: day(1 + Math.floor(n / 2)) }))
    const seen = await idsByPage(app, '', 3)
    const { items } = await app.get<{ items: { id: string; takenAt: string }[] }>('snapshots')
    assert.deepEqual(
      seen,
      items.map(({ id }) => id),
    )
    assert.deepEqual([...seen].sort(), [...made].sort())
    assert.deepEqual(
      items,
      items.toSorted((a, b) => b.takenAt.localeCompare(a.takenAt) || (a.id < b.id ? 1 : -1)),
    )
    for (const wrong of [
      'limit=0',
      'sort=engine',
      'order=up',
      'sort=database&cursor=WzEsImIiXQ',
      'cursor=nonsense',
      'cursor=WyJhIiwiYiJd',
      'locked=maybe',
      'copy=odd',
      'from=x',
    ]) {
      assert.equal((await app.ask('GET', `/api/v1/snapshots?${wrong}`)).statusCode, 400, wrong)
    }
  })

  it('are sorted by time, size and name, both ways, and each page goes on where the one before ended', async () => {
    await using app = await openCatalogue(makePlace)
    const made: { id: string; at: number; bytes: number; database: string }[] = []
    for (let n = 0; n < 12; n++) {
      const database = ['crm', 'shop', 'ä'][n % 3] ?? ''
      // Some of one moment, some of one size, and one database in between at both ends.
      const [at, bytes] = [1 + Math.floor(n / 4), 10 * (1 + (n % 4))]
      const id = await app.add({ takenAt: day(at), content: Buffer.alloc(bytes), database })
      made.push({ id, at, bytes, database })
    }
    const names = (
      await app.store.db.selectFrom('snapshots').select('database').distinct().orderBy('database').execute()
    ).map(({ database }) => database)
    const inOrder = {
      takenAt: made.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)),
      storedBytes: made.toSorted((a, b) => a.bytes - b.bytes || (a.id < b.id ? -1 : 1)),
      database: made.toSorted(
        (a, b) =>
          names.indexOf(a.database) - names.indexOf(b.database) || b.at - a.at || (a.id < b.id ? 1 : -1),
      ),
    }
    const usual = { takenAt: 'desc', storedBytes: 'desc', database: 'asc' }
    for (const [sort, upwards] of Object.entries(inOrder)) {
      for (const order of ['asc', 'desc', undefined]) {
        const isUp = (order ?? usual[sort as keyof typeof usual]) === 'asc'
        const ids = (isUp ? upwards : upwards.toReversed()).map(({ id }) => id)
        const query = `sort=${sort}${order ? `&order=${order}` : ''}`
        for (const filter of [
          '',
          `&server=${app.serverId}`,
          '&search=.db',
          '&locked=false',
          `&volume=${app.volumeIds[0]}`,
        ]) {
          assert.deepEqual(await idsByPage(app, query + filter, 5), ids, query + filter)
        }
        const ofOne = made.filter(({ database }) => database === 'shop').map(({ id }) => id)
        assert.deepEqual(
          await idsByPage(app, `${query}&database=shop`, 3),
          ids.filter((id) => ofOne.includes(id)),
          query,
        )
      }
    }
  })

  it('are found by what they are about', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    const { id: other } = await app.post<{ id: string }>('servers', {
      name: 'stage',
      engine: 'sqlite',
      connection: { path: '/tmp/other.db' },
    })
    const a = await app.add({ takenAt: day(1), database: 'shop', content: Buffer.alloc(10) })
    const b = await app.add({
      takenAt: day(2),
      database: 'crm',
      plan: null,
      on: [1],
      content: Buffer.alloc(30),
    })
    const c = await app.add({
      takenAt: day(3),
      database: 'shop',
      serverId: other,
      serverName: 'stage',
      engine: 'mysql',
      on: [0, 1],
      content: Buffer.alloc(20),
      provenAt: day(4),
      comment: 'Before 100% of the_move',
      releaseVersion: '7.4.2',
    })
    const d = await app.add({
      takenAt: day(4),
      failedOn: [1],
      content: Buffer.alloc(40),
      key: 'odd/place/x.db',
    })
    await app.ask('PATCH', `/api/v1/snapshots/${a}`, { locked: true })
    await app.ask('PATCH', `/api/v1/snapshots/${b}`, { locked: '2999-01-01T00:00:00Z' })
    await app.store.db.updateTable('snapshots').set({ lockedUntil: 1 }).where('id', '=', c).execute()
    await app.store.db
      .updateTable('copies')
      .set({ state: 'corrupt' })
      .where('snapshotId', '=', c)
      .where('volumeId', '=', app.volumeIds[1] ?? '')
      .execute()
    const cases: [query: string, expected: string[]][] = [
      [`server=${other}`, [c]],
      [`server=${app.serverId}&database=shop`, [d, a]],
      [`plan=${app.plan.id}`, [d, c, a]],
      ['plan=none', [b]],
      [`plan=${app.plan.id}&database=shop`, [d, c, a]],
      ['database=crm', [b]],
      ['engine=mysql', [c]],
      [`volume=${app.volumeIds[1]}`, [d, c, b]],
      [`volume=${app.volumeIds[1]}&copy=stored`, [b]],
      ['copy=corrupt', [c]],
      ['copy=failed', [d]],
      ['copy=missing', []],
      ['copy=stored', [d, c, b, a]],
      ['locked=true', [b, a]],
      ['locked=false', [d, c]],
      ['locked=true&database=shop', [a]],
      ['proven=true', [c]],
      ['proven=false', [d, b, a]],
      ['proven=true&engine=mysql', [c]],
      ['from=2026-01-02T00:00:00Z', [d, c, b]],
      ['to=2026-01-02T00:00:00Z', [a]],
      ['from=2026-01-02T00:00:00Z&to=2026-01-04T00:00:00Z', [c, b]],
      ['sort=storedBytes', [d, b, c, a]],
      ['sort=storedBytes&database=shop', [d, c, a]],
      [`sort=storedBytes&volume=${app.volumeIds[1]}`, [d, b, c]],
      ['sort=storedBytes&locked=true', [b, a]],
      ['search=CRM', [b]],
      ['search=100%25', [c]],
      ['search=the_move', [c]],
      ['search=the.move', []],
      ['search=_', [c]],
      ['search=%5C', []],
      ['search=7.4', [c]],
      ['search=STAGE', [c]],
      ['search=odd/place', [d]],
      [`search=shop&server=${app.serverId}`, [d, a].filter((id) => id === a || id === d)],
      ['server=nobody', []],
    ]
    for (const [query, expected] of cases) assert.deepEqual(await app.ids(`&${query}`), expected, query)
  })

  it('are counted by the databases of a server', async () => {
    await using app = await openCatalogue(makePlace)
    const path = `servers/${app.serverId}/snapshots`
    assert.deepEqual(await app.get(path), { items: [] })
    for (const n of [2, 5, 3]) await app.add({ database: 'shop', takenAt: day(n) })
    await app.add({ database: 'crm', takenAt: day(4), plan: null })
    await app.add({ database: 'crm', takenAt: day(9), serverId: null })
    assert.deepEqual(await app.get(path), {
      items: [
        { database: 'crm', snapshots: 1, newestAt: day(4).toISOString() },
        { database: 'shop', snapshots: 3, newestAt: day(5).toISOString() },
      ],
    })
    assert.equal((await app.ask('GET', '/api/v1/servers/unknown/snapshots')).statusCode, 404)
  })

  it('show their copies, their manifest, and what is in them', async () => {
    await using app = await openCatalogue(makePlace, { volumes: 2 })
    const id = await app.add({ on: [1], failedOn: [0] })
    const [listed] = (await app.get<{ items: unknown[] }>('snapshots')).items
    const shown = snapshotSchema.strict().parse(listed)
    assert.deepEqual(
      shown.copies.map(({ volumeName, state }) => [volumeName, state]),
      [
        ['volume 0', 'failed'],
        ['volume 1', 'stored'],
      ],
    )
    assert.deepEqual(shown.copies[0]?.error, { code: 'volume_full', message: 'There is no room.\uFFFD' })
    const details = snapshotDetails.strict().parse(await app.snapshot(id))
    assert.deepEqual({ ...details, manifest: undefined }, { ...shown, manifest: undefined })
    assert.equal(details.manifest.snapshot, id)
    assert.deepEqual(await app.get(`snapshots/${id}/contents`), {
      source: 'manifest',
      tables: [
        { name: 'others', rows: 4 },
        { name: 'things', rows: 3 },
      ],
      rows: 7,
      leftOut: [],
      warnings: ['Mind the gap.'],
    })
  })

  it('are locked and commented on by who has seen them as they are', async () => {
    await using app = await openCatalogue(makePlace)
    const url = `/api/v1/snapshots/${await app.add()}`
    const etag = String((await app.ask('GET', url)).headers['etag'])
    const locked = await app.ask(
      'PATCH',
      url,
      { locked: true, comment: ' before the move ' },
      { 'if-match': etag },
    )
    assert.equal(locked.statusCode, 200, locked.body)
    assert.equal(locked.json().locked, true)
    assert.equal(locked.json().comment, 'before the move')
    const late = await app.ask('PATCH', url, { locked: false }, { 'if-match': etag })
    assert.equal(problem.parse(late.json()).code, 'changed_meanwhile')
    const until = '2999-01-01T00:00:00.000Z'
    const changed = await app.ask(
      'PATCH',
      url,
      { locked: until, comment: null },
      { 'if-match': String(locked.headers['etag']) },
    )
    assert.equal(changed.json().locked, until, changed.body)
    assert.equal(changed.json().comment, null)
    assert.equal((await app.ask('PATCH', url, {})).json().locked, until)
    assert.equal((await app.ask('PATCH', url, { locked: false })).json().locked, false)
    for (const wrong of [
      { locked: '2001-01-01T00:00:00Z' },
      { locked: 'x' },
      { comment: '' },
      { database: 'x' },
    ]) {
      assert.equal((await app.ask('PATCH', url, wrong)).statusCode, 400, JSON.stringify(wrong))
    }
    assert.equal((await app.ask('GET', url)).json().locked, false)
  })

  it('of another organization are not there', async () => {
    await using app = await openCatalogue(makePlace)
    const id = await app.add()
    await app.store.db
      .insertInto('organizations')
      .values({ id: 'other', name: 'Other', createdAt: 0 })
      .execute()
    await app.store.db.updateTable('snapshots').set({ organizationId: 'other' }).execute()
    for (const query of [
      '',
      '&database=shop',
      `&server=${app.serverId}&database=shop`,
      `&volume=${app.volumeIds[0]}`,
    ]) {
      assert.deepEqual(await app.ids(query), [], query)
    }
    const url = `/api/v1/snapshots/${id}`
    for (const answer of [
      await app.ask('GET', url),
      await app.ask('PATCH', url, { locked: true }),
      await app.ask('DELETE', url),
      await app.ask('POST', '/api/v1/snapshots/delete', { ids: [id] }),
      await app.ask('GET', `${url}/contents`),
      await app.ask('GET', `${url}/download`),
      await app.ask('POST', `${url}/verify`),
    ]) {
      assert.equal(answer.statusCode, 404, answer.body)
      assert.equal(problem.parse(answer.json()).code, 'not_found')
    }
  })
})
