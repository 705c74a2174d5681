import { createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { readJson } from './discovery.ts'

/** How long keys are taken for all that there are, and how long one that is none of them is not looked for again. */
const KEPT = 5 * 60_000
const PAUSE = 30_000

const keySet = z.object({
  keys: z.array(
    z.looseObject({
      kty: z.string(),
      kid: z.string().optional(),
      use: z.string().optional(),
      alg: z.string().optional(),
    }),
  ),
})
type Key = z.output<typeof keySet>['keys'][number]

/** The key that an ID token says it is signed with, of those that its provider has at an address. Throws if there is none. */
export function keysAt(url: string): (header: { alg?: string; kid?: string }) => Promise<KeyObject> {
  let at = -Infinity
  let known: Key[] = []
  const load = async () => {
    known = keySet.parse(await readJson(url, {}, new AbortController().signal)).keys
    at = performance.now()
  }
  return async (header) => {
    if (performance.now() - at > KEPT) await load()
    if (!keyFor(known, header) && performance.now() - at > PAUSE) await load()
    const key = keyFor(known, header)
    if (!key) throw new Error('The provider has no key that the ID token could be signed with.')
    return createPublicKey({ key, format: 'jwk' })
  }
}

/** Undefined also if it could be one of several. */
function keyFor(keys: readonly Key[], { alg = '', kid }: { alg?: string; kid?: string }): Key | undefined {
  const kind = /^[RP]S/.test(alg)
    ? 'RSA'
    : alg.startsWith('ES')
      ? 'EC'
      : alg.startsWith('Ed')
        ? 'OKP'
        : undefined
  const [key, another] = keys.filter(
    (each) =>
      each.kty === kind &&
      (kid === undefined || each.kid === kid) &&
      (each.use === undefined || each.use === 'sig') &&
      (each.alg === undefined || each.alg === alg),
  )
  return another ? undefined : key
}
