import { AppError, messageOf } from '../../shared/errors.ts'
import type { Bucket } from './client.ts'

/** What the SDK's errors carry, as far as we look at them. */
export interface S3Fault {
  name: string
  message: string
  code?: unknown
  status: number | undefined
  /** The region that the server wants. */
  region?: string | undefined
  clockSkewCorrected: boolean
}

/** Codes of the network, of which another try may get the better. */
const PASSING = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTDOWN',
  'ERR_STREAM_PREMATURE_CLOSE',
])

/** Names that servers give to what passes, or to bytes that were damaged on the way. */
const PASSING_NAMES = new Set([
  'SlowDown',
  'RequestTimeout',
  'TimeoutError',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'InternalError',
  'ServiceUnavailable',
  'IncompleteBody',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'XAmzContentChecksumMismatch',
])

/** True for what may pass by itself: a lost connection, an overloaded server, bytes damaged on the way. */
export function isWorthRetrying(error: unknown): boolean {
  if (error instanceof AppError) return error.retryable
  const fault = faultOf(error)
  if (fault.status !== undefined && [429, 500, 502, 503, 504].includes(fault.status)) return true
  if (PASSING_NAMES.has(fault.name) || fault.clockSkewCorrected) return true
  if (typeof fault.code !== 'string') return fault.status === 200 && error instanceof SyntaxError // a reply cut short
  return PASSING.has(fault.code) || fault.code.startsWith('HPE_')
}

export function statusOf(error: unknown): number | undefined {
  return faultOf(error).status
}

/** Redirected or refused; not: unable at the moment. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error) ?? 0
  return status >= 300 && status < 500 && status !== 416 && status !== 429
}

export function nameOf(error: unknown): string {
  return faultOf(error).name
}

/** What a refused or failed request means, with what to do about it. */
export function explainS3Error(
  error: unknown,
  action: { doing: string; permission: string },
  bucket: Bucket,
): AppError {
  if (error instanceof AppError) return error
  const fault = faultOf(error)
  const { code, hint, retryable } = meaningOf(fault, action, bucket)
  const sentence = `Could not ${action.doing} in ${bucket.location}: ${reasonOf(fault)}.`
  return new AppError(code, sentence, { hint, cause: error, retryable })
}

/** The server's own words, without a full stop; never empty. */
export function reasonOf(fault: S3Fault): string {
  const said = [fault.name, fault.message].filter(
    (part) => !['Error', 'Unknown', 'UnknownError'].includes(part),
  )
  const status = fault.status ? ` (HTTP ${fault.status})` : ''
  return `${[...new Set(said)].join(': ').replace(/\.$/, '') || 'it gave no reason'}${status}`
}

/** Why there was no connection, or no answer on it. `setting`: where the endpoint is set, for hints. */
export function explainTransport(
  fault: S3Fault,
  endpoint: string | undefined,
  setting = 'endpoint',
): { code: AppError['code']; hint?: string; retryable?: boolean } {
  const code = typeof fault.code === 'string' ? fault.code : ''
  if (code === 'ENOTFOUND') {
    return {
      code: 'volume_unreachable',
      hint: endpoint
        ? `No such host name: check the ${setting}. Servers of your own mostly want path-style=true.`
        : 'No such host name: check region and network.',
      retryable: false,
    }
  }
  if (code === 'ECONNREFUSED') {
    return {
      code: 'volume_unreachable',
      hint: `Nothing listens there: check the ${setting}’s host and port.`,
    }
  }
  const hint = tlsHint(code, setting)
  return hint ? { code: 'tls_failed', hint, retryable: false } : { code: 'volume_unreachable' }
}

function tlsHint(code: string, setting: string): string | undefined {
  if (/SELF_SIGNED|UNABLE_TO|CERT_UNTRUSTED|CERT_SIGNATURE/.test(code)) {
    return 'The certificate comes from an authority that is not trusted. If it is your own, set ca to its PEM certificate.'
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `The certificate is for another name than the ${setting}’s.`
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return 'Renew the server’s certificate, or set this machine’s clock.'
  }
  if (/CERT|ERR_TLS|ERR_SSL|EPROTO/.test(code)) {
    return `No TLS connection came about: does the ${setting} begin with https: where the server speaks http?`
  }
  return undefined
}

/** The policy that lets a user do all that Holdfast does. */
function policyFor(bucket: Bucket): string {
  const { bucket: name, prefix, objectLockMode } = bucket.settings
  const arn = `arn:aws:s3:::${name}`
  const onObjects = ['s3:PutObject', 's3:GetObject', 's3:DeleteObject', 's3:AbortMultipartUpload']
  if (objectLockMode) onObjects.push('s3:PutObjectRetention', 's3:GetObjectRetention')
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: onObjects, Resource: `${arn}/${prefix && `${prefix}/`}*` },
      { Effect: 'Allow', Action: ['s3:ListBucket', 's3:ListBucketMultipartUploads'], Resource: arn },
    ],
  })
}

function meaningOf(
  fault: S3Fault,
  action: { permission: string },
  bucket: Bucket,
): { code: AppError['code']; hint?: string; retryable?: boolean } {
  const { settings } = bucket
  switch (fault.name) {
    case 'NoSuchBucket':
      return {
        code: 'volume_refused',
        hint: `Make the bucket “${settings.bucket}” first, or correct its name.`,
      }
    case 'InvalidAccessKeyId':
    case 'InvalidToken':
    case 'ExpiredToken':
      return {
        code: 'authentication_failed',
        hint: 'Check the access key ID: the storage does not know it (any more).',
      }
    case 'SignatureDoesNotMatch':
      return {
        code: 'authentication_failed',
        hint: 'Check the secret access key; a wrong region or a proxy that changes requests looks the same.',
      }
    case 'CredentialsProviderError':
      return {
        code: 'authentication_failed',
        hint: 'Give an access key ID and a secret access key, or run where the AWS SDK finds credentials of its own.',
      }
    case 'RequestTimeTooSkewed':
      return {
        code: 'volume_refused',
        hint: 'This machine’s clock and the storage’s differ too much: set the clock.',
      }
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return elsewhere(fault, bucket)
    case 'QuotaExceeded':
    case 'EntityTooLarge':
    case 'InsufficientStorage':
    case 'XMinioStorageFull':
      return { code: 'volume_full' }
    case 'InvalidArgument':
    case 'InvalidPartNumber':
    case 'TooManyParts':
      return {
        code: 'volume_refused',
        hint: `Some providers allow fewer than ${settings.maxParts} parts: then set max-parts=1000.`,
      }
    case 'BadDigest':
    case 'XAmzContentSHA256Mismatch':
    case 'XAmzContentChecksumMismatch':
      return { code: 'volume_corrupted', hint: 'Something between here and the storage changes the bytes.' }
    case 'NotImplemented':
      return { code: 'volume_refused', hint: 'For an older server try request-checksums=when-required.' }
  }
  if (fault.status === 401 || fault.status === 403 || fault.name === 'AccessDenied') {
    return {
      code: 'volume_refused',
      hint: `The user needs the permission ${action.permission}. A policy with all that Holdfast needs: ${policyFor(bucket)}`,
    }
  }
  if (fault.status === 301 || fault.status === 307) return elsewhere(fault, bucket)
  if (fault.status === 507) return { code: 'volume_full' }
  if (fault.status !== undefined && fault.status >= 400 && fault.status < 500 && fault.status !== 429) {
    return { code: 'volume_refused' }
  }
  return explainTransport(fault, settings.endpoint)
}

function elsewhere(fault: S3Fault, { settings }: Bucket): { code: AppError['code']; hint: string } {
  const right = fault.region && `It wants region=${fault.region}.`
  return {
    code: 'volume_refused',
    hint: `The bucket seems to be in another region than “${settings.region}”. ${right ?? 'Set its region.'} If you gave an endpoint, it must be that region’s.`,
  }
}

export function faultOf(error: unknown): S3Fault {
  if (typeof error !== 'object' || error === null) {
    return { name: 'Error', message: messageOf(error), status: undefined, clockSkewCorrected: false }
  }
  const fault = error as {
    name?: unknown
    code?: unknown
    Region?: string
    $response?: { headers?: Record<string, string> }
    $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean }
  }
  // An unreachable host with several addresses comes as an AggregateError, whose members say why.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  const code = fault.code ?? (first instanceof Error && 'code' in first ? first.code : undefined)
  return {
    name: typeof fault.name === 'string' ? fault.name : 'Error',
    message: withoutOpenSsl(messageOf(error)),
    code,
    status: fault.$metadata?.httpStatusCode,
    region: fault.Region ?? fault.$response?.headers?.['x-amz-bucket-region'],
    clockSkewCorrected: fault.$metadata?.clockSkewCorrected === true,
  }
}

/** `write EPROTO 40…:error:0A…:SSL routines:some_function:wrong version number:../deps/…` → the part for people. */
function withoutOpenSsl(message: string): string {
  return /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(message)?.[1] ?? message
}
