export { ageIdentityFits, decryptAge } from './decrypt.ts'
export { encryptAge } from './encrypt.ts'
export type { AgeRecipients } from './header.ts'
export { type AgeKeys, parseIdentities, recipientsOf } from './keys.ts'
