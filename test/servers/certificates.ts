import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './process.ts'
import { tempFolder } from './temp-folder.ts'

export interface KeyPair {
  certificate: string
  key: string
}

/** All as PEM. */
export interface Certificates {
  ca: string
  /** A CA that has signed nothing: a client that trusts only this one must refuse the server. */
  otherCa: string
  server: KeyPair
  /** Signed by the CA, with the common name `certified`. */
  client: KeyPair
}

/** The user who signs in with the client certificate, on servers that are started with TLS. */
export const certifiedUser = 'certified'

export interface TlsOptions {
  /** What the server's certificate is for, if not for 127.0.0.1 and localhost. */
  serverNames?: string[]
}

export async function makeCertificates({ serverNames }: TlsOptions = {}): Promise<Certificates> {
  await using folder = await tempFolder('certificates')
  const names = serverNames?.map((name) => `DNS:${name}`) ?? ['IP:127.0.0.1', 'DNS:localhost']
  const make = async (file: string, subject: string, options: string[]): Promise<KeyPair> => {
    const newKey = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      `${file}.key`,
    ]
    await run({
      file: 'openssl',
      args: ['req', '-x509', ...newKey, '-out', `${file}.pem`, '-days', '2', '-subj', subject, ...options],
      folder: folder.path,
    })
    const read = (suffix: string) => readFile(join(folder.path, file + suffix), 'utf8')
    return { certificate: await read('.pem'), key: await read('.key') }
  }
  const [ca, otherCa] = await Promise.all([
    make('ca', '/CN=Test CA', ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']),
    make('other-ca', '/CN=Another CA', ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']),
  ])
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'basicConstraints=critical,CA:FALSE']
  const [server, client] = await Promise.all([
    make('server', '/CN=Test server', [...signed, '-addext', `subjectAltName=${names.join(',')}`]),
    make('client', `/CN=${certifiedUser}`, [...signed, '-addext', 'extendedKeyUsage=clientAuth']),
  ])
  return { ca: ca.certificate, otherCa: otherCa.certificate, server, client }
}
