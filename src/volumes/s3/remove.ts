import { request, type Bucket } from './client.ts'

/** Succeeds if it is already gone. */
export async function removeObject(bucket: Bucket, key: string, signal: AbortSignal): Promise<void> {
  await request(
    bucket,
    { doing: 'remove', permission: 's3:DeleteObject' },
    signal,
    ({ client, sdk, signal }) =>
      client.send(
        new sdk.DeleteObjectCommand({ Bucket: bucket.settings.bucket, Key: bucket.objectName(key) }),
        { abortSignal: signal },
      ),
  )
}
