import type { Kysely } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

export interface InstanceSettingsRow {
  content: string
  revision: number
}

export async function findInstanceSettings(db: Kysely<Tables>): Promise<InstanceSettingsRow | undefined> {
  return await db.selectFrom('instanceSettings').select(['content', 'revision']).executeTakeFirst()
}

/** False if they have another revision by now; that of settings which nobody has changed yet is 0. */
export async function saveInstanceSettings(
  store: Store,
  trx: Kysely<Tables>,
  { content, revision }: InstanceSettingsRow,
): Promise<boolean> {
  const values = { content, revision: revision + 1, updatedAt: store.now }
  const saved =
    revision === 0
      ? await trx
          .insertInto('instanceSettings')
          .values({ ...values, id: 'instance' })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .returning('revision')
          .executeTakeFirst()
      : await trx
          .updateTable('instanceSettings')
          .set(values)
          .where('revision', '=', revision)
          .returning('revision')
          .executeTakeFirst()
  return saved !== undefined
}
