import { isTemporary, isWithin, readTemporaryName, TEMPORARY } from '../key.ts'
import { request, type Bucket } from './client.ts'
import { nameOf, statusOf } from './errors.ts'
import { listEverything } from './read.ts'
import { removeObject } from './remove.ts'

/** Aborts one upload, with its parts. Succeeds if it is already gone. */
export async function abortUpload(
  bucket: Bucket,
  key: string,
  uploadId: string,
  signal: AbortSignal,
): Promise<void> {
  const action = { doing: 'abort an upload', permission: 's3:AbortMultipartUpload' }
  await request(bucket, action, signal, async ({ client, sdk, signal }) => {
    try {
      await client.send(
        new sdk.AbortMultipartUploadCommand({
          Bucket: bucket.settings.bucket,
          Key: bucket.objectName(key),
          UploadId: uploadId,
        }),
        { abortSignal: signal },
      )
    } catch (error) {
      if (statusOf(error) !== 404 || nameOf(error) === 'NoSuchBucket') throw error
    }
  })
}

/** Aborts every unfinished upload of exactly this key, but for the one to keep. Returns how many there were. */
export async function abortUploads(
  bucket: Bucket,
  key: string,
  signal: AbortSignal,
  kept?: string,
): Promise<number> {
  const uploads = await listUploads(bucket, key, signal)
  const meant = uploads.filter((upload) => upload.key === key && upload.id !== kept)
  for (const upload of meant) await abortUpload(bucket, key, upload.id, signal)
  return meant.length
}

/** Removes all but objects of the keys within the scope: unfinished uploads, and claims. */
export async function discardUnfinished(bucket: Bucket, scope: string, signal: AbortSignal): Promise<void> {
  for (const upload of await listUploads(bucket, scope, signal)) {
    if (isWithin(upload.key, scope)) await abortUpload(bucket, upload.key, upload.id, signal)
  }
  const folder = scope.slice(0, scope.lastIndexOf('/') + 1)
  // Claims lie beside their objects, under names that begin otherwise.
  for (const start of new Set([scope, folder + TEMPORARY])) {
    for await (const { key } of listEverything(bucket, start, signal)) {
      const slash = key.lastIndexOf('/') + 1
      const name = key.slice(slash)
      if (!isTemporary(name) || !readTemporaryName(key.slice(0, slash), name, scope).isMeant) continue
      await removeObject(bucket, key, signal)
    }
  }
}

/** The unfinished uploads whose key starts with the prefix. */
async function listUploads(
  bucket: Bucket,
  prefix: string,
  signal: AbortSignal,
): Promise<{ key: string; id: string }[]> {
  const uploads: { key: string; id: string }[] = []
  const action = { doing: 'list uploads', permission: 's3:ListBucketMultipartUploads' }
  let next: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}
  while (next) {
    const from: { KeyMarker?: string; UploadIdMarker?: string } = next
    const page = await request(bucket, action, signal, ({ client, sdk, signal }) =>
      client.send(
        new sdk.ListMultipartUploadsCommand({
          Bucket: bucket.settings.bucket,
          Prefix: bucket.objectName(prefix),
          ...from,
        }),
        { abortSignal: signal },
      ),
    )
    for (const { Key, UploadId } of page.Uploads ?? []) {
      if (Key !== undefined && UploadId !== undefined) {
        uploads.push({ key: Key.slice(bucket.objectName('').length), id: UploadId })
      }
    }
    next = page.IsTruncated
      ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
      : undefined
  }
  return uploads
}
