import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { setInterval } from 'node:timers'
import type { Engine } from '../engines/engine.ts'
import { checkRestore, type PlannedRestore } from './check-restore.ts'
import { takeSnapshot } from './take-snapshot.ts'
import { engineRunning, job, newVolume, order } from './test-bed.ts'
import { testConnection } from './test-connection.ts'

const never = () => new Promise<never>(() => {})

async function check(engine: Engine, more: Partial<PlannedRestore>, limit?: number) {
  const { volume } = newVolume()
  const { key, manifest } = await takeSnapshot(order(engineRunning('warns-and-succeeds'), [volume]), job())
  const planned: PlannedRestore = {
    engine,
    engineName: 'sqlite',
    connection: {},
    database: 'shop',
    mode: 'new',
    partial: false,
    restoreOptions: {},
    keys: order(engine, []).keys,
    manifest,
    copy: { key, volume },
    takesSafetySnapshot: false,
    ...more,
  }
  return await checkRestore(planned, new AbortController().signal, limit)
}

/** A target that is not there yet. */
function engineWith(more: Partial<Engine>): Engine {
  return engineRunning('warns-and-succeeds', {
    checkTarget: async () => {},
    databaseExists: async () => false,
    missingForRestore: async () => [],
    restore: () => ({ target: { into: 'stdin', command: { file: 'none', args: [] } } }),
    ...more,
  })
}

describe('looking at a restore', () => {
  it('gives up a step that is stuck and hears nothing, and looks at the others', async () => {
    const awake = setInterval(() => {}, 1000)
    try {
      const { volume } = newVolume()
      const copy = { key: 'shop', volume: { ...volume, stat: never } }
      const { steps, problems } = await check(engineWith({ databaseExists: never }), { copy }, 200)
      assert.deepEqual(
        steps.map(({ step, outcome }) => [step, outcome]),
        [
          ['copy', 'failed'],
          ['engine', 'ok'],
          ['reach and sign in', 'ok'],
          ['target', 'failed'],
          ['tools', 'ok'],
        ],
      )
      assert.deepEqual(
        problems.map(({ error, field }) => [error.code, field]),
        [
          ['volume_unreachable', 'volumeId'],
          ['database_unreachable', 'database'],
        ],
      )
    } finally {
      clearInterval(awake)
    }
  })

  it('has its files in the work directory that it is given, as the test of a server, and leaves nothing there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-check-restore-'))
    try {
      const given: string[] = []
      const plain = engineWith({})
      const engine = engineWith({
        tools: [],
        listDatabases: async () => ['shop'],
        missingPrivileges: async () => [],
        restore: (request) => {
          given.push(request.workDirectory)
          return plain.restore(request)
        },
        dump: (request) => {
          given.push(request.workDirectory)
          return plain.dump(request)
        },
      })
      const { steps } = await check(engine, { workDirectory: folder })
      const { signal } = new AbortController()
      const server = { engine, connection: {}, workDirectory: folder }
      steps.push(...(await testConnection(server, signal)))
      assert.deepEqual(
        steps.filter(({ outcome }) => outcome !== 'ok'),
        [],
      )
      assert.deepEqual(given.map(dirname), [folder, folder])
      assert.deepEqual(await readdir(folder), [])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
