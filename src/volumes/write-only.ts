import { randomBytes, createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createWorkDirectory } from '../lib/work-directory.ts'
import { asAppError } from '../shared/errors.ts'
import { checkKey } from './key.ts'
import type { TestStep, TestStepName } from '../shared/test-report.ts'
import type { Volume, WriteOnlyVolume } from './volume.ts'

const PIECE = 1_048_576
const TEST_BYTES = 1_000

/** A volume of whose rights no more are used. */
export function asWriteOnly(volume: Volume): WriteOnlyVolume {
  const { location, place, folder } = volume
  return {
    location,
    ...(place !== undefined && { place }),
    ...(folder !== undefined && { folder }),
    async put(key, { path }, signal) {
      await volume.write(key, { body: createReadStream(path, { highWaterMark: PIECE }) }, signal)
    },
    async remove(key, signal) {
      await volume.discard(key, signal)
      await volume.remove(key, signal)
    },
    [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
  }
}

/** The same volume, with keys checked before the driver sees them. */
export function withCheckedPuts(volume: WriteOnlyVolume): WriteOnlyVolume {
  return {
    ...volume,
    async put(key, file, signal) {
      checkKey(key)
      await volume.put(key, file, signal)
    },
    async remove(key, signal) {
      checkKey(key)
      await volume.remove(key, signal)
    },
    [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
  }
}

/** Puts a small object there and removes it. Both are reported; only the signal makes it throw. */
export async function testWriteOnly(
  volume: WriteOnlyVolume,
  workDirectory: string,
  signal: AbortSignal,
): Promise<TestStep[]> {
  const key = `.holdfast-test-${randomUUID()}`
  await using work = await createWorkDirectory(workDirectory)
  const path = join(work.path, 'object')
  const bytes = randomBytes(TEST_BYTES)
  await writeFile(path, bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const written = await timed('write', () => volume.put(key, { path, bytes: bytes.length, sha256 }, signal))
  // Also behind a failure: nobody knows whether something is there.
  const removed = await timed('remove', () => volume.remove(key, signal))
  await rm(path, { force: true })
  signal.throwIfAborted()
  if (written.outcome === 'failed' && removed.outcome === 'ok') {
    return [written, { step: 'remove', outcome: 'skipped' }]
  }
  return [written, removed]
}

async function timed(step: TestStepName, attempt: () => Promise<void>): Promise<TestStep> {
  const started = performance.now()
  const milliseconds = () => Math.round(performance.now() - started)
  try {
    await attempt()
    return { step, outcome: 'ok', milliseconds: milliseconds() }
  } catch (error) {
    const { message, hint } = asAppError(error)
    return {
      step,
      outcome: 'failed',
      detail: hint ? `${message} ${hint}` : message,
      milliseconds: milliseconds(),
    }
  }
}
