import type { RestoreFilter } from './engine.ts'

/** A stage that adds a text behind the last byte. */
export function followedBy(text: string): RestoreFilter {
  return async function* (bytes) {
    yield* bytes
    yield Buffer.from(text)
  }
}
