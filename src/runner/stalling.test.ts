import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dump, Engine, Restore } from '../engines/engine.ts'
import type { Volume } from '../volumes/volume.ts'
import { restoreSnapshot, type RestoredSnapshot, type RestoreOrder } from './restore-snapshot.ts'
import { takeSnapshot, type SnapshotOrder, type TakenSnapshot } from './take-snapshot.ts'
import { contents, DUMP_BYTES, engineRunning, job, newVolume, order, sh } from './test-bed.ts'

/** What is to end in time is not given more; what may take its time takes half as long again. */
const STALL_AFTER = 1500
const LONG = 1.4 * STALL_AFTER
const aWhile = `sleep ${LONG / 1000}`
const allBytes = `head -c ${DUMP_BYTES} /dev/zero`

describe('a backup', { concurrency: true }, () => {
  it('is ended when its tool says nothing at all', async () => {
    const { volume, path } = newVolume()
    await assert.rejects(take(engineRunning(sh('exec sleep 1000')), volume), { code: 'tool_stalled' })
    assert.deepEqual(await contents(path), [])
  })

  it('is ended when its tool falls silent half-way', async () => {
    const { volume, path } = newVolume()
    const tool = sh('head -c 1000000 /dev/zero; exec sleep 1000')
    await assert.rejects(take(engineRunning(tool), volume), { code: 'tool_stalled' })
    assert.deepEqual(await contents(path), [])
  })

  it('may take longer in all, as long as something moves', async () => {
    const { volume } = newVolume()
    const tool = sh(
      `for i in 1 2 3 4 5 6 7 8 9 10; do head -c ${DUMP_BYTES / 10} /dev/zero; sleep 0.25; done`,
    )
    assert.equal((await take(engineRunning(tool), volume)).state, 'succeeded')
  })

  it('may take its time before the first byte, to connect and to look at the database', async () => {
    const { volume } = newVolume()
    const engine = engineRunning('warns-and-succeeds', {
      inspect: async () => await sleep(LONG / 2, { flavour: 'test', version: '1', tls: false }),
      describe: async () => await sleep(LONG / 2, { bytes: DUMP_BYTES }),
    })
    assert.equal((await take(engine, volume)).state, 'succeeded')
  })

  it('may take its time to make the file that the engine insists on', async () => {
    const { volume } = newVolume()
    const dump = ({ workDirectory }: { workDirectory: string }): Dump => ({
      format: 'plain',
      extension: '.sql',
      tool: { name: 'test', version: '1' },
      source: {
        from: 'file',
        path: `${workDirectory}/dump`,
        bytes: DUMP_BYTES,
        async make() {
          await sleep(LONG)
          await writeFile(`${workDirectory}/dump`, Buffer.alloc(DUMP_BYTES))
          return {}
        },
      },
    })
    assert.equal((await take(engineRunning('unused', { dump }), volume)).state, 'succeeded')
  })

  it('may take its time to be read back', async () => {
    const { volume } = newVolume()
    const slow: Volume = {
      ...volume,
      async *read(...args) {
        await sleep(LONG)
        yield* volume.read(...args)
      },
    }
    const sealed: Partial<SnapshotOrder> = { encryption: { method: '7z' } }
    assert.equal((await take(engineRunning('warns-and-succeeds'), slow, sealed)).state, 'succeeded')
  })
})

describe('a restore', { concurrency: true }, () => {
  it('is ended when its tool takes no more bytes, and what it has begun is dropped', async () => {
    const dropped: string[] = []
    const engine = restoringWith('head -c 10 >/dev/null; exec sleep 1000', {
      dropDatabase: async (_connection, database) => void dropped.push(database),
    })
    await assert.rejects(restore(engine), { code: 'tool_stalled' })
    assert.equal(dropped.length, 1)
    assert.match(dropped[0] ?? '', /holdfast/)
  })

  it('may take longer in all, as long as something moves', async () => {
    // The pipe holds little, so the tool has to have taken most of it before the last byte is given.
    const bites = `for i in 1 2 3 4 5 6 7 8 9 10; do head -c ${DUMP_BYTES / 10} >/dev/null; sleep 0.25; done`
    assert.equal((await restore(restoringWith(`${bites}; cat >/dev/null`))).database, 'shop')
  })

  it('may take its time behind the last byte, for instance to build indexes', async () => {
    assert.equal((await restore(restoringWith(`cat >/dev/null; ${aWhile}`))).database, 'shop')
  })

  it('may take its time to check what the tool has made', async () => {
    assert.equal((await restore(restoringWith('cat >/dev/null', {}, () => sleep(LONG)))).database, 'shop')
  })

  it('may take its time to count the rows', async () => {
    const countRows = async () => await sleep(LONG, { zeros: DUMP_BYTES })
    assert.deepEqual((await restore(restoringWith('cat >/dev/null', { countRows }))).rows?.differences, [])
  })

  it('may take its time for the target’s own snapshot, behind the check of the object', async () => {
    const inPlace: Engine = {
      ...restoringWith('cat >/dev/null', {
        databaseExists: async () => true,
        dropDatabase: () => sleep(LONG / 2),
      }),
      renameDatabase: undefined,
    }
    const restored = await restore(inPlace, {
      mode: 'replace',
      takeSafetySnapshot: async () => await sleep(LONG, 'the snapshot'),
    })
    assert.equal(restored.safetySnapshot, 'the snapshot')
  })
})

function take(engine: Engine, volume: Volume, more: Partial<SnapshotOrder> = {}): Promise<TakenSnapshot> {
  return takeSnapshot(order(engine, [volume], { stallAfter: STALL_AFTER, ...more }), job())
}

/** An engine whose tool, for a restore, is this script. It believes that every database is there when it is told to. */
function restoringWith(script: string, more: Partial<Engine> = {}, check?: Restore['check']): Engine {
  return engineRunning(sh(allBytes), {
    databaseExists: async () => false,
    createDatabase: async () => {},
    dropDatabase: async () => {},
    renameDatabase: async () => {},
    renameReplaces: true,
    besideName: (database, token) => `${database}_${token}`,
    listBeside: async () => [],
    countRows: async () => ({ zeros: DUMP_BYTES }),
    restore: () => ({ target: { into: 'stdin', command: sh(script) }, check }),
    ...more,
  })
}

/** Takes a snapshot, and restores it with the patience of `STALL_AFTER`. */
async function restore(engine: Engine, more: Partial<RestoreOrder> = {}): Promise<RestoredSnapshot> {
  const { volume } = newVolume()
  const { key, manifest } = await takeSnapshot(order(engine, [volume]), job())
  return await restoreSnapshot(
    {
      engine,
      engineName: 'sqlite',
      connection: {},
      database: 'shop',
      mode: 'new',
      restoreOptions: {},
      partial: false,
      endSessions: false,
      snapshot: { key, manifest, volume },
      keys: order(engine, []).keys,
      stallAfter: STALL_AFTER,
      ...more,
    },
    job(),
  )
}
