import { AppError } from '../../shared/errors.ts'
import type { OwnPlaces } from '../engine.ts'
import { withSession } from './session.ts'
import type { PostgresConnection } from './settings.ts'

/** Compares when the server was started, and the database's number there, with what the store has said of itself. */
export async function refuseOwn(
  connection: PostgresConnection,
  database: string,
  { store }: OwnPlaces,
  signal: AbortSignal,
): Promise<void> {
  if (store.engine !== 'postgresql') return
  const [found] = await withSession(connection, connection.maintenanceDatabase, signal, ({ query }) =>
    query<{ startedAt: string; oid: string }>(
      `select (extract(epoch from pg_postmaster_start_time()) * 1000000)::bigint::text as "startedAt", oid::text
         from pg_database where datname = $1`,
      [database],
    ),
  )
  if (found?.startedAt !== store.serverStartedAt || found.oid !== store.oid) return
  throw new AppError(
    'invalid_input',
    `“${database}” is the database in which Holdfast keeps what it knows.`,
    {
      hint: 'Restore under another name. Holdfast’s own database comes back from an app backup, while it is stopped.',
    },
  )
}
