import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Engine } from '../engines/engine.ts'
import { ownToken } from '../lib/identity.ts'
import { AppError } from '../shared/errors.ts'
import { restoreSnapshot, type RestoreOrder } from './restore-snapshot.ts'
import { restoreModes, versionWarnings } from './restore-target.ts'
import { takeSnapshot } from './take-snapshot.ts'
import { engineRunning, job, newVolume, ofAnotherMachine, ofDeadProcess, order } from './test-bed.ts'
import {
  dropLeftovers,
  dropUnfinished,
  formerName,
  listDatabases,
  unfinishedName,
} from './unfinished-restores.ts'

const besideName = (database: string, token: string) => `${database}_${token}`

/** An engine that fails the test if it is asked to change anything, or only to look at a database. */
function untouchable(more: Partial<Engine>): Engine {
  const touched = async () => assert.fail('it was touched')
  return engineRunning('warns-and-succeeds', {
    inspect: touched,
    databaseExists: touched,
    createDatabase: touched,
    dropDatabase: touched,
    renameDatabase: touched,
    restore: () => assert.fail('it was to be restored'),
    ...more,
  })
}

async function restoreInto(engine: Engine, more: Partial<RestoreOrder>, format = 'plain'): Promise<AppError> {
  const { volume } = newVolume()
  const { key, manifest } = await takeSnapshot(order(engineRunning('warns-and-succeeds'), [volume]), job())
  const closed = { ...volume, read: () => assert.fail('read'), stat: () => assert.fail('looked at') }
  const restoring = restoreSnapshot(
    {
      engine,
      engineName: 'sqlite',
      connection: {},
      database: 'shop',
      mode: 'replace',
      restoreOptions: {},
      partial: false,
      endSessions: false,
      snapshot: { key, manifest: { ...manifest, format }, volume: closed },
      keys: order(engine, []).keys,
      stallAfter: 60_000,
      ...more,
    },
    job(),
  )
  return await restoring.then(
    () => assert.fail('it was restored'),
    (error: unknown) => (error instanceof AppError ? error : assert.fail(String(error))),
  )
}

describe('before anything is reached, a restore refuses', () => {
  for (const mode of restoreModes) {
    it(`a database of the server itself, in mode ${mode}`, async () => {
      const checkTarget = async (_: unknown, name: string) => {
        throw new AppError('invalid_input', `“${name}” is the server’s.`)
      }
      const { message } = await restoreInto(untouchable({ checkTarget }), { mode })
      assert.match(message, /“shop” is the server’s/)
    })

    for (const database of ['shop', undefined]) {
      if (mode === 'existing' && database === undefined) continue
      it(`globals in mode ${mode} into ${database ?? 'the server'}`, async () => {
        const globals = { format: 'roles', what: 'the roles', restore: () => assert.fail('restored') }
        const engine = untouchable({ globals })
        const { code, message } = await restoreInto(engine, { mode, database }, 'roles')
        assert.equal(code, 'invalid_input')
        assert.match(message, /holds the roles/)
      })
    }
  }

  it('a part in the place of a database', async () => {
    const { code } = await restoreInto(untouchable({}), { partial: true })
    assert.equal(code, 'invalid_input')
  })

  it('a database without a name', async () => {
    const { message } = await restoreInto(untouchable({}), { database: undefined })
    assert.match(message, /Into which database/)
  })
})

describe('databases beside a target', () => {
  const names = (engine: Engine) => [
    'shop',
    'shop_former_0123abcd', // somebody’s own
    unfinishedName(engine, 'shop'),
    formerName(engine, 'shop'),
  ]

  it('are not among those that people know', async () => {
    const engine = engineRunning('warns-and-succeeds', { besideName })
    const all = names(engine)
    const listed = await listDatabases(
      { engine: { ...engine, listDatabases: async () => all }, connection: {} },
      job().signal,
    )
    assert.deepEqual(listed, { databases: all.slice(0, 2), besides: all.slice(2) })
  })

  it('are never dropped if they hold a whole database', async () => {
    const dropped: string[] = []
    const engine = engineRunning('warns-and-succeeds', {
      besideName,
      listBeside: undefined,
      dropDatabase: async (_, name) => void dropped.push(name),
    })
    const all = names(engine)
    await dropUnfinished(
      { engine: { ...engine, listDatabases: async () => all }, connection: {}, database: 'shop' },
      job(),
    )
    assert.deepEqual(dropped, []) // the unfinished one is ours, and we live
  })

  it('and a target that is marked as half are dropped behind a restore that was killed', async () => {
    const beside = unfinishedName(engineRunning('warns-and-succeeds', { besideName }), 'shop')
    for (const [writer, names, expected] of [
      [ofDeadProcess(`${ownToken()}/1`), ['shop', ofDeadProcess(beside)], [ofDeadProcess(beside), 'shop']],
      [`${ownToken()}/1`, ['shop', beside], []],
      [ofAnotherMachine(`${ownToken()}/1`), ['shop', ofAnotherMachine(beside)], []],
      ['', ['shop'], []],
      [undefined, ['shop'], []],
      [ofDeadProcess(`${ownToken()}/1`), [], []],
    ] as const) {
      const dropped: string[] = []
      const engine = engineRunning('warns-and-succeeds', {
        besideName,
        listBeside: undefined,
        listDatabases: async () => [...names],
        databaseExists: async (_, name) => names.some((known) => known === name),
        unfinishedMark: { read: async () => writer, set: async () => {}, clear: async () => {} },
        dropDatabase: async (_, name) => void dropped.push(name),
      })
      await dropLeftovers({ engine, connection: {}, database: 'shop' }, job())
      assert.deepEqual(dropped, expected, writer)
    }
  })

  it('that cannot be listed are told by who tidies up, and no reason for a restore to fail', async () => {
    const listDatabases = async () => {
      throw new AppError('database_unreachable', 'Nobody is there.')
    }
    const engine = engineRunning('warns-and-succeeds', { besideName, listBeside: undefined, listDatabases })
    const target = { engine, connection: {}, database: 'shop' }
    await assert.rejects(dropLeftovers(target, job()), { code: 'database_unreachable' })
    const told = job()
    await dropUnfinished(target, told)
    assert.match(told.lines.join(), /^warning: .*Nobody is there/)
  })
})

describe('a target that is older', () => {
  const of = (flavour: string, version: string) => ({ flavour, version, tls: false as const })
  const warnings = (source: ReturnType<typeof of>, target: ReturnType<typeof of>) =>
    versionWarnings({ server: { ...source, name: 'x', engine: 'x' } }, target)

  it('is warned of, and not one that is only behind by a bug fix', () => {
    assert.match(warnings(of('postgresql', '15.4'), of('postgresql', '14.9')).join(), /older \(14\.9\)/)
    assert.match(warnings(of('mariadb', '11.4.2'), of('mariadb', '10.11.6')).join(), /older/)
    assert.match(warnings(of('mysql', '8.0.36'), of('mariadb', '11.4.2')).join(), /mysql 8\.0\.36.*mariadb/)
    assert.deepEqual(warnings(of('postgresql', '15.4'), of('postgresql', '15.2')), [])
    assert.deepEqual(warnings(of('postgresql', '15.4'), of('postgresql', '18')), [])
    assert.deepEqual(warnings(of('mariadb', '10.11.6'), of('mariadb', '10.11.2')), [])
  })
})
