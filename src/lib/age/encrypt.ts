import { randomBytes } from 'node:crypto'
import { type AgeRecipients, createHeader } from './header.ts'
import { encryptPayload, PAYLOAD_NONCE_LENGTH } from './payload.ts'

/**
 * The bytes as an age file (https://age-encryption.org/v1), which `age -d` opens. What the source throws comes out
 * as it is, never as an end. Throws `invalid_input` for a recipient that is none.
 */
export async function* encryptAge(
  to: AgeRecipients,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const { header, fileKey } = await createHeader(to)
  const nonce = randomBytes(PAYLOAD_NONCE_LENGTH)
  yield Buffer.concat([header, nonce])
  yield* encryptPayload(fileKey, nonce, source)
}
