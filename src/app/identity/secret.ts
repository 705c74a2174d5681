import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { keyIdOf } from '../../lib/sealing.ts'
import type { AppContext } from '../context.ts'
import { deleteSecret, findSecret, keepSecret } from './store.ts'

/** What the secret is sealed for. */
const SECRET_PLACE = 'identity-secret'

type Context = Pick<AppContext, 'store' | 'sealer'>

const content = z.object({ secret: z.string() })
const known = new WeakMap<Context['store'], Promise<string>>()

/**
 * What session cookies are signed with, and second factors sealed. Made once, the same on every node; who has only the
 * rows of the store has neither a cookie nor a second factor.
 */
export async function identitySecret(context: Context): Promise<string> {
  const { store } = context
  let secret = known.get(store)
  if (!secret) {
    secret = readOrMake(context)
    known.set(store, secret)
    secret.catch(() => known.delete(store)) // the next one tries again
  }
  return await secret
}

/**
 * If it was sealed with a key that is lost, it is forgotten, and with it every session and every second factor: whoever
 * needs one could not sign in any more. Returns whether that is so.
 */
export async function forgetLostSecret({ store, sealer }: Context): Promise<boolean> {
  const found = await findSecret(store)
  const keyId = found && keyIdOf(content.parse(JSON.parse(found)).secret)
  if (keyId === undefined || sealer.has(keyId)) return false
  await deleteSecret(store)
  return true
}

async function readOrMake({ store, sealer }: Context): Promise<string> {
  const made = randomBytes(32).toString('base64url')
  const sealed = { secret: sealer.seal(made, `${SECRET_PLACE}/secret`) }
  const kept = content.parse(JSON.parse(await keepSecret(store, JSON.stringify(sealed))))
  return sealer.open(kept.secret, `${SECRET_PLACE}/secret`)
}
