import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { jobKinds } from '../../src/app/jobs/kinds.ts'

it('the page has words for every kind of job, and for no other', async () => {
  const path = join(import.meta.dirname, '../../web/src/jobs/job-kinds.ts')
  const source = await readFile(path, 'utf8')
  const named = [...source.matchAll(/^ {2}'?([\w-]+)'?: msg\(/gm)].map(([, kind]) => kind)
  assert.deepEqual(new Set(named), new Set(Object.keys(jobKinds)))
})
