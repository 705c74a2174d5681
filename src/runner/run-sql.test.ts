import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import type { Engine } from '../engines/engine.ts'
import { engines } from '../engines/index.ts'
import { AppError } from '../shared/errors.ts'
import { runSql } from './run-sql.ts'
import { engineRunning, job, sh } from './test-bed.ts'

const server = { flavour: 'test', version: '1', tls: false } as const

function run(engine: Engine, workDirectory?: string): Promise<void> {
  const order = { engine, connection: {}, database: 'shop', server, sql: 'select 1' }
  return runSql(order, { ...job(), workDirectory })
}

/** How SQL fails whose tool says this. */
async function failure(engineName: 'postgresql' | 'mysql', tool: string, stderr: string): Promise<AppError> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-run-sql-'))
  try {
    const command = {
      ...sh(`cat > ${folder}/sql; printf '%s\\n' "$SAID" >&2; exit 3`),
      env: { SAID: stderr },
    }
    const real = engines[engineName] as unknown as Engine
    const told: Engine['explain'] = (_, said) => real.explain(tool, said)
    const running = run(engineRunning('warns-and-succeeds', { runSql: () => ({ command }), explain: told }))
    return await running.then(
      () => assert.fail('it succeeded'),
      (error: unknown) => (error instanceof AppError ? error : assert.fail(String(error))),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('SQL of the user’s own', () => {
  it('has its files in the work directory of its job, and leaves nothing there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-run-sql-'))
    try {
      const given: string[] = []
      const engine = engineRunning('warns-and-succeeds', {
        runSql({ workDirectory }) {
          given.push(workDirectory)
          return { command: sh(`cat > ${workDirectory}/sql; exit ${given.length - 1}`) }
        },
      })
      await run(engine, folder)
      await assert.rejects(run(engine, folder), { code: 'sql_failed' })
      assert.deepEqual(given.map(dirname), [folder, folder])
      assert.deepEqual(await readdir(folder), [])
      assert.equal(existsSync(folder), true)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  const said = [
    [
      'postgresql',
      'psql',
      'psql:<stdin>:1: ERROR:  schema "shop" does not exist\nLINE 1: update shop.orders',
    ],
    ['postgresql', 'psql', 'psql:<stdin>:2: ERROR:  role "clerk" does not exist'],
    ['postgresql', 'psql', 'psql:<stdin>:1: error: backslash commands are restricted; only \\unrestrict'],
    ['mysql', 'mariadb', 'ERROR 1064 (42000) at line 1: You have an error in your SQL syntax'],
    ['mysql', 'mariadb', 'ERROR 1273 (HY000) at line 1: Unknown collation: utf8mb4_nonesuch'],
  ] as const
  for (const [engine, tool, stderr] of said) {
    it(`is to blame itself, in the server’s words: ${stderr.split('\n')[0]}`, async () => {
      const { code, message, hint } = await failure(engine, tool, stderr)
      const [line] = stderr.split('\n')
      assert.deepEqual(
        [code, message],
        ['sql_failed', `Your SQL, which runs after the restore, failed: ${line}`],
      )
      assert.match(hint ?? '', /correct the SQL/)
    })
  }

  it('is not to blame if the server is gone', async () => {
    const lost = await failure('mysql', 'mariadb', 'ERROR 2013 (HY000) at line 1: Lost connection to server')
    assert.equal(lost.code, 'database_unreachable')
  })
})
