import { openSession, quoteName, type Session } from './session.ts'
import type { MysqlConnection } from './settings.ts'

/** A table that is in a database while it is being restored, and stays if that is interrupted. */
export const MARK = 'holdfast_restore_not_finished'

const COMMENT = 'Holdfast was restoring into this database: drop it, or restore with --mode replace. By '

/** Says of a database under its final name that it is only half restored: neither MySQL nor MariaDB can rename one. */
export const unfinishedMark = {
  async set(settings: MysqlConnection, database: string, writer: string, signal: AbortSignal): Promise<void> {
    await using session = await openSession(settings, signal)
    // Some servers insist on a primary key.
    await session.query(`CREATE TABLE ${nameOf(database)} (id INT PRIMARY KEY) COMMENT = ?`, [
      COMMENT + writer,
    ])
  },

  async read(settings: MysqlConnection, database: string, signal: AbortSignal): Promise<string | undefined> {
    await using session = await openSession(settings, signal)
    const [mark] = await findMark(session, database)
    if (!mark) return undefined
    const comment = mark.comment
    return comment.startsWith(COMMENT) ? comment.slice(COMMENT.length) : ''
  },

  async clear(settings: MysqlConnection, database: string, signal: AbortSignal): Promise<void> {
    await using session = await openSession(settings, signal)
    await session.query(`DROP TABLE IF EXISTS ${nameOf(database)}`)
  },
}

export async function isMarked(session: Session, database: string): Promise<boolean> {
  return (await findMark(session, database)).length > 0
}

function findMark(session: Session, database: string) {
  return session.query<{ comment: string }>(
    'SELECT TABLE_COMMENT AS comment FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [database, MARK],
  )
}

function nameOf(database: string): string {
  return `${quoteName(database)}.${quoteName(MARK)}`
}
