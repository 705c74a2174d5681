import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { s3Client, type S3Server } from '../servers/s3-server.ts'
import { startSwift } from '../servers/swift.ts'
import type { Bench, Candidate } from './bench.ts'
import { holdfast } from './measure.ts'
import { postgresWith } from './postgresql.ts'

export const s3: readonly Candidate[] = [
  {
    name: 'postgres-s3',
    needs: ['postgres15', 'zstd', 'swift'],
    programs: ['aws'],
    async prepare(bench) {
      const { env, url } = await postgresWith(bench)
      const bucket = await openBucket(bench)
      return {
        name: 'postgres-s3',
        what: 'PostgreSQL → S3 on loopback, zstd 3',
        against: '`pg_dump -Fc -Z0 \\| zstd -3 \\| aws s3 cp - s3://…`',
        goal: { wall: 1 },
        holdfast: {
          script: `${holdfast} backup once "$URL" --to "$TO" --quiet`,
          env: { ...env, ...bucket.env, URL: url, TO: bucket.url },
        },
        plain: {
          script: `pg_dump --format=custom --compress=0 | zstd -q -3 |
                   aws s3 cp --only-show-errors --endpoint-url "$ENDPOINT" - "s3://$BUCKET/dump.zst"`,
          env: { ...env, ...bucket.env },
        },
        after: bucket.empty,
      }
    },
  },
]

/** A bucket of OpenStack Swift, which keeps its objects on the disk and so has room for all of them. */
export async function openBucket(
  bench: Bench,
): Promise<{ url: string; env: Record<string, string>; empty: () => Promise<void> }> {
  const server = await bench.share('swift', async () => bench.keep(await startSwift()))
  const bucket = await bench.share('bucket', () => server.createBucket())
  const endpoint = encodeURIComponent(server.endpoint)
  return {
    url: `s3://${bucket}?endpoint=${endpoint}&region=${server.region}&path-style=true`,
    env: {
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      AWS_REGION: server.region,
      ENDPOINT: server.endpoint,
      BUCKET: bucket,
      // What Swift does not know yet; Holdfast finds out by itself.
      AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required',
    },
    empty: () => emptyBucket(server, bucket),
  }
}

async function emptyBucket(server: S3Server, bucket: string): Promise<void> {
  const client = s3Client(server)
  try {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
    const Objects = Contents.map(({ Key }) => ({ Key }))
    if (Objects.length === 0) return
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }))
  } finally {
    client.destroy()
  }
}
