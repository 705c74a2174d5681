import { fromEnvironment } from '../lib/environment.ts'
import type { KeyRing } from '../runner/encryption.ts'

/** All keys that the environment holds. The instance key falls back to APP_KEY. */
export async function keyRing(): Promise<KeyRing> {
  const active =
    fromEnvironment(process.env, 'BACKUP_ENCRYPTION_KEY') ?? fromEnvironment(process.env, 'APP_KEY')
  const previous = [
    ...list(fromEnvironment(process.env, 'BACKUP_PREVIOUS_ENCRYPTION_KEYS')),
    ...list(fromEnvironment(process.env, 'APP_PREVIOUS_KEYS')),
  ]
  const passphrase = fromEnvironment(process.env, 'HOLDFAST_AGE_PASSPHRASE')
  const identities = fromEnvironment(process.env, 'HOLDFAST_AGE_IDENTITY')
  return {
    instanceKeys: [...(active === undefined ? [] : [active]), ...previous],
    ageIdentities: identities === undefined ? [] : await parseIdentities(identities),
    agePassphrases: passphrase === undefined ? [] : [passphrase],
  }
}

async function parseIdentities(text: string): Promise<string[]> {
  const age = await import('../lib/age/index.ts')
  return age.parseIdentities(text)
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '')
}
