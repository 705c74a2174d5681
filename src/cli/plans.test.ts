import assert from 'node:assert/strict'
import { it } from 'node:test'
import { keptSnapshots, lossesInWords } from './plans.ts'

it('a plan that is deleted leaves no snapshot behind in silence', () => {
  assert.deepEqual(keptSnapshots(null), [])
  const kept = [{ id: '7', database: 'shop', takenAt: '2026-11-20T03:00:00.000Z', reason: 'It is locked.' }]
  assert.deepEqual(keptSnapshots({ jobIds: [], keptCount: 3, kept }), [
    'The snapshot of “shop” of 2026-11-20T03:00:00.000Z (7) stays, under no plan. It is locked.',
    '2 more stay.',
  ])
})

it('a plan that is to be deleted says before what would be lost', () => {
  const nothing = { snapshots: 0, copies: 0, bytes: 0, newest: null, databases: [] }
  const losses = { ...nothing, keptCount: 0, kept: [], scheduledRestores: [], runningBackups: 0 }
  assert.deepEqual(lossesInWords(losses), [])
  const lost = { snapshots: 2, copies: 3, bytes: 2048, newest: '2026-11-20T03:00:00.000Z' }
  assert.deepEqual(
    lossesInWords({ ...losses, ...lost, databases: [{ database: 'shop', ...lost }], keptCount: 1 }),
    [
      'With --snapshots delete: 2 snapshots, 3 copies, 2.0 KiB',
      '  “shop”: 2 snapshots, 3 copies, 2.0 KiB, the newest of 2026-11-20 03:00',
      '1 more stay.',
    ],
  )
})
