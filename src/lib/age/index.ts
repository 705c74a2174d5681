export { ageIdentityFits, decryptAge } from './decrypt.ts'
export { encryptAge } from './encrypt.ts'
export { parseIdentities, recipientsOf } from './keys.ts'
