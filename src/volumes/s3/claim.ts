import { claimName } from '../key.ts'
import { request, type Bucket } from './client.ts'
import { nameOf, statusOf } from './errors.ts'

const ACTION = { doing: 'claim a name', permission: 's3:PutObject' }

/**
 * Keeps other writers of the key out until it is released: a tiny object that only one of them can create. For the
 * end of an upload in parts, where many servers (Ceph 18 for one) overlook “only if absent”, which they obey for
 * single requests. False if another writer holds it. A server that knows no conditions at all lets everyone in.
 */
export async function claim(
  bucket: Bucket,
  key: string,
  owner: string,
  signal: AbortSignal,
): Promise<boolean> {
  return await request(bucket, ACTION, signal, async ({ client, sdk, signal, number }) => {
    try {
      await client.send(
        new sdk.PutObjectCommand({
          Bucket: bucket.settings.bucket,
          Key: claimOf(bucket, key),
          Body: owner,
          IfNoneMatch: '*',
        }),
        { abortSignal: signal },
      )
      return true
    } catch (error) {
      if (statusOf(error) === 501) return true
      if (statusOf(error) !== 412 && nameOf(error) !== 'ConditionalRequestConflict') throw error
      if (number === 1) return false
      // An earlier try may have created it before its reply was lost.
      const reply = await client.send(
        new sdk.GetObjectCommand({ Bucket: bucket.settings.bucket, Key: claimOf(bucket, key) }),
        { abortSignal: signal },
      )
      return (await reply.Body?.transformToString()) === owner
    }
  })
}

/** Succeeds if there is no claim. */
export async function release(bucket: Bucket, key: string, signal: AbortSignal): Promise<void> {
  await request(
    bucket,
    { doing: 'release a name', permission: 's3:DeleteObject' },
    signal,
    ({ client, sdk, signal }) =>
      client.send(
        new sdk.DeleteObjectCommand({ Bucket: bucket.settings.bucket, Key: claimOf(bucket, key) }),
        {
          abortSignal: signal,
        },
      ),
  )
}

/** Beside the key's object, under a temporary name, which listings leave out. */
function claimOf(bucket: Bucket, key: string): string {
  const name = bucket.objectName(key)
  const slash = name.lastIndexOf('/') + 1
  return name.slice(0, slash) + claimName(name.slice(slash))
}
