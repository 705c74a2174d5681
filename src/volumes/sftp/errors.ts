import { AppError, messageOf } from '../../shared/errors.ts'

/** The numbers that SFTP answers with. */
export const status = {
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  unsupported: 8,
} as const

/** The number that the server answered with; undefined for anything else that went wrong. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined
}

/** What a failed request means, in the server's words, which are few: most of its reasons are “Failure”. */
export function explainSftpError(error: unknown, doing: string, path: string, location: string): unknown {
  const code = statusOf(error)
  if (code === undefined) return error
  const sentence = `Could not ${doing} “${path}” on ${location}: ${messageOf(error)}.`
  if (code === status.permissionDenied) {
    return new AppError('volume_refused', sentence, {
      hint: 'The user who signs in must be allowed to read and write this folder.',
      cause: error,
    })
  }
  return new AppError('volume_refused', sentence, { cause: error })
}

/** Why no connection came about. */
export function explainConnectError(error: unknown, server: string, user: string): AppError {
  if (error instanceof AppError) return error
  const { level, code } = error as { level?: unknown; code?: unknown }
  if (level === 'client-authentication') {
    return new AppError('authentication_failed', `${server} refused user “${user}”: ${messageOf(error)}.`, {
      hint: 'Check user, password and private key; the server may allow only some ways to sign in.',
      cause: error,
    })
  }
  const sentence = `Could not connect to ${server}: ${messageOf(error)}.`
  if (code === 'ENOTFOUND') {
    return new AppError('volume_unreachable', sentence, {
      hint: 'No such host name.',
      cause: error,
      retryable: false,
    })
  }
  if (level === 'handshake' || level === 'protocol') {
    return new AppError('volume_unreachable', sentence, {
      hint: 'Something else than an SSH server listens there, or it offers only algorithms that are no longer safe.',
      cause: error,
      retryable: false,
    })
  }
  const hint = code === 'ECONNREFUSED' ? 'Nothing listens there: check host and port.' : undefined
  return new AppError('volume_unreachable', sentence, { hint, cause: error })
}
