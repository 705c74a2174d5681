import { AppError, messageOf } from '../../shared/errors.ts'

/** What a failed file operation means for a backup, in the system's own words. `doing`: “write”, “list”. */
export function explainFileError(error: unknown, doing: string, path: string): unknown {
  const code = errorCode(error)
  if (code === undefined) return error
  const sentence = `Could not ${doing} “${path}”: ${messageOf(error)}.`
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new AppError('volume_full', sentence, {
        hint: 'Free some room there, keep fewer snapshots, or choose another volume.',
        cause: error,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new AppError('volume_refused', sentence, {
        hint: 'The user that Holdfast runs as must be allowed to read and write this folder and all above it.',
        cause: error,
      })
    case 'ENOENT':
      return new AppError('volume_refused', sentence, {
        hint: 'No folder can be made there, or something else takes it away at once: choose another place.',
        cause: error,
      })
    case 'ENAMETOOLONG':
      return new AppError('invalid_input', sentence, { cause: error })
    case 'EISDIR':
    case 'ENOTDIR':
    case 'ENOTEMPTY':
    case 'ELOOP':
      return new AppError('volume_refused', sentence, {
        hint: 'A folder, a file and a symbolic link cannot stand for each other: something else has put one there.',
        cause: error,
      })
    default:
      return new AppError('volume_unreachable', sentence, { cause: error })
  }
}

/** `ENOSPC` and the like; undefined for anything that no system call threw. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined
}
