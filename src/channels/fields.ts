import { httpUrl } from '../shared/fields.ts'
import { secret } from '../shared/secrets.ts'

/** A secret that travels in a header or in a URL. */
export function token(title: string, description?: string) {
  return secret(title, description)
    .trim()
    .min(1, 'must not be empty')
    .max(1000, 'must have at most 1000 characters')
    .regex(/^[\x21-\x7e]*$/, 'must be letters, digits and signs without spaces')
}

/** A URL that is all one needs to send something. */
export function secretUrl(title: string, description?: string) {
  return secret(title, description).trim().refine(isPlainHttpUrl, WANTED)
}

/** A receiver of one's own; secrets are sent to it. */
export function receiverUrl(title: string, description?: string) {
  return httpUrl()
    .refine(isPlainHttpUrl, WANTED)
    .meta({ title, ...(description !== undefined && { description }), addressee: true })
}

/** Below a base URL, whether or not that ends in a slash, and with its query. */
export function below(base: string, path: string): string {
  const url = new URL(base)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${path}`
  return url.href
}

const WANTED = 'must be a URL that begins with http:// or https://, without a user or password'

function isPlainHttpUrl(text: string): boolean {
  const url = URL.parse(text)
  return (
    url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === ''
  )
}
