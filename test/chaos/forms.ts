import { execFileSync } from 'node:child_process'
import { oneOf } from './suite.ts'

/** The wrappers that a snapshot can have, with the keys for both directions. */
export interface Form {
  name: string
  args: string[]
  env: Record<string, string>
}

const instanceKey = { BACKUP_ENCRYPTION_KEY: 'base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=' }
const passphrase = { HOLDFAST_AGE_PASSPHRASE: 'correct horse battery staple' }

const compressions = ['none', 'gzip:1', 'zstd', 'zstd:3:2'] as const

/** Made anew for each run of the tests; age-keygen is what people use. */
let identity: { secret: string; recipient: string } | undefined
function ageIdentity(): { secret: string; recipient: string } {
  if (identity) return identity
  const said = execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const [recipient] = /age1\w+/.exec(said) ?? []
  const [secret] = /AGE-SECRET-KEY-1\w+/.exec(said) ?? []
  if (!recipient || !secret) throw new Error('age-keygen made no identity.')
  return (identity = { secret, recipient })
}

export function encryptions(): Form[] {
  const { secret, recipient } = ageIdentity()
  return [
    { name: 'none', args: ['--encryption', 'none'], env: {} },
    { name: '7z', args: ['--encryption', '7z'], env: instanceKey },
    { name: 'age', args: ['--encryption', `age:${recipient}`], env: { HOLDFAST_AGE_IDENTITY: secret } },
    { name: 'age passphrase', args: ['--encryption', 'age:passphrase'], env: passphrase },
  ]
}

/** Every compression with every encryption. */
export function allForms(): Form[] {
  return compressions.flatMap((compression) =>
    encryptions().map(({ name, args, env }) => ({
      name: `${compression}, ${name}`,
      args: ['--compression', compression, ...args],
      env,
    })),
  )
}

/** Any of them, but none with a passphrase, which takes a second to become a key. */
export function anyForm(): Form {
  return oneOf(allForms().filter(({ name }) => !name.includes('passphrase')))
}
