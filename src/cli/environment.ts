import { readFileSync } from 'node:fs'
import { parseIdentities } from '../lib/age/index.ts'
import { AppError, messageOf } from '../shared/errors.ts'
import type { KeyRing } from '../runner/encryption.ts'

/** The value of `NAME`, or what is in the file that `NAME_FILE` names, without the last line break. */
export function setting(name: string): string | undefined {
  const direct = process.env[name]
  if (direct !== undefined && direct !== '') return direct
  const path = process.env[`${name}_FILE`]
  if (path === undefined || path === '') return undefined
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new AppError(
      'invalid_input',
      `${name}_FILE names ${path}, which cannot be read: ${messageOf(error)}.`,
      {
        cause: error,
      },
    )
  }
}

/** All keys that the environment holds. The instance key falls back to APP_KEY. */
export function keyRing(): KeyRing {
  const active = setting('BACKUP_ENCRYPTION_KEY') ?? setting('APP_KEY')
  const previous = [
    ...list(setting('BACKUP_PREVIOUS_ENCRYPTION_KEYS')),
    ...list(setting('APP_PREVIOUS_KEYS')),
  ]
  const passphrase = setting('HOLDFAST_AGE_PASSPHRASE')
  const identities = setting('HOLDFAST_AGE_IDENTITY')
  return {
    instanceKeys: [...(active === undefined ? [] : [active]), ...previous],
    ageIdentities: identities === undefined ? [] : parseIdentities(identities),
    agePassphrases: passphrase === undefined ? [] : [passphrase],
  }
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '')
}
