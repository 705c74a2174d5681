import { messageOf } from '../shared/errors.ts'

/** Why no encrypted connection came about, for people; undefined for an error of another kind. */
export function tlsReason(error: unknown, code: string): string | undefined {
  const isTls =
    /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/.test(code) ||
    code === 'EPROTO'
  if (!isTls) return undefined
  const message = messageOf(error)
  // `write EPROTO 40…:error:0A…:SSL routines:some_function:wrong version number:../deps/…` → the part for people.
  return (/:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1] ?? message).trim().replace(/\.$/, '')
}

export const CERTIFICATE_HINT =
  'The certificate must be valid for this host name. For an authority of your own, start Holdfast with NODE_EXTRA_CA_CERTS naming its PEM file.'
