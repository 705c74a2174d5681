import {
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  startAuthentication,
  startRegistration,
  WebAuthnError,
} from '@simplewebauthn/browser'
import type { NewPasskey } from '../../../src/client/api.ts'
import { AppError, asAppError } from '../../../src/shared/errors.ts'
import { msg } from '../i18n/i18n.ts'
import { tryOnce } from './use-try.ts'

export { browserSupportsWebAuthn } from '@simplewebauthn/browser'

/** Asks the device for a passkey, and signs in with it. */
export async function signInWithPasskey(): Promise<void> {
  const { body } = await tryOnce('POST /api/v1/sign-in/passkey/options')
  const optionsJSON = body as unknown as PublicKeyCredentialRequestOptionsJSON
  const { clientExtensionResults: _, ...response } = await ofDevice(() =>
    startAuthentication({ optionsJSON }),
  )
  await tryOnce('POST /api/v1/sign-in/passkey', { body: { response: { ...response, type: 'public-key' } } })
}

/** Has the device make a passkey, and adds it to the ways to sign in. */
export async function addPasskey(name: string): Promise<void> {
  const { body } = await tryOnce('POST /api/v1/me/passkeys/options')
  const optionsJSON = body as unknown as PublicKeyCredentialCreationOptionsJSON
  const { id, rawId, response, authenticatorAttachment } = await ofDevice(() =>
    startRegistration({ optionsJSON }),
  )
  const { clientDataJSON, attestationObject, transports } = response
  const passkey: NewPasskey['response'] = {
    id,
    rawId,
    type: 'public-key',
    response: { clientDataJSON, attestationObject, ...(transports && { transports }) },
    ...(authenticatorAttachment && { authenticatorAttachment }),
  }
  await tryOnce('POST /api/v1/me/passkeys', { body: { name, response: passkey } })
}

async function ofDevice<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw faultOf(error)
  }
}

/** A browser does not tell whether somebody changed their mind, or there was no passkey: that would be known to any page. */
function faultOf(error: unknown): AppError {
  if (!(error instanceof Error)) return asAppError(error)
  if (error instanceof WebAuthnError && error.code === 'ERROR_AUTHENTICATOR_PREVIOUSLY_REGISTERED') {
    return new AppError('passkey_refused', msg('This device has a passkey for your account already.'))
  }
  if (error.name === 'NotAllowedError' || error.name === 'AbortError') {
    return new AppError('passkey_refused', msg('No passkey was used.'), {
      hint: msg('It was cancelled, took too long, or this device has no passkey for Holdfast.'),
      cause: error,
    })
  }
  return new AppError('passkey_refused', error.message, { cause: error })
}
