import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'

export interface S3Credentials {
  accessKeyId: string
  secretAccessKey: string
}

export interface S3Server extends S3Credentials, AsyncDisposable {
  endpoint: string
  region: string
  /** Makes a new, empty bucket and returns its name. */
  createBucket(options?: { objectLock?: boolean }): Promise<string>
}

/** So few objects do the servers list at a time, that a listing has pages before it has thousands of objects. */
export const listingPage = 50

/** Asks once only, so that a test sees each failure. */
export function s3Client(
  server: S3Credentials & { endpoint: string; region: string },
  credentials: S3Credentials = server,
): S3Client {
  const { accessKeyId, secretAccessKey } = credentials
  return new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey },
  })
}

export async function createBucket(
  server: S3Credentials & { endpoint: string; region: string },
  { objectLock = false }: { objectLock?: boolean } = {},
): Promise<string> {
  const client = s3Client(server)
  const bucket = `test-${randomUUID()}`
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: objectLock }))
  } finally {
    client.destroy()
  }
  return bucket
}
