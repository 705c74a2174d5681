import { found, type TestStep, type TestStepName } from '../../shared/test-report.ts'
import { request, type Bucket } from './client.ts'
import { abortUpload } from './uploads.ts'
import { asAppError } from '../../shared/errors.ts'

/** In seconds. S3 refuses requests whose time is more than 15 minutes off. */
const SKEW_NOTICED = 60

/** What the ordinary test does not show: the clocks, and whether large objects can be uploaded and given up. */
export async function examineBucket(bucket: Bucket, signal: AbortSignal): Promise<TestStep[]> {
  const steps = [await step('clock', () => compareClocks(bucket, signal))]
  steps.push(await step('upload in parts', () => beginAndAbort(bucket, signal)))
  if (bucket.settings.objectLockMode)
    steps.push(await step('object lock', () => findObjectLock(bucket, signal)))
  return steps
}

async function compareClocks(bucket: Bucket, signal: AbortSignal): Promise<Partial<TestStep>> {
  let serverTime: number | undefined
  await request(
    bucket,
    { doing: 'list', permission: 's3:ListBucket' },
    signal,
    async ({ client, sdk, signal }) => {
      const command = new sdk.ListObjectsV2Command({ Bucket: bucket.settings.bucket, MaxKeys: 1 })
      command.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args)
          const { headers } = result.response as { headers?: Record<string, string> }
          serverTime = headers?.date === undefined ? undefined : Date.parse(headers.date)
          return result
        },
        { step: 'deserialize', name: 'readDate', priority: 'low' },
      )
      await client.send(command, { abortSignal: signal })
    },
  )
  if (serverTime === undefined || Number.isNaN(serverTime)) {
    return { outcome: 'skipped', ...found({ what: 'clockUnknown' }) }
  }
  const skew = Math.round((Date.now() - serverTime) / 1000)
  const seconds = Math.abs(skew)
  if (seconds < SKEW_NOTICED) return { outcome: 'ok', ...found({ what: 'clocksApart', seconds }) }
  return { outcome: 'warning', ...found({ what: skew > 0 ? 'clockAhead' : 'clockBehind', seconds }) }
}

async function beginAndAbort(bucket: Bucket, signal: AbortSignal): Promise<Partial<TestStep>> {
  const key = `.holdfast-test-parts-${process.pid}-${Date.now()}`
  const action = { doing: 'begin an upload', permission: 's3:PutObject' }
  const { UploadId } = await request(bucket, action, signal, ({ client, sdk, signal }) =>
    client.send(
      new sdk.CreateMultipartUploadCommand({ Bucket: bucket.settings.bucket, Key: bucket.objectName(key) }),
      { abortSignal: signal },
    ),
  )
  if (UploadId !== undefined) await abortUpload(bucket, key, UploadId, signal)
  return { outcome: 'ok' }
}

async function findObjectLock(bucket: Bucket, signal: AbortSignal): Promise<Partial<TestStep>> {
  const action = { doing: 'look at the object lock', permission: 's3:GetBucketObjectLockConfiguration' }
  const reply = await request(bucket, action, signal, ({ client, sdk, signal }) =>
    client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket: bucket.settings.bucket }), {
      abortSignal: signal,
    }),
  )
  if (reply.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled') return { outcome: 'ok' }
  return { outcome: 'failed', ...found({ what: 'noObjectLock' }) }
}

async function step(name: TestStepName, look: () => Promise<Partial<TestStep>>): Promise<TestStep> {
  const started = performance.now()
  const took = () => Math.round(performance.now() - started)
  try {
    return { step: name, outcome: 'ok', ...(await look()), milliseconds: took() }
  } catch (error) {
    const { message, hint } = asAppError(error)
    return {
      step: name,
      outcome: 'failed',
      detail: hint ? `${message} ${hint}` : message,
      milliseconds: took(),
    }
  }
}
