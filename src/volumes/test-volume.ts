import { randomBytes, randomUUID } from 'node:crypto'
import { AppError, asAppError } from '../shared/errors.ts'
import { found, type TestStep, type TestStepName } from '../shared/test-report.ts'
import type { Volume } from './volume.ts'

const BYTES = 256 * 1024
/** For cleaning up, also when the test itself was cancelled. */
const CLEAN_UP = 60_000

/**
 * Tries out everything that backups need of a volume, with objects of its own, which it removes. Every step is
 * reported, also behind one that failed; those that cannot be done then are `skipped`. Only the signal makes it throw.
 */
export async function testVolume(volume: Volume, signal: AbortSignal): Promise<TestStep[]> {
  const test = new VolumeTest(volume, signal)
  try {
    await test.tryEverything()
  } finally {
    await test.cleanUp()
  }
  signal.throwIfAborted()
  return test.steps
}

/** Tries out no more than a volume needs from which snapshots are only read: that it is there, and can be listed. */
export async function testReading(volume: Volume, signal: AbortSignal): Promise<TestStep[]> {
  const step = await timed('list', async () => {
    if ((await volume.isThere?.(signal)) === false) {
      throw new AppError('object_not_found', `There is no folder ${volume.location}.`)
    }
    for await (const _ of volume.list('', signal)) break
  })
  signal.throwIfAborted()
  return [step, { step: 'write', outcome: 'skipped', ...found({ what: 'readOnly' }) }]
}

class VolumeTest {
  readonly steps: TestStep[] = []
  readonly #volume: Volume
  readonly #signal: AbortSignal
  readonly #prefix = `.holdfast-test-${randomUUID()}`
  readonly #key = `${this.#prefix}/object`
  readonly #bytes = randomBytes(BYTES)
  #isWritten = false
  #isRemoved = false

  constructor(volume: Volume, signal: AbortSignal) {
    this.#volume = volume
    this.#signal = signal
  }

  async tryEverything(): Promise<void> {
    const written = await this.#step('write', () => this.#write(this.#key, this.#bytes))
    await this.#step('read', () => this.#readWhole(), written)
    await this.#step('read a range', () => this.#readRange(), written)
    await this.#step('list', () => this.#list(), written)
    await this.#step('keep what is there', () => this.#refuseToReplace(), written)
    await this.#step('keep the old when the new fails', () => this.#failHalfWay(), written)
    await this.#step('remove', () => this.#remove(), written)
    await this.#examine()
  }

  async cleanUp(): Promise<void> {
    if (this.#isRemoved || !this.#isWritten) return
    const signal = AbortSignal.timeout(CLEAN_UP)
    const step = await timed('clean up', async () => {
      await this.#volume.discard(this.#key, signal)
      await this.#volume.remove(this.#key, signal)
    })
    if (step.outcome !== 'ok') this.steps.push(step)
  }

  async #write(key: string, bytes: Buffer): Promise<void> {
    this.#isWritten = true // perhaps only in part: there may be something to remove in any case
    await this.#volume.write(key, { body: once(bytes) }, this.#signal)
    const { bytes: size } = await this.#volume.stat(key, this.#signal)
    if (size !== bytes.length) throw wrong(`It holds ${size} bytes instead of ${bytes.length}.`)
  }

  async #readWhole(): Promise<void> {
    const read = await collect(this.#volume.read(this.#key, this.#signal))
    if (!read.equals(this.#bytes)) throw wrong('It gave back other bytes than were written.')
  }

  async #readRange(): Promise<void> {
    const [start, end] = [1000, 150_000]
    const read = await collect(this.#volume.read(this.#key, this.#signal, { start, end }))
    if (!read.equals(this.#bytes.subarray(start, end + 1)))
      throw wrong('It gave back other bytes than the range has.')
  }

  async #list(): Promise<void> {
    const listed = await Array.fromAsync(this.#volume.list(this.#prefix, this.#signal))
    const found = listed.filter((object) => object.key === this.#key && object.bytes === BYTES)
    if (found.length !== 1 || listed.length !== 1) {
      throw wrong(`It lists ${listed.length} objects instead of the one that was written.`)
    }
  }

  async #refuseToReplace(): Promise<void> {
    try {
      await this.#volume.write(this.#key, { body: once(Buffer.from('other')) }, this.#signal, {
        ifAbsent: true,
      })
    } catch (error) {
      if (error instanceof AppError && error.code === 'object_exists') return
      throw error
    }
    throw wrong('It replaced an object that was not to be replaced.')
  }

  async #failHalfWay(): Promise<void> {
    const failure = new Error('The test’s source fails on purpose.')
    async function* failing() {
      yield randomBytes(BYTES)
      throw failure
    }
    try {
      await this.#volume.write(this.#key, { body: failing() }, this.#signal)
    } catch (error) {
      if (error !== failure) throw error
      return await this.#readWhole()
    }
    throw wrong('It stored an object whose source had failed.')
  }

  async #remove(): Promise<void> {
    await this.#volume.remove(this.#key, this.#signal)
    const left = await Array.fromAsync(this.#volume.list(this.#prefix, this.#signal))
    if (left.length > 0) throw wrong('It still lists the object that was removed.')
    this.#isRemoved = true
  }

  async #examine(): Promise<void> {
    try {
      this.steps.push(...((await this.#volume.examine?.(this.#signal)) ?? []))
    } catch (error) {
      this.steps.push({ step: 'examine', outcome: 'failed', detail: describe(error) })
    }
  }

  async #step(name: TestStepName, attempt: () => Promise<void>, isPossible = true): Promise<boolean> {
    if (!isPossible || this.#signal.aborted) {
      this.steps.push({ step: name, outcome: 'skipped' })
      return false
    }
    const step = await timed(name, attempt)
    this.steps.push(step)
    return step.outcome === 'ok'
  }
}

async function timed(name: TestStepName, attempt: () => Promise<void>): Promise<TestStep> {
  const started = performance.now()
  const milliseconds = () => Math.round(performance.now() - started)
  try {
    await attempt()
    return { step: name, outcome: 'ok', milliseconds: milliseconds() }
  } catch (error) {
    return { step: name, outcome: 'failed', detail: describe(error), milliseconds: milliseconds() }
  }
}

function describe(error: unknown): string {
  const { message, hint } = asAppError(error)
  return hint ? `${message} ${hint}` : message
}

function wrong(sentence: string): AppError {
  return new AppError('volume_corrupted', sentence)
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bytes))
}
