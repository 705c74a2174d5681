import { dirname, isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../shared/errors.ts'
import type { UrlOrigin } from '../engine.ts'

/** Where the database file is. */
export type SqliteConnection = z.output<typeof sqliteConnection>

export const sqliteConnection = z.strictObject({
  path: z
    .string()
    .refine(isDatabasePath, 'must be the absolute path of a file, such as /var/lib/shop/shop.db')
    .meta({ title: 'File', description: 'The absolute path of the database file' }),
})

/**
 * `sqlite:/abs.db`, `sqlite:///abs.db`, or `sqlite:rel.db` below the current directory if it was written here. Characters
 * that mean something in a URL (`?`, `#`, `%`) are percent-encoded: `sqlite:/srv/50%25.db` is the file `/srv/50%.db`.
 */
export function sqliteFromUrl(
  url: string,
  _environment: NodeJS.ProcessEnv = {},
  origin: UrlOrigin = 'here',
): { connection: SqliteConnection; database: string } {
  const rest = /^sqlite:(.*)$/is.exec(url)?.[1]
  if (rest === undefined) throw invalidUrl('does not begin with sqlite:')
  if (/[?#]/.test(rest)) throw invalidUrl('contains ? or #, which are written %3F and %23 in a name')
  if (/^\/\/[^/]/.test(rest)) throw invalidUrl('names a host')
  const named = decode(rest.startsWith('///') ? rest.slice(2) : rest)
  if (origin === 'elsewhere' && named !== '' && !isAbsolute(named)) throw invalidUrl('names no absolute path')
  const path = resolve(named)
  if (rest === '' || rest.endsWith('/') || !isDatabasePath(path)) throw invalidUrl('names no file')
  return { connection: { path }, database: path }
}

/** The file that a database's name stands for: itself if absolute, else one beside the connection's. */
export function databasePath(connection: SqliteConnection, database: string): string {
  const path = resolve(dirname(connection.path), database)
  if (database !== '' && !database.endsWith('/') && isDatabasePath(path)) return path
  throw new AppError('invalid_input', `“${database.replaceAll('\0', '\\0')}” cannot be the name of a file.`)
}

function isDatabasePath(path: string): boolean {
  return isAbsolute(path) && resolve(path) !== '/' && !path.includes('\0')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw invalidUrl('has a % that is not followed by two hexadecimal digits; write % as %25', error)
  }
}

function invalidUrl(what: string, cause?: unknown): AppError {
  return new AppError('invalid_input', `The URL of the SQLite database ${what}.`, {
    hint: 'Write sqlite:/absolute/path.db, or sqlite:relative/path.db.',
    cause,
  })
}
