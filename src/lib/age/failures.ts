import { AppError } from '../../shared/errors.ts'

/** `decryption_failed`; `what` completes the sentence “The age file is damaged or incomplete: …”. */
export function damaged(what: string, cause?: unknown): AppError {
  return new AppError('decryption_failed', `The age file is damaged or incomplete: ${what}.`, {
    hint: 'Use another copy of it, if there is one.',
    cause,
  })
}
