import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type JobState, stateOfRun } from './jobs.ts'

it('a run of a plan ends as the worst of what it has ordered, and without any backup it is no success', () => {
  const cases: [run: JobState, backups: JobState[], whole: JobState][] = [
    ['succeeded', ['succeeded', 'succeeded'], 'succeeded'],
    ['succeeded', ['succeeded', 'partial'], 'partial'],
    ['succeeded', ['cancelled', 'partial'], 'cancelled'],
    ['succeeded', ['cancelled', 'failed'], 'failed'],
    ['succeeded', ['running', 'succeeded'], 'running'],
    ['succeeded', [], 'failed'],
    ['failed', [], 'failed'],
    ['cancelled', [], 'cancelled'],
    ['running', [], 'running'],
  ]
  for (const [run, backups, whole] of cases) {
    const states = backups.map((state) => ({ state }))
    assert.equal(stateOfRun({ state: run }, states), whole, `${run}: ${backups.join(', ')}`)
  }
})
