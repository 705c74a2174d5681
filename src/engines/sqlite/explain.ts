import { closeSync, openSync, readSync } from 'node:fs'
import { AppError, messageOf } from '../../shared/errors.ts'

/** Result codes of SQLite that we act on. Source: https://www.sqlite.org/rescode.html */
export const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const

/** The primary result code of what node:sqlite threw, or undefined if SQLite did not throw it. */
export function resultCode(thrown: unknown): number | undefined {
  const code = (thrown as { errcode?: unknown } | undefined)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** What SQLite's error, or the file system's, means for the file. */
export function explain(thrown: unknown, path: string): AppError {
  if (thrown instanceof AppError) return thrown
  const said = messageOf(thrown)
  switch (resultCode(thrown)) {
    case SQLITE.BUSY:
    case SQLITE.LOCKED:
      return new AppError('database_in_use', `${path} is locked by another process (${said}).`, {
        hint: 'A program holds a long transaction, or keeps the file in exclusive locking mode. Try again when it is done.',
        cause: thrown,
      })
    case SQLITE.CORRUPT:
      return new AppError('database_corrupt', `${path} is damaged: ${said}.`, {
        hint: 'Restore an earlier snapshot, or save what can be read with “sqlite3 FILE .recover”.',
        cause: thrown,
      })
    case SQLITE.NOTADB:
      return notADatabase(path, thrown)
    case SQLITE.FULL:
      return new AppError('disk_too_small', `There was no room to write while working on ${path}.`, {
        hint: 'Free some space beside the file, or name a larger work directory with HOLDFAST_WORK_DIR.',
        cause: thrown,
      })
    case SQLITE.READONLY:
    case SQLITE.CANTOPEN:
      return new AppError('permission_denied', `${path} could not be opened: ${said}.`, {
        hint: 'Holdfast must be allowed to read the file and to write in its folder, where SQLite keeps the -wal, -shm and -journal files.',
        cause: thrown,
      })
    case undefined:
      return explainFileError(thrown, path)
    default:
      return new AppError('database_error', `SQLite failed on ${path}: ${said}.`, { cause: thrown })
  }
}

export function notFound(path: string, cause?: unknown): AppError {
  return new AppError('database_not_found', `There is no file ${path}.`, {
    hint: 'Check the path on the machine where the backup runs; inside a container it is the path as mounted there.',
    cause,
  })
}

function explainFileError(thrown: unknown, path: string): AppError {
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code ?? ''
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return notFound(path, thrown)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new AppError('permission_denied', `${path}: ${messageOf(thrown)}.`, { cause: thrown })
    case 'ENOSPC':
    case 'EDQUOT':
      return new AppError('disk_too_small', `There was no room to write ${path}.`, { cause: thrown })
    case 'ENAMETOOLONG':
      return new AppError('invalid_input', `The name ${path} is too long for the file system.`, {
        cause: thrown,
      })
    default:
      return new AppError('database_error', `${path}: ${messageOf(thrown)}.`, { cause: thrown })
  }
}

/** Called only for files that SQLite has refused, on which nobody can hold SQLite's locks. */
function notADatabase(path: string, cause: unknown): AppError {
  const head = Buffer.alloc(4096)
  const file = openSync(path, 'r')
  let bytes: Buffer
  try {
    bytes = head.subarray(0, readSync(file, head))
  } finally {
    closeSync(file)
  }
  // Of 4096 random bytes about 256 different values; of text or of a plain page far fewer.
  if (new Set(bytes).size > 200) {
    return new AppError('unsupported', `${path} is not a plain SQLite database: its bytes look encrypted.`, {
      hint: 'Files of SQLCipher or SEE cannot be read without their key. Export the database from its application, and back up the export.',
      cause,
    })
  }
  return new AppError('unsupported', `${path} is not an SQLite database.`, { cause })
}
