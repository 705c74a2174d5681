import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { sql } from 'kysely'
import { type TempFolder, tempFolder } from '../../test/servers/temp-folder.ts'
import { AppError, type ErrorCode } from '../shared/errors.ts'
import { type CopiedTable, copiedTables, copyStore, notCopied } from './copy-store.ts'
import { openStore, type Store } from './database.ts'
import { migrate } from './migrate.ts'
import { describeBothStores } from './test-bed.ts'

const NOW = 1_790_000_000_000
const { signal } = new AbortController()
const stamps = { revision: 3, createdAt: NOW, updatedAt: NOW + 1 }
const json = JSON.stringify({ zebra: 1, b: [{}, [], null, -1.5, 1e21, 0.1], 'ä"\\': { long: 2, a: '💾 \n' } })
const named = { organizationId: 'org', name: 'ünïcode ’ “”', ...stamps }

/** A row or some of every table: a new one must be added here, too. */
const content: Record<CopiedTable, object[]> = {
  organizations: [{ id: 'org', name: 'Default', createdAt: NOW, mergedIds: '["gone"]' }],
  users: [{ id: 'u', name: 'Ada', email: 'ada@x.test', emailVerified: 1, createdAt: NOW, updatedAt: NOW }],
  sessions: [
    {
      id: 'se',
      userId: 'u',
      token: 'x',
      expiresAt: NOW,
      createdAt: NOW,
      updatedAt: NOW,
      organizationId: 'org',
    },
  ],
  accounts: [
    {
      id: 'a',
      userId: 'u',
      accountId: 'u',
      providerId: 'credential',
      password: 'x',
      createdAt: 1,
      updatedAt: 2,
    },
  ],
  verifications: [{ id: 've', identifier: 'x', value: 'y', expiresAt: NOW, createdAt: NOW, updatedAt: NOW }],
  twoFactors: [{ id: 'tf', userId: 'u', secret: 'x', backupCodes: 'y' }],
  passkeys: [
    {
      id: 'pk',
      userId: 'u',
      name: 'x',
      credentialId: 'x',
      publicKey: 'y',
      counter: 0,
      transports: json,
      mayBeBackedUp: 1,
      isBackedUp: 1,
      createdAt: NOW,
    },
  ],
  signInFailures: [{ key: 'x', count: 3, lastAt: NOW, blockedUntil: NOW }],
  setup: [{ id: 1, hash: 'x', createdAt: NOW }],
  identitySecret: [{ id: 'identity', content: json }],
  identityProviders: [
    { id: 'ip', name: 'x', kind: 'oidc', settings: json, rules: json, isEnabled: 1, ...stamps },
  ],
  roles: [{ id: 'ro', ...named, abilities: json, servers: json, isBuiltIn: 0 }],
  memberships: [{ organizationId: 'org', userId: 'u', roleId: 'ro', createdAt: NOW }],
  invitations: [
    { id: 'in', organizationId: 'org', email: 'x', roleId: 'ro', hash: 'x', expiresAt: NOW, createdAt: NOW },
  ],
  auditEntries: [
    {
      number: 1,
      id: 'ae',
      organizationId: 'org',
      at: NOW,
      action: 'server.change',
      outcome: 'succeeded',
      actor: json,
      target: json,
      details: json,
      hash: 'x',
    },
  ],
  auditChain: [{ id: 1, number: 1, hash: 'x', goneNumber: 0, goneHash: '' }],
  tokens: [
    {
      id: 't',
      organizationId: 'org',
      name: 'x',
      hash: 'y',
      createdAt: NOW,
      lastUsedAt: null,
      ownerId: 'u',
      scopes: json,
      networks: json,
    },
  ],
  settings: [{ organizationId: 'org', content: json, revision: 1, updatedAt: NOW }],
  servers: [
    {
      id: 's',
      ...named,
      engine: 'x',
      connection: json,
      labels: '{}',
      isProduction: 1,
      isProtected: 0,
      maxRunning: 2,
    },
  ],
  volumes: [
    {
      id: 'v',
      ...named,
      kind: 'local',
      settings: json,
      maxRunning: 2,
      quota: 2 ** 52,
      quotaAction: 'warn',
      isReadOnly: 0,
    },
  ],
  encryptionKeys: [{ id: 'k', ...named, kind: 'password', state: 'active', material: json }],
  schedules: [{ id: 'c', ...named, rule: json, catchUpHours: 1, nextAt: null, since: NOW }],
  firings: [{ schedule: 'c', fireAt: NOW, firedAt: NOW }],
  plans: [{ id: 'p', ...named, serverId: 's', isEnabled: 1, settings: json }],
  planSchedules: [{ planId: 'p', scheduleId: 'c' }],
  planVolumes: [{ planId: 'p', volumeId: 'v', position: 0, retention: null }],
  planDatabases: [{ planId: 'p', database: 'shop', firstSeenAt: 1, lastSeenAt: 2, lastError: json }],
  snapshots: [
    {
      id: 'n',
      organizationId: 'org',
      serverId: 's',
      serverName: 'x',
      engine: 'x',
      database: 'shop',
      planId: 'p',
      takenAt: NOW,
      finishedAt: NOW,
      format: 'custom',
      rawBytes: 1,
      storedBytes: 1,
      sha256: 'x',
      cause: 'manual',
      isLocked: 0,
      isPartial: 0,
      isForeign: 0,
      revision: 1,
      manifest: json,
    },
  ],
  copies: [
    { snapshotId: 'n', volumeId: 'v', key: 'x', state: 'stored', bytes: 1, createdAt: NOW, updatedAt: NOW },
  ],
  scheduledRestores: [
    {
      id: 'r',
      ...named,
      sourceServerId: 's',
      sourceDatabase: 'x',
      targetServerId: 's',
      isEnabled: 1,
      settings: json,
    },
  ],
  jobs: Array.from({ length: 1_201 }, (_, n) => ({
    id: `job ${n}`,
    organizationId: 'org',
    kind: 'backup',
    key: `backup:${n}`,
    state: n === 0 ? 'running' : 'succeeded',
    recordedState: n === 0 ? 'partial' : null,
    payload: json,
    result: n % 2 === 0 ? '[]' : null,
    runAt: NOW,
    createdAt: NOW,
    updatedAt: NOW,
  })),
  jobLogs: [1, 2, 10].map((number) => ({ jobId: 'job 0', number, lines: json })),
  resources: [{ name: 'server:s', capacity: 2 }],
  jobResources: [{ jobId: 'job 0', resource: 'server:s' }],
  jobSlots: [{ resource: 'server:s', slot: 0, jobId: 'job 0' }],
  idempotencyKeys: [
    { tokenId: 't', key: 'x', request: 'y', status: 201, headers: json, body: 'z', createdAt: NOW },
  ],
  appKey: [{ id: 1, keyId: '0123456789abcdef', since: NOW }],
  instanceSettings: [{ id: 'instance', content: json, revision: 3, updatedAt: NOW }],
  appBackupRegistrations: [
    {
      id: 'reg',
      name: 'r',
      kind: 'local',
      settings: json,
      schedules: '[]',
      isEnabled: 1,
      isManaged: 0,
      scheduledSince: NOW,
      revision: 1,
      createdAt: NOW,
      updatedAt: NOW,
    },
  ],
  appBackups: [
    {
      id: 'ab',
      registrationId: 'reg',
      key: '2026-11-22T03-00-00Z/db_v8.db',
      location: '/backups',
      place: '/backups',
      cause: 'daily',
      schemaVersion: 8,
      state: 'failed',
      isStored: 0,
      maker: 'm',
      error: json,
      startedAt: NOW,
    },
  ],
  hooks: [
    {
      id: 'h',
      organizationId: 'org',
      planId: 'p',
      name: 'tell',
      around: 'backup',
      moment: 'after-success',
      kind: 'http',
      settings: json,
      onFailure: 'warn',
      timeoutSeconds: 60,
      isEnabled: 1,
      position: 0,
      revision: 1,
      createdAt: NOW,
      updatedAt: NOW,
    },
  ],
  channels: [
    {
      id: 'c',
      organizationId: 'org',
      name: 'mail',
      kind: 'email',
      settings: json,
      isEnabled: 1,
      isShared: 0,
      lastError: json,
      revision: 1,
      createdAt: NOW,
      updatedAt: NOW,
    },
  ],
  notificationRules: [
    {
      id: 'n',
      organizationId: 'org',
      name: 'all',
      isEnabled: 1,
      events: '[]',
      servers: json,
      revision: 1,
      createdAt: NOW,
      updatedAt: NOW,
    },
  ],
  notificationThreads: [
    { organizationId: 'org', key: 'backup:p:d', count: 2, firstAt: NOW, lastAt: NOW, told: '[]' },
  ],
}
const tables = Object.keys(copiedTables) as CopiedTable[]

async function fill(store: Store): Promise<void> {
  for (const table of tables) {
    for (let n = 0; n < content[table].length; n += 500) {
      await store.db
        .insertInto(table)
        .values(content[table].slice(n, n + 500))
        .execute()
    }
  }
}

/** Everything in it, with JSON parsed. */
async function read(store: Store): Promise<Record<string, unknown[]>> {
  const all: Record<string, unknown[]> = {}
  for (const table of tables) {
    const { key, json = [] } = copiedTables[table] as { key: string[]; json?: string[] }
    const rows: Record<string, unknown>[] = await store.db.selectFrom(table).selectAll().execute()
    const keyOf = (row: Record<string, unknown>) => JSON.stringify(key.map((column) => row[column]))
    all[table] = rows
      .map((row) => ({
        ...row,
        ...Object.fromEntries(json.map((name) => [name, JSON.parse(String(row[name]))])),
      }))
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  }
  return all
}

function has(code: ErrorCode) {
  return (error: unknown) => error instanceof AppError && error.code === code
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

describeBothStores('a store is copied', (makePlace) => {
  let folder: TempFolder
  let count = 0
  before(async () => (folder = await tempFolder('copies')))
  after(() => folder[Symbol.asyncDispose]())

  /** One of the suite’s engine, and a file. */
  const openBoth = async () => {
    await using stack = new AsyncDisposableStack()
    const store = stack.use(await (await makePlace()).openMigrated())
    const file = stack.use(await openStore({ path: join(folder.path, `${++count}.db`) }))
    await migrate(file)
    const opened = stack.move()
    return { store, file, [Symbol.asyncDispose]: () => opened.disposeAsync() }
  }

  it('from a file, with every row of every table', async () => {
    await using both = await openBoth()
    await fill(both.file)
    const before = await read(both.file)
    const copied = await copyStore(both.file, both.store, signal)
    assert.deepEqual(
      copied.map(({ table, rows }) => [table, rows]),
      tables.map((table) => [table, content[table].length]),
    )
    assert.deepEqual(await read(both.store), before)
    assert.deepEqual(await read(both.file), before)
    for (const rows of Object.values(before)) assert.ok(rows.length > 0)
  })

  it('into a file, and back', async () => {
    await using both = await openBoth()
    await fill(both.store)
    await copyStore(both.store, both.file, signal)
    await using again = await openBoth()
    await copyStore(both.file, again.store, signal)
    assert.deepEqual(await read(again.store), await read(both.store))
  })

  it('only into one that is empty', async () => {
    await using both = await openBoth()
    await fill(both.file)
    const row = { id: 'mine', name: 'Mine', createdAt: 1, mergedIds: '[]' }
    await both.store.db.insertInto('organizations').values(row).execute()
    await assert.rejects(copyStore(both.file, both.store, signal), has('object_exists'))
    assert.deepEqual(await both.store.db.selectFrom('organizations').selectAll().execute(), [row])
    assert.deepEqual(await both.store.db.selectFrom('jobs').selectAll().execute(), [])
  })

  it('or not at all, when anything does not arrive as it was', async () => {
    for (const table of ['servers', 'jobs'] as const) {
      await using both = await openBoth()
      await fill(both.file)
      for (const statement of damage(both.store, table)) await sql.raw(statement).execute(both.store.db)
      await assert.rejects(copyStore(both.file, both.store, signal), has('checksum_mismatch'))
      for (const rows of Object.values(await read(both.store))) assert.deepEqual(rows, [])
    }
  })

  it('or not at all, when it is interrupted', async () => {
    await using both = await openBoth()
    await fill(both.file)
    const stop = new AbortController()
    const copying = copyStore(both.file, both.store, stop.signal, ({ table }) => {
      // As a signal comes: from outside.
      if (table === 'organizations') setImmediate(() => stop.abort(new Error('enough')))
    })
    await assert.rejects(copying, /enough/)
    for (const rows of Object.values(await read(both.store))) assert.deepEqual(rows, [])
  })

  it('as it was when that began', async () => {
    await using both = await openBoth()
    await fill(both.store)
    await using other = await openStore({ path: join(folder.path, `${++count}.db`) })
    await migrate(other)
    let deleting: Promise<unknown> | undefined
    const copied = await copyStore(both.store, other, signal, ({ table }) => {
      // By another connection, while this one reads.
      if (table === 'organizations') deleting = both.store.db.deleteFrom('firings').execute()
    })
    await deleting
    assert.ok(copied.some(({ table, rows }) => table === 'firings' && rows === 1))
  })

  it('without forgetting a table, a key or a column of JSON', async () => {
    await using both = await openBoth()
    const { store } = both
    const schema = await store.db.introspection.getTables()
    assert.deepEqual(
      schema.map(({ name }) => camelCase(name)).sort(),
      [...tables, ...notCopied].sort(),
      'a table of the schema is not in copiedTables, or the other way round',
    )
    const known = copiedTables as Record<string, { key: readonly string[]; json?: readonly string[] }>
    for (const { name, columns } of schema) {
      const shape = known[camelCase(name)]
      if (!shape) continue
      if (store.engine === 'postgresql') {
        const json = columns.filter(({ dataType }) => dataType === 'jsonb').map(({ name }) => camelCase(name))
        assert.deepEqual([...(shape.json ?? [])].sort(), json.sort(), name)
        continue
      }
      const info = await sql<{ name: string; pk: number }>`
        select name, pk from pragma_table_info(${name}) where pk > 0 order by pk`.execute(store.db)
      assert.deepEqual(
        shape.key,
        info.rows.map(({ name }) => camelCase(name)),
        name,
      )
      const references = await sql<{ to: string }>`
        select "table" as "to" from pragma_foreign_key_list(${name})`.execute(store.db)
      for (const { to } of references.rows) {
        const place = (table: string) => tables.indexOf(camelCase(table) as CopiedTable)
        assert.ok(place(to) < place(name), `${name} comes before ${to}, which it refers to`)
      }
    }
  })
})

/** Changes one row on its way. */
function damage(store: Store, table: 'servers' | 'jobs'): string[] {
  const [column, value] = table === 'servers' ? ['name', 'x'] : ['payload', '{"a":1}']
  const id = table === 'servers' ? 's' : 'job 700'
  if (store.engine === 'sqlite') {
    return [
      `create trigger damage after insert on ${table} when new.id = '${id}' begin
         update ${table} set ${column} = '${value}' where id = new.id; end`,
    ]
  }
  return [
    `create function damage() returns trigger language plpgsql as $$
       begin if new.id = '${id}' then new.${column} = '${value}'; end if; return new; end $$`,
    `create trigger damage before insert on ${table} for each row execute function damage()`,
  ]
}
