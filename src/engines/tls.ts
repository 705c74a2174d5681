import { z } from 'zod'
import { secret } from '../shared/secrets.ts'

export const tlsModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type TlsMode = (typeof tlsModes)[number]

/** The settings of an encrypted connection, the same for every engine that is reached over the network. */
export const tlsFields = {
  tls: z.enum(tlsModes).default('prefer').meta({
    title: 'TLS',
    description:
      'prefer: if the server offers it · verify-ca: a certificate we trust · verify-full: and for this host',
  }),
  tlsCa: z.string().optional().meta({
    title: 'CA certificate',
    description: 'PEM. Without it, verifying relies on the well-known authorities',
    multiline: true,
  }),
  tlsCertificate: z
    .string()
    .optional()
    .meta({ title: 'Client certificate', description: 'PEM', multiline: true }),
  tlsKey: secret('Client key', 'PEM').meta({ multiline: true }).optional(),
}

/** For `refine`: a client certificate and its key come together, or not at all. */
export function hasWholeIdentity(settings: { tlsCertificate?: string; tlsKey?: string }): boolean {
  return !settings.tlsCertificate === !settings.tlsKey
}

export const halfIdentity = {
  message: 'A client certificate needs its key, and the key its certificate.',
  path: ['tlsKey'],
}
