import type { Agent as HttpAgent } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { isIP } from 'node:net'
import type * as SdkModule from '@aws-sdk/client-s3'
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { checkedUrl, guardedLookup } from '../../lib/ssrf.ts'
import { retried, type Patience } from '../backoff.ts'
import { idleLimit, orAborted } from '../deadline.ts'
import type { S3Settings } from './index.ts'
import { explainS3Error, isWorthRetrying } from './errors.ts'
import { credentialsOf } from './role.ts'

type Sdk = typeof SdkModule

/** A bucket, and what a request to it needs. */
export interface Bucket {
  settings: S3Settings
  /** For sentences: `s3://bucket/prefix`. */
  location: string
  /** Loaded with the first request: the SDK takes 120 ms to load, which no other volume should pay for. */
  connect(): Promise<{ client: S3Client; sdk: Sdk }>
  patience: Patience
  /** How long a silent server is waited for, in milliseconds. */
  idle: number
  /** In bytes, of the part with this number (from 1), where at most `limit` are allowed. */
  partSize(number: number, limit: number): number
  /** The whole name of a key's object. */
  objectName(key: string): string
  close(): Promise<void>
}

export function openBucket(
  settings: S3Settings,
  patience: Patience,
  idle: number,
  partSize: Bucket['partSize'],
): Bucket {
  const prefix = settings.prefix === '' ? '' : `${settings.prefix}/`
  let connected: Promise<{ client: S3Client; sdk: Sdk }> | undefined
  return {
    settings,
    location: `s3://${settings.bucket}${settings.prefix && `/${settings.prefix}`}`,
    connect() {
      connected ??= connect(settings, idle)
      return connected
    },
    patience,
    idle,
    partSize,
    objectName: (key) => prefix + key,
    async close() {
      // What kept it from being opened was told to whoever asked.
      const opened = await connected?.catch(() => undefined)
      opened?.client.destroy()
    },
  }
}

/** Whoever may add a volume must not have us ask what gives out credentials. Throws `address_refused`. */
async function connect(settings: S3Settings, idle: number): Promise<{ client: S3Client; sdk: Sdk }> {
  for (const endpoint of [settings.endpoint, settings.stsEndpoint]) {
    if (endpoint !== undefined) checkedUrl(endpoint)
  }
  const sdk = await import('@aws-sdk/client-s3')
  return { sdk, client: new sdk.S3Client(clientConfig(settings, idle)) }
}

/** How the SDK's clients connect. The one that is destroyed first ends the connections of all that share it. */
export interface Transport {
  /** In milliseconds. */
  connectionTimeout: number
  httpAgent: HttpAgent
  httpsAgent: HttpsAgent
}

/** What a request may use to say that it is alive, and to give up when the server is not. */
export interface Attempt {
  client: S3Client
  sdk: Sdk
  signal: AbortSignal
  touch: () => void
  /** From 1. A reply that was lost makes the first try's outcome unknown to the second. */
  number: number
}

/**
 * Sends a request, again if that can help, and explains the failure. `action` is what is done (“list”) and needs
 * that permission. The SDK's own retries are switched off: they know nothing of our signal and our pauses.
 */
export async function request<T>(
  bucket: Bucket,
  action: { doing: string; permission: string },
  signal: AbortSignal,
  send: (attempt: Attempt) => Promise<T>,
  idle = bucket.idle,
): Promise<T> {
  try {
    const connected = await bucket.connect()
    return await retried(
      async (number) => {
        // Here, because the SDK would not stop asking for them when the signal aborts.
        await orAborted(connected.client.config.credentials(), signal)
        using limit = idleLimit(idle, bucket.settings.endpoint ?? bucket.location, signal)
        try {
          return await send({ ...connected, signal: limit.signal, touch: () => limit.touch(), number })
        } catch (error) {
          throw limit.signal.aborted ? limit.signal.reason : error
        }
      },
      isWorthRetrying,
      bucket.patience,
      signal,
    )
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw explainS3Error(error, action, bucket)
  }
}

/** The SDK's settings; `endpoint` instead of the volume's own for links that others will follow. */
export function clientConfig(
  settings: S3Settings,
  idle: number,
  endpoint = settings.endpoint,
): S3ClientConfig {
  // Of our own, because the SDK would otherwise take a fresh connection for each part. Requests are bounded by the
  // volume's concurrency, not here.
  const agent = { keepAlive: true, maxSockets: 256, lookup: guardedLookup() }
  // Imported at the top, node:http would load undici for its WebSocket: 60 ms, for every command.
  const [http, https] = [process.getBuiltinModule('node:http'), process.getBuiltinModule('node:https')]
  const transport: Transport = {
    connectionTimeout: 10_000,
    httpAgent: new http.Agent(agent),
    httpsAgent: new https.Agent({ ...agent, ca: settings.ca }),
  }
  return {
    region: settings.region,
    endpoint,
    forcePathStyle: settings.pathStyle || isAddress(endpoint),
    credentials: credentialsOf(settings, transport, idle),
    maxAttempts: 1,
    // What fails is thrown; the SDK would print warnings besides.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    followRegionRedirects: false,
    // We send and compare our own; the SDK's would hold back each part for a second pass over its bytes.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: transport,
  }
}

/** A bucket's name cannot stand before an IP address, nor usefully before localhost. */
function isAddress(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return false
  const host = new URL(endpoint).hostname.replace(/^\[|\]$/g, '')
  return isIP(host) !== 0 || host === 'localhost'
}
