import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { jobKinds } from '../../src/app/jobs/kinds.ts'
import { retriedKinds } from '../../src/shared/jobs.ts'

/** The kinds of jobs that this file of the page has words for. */
async function namedIn(file: string): Promise<string[]> {
  const source = await readFile(join(import.meta.dirname, '../../web/src/jobs', file), 'utf8')
  return [...source.matchAll(/^ {2}'?([\w-]+)'?: msg\(/gm)].map(([, kind]) => kind ?? '')
}

it('the page has words for every kind of job, and for no other', async () => {
  assert.deepEqual(new Set(await namedIn('job-kinds.ts')), new Set(Object.keys(jobKinds)))
})

it('every kind of job is done again by hand, or the page says why not', async () => {
  const named = [...Object.keys(retriedKinds), 'restore', ...(await namedIn('comes-again.tsx'))]
  assert.deepEqual(named.sort(), Object.keys(jobKinds).sort())
})
