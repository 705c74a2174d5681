import type { KeyCheck } from '../../../src/shared/encryption-keys.ts'
import { msg } from '../i18n/i18n.ts'

export const keyKinds: Record<KeyCheck['kind'], { label: string; about: string }> = {
  instance: { label: msg('Instance key'), about: msg('7z, with the key of the environment') },
  password: { label: msg('Password'), about: msg('7z, AES-256: any 7-Zip opens it with the password') },
  recipients: {
    label: msg('Recipients'),
    about: msg('age: Holdfast can write, but only your identity can read'),
  },
  passphrase: { label: msg('Passphrase'), about: msg('age: any age program opens it with the passphrase') },
  unknown: { label: msg('Not known'), about: msg('Only snapshots name it') },
}

export const keyStates: Record<KeyCheck['state'], { label: string; color: string }> = {
  active: { label: msg('active'), color: 'green' },
  retired: { label: msg('retired'), color: 'gray' },
  missing: { label: msg('missing'), color: 'red' },
}
