import { z } from 'zod'
import { X509Certificate } from 'node:crypto'
import { httpUrl, wholeNumber } from '../../shared/fields.ts'
import { secret } from '../../shared/secrets.ts'
import { fromEnvironment, readNamedFile } from '../../lib/environment.ts'
import { AppError } from '../../shared/errors.ts'
import { patient, type Patience } from '../backoff.ts'
import { decoded, settingsFromQuery } from '../url.ts'
import { defineVolume, type Volume, type WriteOnlyVolume } from '../volume.ts'
import { openBucket, request } from './client.ts'
import { examineBucket } from './examine.ts'
import { partSize } from './parts.ts'
import { presignObject } from './presign.ts'
import { putFile, putSizes } from './put.ts'
import { listObjects, notFound, readObject, statObject } from './read.ts'
import { removeObject } from './remove.ts'
import { discardUnfinished } from './uploads.ts'
import { writeObject } from './write.ts'

const BUCKET = 'must be the name of a bucket, which has 3 to 255 characters'

const config = z
  .strictObject({
    bucket: z.string(BUCKET).min(3, BUCKET).max(255, BUCKET).meta({ title: 'Bucket' }),
    prefix: z
      .string()
      .transform((prefix) => prefix.replace(/^\/+|\/+$/g, ''))
      .default('')
      .meta({ title: 'Prefix', description: 'The folder in the bucket; empty for the whole bucket' }),
    region: z.string().min(1, 'must not be empty').default('us-east-1').meta({ title: 'Region' }),
    endpoint: httpUrl()
      .optional()
      .meta({ title: 'Endpoint', description: 'Leave empty for AWS', addressee: true }),
    publicEndpoint: httpUrl().optional().meta({
      title: 'Public endpoint',
      description: 'Only for download links, if others reach the storage by another name',
      addressee: true,
    }),
    pathStyle: z.boolean().default(false).meta({
      title: 'Path style',
      description: 'The bucket is part of the path, not of the host name. Most servers of your own want it.',
    }),
    accessKeyId: z.string().optional().meta({
      title: 'Access key ID',
      description: 'Leave both keys empty to use what the AWS SDK finds: environment, profile, role',
      addressee: true,
    }),
    secretAccessKey: secret('Secret access key').optional(),
    sessionToken: secret('Session token', 'Of temporary keys').optional(),
    roleArn: z
      .string()
      .regex(/^arn:\S{16,}$/, 'must be like arn:aws:iam::123456789012:role/name')
      .optional()
      .meta({
        title: 'Role ARN',
        description: 'A role to take on with the keys above, or what the SDK finds',
      }),
    roleSessionName: z
      .string()
      .regex(/^[\w+=,.@-]{2,64}$/, 'must be 2 to 64 letters, digits or any of _+=,.@-')
      .default('holdfast')
      .meta({ title: 'Role session name', description: 'How the storage’s logs name us in that role' }),
    stsEndpoint: httpUrl().optional().meta({
      title: 'STS endpoint',
      description: 'Who lends the role; leave empty for AWS, or if it is the storage’s own endpoint',
      addressee: true,
    }),
    storageClass: z
      .string()
      .regex(/^[A-Z_]+$/, 'must be a name like STANDARD_IA')
      .optional()
      .meta({
        title: 'Storage class',
        description: 'STANDARD_IA, GLACIER_IR, …; empty for the bucket’s own',
      }),
    encryption: z.enum(['none', 'AES256', 'aws:kms']).default('none').meta({
      title: 'Server-side encryption',
      description: 'Asked of the storage, besides Holdfast’s own encryption',
    }),
    kmsKeyId: z
      .string()
      .optional()
      .meta({ title: 'KMS key ID', description: 'For aws:kms; empty for the bucket’s default key' }),
    objectLockMode: z.enum(['GOVERNANCE', 'COMPLIANCE']).optional().meta({
      title: 'Object lock',
      description:
        'New objects cannot be removed for so many days. The bucket must have been made with object lock.',
    }),
    objectLockDays: wholeNumber(1, 36_500).optional().meta({ title: 'Object lock days' }),
    ca: z.string().refine(isCertificate, 'must be a certificate in PEM').optional().meta({
      title: 'CA certificate',
      description:
        'PEM, if the endpoint’s authority is your own. Without it, the well-known ones are trusted',
      multiline: true,
    }),
    requestChecksums: z.enum(['always', 'when-required']).default('always').meta({
      title: 'Request checksums',
      description:
        'when-required is for old servers that refuse x-amz-checksum headers; bytes are verified by their signed SHA-256 in any case',
    }),
    concurrency: wholeNumber(1, 32).default(4).meta({
      title: 'Parts in flight',
      description: 'Each takes memory: 16 MiB at first, up to 512 MiB in objects of terabytes',
    }),
    maxParts: wholeNumber(100, 10_000).default(10_000).meta({
      title: 'Parts per object',
      description: 'What the provider allows: nearly all 10 000 (then 5 TB fit), some 1 000 (500 GB)',
    }),
  })
  .refine((settings) => (settings.accessKeyId === undefined) === (settings.secretAccessKey === undefined), {
    path: ['secretAccessKey'],
    error: 'access key ID and secret access key belong together: give both, or neither',
  })
  .refine((settings) => settings.stsEndpoint === undefined || settings.roleArn !== undefined, {
    path: ['stsEndpoint'],
    error: 'is only used with a role: set role-arn too',
  })
  .refine((settings) => (settings.objectLockMode === undefined) === (settings.objectLockDays === undefined), {
    path: ['objectLockDays'],
    error: 'object lock mode and days belong together',
  })
  .refine((settings) => settings.kmsKeyId === undefined || settings.encryption === 'aws:kms', {
    path: ['kmsKeyId'],
    error: 'is only used with encryption=aws:kms',
  })

export type S3Settings = z.output<typeof config>

/** Amazon S3 and everything that speaks it. */
export const s3 = defineVolume({
  label: 'S3-compatible object storage',
  schemes: ['s3'],
  config,
  fromUrl,
  open: (settings) => openS3(settings),
  openWriteOnly: (settings) => openS3WriteOnly(settings),
})

/** Needs `s3:PutObject` and `s3:DeleteObject`, and sends no request that needs another right. */
export function openS3WriteOnly(
  settings: S3Settings,
  patience: Patience = patient,
  idle = 60_000,
  sizes = putSizes,
): WriteOnlyVolume {
  const bucket = openBucket(settings, patience, idle, partSize)
  return {
    location: bucket.location,
    place: placeOf(settings),
    put: (key, file, signal) => putFile(bucket, key, file, signal, sizes),
    remove: (key, signal) => removeObject(bucket, key, signal),
    [Symbol.asyncDispose]: () => bucket.close(),
  }
}

/** Buckets of two providers may have the same name. */
function placeOf({ endpoint }: S3Settings): string {
  return endpoint === undefined ? 'AWS' : new URL(endpoint).href
}

/** The volume, with what tests make smaller: pauses, how long a silent server is waited for (60 s), and parts. */
export function openS3(
  settings: S3Settings,
  patience: Patience = patient,
  idle = 60_000,
  size = partSize,
): Volume {
  const bucket = openBucket(settings, patience, idle, size)
  return {
    location: bucket.location,
    place: placeOf(settings),
    usesKeysOfMachine: settings.accessKeyId === undefined,
    readsAreCheap: false,
    write: (key, source, signal, options) => writeObject(bucket, key, source, signal, options),
    read: (key, signal, range) => readObject(bucket, key, signal, range),
    async stat(key, signal) {
      const object = await statObject(bucket, key, signal)
      if (object) return { key, bytes: object.bytes, modifiedAt: object.modifiedAt }
      // Without this a missing bucket would look like a missing object.
      await request(
        bucket,
        { doing: 'look', permission: 's3:ListBucket' },
        signal,
        ({ client, sdk, signal }) =>
          client.send(new sdk.ListObjectsV2Command({ Bucket: settings.bucket, MaxKeys: 1 }), {
            abortSignal: signal,
          }),
      )
      throw notFound(bucket, key)
    },
    list: (prefix, signal) => listObjects(bucket, prefix, signal),
    remove: (key, signal) => removeObject(bucket, key, signal),
    discard: (scope, signal) => discardUnfinished(bucket, scope, signal),
    presign: (key, seconds) => presignObject(bucket, key, seconds),
    examine: (signal) => examineBucket(bucket, signal),
    [Symbol.asyncDispose]: () => bucket.close(),
  }
}

/** `s3://bucket/prefix?endpoint=…`; keys, region and endpoint may come from the variables that all AWS tools know. */
function fromUrl(text: string, environment: NodeJS.ProcessEnv): unknown {
  const match = /^s3:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/is.exec(text)
  if (!match) {
    throw new AppError('invalid_input', 'An S3 URL is written s3://bucket/prefix?endpoint=…', {
      hint: 'A slash, @ or colon in a key is written %2F, %40 or %3A.',
    })
  }
  const [, keyId, secretKey, bucket = '', prefix = '', query = ''] = match
  const fromQuery = settingsFromQuery(config, query)
  const pathStyle = environment.AWS_USE_PATH_STYLE_ENDPOINT
  const keys = keyId
    ? { accessKeyId: decoded(keyId), secretAccessKey: secretKey && decoded(secretKey) }
    : keysFromEnvironment(environment)
  return withoutUndefined({
    ...('accessKeyId' in fromQuery ? {} : keys),
    stsEndpoint: fromQuery.roleArn === undefined ? undefined : environment.AWS_ENDPOINT_URL_STS || undefined,
    region: environment.AWS_REGION || environment.AWS_DEFAULT_REGION || undefined,
    endpoint: environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL || undefined,
    pathStyle: pathStyle ? /^(true|1|yes)$/i.test(pathStyle) : undefined,
    ...fromQuery,
    ca: typeof fromQuery.ca === 'string' ? readNamedFile('ca', fromQuery.ca) : undefined,
    bucket: decoded(bucket),
    prefix: decoded(prefix),
  })
}

/** Nothing unless both are there: a profile or role is then found by the SDK. */
function keysFromEnvironment(environment: NodeJS.ProcessEnv) {
  const accessKeyId = fromEnvironment(environment, 'AWS_ACCESS_KEY_ID')
  const secretAccessKey = fromEnvironment(environment, 'AWS_SECRET_ACCESS_KEY')
  if (accessKeyId === undefined && secretAccessKey === undefined) return {}
  return { accessKeyId, secretAccessKey, sessionToken: fromEnvironment(environment, 'AWS_SESSION_TOKEN') }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== ''
  } catch {
    return false
  }
}

function withoutUndefined(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}
