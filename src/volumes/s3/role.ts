import type * as Providers from '@aws-sdk/credential-providers'
import type { S3ClientConfig } from '@aws-sdk/client-s3'
import { AppError } from '../../shared/errors.ts'
import type { Transport } from './client.ts'
import { explainTransport, faultOf, isWorthRetrying, reasonOf } from './errors.ts'
import type { S3Settings } from './index.ts'

type RoleProvider = ReturnType<typeof Providers.fromTemporaryCredentials>

/**
 * What signs the requests: the role's credentials if a role is set, else the keys. Undefined leaves it to the SDK to
 * find some. `idle`: how long a silent token service is waited for, in milliseconds.
 */
export function credentialsOf(
  settings: S3Settings,
  transport: Transport,
  idle: number,
): S3ClientConfig['credentials'] {
  const { accessKeyId, secretAccessKey, sessionToken, roleArn } = settings
  const keys = accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, sessionToken } : undefined
  if (roleArn === undefined) return keys
  const endpoint = stsEndpoint(settings)
  const params = { RoleArn: roleArn, RoleSessionName: settings.roleSessionName }
  const clientConfig = {
    endpoint,
    region: settings.region,
    maxAttempts: 1,
    requestHandler: { ...transport, requestTimeout: idle, throwOnRequestTimeout: true },
  }
  let lend: RoleProvider | undefined
  const provide: RoleProvider = async (properties) => {
    // Few volumes have a role, and only those wait for this to load.
    const { fromTemporaryCredentials } = await import('@aws-sdk/credential-providers')
    lend ??= fromTemporaryCredentials({ masterCredentials: keys, params, clientConfig })
    try {
      return await lend(properties)
    } catch (error) {
      throw explainRoleError(error, roleArn, endpoint, idle)
    }
  }
  return provide
}

/** Undefined for AWS. Keys of another storage are never sent there. */
function stsEndpoint({ stsEndpoint, endpoint }: S3Settings): string | undefined {
  const isAmazon = endpoint === undefined || /\.amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname)
  return stsEndpoint ?? (isAmazon ? undefined : endpoint)
}

function explainRoleError(
  error: unknown,
  role: string,
  endpoint: string | undefined,
  idle: number,
): AppError {
  const fault = faultOf(error)
  const by = endpoint ?? 'AWS'
  const reason =
    fault.name === 'TimeoutError' ? `it did not answer for ${idle / 1000} seconds` : reasonOf(fault)
  const sentence = `Could not take on the role ${role}, which ${by} lends: ${reason}.`
  const retryable = isWorthRetrying(error)
  if (fault.name === 'CredentialsProviderError') {
    return new AppError('authentication_failed', sentence, {
      hint: 'A role is taken on with keys: give an access key ID and a secret access key, or run where the AWS SDK finds some.',
      cause: error,
    })
  }
  if (fault.status === undefined || retryable) {
    const { code, hint, retryable: mayPass = retryable } = explainTransport(fault, endpoint, 'STS endpoint')
    return new AppError(code, sentence, { hint, cause: error, retryable: mayPass })
  }
  return new AppError('authentication_failed', sentence, {
    hint:
      fault.status === 404
        ? 'Check the role’s ARN: there seems to be no such role.'
        : 'The keys must be right, their user must be allowed sts:AssumeRole, and the role’s trust policy must name that user.',
    cause: error,
  })
}
