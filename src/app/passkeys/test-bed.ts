import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const PRESENT = 1
const VERIFIED = 4
const MAY_BE_BACKED_UP = 8
const BACKED_UP = 16
const HAS_CREDENTIAL = 64

interface Ceremony {
  challenge: string
  rpId: string
  origin: string
  /** Whether the device has asked for its user. */
  isVerified?: boolean
  counter?: number
  isBackedUp?: boolean
  type?: string
}

/** A device that keeps one passkey, and does what it is told. */
export function makeAuthenticator() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = randomBytes(16)
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  // COSE: {1: 2, 3: -7, -1: 1, -2: x, -3: y}
  const key = Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    Buffer.from(x, 'base64url'),
    Buffer.from('225820', 'hex'),
    Buffer.from(y, 'base64url'),
  ])
  const common = {
    id: id.toString('base64url'),
    rawId: id.toString('base64url'),
    type: 'public-key' as const,
  }
  return {
    credentialId: common.id,
    /** What `navigator.credentials.create` gives. */
    create(ceremony: Ceremony) {
      const length = Buffer.from([0, id.length])
      const credential = Buffer.concat([Buffer.alloc(16), length, id, key])
      const authData = Buffer.concat([dataOf(ceremony, HAS_CREDENTIAL), credential])
      const attestationObject = Buffer.concat([
        Buffer.from([0xa3]),
        text('fmt'),
        text('none'),
        text('attStmt'),
        Buffer.from([0xa0]),
        text('authData'),
        Buffer.from([0x58, authData.length]),
        authData,
      ])
      return {
        ...common,
        response: {
          clientDataJSON: clientData('webauthn.create', ceremony).toString('base64url'),
          attestationObject: attestationObject.toString('base64url'),
          transports: ['internal'],
        },
        clientExtensionResults: {},
      }
    },
    /** What `navigator.credentials.get` gives. */
    get(ceremony: Ceremony & { userHandle?: string }) {
      const authenticatorData = dataOf(ceremony, 0)
      const json = clientData('webauthn.get', ceremony)
      const signed = Buffer.concat([authenticatorData, sha256(json)])
      return {
        ...common,
        response: {
          clientDataJSON: json.toString('base64url'),
          authenticatorData: authenticatorData.toString('base64url'),
          signature: sign('sha256', signed, privateKey).toString('base64url'),
          userHandle: ceremony.userHandle ?? null,
        },
        clientExtensionResults: {},
        authenticatorAttachment: null,
      }
    },
  }
}

function dataOf(
  { rpId, isVerified = true, counter = 0, isBackedUp = false }: Ceremony,
  more: number,
): Buffer {
  const backup = isBackedUp ? MAY_BE_BACKED_UP | BACKED_UP : 0
  const head = Buffer.alloc(5)
  head[0] = PRESENT | (isVerified ? VERIFIED : 0) | backup | more
  head.writeUInt32BE(counter, 1)
  return Buffer.concat([sha256(rpId), head])
}

function clientData(type: string, { challenge, origin, ...ceremony }: Ceremony): Buffer {
  return Buffer.from(JSON.stringify({ type: ceremony.type ?? type, challenge, origin, crossOrigin: false }))
}

/** A short text in CBOR. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)])
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest()
}
