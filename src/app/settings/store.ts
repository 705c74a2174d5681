import type { Kysely } from 'kysely'
import type { Store } from '../../store/database.ts'
import type { Tables } from '../../store/tables.ts'

export interface SettingsRow {
  content: string
  revision: number
}

export async function findSettings(
  db: Kysely<Tables>,
  organizationId: string,
): Promise<SettingsRow | undefined> {
  return await db
    .selectFrom('settings')
    .select(['content', 'revision'])
    .where('organizationId', '=', organizationId)
    .executeTakeFirst()
}

/** False if they have another revision by now; that of settings which nobody has changed yet is 0. */
export async function saveSettings(
  store: Store,
  trx: Kysely<Tables>,
  organizationId: string,
  { content, revision }: SettingsRow,
): Promise<boolean> {
  const values = { content, revision: revision + 1, updatedAt: store.now }
  const saved =
    revision === 0
      ? await trx
          .insertInto('settings')
          .values({ ...values, organizationId })
          .onConflict((conflict) => conflict.column('organizationId').doNothing())
          .returning('revision')
          .executeTakeFirst()
      : await trx
          .updateTable('settings')
          .set(values)
          .where('organizationId', '=', organizationId)
          .where('revision', '=', revision)
          .returning('revision')
          .executeTakeFirst()
  return saved !== undefined
}
