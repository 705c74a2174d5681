/** Writes to the audit log of a store, many entries at once, until it is killed. It tells when it has written some. */
import { recordAuditNow, systemActor } from '../../src/app/audit/record.ts'
import { openStore, type Store } from '../../src/store/database.ts'

process.once('message', (place: Store['place']) => void write(place))

async function write(place: Store['place']): Promise<never> {
  const store = await openStore(place)
  const one = async () =>
    await recordAuditNow(store, {
      organizationId: null,
      action: 'server.change',
      outcome: 'succeeded',
      actor: systemActor,
      address: null,
      target: null,
      details: { text: 'x'.repeat(5_000) },
    })
  for (let round = 0; ; round++) {
    await Promise.all(Array.from({ length: 8 }, one))
    if (round === 2) process.send?.('some')
  }
}
