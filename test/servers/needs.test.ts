import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { maySkip } from './may-skip.ts'
import { type NeedName, prefixes, type Prefix } from './needs-list.ts'
import { detailsOf } from './needs.ts'
import { tempFolder } from './temp-folder.ts'

const execute = promisify(execFile)
const module = join(import.meta.dirname, 'needs.ts')

/** What skipUnless says in a process that has no prefix at all. */
async function skipUnless(need: NeedName, env: Record<string, string>): Promise<string> {
  await using empty = await tempFolder('no-cache')
  const script = `import { skipUnless } from ${JSON.stringify(module)}; console.log(skipUnless('${need}'))`
  const { CI: _ci, ...rest } = process.env
  const { stdout } = await execute(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...rest, HOLDFAST_TEST_CACHE: empty.path, ...env },
  })
  return stdout.trim()
}

describe('a test whose need is missing', () => {
  it('is skipped with the reason', async () => {
    assert.match(await skipUnless('ceph', {}), /^Ceph is missing/)
  })

  it('fails in CI', async () => {
    await assert.rejects(skipUnless('ceph', { CI: 'true' }), /may-skip\.ts/)
  })

  it('is skipped in CI too if the list says so', async () => {
    assert.match(await skipUnless('mysql9', { CI: 'true' }), /^MySQL 9 is missing/)
  })
})

describe('the list of what CI may be without', () => {
  it('has only what comes from a suite that moves', () => {
    for (const name of Object.keys(maySkip) as NeedName[]) {
      const { prefix: prefixName } = detailsOf(name)
      const prefix: Prefix | undefined = prefixName && prefixes[prefixName]
      assert.ok(prefix?.moves || prefix?.insteadOf, name)
    }
  })
})
