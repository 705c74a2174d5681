import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FoundTool } from '../../lib/tools.ts'
import { runSql } from './run-sql.ts'
import { connectionSettings } from './settings.ts'

const signal = AbortSignal.timeout(10_000)

describe('SQL by psql', () => {
  const plan = (version: string) => {
    const tools: FoundTool[] = [{ name: 'psql', path: `/opt/${version}/psql`, version }]
    const server = { flavour: 'postgresql', version: '15.4', tls: false as const }
    const connection = connectionSettings.parse({ host: 'db.example', user: 'u', password: 'canary' })
    return runSql({ connection, database: 'shop', server, tools, workDirectory: '/work' })
  }
  const through = async (version: string, sql: string) => {
    let bytes = (async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from(sql)
    })() as AsyncIterable<Uint8Array>
    for (const stage of plan(version).through ?? []) {
      assert.ok(typeof stage === 'function')
      bytes = stage(bytes, signal)
    }
    return Buffer.concat(await Array.fromAsync(bytes)).toString()
  }

  it('is kept from meta-commands, by a key that nobody can guess', () => {
    const restrict = () => plan('15.14').command.args.find((argument) => argument.includes('restrict'))
    assert.match(restrict() ?? '', /^--command=\\restrict [0-9a-f]{48}$/)
    assert.notEqual(restrict(), restrict())
  })

  it('has no backslash where psql cannot be kept from them', async () => {
    assert.doesNotMatch(plan('15.13').command.args.join(' '), /restrict/)
    await assert.rejects(through('15.13', 'select 1;\n\\! id'), { code: 'unsupported' })
    assert.match(await through('15.13', 'select 1'), /^select 1\n;/)
    assert.match(await through('15.14', `select '\\'`), /^select '\\'\n;/)
  })
})
