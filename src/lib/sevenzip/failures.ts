import { AppError } from '../../shared/errors.ts'

/** A 7z archive in a form that only the 7-Zip program reads: `openForeignSevenzip`. */
export class ForeignSevenzip extends AppError {
  /** `what` completes the sentence “The 7z archive …”. */
  constructor(what: string) {
    super('unsupported', `The 7z archive ${what}.`, { hint: 'The 7-Zip program (7zz) can read it.' })
  }
}

/** `decryption_failed`; `what` completes the sentence “The 7z archive is damaged: …”. */
export function damaged(what: string, cause?: unknown): AppError {
  return new AppError('decryption_failed', `The 7z archive is damaged: ${what}.`, {
    hint: 'Use another copy of it, if there is one.',
    cause,
  })
}

/** `key_wrong`. */
export function wrongPassword(cause?: unknown): AppError {
  return new AppError('key_wrong', 'The password does not open the 7z archive.', {
    hint: 'It was made with another key. If the key is right beyond doubt, the archive is damaged.',
    cause,
  })
}
