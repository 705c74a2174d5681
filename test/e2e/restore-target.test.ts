import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { errors, type ErrorCode } from '../../src/shared/errors.ts'
import type { Manifest } from '../../src/shared/snapshots.ts'
import { skipUnless } from '../servers/needs.ts'
import { isEverything } from '../servers/share.ts'
import { type BackupReport, type CliEnd, type Desk, jsonOf, openDesk } from './cli.ts'
import { type DatabaseKind, databaseKinds, openSources, type Source } from './databases.ts'
import { openGrounds, type Place } from './places.ts'

interface RestoreReport {
  database?: string
  compared?: { tables: number; rows: number }
  safetySnapshot?: string
}

const ROWS = 50
const grounds = openGrounds()
const sources = openSources({ rows: ROWS })
let desk: Desk
let place: Place
before(async () => {
  ;[desk, place] = await Promise.all([openDesk(), grounds.place('local')])
})
after(async () => {
  await desk?.[Symbol.asyncDispose]()
  await sources[Symbol.asyncDispose]()
  await grounds[Symbol.asyncDispose]()
})

const envOf = (source: Source) => ({ env: { ...source.env, ...place.env } })

async function backUp(source: Source, url: string, ...options: string[]) {
  const args = ['backup', 'once', url, '--to', place.url, '--json', ...options]
  const end = await desk.run(args, envOf(source))
  assert.equal(end.exitCode, 0, end.stdout + end.stderr)
  return { ...jsonOf<BackupReport>(end), stderr: end.stderr }
}

/** Of a database alone. */
async function snapshotOf(source: Source, ...options: string[]) {
  const [taken] = (await backUp(source, source.url(), ...options)).snapshots
  assert.ok(taken)
  return taken
}

function restore(source: Source, snapshot: string, into: string, ...options: string[]): Promise<CliEnd> {
  const args = ['restore', 'once', snapshot, '--from', place.url, '--into', into, '--json', ...options]
  return desk.run(args, envOf(source))
}

function restored(end: CliEnd): RestoreReport {
  assert.equal(end.exitCode, 0, end.stdout + end.stderr)
  return jsonOf<RestoreReport>(end)
}

function refused(end: CliEnd, code: ErrorCode, words: RegExp, hint = /./): void {
  const { error } = jsonOf<BackupReport>(end)
  assert.equal(error?.code, code, end.stdout + end.stderr)
  assert.equal(end.exitCode, errors[code].exit)
  assert.match(error.message, words)
  assert.match(error.hint ?? '', hint)
}

async function manifestOf(snapshot: string): Promise<Manifest & { key: string }> {
  const end = await desk.run(['snapshots', 'show', snapshot, '--on', place.url, '--json'])
  assert.equal(end.exitCode, 0, end.stderr)
  return jsonOf<Manifest & { key: string }>(end)
}

const modes = ['new', 'replace', 'existing'] as const
const needs: Record<DatabaseKind, string | false> = {
  postgresql: skipUnless('postgres15'),
  mysql: skipUnless('mariadb10.11'),
  sqlite: false,
}
const systemDatabases = { postgresql: ['template1', 'our_template'], mysql: ['mysql'], sqlite: [] }

for (const kind of isEverything ? databaseKinds : (['postgresql', 'sqlite'] as const)) {
  describe(`a restore into ${kind}`, { skip: needs[kind] }, () => {
    let source: Source
    let id: string
    before(async () => {
      source = await sources.source(kind)
      id = (await snapshotOf(source, '--server', 'prod')).id
      if (kind === 'postgresql')
        await (await sources.postgres()).query('create database our_template is_template true')
    })

    for (const system of systemDatabases[kind]) {
      it(`refuses ${system}, in every mode and before a snapshot is looked for`, async () => {
        const names = await source.names()
        for (const mode of modes) {
          const snapshot = mode === 'new' ? 'no such snapshot' : id
          const end = await restore(source, snapshot, source.url(system), '--mode', mode)
          refused(end, 'invalid_input', new RegExp(`“${system}”`), /another name/)
        }
        assert.deepEqual(await source.names(), names)
      })
    }

    it('never puts a part in the place of a database', async () => {
      const target = `whole_${kind}`
      await source.createOther(target)
      const before = await source.fingerprint(target)
      for (const part of [['--table', 'orders'], ['--schema-only'], ['--data-only']]) {
        const end = await restore(source, id, source.url(target), '--mode', 'replace', ...part)
        refused(end, 'invalid_input', /take the place of all/, /mode “existing”.*new name/)
        assert.deepEqual(await source.fingerprint(target), before)
      }
      await source.drop(target)
    })

    it('compares the rows of chosen tables, and of no others', async () => {
      const target = `chosen_${kind}`
      const options = ['--table', 'orders']
      const { compared } = restored(await restore(source, id, source.url(target), ...options))
      assert.deepEqual(compared, { tables: 1, rows: ROWS })
      await source.drop(target)
      const empty = restored(await restore(source, id, source.url(target), ...options, '--schema-only'))
      assert.equal(empty.compared, undefined)
      await source.drop(target)
    })

    it('fails if a chosen table has not the rows that were dumped', async () => {
      const target = `wrong_${kind}`
      const { key } = await snapshotOf(source)
      const path = join(place.url, `${key}.manifest.json`)
      const manifest = JSON.parse(await readFile(path, 'utf8')) as { rows: Record<string, number> }
      const table = kind === 'postgresql' ? 'public.orders' : 'orders'
      assert.equal(manifest.rows[table], ROWS)
      manifest.rows[table] = ROWS + 1
      await writeFile(path, JSON.stringify(manifest))
      const names = await source.names()
      const end = await restore(source, key, source.url(target), '--table', 'orders')
      refused(end, 'restore_mismatch', new RegExp(`orders has ${ROWS} rows instead of ${ROWS + 1}`))
      assert.deepEqual(await source.names(), names)
      restored(await restore(source, key, source.url(target), '--table', 'customers'))
      await source.drop(target)
    })

    it('names a chosen table that the snapshot does not have', async () => {
      const names = await source.names()
      const end = await restore(source, id, source.url('part'), '--table', 'nonesuch')
      refused(end, 'nothing_matched', /nonesuch/)
      assert.equal(end.exitCode, 1)
      assert.deepEqual(await source.names(), names)
    })

    it('calls the server of the safety snapshot by its own name, not by that of the source', async () => {
      const target = `safe_${kind}`
      await source.createOther(target)
      const own = kind === 'sqlite' ? 'sqlite' : '127.0.0.1'
      for (const [options, name] of [
        [[], own],
        [['--server', 'staging'], 'staging'],
      ] as const) {
        const end = await restore(source, id, source.url(target), '--mode', 'replace', ...options)
        const { server, key } = await manifestOf(restored(end).safetySnapshot ?? 'none')
        assert.equal(server.name, name)
        assert.ok(key.startsWith(`safety/${name}/`), key)
      }
      await source.drop(target)
    })
  })
}

describe('a PostgreSQL server', { skip: needs.postgresql }, () => {
  let source: Source
  before(async () => {
    source = await sources.source('postgresql')
  })
  const query = async (sql: string | string[], database?: string) =>
    await (await sources.postgres()).query(sql, database)
  const server = () => source.url('').replace(/\/$/, '')

  it('has a database postgres that can be replaced like any other', async () => {
    await query('create table mine (id int)', 'postgres')
    const { id } = await snapshotOf(source)
    const end = await restore(source, id, source.url('postgres'), '--mode', 'replace')
    const { safetySnapshot, compared } = restored(end)
    assert.deepEqual(compared, { tables: 2, rows: ROWS + 500 })
    assert.deepEqual(await source.fingerprint('postgres'), await source.fingerprint())
    restored(await restore(source, safetySnapshot ?? 'none', source.url('postgres'), '--mode', 'replace'))
    assert.deepEqual(await query('select * from mine', 'postgres'), [])
    assert.deepEqual(
      (await source.names()).filter((name) => /holdfast|former/.test(name)),
      [],
    )
    await query('drop table mine', 'postgres')
  })

  it('says that a snapshot that is itself a part takes the place of a database', async () => {
    await source.createOther('was_whole')
    const part = await snapshotOf(source, '--table', 'orders')
    const end = await restore(source, part.id, source.url('was_whole'), '--mode', 'replace')
    restored(end)
    assert.match(end.stderr, /a part of its database \(only table orders\)/)
    await source.drop('was_whole')
  })

  it('is backed up without what restores that were killed have left, and says so', async () => {
    const left = ['shop_holdfast_0123456789ab-7-9_beef', 'shop_holdfast_former_0123abcd']
    for (const name of left) await query(`create database "${name}"`)
    try {
      const { snapshots, stderr } = await backUp(source, server(), '--all')
      const taken = await Promise.all(snapshots.map(async ({ id }) => (await manifestOf(id)).database))
      const all = await query(`select datname as name from pg_database where datname !~ '^template[01]$'`)
      const expected = all.map(({ name }) => String(name)).filter((name) => !left.includes(name))
      assert.deepEqual(taken.sort(), expected.sort())
      const tested = await desk.run(['test', server()], envOf(source))
      for (const name of left) {
        assert.match(stderr, new RegExp(`warning: “${name}” .*interrupted`))
        assert.match(tested.stdout, new RegExp(`${name} .*interrupted`))
      }
      assert.match(tested.stdout, /WARNING +databases .*postgres, shop/)
      const [chosen] = (await backUp(source, source.url(left[1]))).snapshots
      assert.equal(chosen?.state, 'succeeded')
    } finally {
      for (const name of left) await query(`drop database "${name}"`)
    }
  })

  describe('whose globals were backed up', () => {
    let id: string
    before(async () => {
      await query([`create role clerk login connection limit 7`, 'create database globals'])
      const { snapshots } = await backUp(source, source.url('globals'), '--globals', '--server', 'prod')
      const globals = snapshots.find(({ key }) => key.startsWith('prod/@globals/prod-@globals-'))
      assert.ok(globals, snapshots.map(({ key }) => key).join())
      id = globals.id
    })

    it('keeps them apart from a database with that name', async () => {
      const listed = async (name: string) => {
        const end = await desk.run(['snapshots', 'ls', '--on', place.url, '--database', name, '--json'])
        return jsonOf<{ snapshots: Manifest[] }>(end).snapshots
      }
      for (const [name, format] of [
        ['globals', 'custom'],
        ['@globals', 'globals'],
      ] as const) {
        const found = await listed(name)
        assert.ok(found.length > 0)
        assert.deepEqual(new Set(found.map((manifest) => manifest.format)), new Set([format]))
      }
      const manifest = await manifestOf(id)
      assert.deepEqual(manifest.properties, {}) // it is no database
    })

    it('does not let them take the place of a database, nor make one, nor go into one', async () => {
      await source.createOther('shop2')
      const before = await source.fingerprint('shop2')
      const names = await source.names()
      for (const mode of modes) {
        for (const name of mode === 'new' ? ['shop2', 'brand_new'] : ['shop2']) {
          const end = await restore(source, id, source.url(name), '--mode', mode)
          refused(
            end,
            'invalid_input',
            /roles and tablespaces/,
            /without a database, with the mode “existing”/,
          )
        }
      }
      for (const mode of ['new', 'replace']) {
        const end = await restore(source, id, server(), '--mode', mode)
        refused(end, 'invalid_input', /roles and tablespaces/, /mode “existing”/)
      }
      assert.deepEqual(await source.names(), names)
      assert.deepEqual(await source.fingerprint('shop2'), before)
      await source.drop('shop2')
    })

    it('takes them back, and leaves its databases alone', async () => {
      await query(['drop role clerk', 'create role newcomer'])
      const names = await source.names()
      for (const url of [server(), `${server()}?maintenance_database=shop`]) {
        const report = restored(await restore(source, id, url, '--mode', 'existing'))
        assert.equal(report.database, undefined)
        const roles = await query(
          `select rolname, rolconnlimit from pg_roles where rolname in ('clerk', 'newcomer') order by 1`,
        )
        assert.deepEqual(
          roles.map(({ rolname, rolconnlimit }) => [rolname, rolconnlimit]),
          [
            ['clerk', 7],
            ['newcomer', -1],
          ],
        )
        await query('alter role clerk connection limit 1')
      }
      assert.deepEqual(await source.names(), names)
    })

    it('does not take them back by half', async () => {
      const part = await restore(source, id, server(), '--mode', 'existing', '--table', 'orders')
      refused(part, 'unsupported', /as it is, or not at all/, /^$/)
    })

    it('wants to know into which database everything else is to go', async () => {
      const shop = await snapshotOf(source)
      refused(await restore(source, shop.id, server()), 'invalid_input', /Into which database\?/)
    })
  })
})

describe('an engine without globals', { skip: needs.mysql }, () => {
  it('wants to know into which database, before a snapshot is looked for', async () => {
    const source = await sources.source('mysql')
    const end = await restore(source, 'no such snapshot', source.url(''))
    refused(end, 'invalid_input', /Into which database\?/)
  })
})
