import { fanOut } from '../lib/fan-out.ts'
import type { ObjectSource } from '../volumes/volume.ts'
import { forEachCopy, type Copy } from './copies.ts'

/**
 * Writes one object to every volume at once. Each publishes it when the bytes have ended, or not at all. A copy whose
 * volume fails is marked; the others go on. Throws what the source threw, or what `forEachCopy` throws. When no volume
 * is left, `abandon` is called to end the source, which may be waiting for a tool that says nothing.
 */
export async function storeObject(
  copies: readonly Copy[],
  key: string,
  object: ObjectSource,
  signal: AbortSignal,
  abandon: () => void,
): Promise<void> {
  const live = copies.filter((copy) => !copy.failure)
  let sourceFailure: { error: unknown } | undefined
  let abandoned = false
  async function* remembered(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* object.body
    } catch (error) {
      if (!abandoned) sourceFailure = { error }
      throw error
    }
  }
  const { branches, closed } = fanOut(remembered(), live.length, {
    onAbandoned() {
      abandoned = true
      abandon()
    },
  })
  const branchOf = new Map(live.map((copy, i) => [copy, branches[i]]))
  try {
    await forEachCopy(copies, async (copy) => {
      const body = branchOf.get(copy)
      if (!body) return
      try {
        await copy.volume.write(key, { ...object, body }, signal, { ifAbsent: true })
      } finally {
        body.leave()
      }
    })
  } catch (error) {
    await closed
    // Whatever the volumes made of it: what the source threw is why there is no copy.
    throw sourceFailure ? sourceFailure.error : error
  }
  // The tool is gone, and its work directory can go too, only when the source has been closed.
  await closed
}
