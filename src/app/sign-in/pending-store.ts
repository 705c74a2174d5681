import type { Store } from '../../store/database.ts'

/** Whether nobody has used it before; from now on somebody has. It is remembered until it is of no use anyway. */
export async function isFirstUse(
  store: Store,
  { id, kind, until }: { id: string; kind: string; until: number },
): Promise<boolean> {
  await store.db
    .deleteFrom('verifications')
    .where('identifier', '=', `used ${kind}`)
    .where('expiresAt', '<', store.now)
    .execute()
  const inserted = await store.db
    .insertInto('verifications')
    .values({
      id,
      identifier: `used ${kind}`,
      value: '',
      expiresAt: until,
      createdAt: store.now,
      updatedAt: store.now,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst()
  return inserted !== undefined
}
