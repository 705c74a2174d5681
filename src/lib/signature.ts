import { createHmac, timingSafeEqual } from 'node:crypto'

/*
 * What is signed are these bytes: the timestamp in decimal digits as in its header, a full stop, and the body as it
 * is sent. The timestamp is signed too, so that nobody can send an old message again as a new one.
 */

/** How old, or how far ahead, a message may be for `verify`. */
const TOLERANCE_SECONDS = 300

export interface Signed {
  /** Seconds since 1970, in decimal digits. */
  timestamp: string
  /** `sha256=` and 64 hex digits. */
  signature: string
}

export function sign(secret: string, body: string | Uint8Array, seconds: number): Signed {
  const timestamp = String(Math.floor(seconds))
  return { timestamp, signature: `sha256=${digest(secret, body, timestamp).toString('hex')}` }
}

/** The headers that carry the signature of a request that is sent now. */
export function signatureHeaders(secret: string, body: string | Uint8Array): Record<string, string> {
  const { timestamp, signature } = sign(secret, body, Date.now() / 1000)
  return { 'x-holdfast-timestamp': timestamp, 'x-holdfast-signature': signature }
}

/** Whether the body was signed with the secret within five minutes of now. Takes as long for a wrong one as for a right one. */
export function verify(
  secret: string,
  body: string | Uint8Array,
  { timestamp, signature }: Signed,
  nowSeconds: number,
): boolean {
  if (!/^\d{1,15}$/.test(timestamp)) return false
  if (Math.abs(nowSeconds - Number(timestamp)) > TOLERANCE_SECONDS) return false
  const [, hex] = /^sha256=([0-9a-f]{64})$/.exec(signature) ?? []
  return hex !== undefined && timingSafeEqual(Buffer.from(hex, 'hex'), digest(secret, body, timestamp))
}

function digest(secret: string, body: string | Uint8Array, timestamp: string): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest()
}
