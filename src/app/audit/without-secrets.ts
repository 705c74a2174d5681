/*
 * What is shown once (a token, a link, recovery codes) has its place in an answer, and none in a log. Whoever adds such a
 * field to an answer calls it one of these, or says so at its route (`auditSecrets`).
 */

/** Fields of these names are left out, unless what is in them is a mask. */
const SECRET_NAMES =
  /^(uri|cookie|qrcode|.*(link|token|secret|password|passphrase|privatekey|recoverycodes?|backupcodes?))$/i
/** As `maskSecret` makes them. */
const MASK = /^(\*{8}|.{4}\*{4}|)$/su
/** A token of ours, the identity of an age key, the secret of a second factor: wherever they are. */
const SECRET_TEXTS = /hf_[A-Za-z0-9_-]{43}|AGE-SECRET-KEY-[A-Z0-9-]+|otpauth:\/\/\S+/g

/** The value without secrets: what its presenter has masked stays as it is. */
export function withoutSecrets(value: unknown, more: readonly string[] = []): unknown {
  if (typeof value === 'string') return value.replace(SECRET_TEXTS, '****')
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, more))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const isSecret = SECRET_NAMES.test(name) || more.includes(name)
    return isSecret && !isHarmless(field) ? [] : [[name, withoutSecrets(field, more)] as const]
  })
  return Object.fromEntries(fields)
}

/** What cannot be a secret itself, and what is masked. Objects are looked into. */
function isHarmless(field: unknown): boolean {
  if (typeof field === 'string') return MASK.test(field)
  if (Array.isArray(field)) return field.every((item) => typeof item === 'object' && item !== null)
  return typeof field !== 'number'
}
