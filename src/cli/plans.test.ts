import assert from 'node:assert/strict'
import { it } from 'node:test'
import { keptSnapshots } from './plans.ts'

it('a plan that is deleted leaves no snapshot behind in silence', () => {
  assert.deepEqual(keptSnapshots(null), [])
  const kept = [{ id: '7', database: 'shop', takenAt: '2026-11-20T03:00:00.000Z', reason: 'It is locked.' }]
  assert.deepEqual(keptSnapshots({ jobIds: [], keptCount: 3, kept }), [
    'The snapshot of “shop” of 2026-11-20T03:00:00.000Z (7) stays, under no plan. It is locked.',
    '2 more stay.',
  ])
})
