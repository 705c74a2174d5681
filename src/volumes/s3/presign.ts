import { clientConfig, type Bucket } from './client.ts'

/** A link to the object that works without credentials for so many seconds; by the public endpoint if there is one. */
export async function presignObject(bucket: Bucket, key: string, seconds: number): Promise<string> {
  const { sdk, client: main } = await bucket.connect()
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
  const { settings } = bucket
  const client = new sdk.S3Client({
    ...clientConfig(settings, bucket.idle, settings.publicEndpoint ?? settings.endpoint),
    systemClockOffset: main.config.systemClockOffset, // a link of a wrong clock is not valid yet, or no longer
  })
  try {
    const command = new sdk.GetObjectCommand({ Bucket: settings.bucket, Key: bucket.objectName(key) })
    return await getSignedUrl(client, command, { expiresIn: seconds })
  } finally {
    client.destroy()
  }
}
