import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import type { Ability } from '../shared/abilities.ts'
import { builtInRoles, type ServerLimit } from '../shared/roles.ts'
import { describeStores } from '../store/test-bed.ts'
import { tempFolder } from '../../test/servers/temp-folder.ts'
import { describedRoutes, type Route, sampleOf, type Schema, withIds } from './api-test-bed.ts'
import type { Requirement } from './identity/callers.ts'
import { runJobs } from './jobs/test-bed.ts'
import { makeOrganization } from './organizations/organizations.ts'
import { builtInRoleId } from './roles/built-in.ts'
import { openApp } from './test-bed.ts'
import { addToken, unrestricted } from './tokens/tokens.ts'

/*
 * The walk: every route, by every role, asked for what belongs to others. What there is to ask for is what the app says
 * of itself; a new route is walked without anything being added here, and fails if it shows or changes what is not its
 * caller's.
 */

/** Stands in the name of everything that others must not see. */
const MARK = 'foreign'

type App = Awaited<ReturnType<typeof openApp>>

/** One of everything that an organization can own, by the first part of its address. */
type Things = Record<string, string>

interface Asker {
  name: string
  token: string
  abilities: readonly Ability[]
  isInstanceAdministrator: boolean
}

async function openWalk(makePlace: Parameters<typeof openApp>[0]) {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await tempFolder('tenancy'))
  const app = stack.use(await openApp(makePlace))
  const { store } = app
  const theirsId = await store.db
    .transaction()
    .execute((trx) => makeOrganization(store, trx, `${MARK} organization`))
  const { token: theirToken } = await addToken(store, theirsId, { name: `${MARK} token`, ...unrestricted })

  /**
   * Adds one of everything to the organization of a token, each with the word in its name; with another one in that of
   * what belongs to no server.
   */
  const fill = async (
    token: string,
    word: string,
    { labels = {}, shared = word }: { labels?: Record<string, string>; shared?: string } = {},
  ): Promise<Things> => {
    const post = async (path: string, body: object) => {
      const answer = await app.app.inject({
        method: 'POST',
        url: `/api/v1/${path}`,
        headers: { authorization: `Bearer ${token}` },
        payload: body,
      })
      assert.ok(answer.statusCode < 300, `${path}: ${answer.body}`)
      return answer.json<{ id: string; jobId: string }>()
    }
    const add = async (path: string, body: object) => (await post(path, body)).id
    const file = join(folder.path, `${word}.db`)
    const database = new DatabaseSync(file)
    database.exec('create table things (id integer primary key); insert into things values (1), (2)')
    database.close()
    const name = `${word} thing`
    const sharedName = `${shared} thing`
    const place = { kind: 'local', settings: { path: join(folder.path, shared) } }
    const volumes = await add('volumes', { name: sharedName, ...place })
    const servers = await add('servers', { name, labels, engine: 'sqlite', connection: { path: file } })
    const schedules = await add('schedules', { name: sharedName, rule: { type: 'daily', times: ['02:00'] } })
    const keys = await add('keys', {
      name: sharedName,
      kind: 'password',
      password: `${shared}-password-1234`,
    })
    const plans = await add('plans', {
      name,
      serverId: servers,
      volumes: [{ id: volumes }],
      schedules: [schedules],
    })
    const channels = await add('channels', {
      name: sharedName,
      kind: 'webhook',
      settings: { url: 'https://hooks.example.com/', secret: `${shared}-secret-1234` },
    })
    const hooks = await add('hooks', {
      name,
      planId: plans,
      around: 'backup',
      moment: 'after',
      kind: 'http',
      settings: { url: 'https://hooks.example.com/' },
      isEnabled: false,
    })
    const rule = await add('notification-rules', {
      name: sharedName,
      events: ['backup.failed'],
      channels: [channels],
    })
    const restoring = await add('scheduled-restores', {
      name,
      sourceServerId: servers,
      sourceDatabase: file,
      targetServerId: servers,
      targetDatabase: join(folder.path, `${word}-copy.db`),
      mode: 'new',
      scheduleId: schedules,
    })
    const tokens = await add('tokens', { name: `${shared} other token` })
    const roles = `${shared}-role`
    await post(`plans/${plans}/run`, {})
    await runJobs(app.context)
    const snapshot = await store.db
      .selectFrom('snapshots')
      .select(['id', 'jobId'])
      .where('planId', '=', plans)
      .executeTakeFirstOrThrow()
    const { organizationId } = await store.db
      .selectFrom('servers')
      .select('organizationId')
      .where('id', '=', servers)
      .executeTakeFirstOrThrow()
    const now = store.now
    await store.db
      .insertInto('roles')
      .values({
        id: roles,
        organizationId,
        name: sharedName,
        abilities: '["view"]',
        servers: null,
        isBuiltIn: 0,
        revision: 1,
        createdAt: now,
        updatedAt: now,
      })
      .execute()
    const email = `${shared}@example.com`
    const users = `${shared}-user`
    await store.db
      .insertInto('users')
      .values({
        id: users,
        name: `${shared} person`,
        email,
        emailVerified: 1,
        createdAt: now,
        updatedAt: now,
      })
      .execute()
    await store.db
      .insertInto('memberships')
      .values({ organizationId, userId: users, roleId: roles, createdAt: now })
      .execute()
    const invitations = `${shared}-invitation`
    await store.db
      .insertInto('invitations')
      .values({
        id: invitations,
        organizationId,
        email: `invited-${email}`,
        roleId: roles,
        hash: shared,
        expiresAt: 9e12,
        createdAt: now,
      })
      .execute()
    const { jobId: restores } = await post('restores', {
      snapshotId: snapshot.id,
      serverId: servers,
      database: join(folder.path, `${word}-restored.db`),
    })
    await runJobs(app.context)
    return {
      servers,
      volumes,
      schedules,
      keys,
      plans,
      channels,
      hooks,
      'notification-rules': rule,
      'scheduled-restores': restoring,
      tokens,
      roles,
      users,
      invitations,
      snapshots: snapshot.id,
      jobs: snapshot.jobId ?? '',
      restores,
      organizations: organizationId,
    }
  }

  let people = 0
  /** Somebody in an organization, with a token that may do all that the role says. */
  const person = async (organizationId: string, roleId: string): Promise<string> => {
    const id = `person-${++people}`
    const now = store.now
    await store.db
      .insertInto('users')
      .values({ id, name: id, email: `${id}@example.com`, emailVerified: 1, createdAt: now, updatedAt: now })
      .execute()
    await store.db
      .insertInto('memberships')
      .values({ organizationId, userId: id, roleId, createdAt: now })
      .execute()
    const order = { ...unrestricted, name: id, ownerId: id, isInstanceAdministrator: false }
    return (await addToken(store, organizationId, order)).token
  }
  const limited = async (name: string, abilities: readonly Ability[], servers: ServerLimit) => {
    const id = `role-${name}`
    await store.db
      .insertInto('roles')
      .values({
        id,
        organizationId: app.organizationId,
        name,
        abilities: JSON.stringify(abilities),
        servers: JSON.stringify(servers),
        isBuiltIn: 0,
        revision: 1,
        createdAt: store.now,
        updatedAt: store.now,
      })
      .execute()
    return await person(app.organizationId, id)
  }

  const { routes, schemas } = await describedRoutes(app)
  const opened = stack.move()
  return {
    ...app,
    theirsId,
    theirToken,
    fill,
    person,
    limited,
    routes,
    schemas,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** The four roles that every organization begins with, and a token that only reads. */
async function askersOf(walk: Awaited<ReturnType<typeof openWalk>>): Promise<Asker[]> {
  const askers: Asker[] = []
  for (const { slug, abilities } of builtInRoles) {
    const token = await walk.person(walk.organizationId, builtInRoleId(walk.organizationId, slug))
    askers.push({ name: slug, token, abilities, isInstanceAdministrator: false })
  }
  const scopes: Ability[] = ['view']
  const { token } = await addToken(walk.store, walk.organizationId, {
    ...unrestricted,
    name: 'reads',
    scopes,
    isInstanceAdministrator: false,
  })
  return [...askers, { name: 'read-only token', token, abilities: scopes, isInstanceAdministrator: false }]
}

/** Columns that differ because a request was made, not because it changed anything. */
const notCompared: Record<string, readonly string[]> = { tokens: ['lastUsedAt'] }

/** Everything of an organization, as it is in the store. */
async function everythingOf(
  { store }: App,
  organizationId: string,
  { except = '' }: { except?: string } = {},
): Promise<string> {
  const owned = [
    'servers',
    'volumes',
    'encryptionKeys',
    'schedules',
    'plans',
    'snapshots',
    'jobs',
    'scheduledRestores',
    'settings',
    'hooks',
    'channels',
    'notificationRules',
    'tokens',
    'roles',
    'memberships',
    'invitations',
  ] as const
  const all: Record<string, unknown> = {}
  for (const table of owned) {
    if (table === except) continue
    const rows = await store.db
      .selectFrom(table)
      .selectAll()
      .where('organizationId', '=', organizationId)
      .execute()
    all[table] = rows
      .map((row) => ({
        ...row,
        ...Object.fromEntries((notCompared[table] ?? []).map((name) => [name, null])),
      }))
      .map((row) => JSON.stringify(row))
      .sort()
  }
  all['copies'] = await store.db
    .selectFrom('copies')
    .selectAll()
    .where('volumeId', 'in', (eb) =>
      eb.selectFrom('volumes').select('id').where('organizationId', '=', organizationId),
    )
    .orderBy('snapshotId')
    .execute()
  return JSON.stringify(all)
}

/** Where what a schema says of types alone is not valid. */
const bodies: Record<string, object> = {
  'POST /api/v1/plans/{id}/retention/preview': { retention: { keepLast: 3 } },
}

/** What a request of a route can look like when it is about these things: with each body that the route might take. */
function requestsOf(route: Route, things: Things, schemas: Record<string, Schema>) {
  const kind = route.path.split('/')[3] ?? ''
  const id = things[kind === 'app-backup-registrations' ? 'volumes' : kind] ?? 'none-of-yours'
  const url = withIds(route.path, id)
  if (route.method === 'GET') return [{ url, payload: undefined }]
  const schema = route.requestBody?.content['application/json']?.schema
  const sample = bodies[route.name] ?? (schema && withThings(sampleOf(schema, schemas), things))
  return [undefined, {}, ...(sample ? [sample] : [])].map((payload) => ({ url, payload }))
}

/** The same body, about these things. */
function withThings(value: unknown, things: Things): unknown {
  if (Array.isArray(value)) return value.map((item) => withThings(item, things))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => {
      const kind = /^(\w+)Id$/.exec(name)?.[1]
      return [name, (kind && things[`${kind}s`]) ?? withThings(child, things)]
    }),
  )
}

function mayAsk({ abilities, isInstanceAdministrator }: Asker, requires: Requirement): boolean {
  if (requires === 'sign-in' || requires === 'self') return true
  if (requires === 'session') return false // these are tokens
  if (requires === 'administer-instance') return isInstanceAdministrator
  return abilities.includes(requires)
}

describeStores('every route', (makePlace) => {
  it('shows and changes nothing of another organization, whatever the role', async (test) => {
    await using walk = await openWalk(makePlace)
    const theirs = await walk.fill(walk.theirToken, MARK)
    const ours = await walk.fill(walk.token, 'own')
    const askers = await askersOf(walk)
    const before = await everythingOf(walk, walk.theirsId)
    const holes: string[] = []
    const matrix: string[] = []
    for (const route of walk.routes) {
      const requires = requirementOf(walk, route)
      if (requires === undefined || route.isStream) continue
      const row: string[] = []
      for (const asker of askers) {
        const codes = new Set<number>()
        for (const { url, payload } of requestsOf(route, theirs, walk.schemas)) {
          const answer = await walk.app.inject({
            method: route.method,
            url,
            headers: { authorization: `Bearer ${asker.token}` },
            ...(payload !== undefined && { payload }),
          })
          codes.add(answer.statusCode)
          const fault = faultOf(route, asker, requires, answer, theirs)
          if (fault) holes.push(`${route.name} as ${asker.name}: ${fault}`)
        }
        // Else it was refused for what was sent, and nobody knows whether it would have looked.
        if (route.path.includes('{') && mayAsk(asker, requires) && !codes.has(404)) {
          holes.push(`${route.name} as ${asker.name}: no request came as far as to look`)
        }
        row.push([...codes].sort((a, b) => a - b).join('/'))
      }
      matrix.push(
        [route.name.padEnd(62), requires.padEnd(20), ...row.map((cell) => cell.padEnd(12))].join(' '),
      )
    }
    const head = ['route'.padEnd(62), 'requires'.padEnd(20), ...askers.map(({ name }) => name.padEnd(12))]
    for (const line of [head.join(' '), ...matrix]) test.diagnostic(line)
    assert.deepEqual(holes, [])
    assert.equal(await everythingOf(walk, walk.theirsId), before, 'something of theirs has changed')
    assert.ok(matrix.length > 90, `${matrix.length} routes were walked`)
    assert.ok(ours['servers'])
  })

  it('takes nothing of another organization into one’s own', async () => {
    await using walk = await openWalk(makePlace)
    const theirs = await walk.fill(walk.theirToken, MARK)
    const own = await walk.fill(walk.token, 'own')
    const token = await walk.person(walk.organizationId, builtInRoleId(walk.organizationId, 'admin'))
    const before = [await everythingOf(walk, walk.theirsId), await everythingOf(walk, walk.organizationId)]
    const taken = await takenOf(walk, token, referring(own, theirs))
    assert.deepEqual(taken, [])
    assert.deepEqual(
      [await everythingOf(walk, walk.theirsId), await everythingOf(walk, walk.organizationId)],
      before,
    )
  })

  it('refuses what the role does not allow, and nothing else, to one’s own organization', async () => {
    await using walk = await openWalk(makePlace)
    const own = await walk.fill(walk.token, 'own')
    const askers = await askersOf(walk)
    const before = await everythingOf(walk, walk.organizationId)
    const wrong: string[] = []
    for (const route of walk.routes) {
      const requires = requirementOf(walk, route)
      if (requires === undefined || route.isStream) continue
      for (const asker of askers) {
        const isAllowed = mayAsk(asker, requires)
        // What would be done is not tried here: the features' own tests do that.
        if (isAllowed && route.method !== 'GET') continue
        for (const { url, payload } of requestsOf(route, own, walk.schemas)) {
          const { statusCode } = await walk.app.inject({
            method: route.method,
            url,
            headers: { authorization: `Bearer ${asker.token}` },
            ...(payload !== undefined && { payload }),
          })
          if ((statusCode === 403) === isAllowed) wrong.push(`${route.name} as ${asker.name}: ${statusCode}`)
        }
      }
    }
    assert.deepEqual(wrong, [])
    assert.equal(await everythingOf(walk, walk.organizationId), before)
  })

  it('shows to a role that is limited to some servers only these, and what belongs to them', async () => {
    await using walk = await openWalk(makePlace)
    const hidden = await walk.fill(walk.token, MARK, { labels: { env: 'production' }, shared: 'common' })
    const shown = await walk.fill(walk.token, 'own', { labels: { env: 'staging' } })
    const abilities: Ability[] = [
      'view',
      'run-backups',
      'restore',
      'download-snapshots',
      'edit-snapshots',
      'delete-snapshots',
      'manage-servers',
      'manage-plans',
    ]
    const token = await walk.limited('staging', abilities, { labels: { env: 'staging' } })
    const asker: Asker = { name: 'staging', token, abilities, isInstanceAdministrator: false }
    // What the organization shares is seen by all.
    const ofServers = Object.fromEntries(
      ['servers', 'plans', 'snapshots', 'jobs', 'restores', 'scheduled-restores', 'hooks'].map((kind) => [
        kind,
        hidden[kind] ?? '',
      ]),
    )
    // Whoever has signed in may have tokens of their own.
    const everything = () => everythingOf(walk, walk.organizationId, { except: 'tokens' })
    const before = await everything()
    const holes: string[] = []
    for (const route of walk.routes) {
      const requires = requirementOf(walk, route)
      if (requires === undefined || route.isStream) continue
      const kind = route.path.split('/')[3] ?? ''
      const isShared = !(kind in ofServers) && route.path.includes('{')
      // What is started for all plans of a schedule is started for those that are seen: see below.
      if (isShared && route.method !== 'GET' && mayAsk(asker, requires)) continue
      const things = isShared ? hidden : ofServers
      for (const { url, payload } of requestsOf(route, things, walk.schemas)) {
        const answer = await walk.app.inject({
          method: route.method,
          url,
          headers: { authorization: `Bearer ${token}` },
          ...(payload !== undefined && { payload }),
        })
        const fault = isShared
          ? showing(answer, ofServers)
          : faultOf(route, asker, requires, answer, ofServers)
        if (fault) holes.push(`${route.name}: ${fault}`)
      }
    }
    assert.deepEqual(holes, [])
    assert.equal(await everything(), before)
    const get = async (path: string) =>
      (
        await walk.app.inject({ url: `/api/v1/${path}`, headers: { authorization: `Bearer ${token}` } })
      ).json()
    for (const kind of ['servers', 'plans', 'snapshots', 'scheduled-restores'] as const) {
      const ids = (await get(kind)).items.map(({ id }: { id: string }) => id)
      assert.deepEqual(ids, [shown[kind]], kind)
    }
    const servers = { ...shown, ...ofServers }
    assert.deepEqual(await takenOf(walk, token, referring(shown, servers, { isLimited: true })), [])
    assert.equal(await everything(), before)
    // About the snapshot of a server that is seen, and one that is not.
    const now = walk.store.now
    await walk.store.db
      .insertInto('jobs')
      .values({
        id: 'across',
        organizationId: walk.organizationId,
        kind: 'restore',
        key: 'across',
        state: 'queued',
        serverId: hidden['servers'],
        snapshotId: shown['snapshots'],
        payload: '{}',
        runAt: 9e12,
        createdAt: now,
        updatedAt: now,
      })
      .execute()
    const ask = async (method: 'GET' | 'POST' | 'DELETE', path: string, payload?: object) =>
      (
        await walk.app.inject({
          method,
          url: `/api/v1/${path}`,
          headers: { authorization: `Bearer ${token}` },
          ...(payload && { payload }),
        })
      ).statusCode
    assert.equal(await ask('GET', 'jobs/across'), 404)
    assert.equal(await ask('POST', 'jobs/across/cancel'), 404)
    // What waits for a volume, ordered by somebody who sees all, is joined by who does not see it.
    assert.equal(await ask('POST', `volumes/${hidden['volumes']}/check`, {}), 403)
    await walk.store.db
      .updateTable('jobs')
      .set({ key: `delete-snapshots:${shown['volumes']}`, snapshotId: null, serverId: null })
      .where('id', '=', 'across')
      .execute()
    assert.equal(await ask('DELETE', `snapshots/${shown['snapshots']}?newest=true`), 202)
    const jobs = (await get('jobs')).items
    assert.ok(jobs.some(({ id }: { id: string }) => id === shown['jobs']))
    const overview = await get('overview')
    assert.equal(overview.counts.protected, 1)
    assert.equal(overview.items.length, 1)
  })
})

/** Requests in which what is one's own would refer to what is foreign. */
function referring(own: Things, foreign: Things, { isLimited = false } = {}) {
  const path = (kind: string, things = own) => `${kind}/${things[kind]}`
  const serverId = own['servers']
  const plan = { name: 'mine', serverId, volumes: [{ id: own['volumes'] }] }
  const restore = { snapshotId: own['snapshots'], serverId, database: 'copy.db' }
  const restoring = {
    name: 'mine',
    sourceServerId: serverId,
    sourceDatabase: 'a.db',
    targetServerId: serverId,
    targetDatabase: 'b.db',
    mode: 'new',
  }
  const both = (method: 'POST' | 'PATCH', kind: string, body: object, changes: readonly object[]) =>
    changes.map((change) =>
      method === 'POST'
        ? { method, path: kind, body: { ...body, ...change } }
        : { method, path: path(kind), body: change },
    )
  const ofServers = [
    ...both('POST', 'plans', plan, [{ serverId: foreign['servers'] }]),
    ...['restores', 'restores/check'].flatMap((kind) =>
      both('POST', kind, restore, [{ serverId: foreign['servers'] }, { snapshotId: foreign['snapshots'] }]),
    ),
    ...(['POST', 'PATCH'] as const).flatMap((method) =>
      both(method, 'scheduled-restores', restoring, [
        { sourceServerId: foreign['servers'] },
        { targetServerId: foreign['servers'] },
      ]),
    ),
    {
      method: 'POST' as const,
      path: 'servers/test',
      body: { engine: 'postgresql', connection: { host: '127.0.0.1' }, serverId: foreign['servers'] },
    },
    { method: 'POST' as const, path: 'snapshots/delete', body: { ids: [foreign['snapshots']] } },
    {
      method: 'POST' as const,
      path: 'snapshots/delete',
      body: { ids: [own['snapshots'], foreign['snapshots']], newest: true },
    },
  ]
  if (isLimited) return ofServers
  const rule = { name: 'mine', events: ['backup.failed'] }
  const call = { name: 'mine', around: 'backup', moment: 'after', kind: 'http' }
  const hook = { ...call, settings: { url: 'https://hooks.example.com/' } }
  return [
    ...ofServers,
    ...(['POST', 'PATCH'] as const).flatMap((method) => [
      ...both(method, 'plans', plan, [
        { volumes: [{ id: foreign['volumes'] }] },
        { schedules: [foreign['schedules']] },
        { encryption: { method: '7z', keyId: foreign['keys'] } },
      ]),
      ...both(method, 'notification-rules', rule, [
        { channels: [foreign['channels']] },
        { servers: { ids: [foreign['servers']] } },
      ]),
      ...both(method, 'scheduled-restores', restoring, [{ scheduleId: foreign['schedules'] }]),
    ]),
    ...both('POST', 'hooks', hook, [{ planId: foreign['plans'] }]),
    ...both('POST', 'restores', restore, [{ volumeId: foreign['volumes'] }]),
    ...both('POST', 'invitations', { email: 'x@example.com' }, [{ roleId: foreign['roles'] }]),
    ...both('PATCH', 'users', {}, [{ roleId: foreign['roles'] }]),
    {
      method: 'POST' as const,
      path: 'volumes/test',
      body: { kind: 's3', settings: {}, volumeId: foreign['volumes'] },
    },
    {
      method: 'POST' as const,
      path: 'channels/test',
      body: { kind: 'webhook', settings: {}, channelId: foreign['channels'] },
    },
  ]
}

/** Those of the requests that are not refused, or show what they must not. */
async function takenOf(
  walk: App,
  token: string,
  requests: readonly { method: 'POST' | 'PATCH'; path: string; body: object }[],
): Promise<string[]> {
  const taken: string[] = []
  for (const { method, path, body } of requests) {
    const answer = await walk.app.inject({
      method,
      url: `/api/v1/${path}`,
      headers: { authorization: `Bearer ${token}` },
      payload: body,
    })
    // A look at what a restore would meet says what is wrong without failing.
    const isRefused = answer.statusCode >= 400 && answer.statusCode < 500
    if (!isRefused || answer.body.includes(MARK)) {
      taken.push(
        `${method} ${path} ${JSON.stringify(body)}: ${answer.statusCode} ${answer.body.slice(0, 200)}`,
      )
    }
  }
  return taken
}

/** What an answer about something that all share shows of what not all see. */
function showing({ statusCode, body }: { statusCode: number; body: string }, foreign: Things) {
  const isShown = body.includes(MARK) || Object.values(foreign).some((id) => body.includes(id))
  return statusCode >= 500 || isShown ? `${statusCode} ${body.slice(0, 300)}` : undefined
}

/** Undefined for what anybody may ask. */
function requirementOf({ app }: App, { method, path }: Route): Requirement | undefined {
  const url = path.replace(/\{(\w+)\}/g, ':$1')
  return app.requirements.find((route) => route.method === method && route.url === url)?.requires
}

/** What an answer shows, or is, that it must not be. */
function faultOf(
  { path, method }: Route,
  asker: Asker,
  requires: Requirement,
  { statusCode, body }: { statusCode: number; body: string },
  foreign: Things,
): string | undefined {
  const told = `${statusCode} ${body.slice(0, 300)}`
  if (!mayAsk(asker, requires)) return statusCode === 403 ? undefined : `not refused: ${told}`
  if (statusCode >= 500) return told
  if (path.includes('{') && statusCode < 400) return `it is there: ${told}`
  // Bodies that are not valid are refused before anything is looked for; one of those that are tried is.
  if (path.includes('{') && ![400, 403, 404, 409].includes(statusCode)) return told
  const hasId = method === 'GET' && Object.values(foreign).some((id) => body.includes(id))
  return body.includes(MARK) || hasId ? `it shows what is not theirs: ${told}` : undefined
}
