import { Decrypter, identityToRecipient } from 'age-encryption'
import { AppError } from '../../shared/errors.ts'

/** What opens age files. All of it is secret. */
export interface AgeKeys {
  /** `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…` */
  identities?: readonly string[]
  passphrases?: readonly string[]
}

/**
 * The identities in a file as age-keygen writes it: one on a line, between comments and empty lines. Throws
 * `invalid_input` naming the line, never what it says.
 */
export function parseIdentities(text: string): string[] {
  const identities: string[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const identity = line.trim()
    if (identity === '' || identity.startsWith('#')) continue
    checkIdentity(identity, `Line ${i + 1} of the identity file`)
    identities.push(identity)
  }
  if (identities.length === 0) throw new AppError('invalid_input', 'The identity file contains no identity.')
  return identities
}

/** The recipients (`age1…`) whose files the identities open; takes one identity, or a file of several. */
export function recipientsOf(identities: string): Promise<string[]> {
  return Promise.all(parseIdentities(identities).map((identity) => identityToRecipient(identity)))
}

/** Throws `invalid_input`; `what` says where the identity was found. */
export function checkIdentity(identity: string, what: string): void {
  try {
    new Decrypter().addIdentity(identity)
  } catch {
    // Without the cause: the package quotes the whole identity in some of its messages.
    throw new AppError('invalid_input', `${what} is not an age identity.`, {
      hint: 'An identity begins with AGE-SECRET-KEY-1 and is complete; age-keygen makes one. Plug-ins and SSH keys are not supported.',
    })
  }
}
