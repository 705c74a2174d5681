import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { togetherFiles } from './together.ts'

const root = join(import.meta.dirname, '../..')

describe('every test file', () => {
  it('is run once: by itself, or together with others', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const patterns = [...String(scripts['test:run']).matchAll(/'([^']+\.test\.ts)'/g)].map(([, one]) =>
      String(one),
    )
    const alone = patterns.flatMap((pattern) => globSync(pattern, { cwd: root }))
    const all = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root })
    assert.deepEqual([...alone, ...togetherFiles()].sort(), all.sort())
  })
})
