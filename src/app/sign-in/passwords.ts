import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { AppError } from '../../shared/errors.ts'

/*
 * Passwords are kept as argon2id, with the parameters that OWASP recommends, in the form that the reference program writes:
 * $argon2id$v=19$m=19456,t=2,p=1$salt$hash. The parameters stand in front of each, so that those of tomorrow can be others.
 */

interface Parameters {
  /** Kibibytes. */
  memory: number
  passes: number
  parallelism: number
}

const current: Parameters = { memory: 19_456, passes: 2, parallelism: 1 }
const SALT_BYTES = 16
const HASH_BYTES = 32
const FORM =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,172})$/

/** At once: each takes its memory, and a processor. */
const AT_ONCE = 2
/** So many may wait, which is some seconds. */
const WAITING = 48

const derive = promisify(argon2)
let running = 0
const waiting: (() => void)[] = []

/** What is kept in the place of a password. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const hash = await hashWith(current, password, salt, HASH_BYTES)
  const { memory, passes, parallelism } = current
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`
}

/** False for whatever is no such hash, too. */
export async function isPassword(password: string, kept: string): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', hash = ''] = FORM.exec(kept) ?? []
  if (memory === undefined) return false
  const expected = Buffer.from(hash, 'base64')
  const parameters = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) }
  const found = await hashWith(parameters, password, Buffer.from(salt, 'base64'), expected.length)
  return timingSafeEqual(found, expected)
}

async function hashWith(
  parameters: Parameters,
  password: string,
  salt: Buffer,
  bytes: number,
): Promise<Buffer> {
  // However a keyboard composes its letters, it is the same password.
  const message = password.normalize('NFKC')
  return await inTurn(() => derive('argon2id', { ...parameters, message, nonce: salt, tagLength: bytes }))
}

/** Whoever sends passwords as fast as they can takes neither all memory nor every turn for ever. Throws `too_many_requests`. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) {
    if (waiting.length >= WAITING) throw busy()
    // Whoever has finished hands the turn on.
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

function busy(): AppError {
  return new AppError('too_many_requests', 'Too many passwords are being looked at.', {
    hint: 'Try again in a moment.',
    retryAfter: 5,
  })
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
