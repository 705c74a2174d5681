import { keyIdOf, type Sealer } from '../../lib/sealing.ts'
import { AppError, asAppError } from '../../shared/errors.ts'
import type { Store } from '../../store/database.ts'
import type { AppContext } from '../context.ts'
import { forgetLostSecret } from '../identity/secret.ts'
import { sealedFor } from '../idempotency/idempotency.ts'
import {
  answersSealedWithOthers,
  firstKey,
  followKey,
  readSealed,
  replaceAnswer,
  replaceKey,
  replaceSealed,
  type SealedPlace,
  sealedWithOthers,
} from './store.ts'

/*
 * Every secret in the store is sealed with an APP_KEY, each for its own place. When the key changes, what was sealed
 * with a former one is sealed anew at the next start, row by row; a row that somebody changes meanwhile is sealed with
 * the new key by that.
 */

type Context = Pick<AppContext, 'store' | 'sealer'>

export interface Resealing {
  /** How many secrets were sealed with a former key, and are not any more. */
  resealed: number
  /** The same in a sentence, if there were any. */
  notes: string[]
  /** Sentences: what can no longer be opened. */
  warnings: string[]
}

interface SealedColumn extends SealedPlace {
  /** What its secrets are sealed for, before the path to each. */
  placeOf: (id: string) => string
}

/** Where secrets are kept. A test fails if a file that seals something else comes to be. */
const sealedColumns: readonly SealedColumn[] = [
  { table: 'servers', column: 'connection', placeOf: (id) => `servers/${id}/connection` },
  { table: 'volumes', column: 'settings', placeOf: (id) => `volumes/${id}/settings` },
  { table: 'encryptionKeys', column: 'material', placeOf: (id) => `keys/${id}/material` },
  { table: 'channels', column: 'settings', placeOf: (id) => `channels/${id}/settings` },
  { table: 'hooks', column: 'settings', placeOf: (id) => `hooks/${id}/settings` },
  {
    table: 'appBackupRegistrations',
    column: 'settings',
    placeOf: (id) => `app-backup-registrations/${id}/settings`,
  },
  { table: 'instanceSettings', column: 'content', placeOf: () => 'instance-settings' },
  { table: 'identitySecret', column: 'content', placeOf: () => 'identity-secret' },
  {
    table: 'identityProviders',
    column: 'settings',
    placeOf: (id) => `identity-providers/${id}/settings`,
  },
  { table: 'jobs', column: 'payload', placeOf: (id) => `jobs/${id}` },
]

/**
 * What stands in the place of a secret that was lost: something that no server accepts, so that the rest can be shown and
 * changed. A lost encryption key has no such thing: nothing must ever be encrypted with it.
 */
const LOST = 'lost with the former APP_KEY'
const replaceable: readonly SealedColumn['table'][] = [
  'servers',
  'volumes',
  'channels',
  'hooks',
  'appBackupRegistrations',
  'instanceSettings',
  'identityProviders',
]

/** Cookies are signed with a secret, and second factors sealed, that is sealed itself. */
const SIGNED_OUT = 'Everybody is signed out, and second factors are gone: set them up again.'

/**
 * At the start of each process: makes sure that all nodes seal with the same key, and seals anew what a former one has
 * sealed. Throws `key_wrong` if the store is sealed with a key that this process does not have.
 */
export async function reseal(context: Context): Promise<Resealing> {
  await checkKey(context)
  let resealed = 0
  const unopened: AppError[] = []
  const { store, sealer } = context
  for (const column of sealedColumns) {
    for (const id of await sealedWithOthers(store, column, sealer.keyId)) {
      resealed += await resealRow(context, column, id, (error) => {
        unopened.push(error)
        return undefined
      })
    }
  }
  resealed += await resealAnswers(context)
  return { resealed, notes: notesOf(resealed), warnings: warningsOf(unopened) }
}

/** How many secrets are sealed with a key that this process does not have. */
export async function countLost({ store, sealer }: Context): Promise<number> {
  let count = 0
  for (const column of sealedColumns) {
    for (const id of await sealedWithOthers(store, column, sealer.keyId)) {
      const stored = await readSealed(store, column, id)
      mapTexts(stored && JSON.parse(stored), '', (text) => {
        if (!sealer.has(keyIdOf(text) ?? sealer.keyId)) count += 1
        return text
      })
    }
  }
  return count
}

/**
 * Declares this process's key to be the one of the store, whatever the former one was: that one is lost, and with it the
 * passwords of servers and volumes. Returns what can no longer be opened, as `reseal` does.
 */
export async function acceptKey(context: Context): Promise<Resealing> {
  const { store, sealer } = context
  for (const column of sealedColumns.filter(({ table }) => replaceable.includes(table))) {
    for (const id of await sealedWithOthers(store, column, sealer.keyId)) {
      await resealRow(context, column, id, () => LOST)
    }
  }
  const isSecretLost = await forgetLostSecret(context)
  await replaceKey(store, sealer.keyId)
  const { notes, ...resealing } = await reseal(context)
  return { ...resealing, notes: isSecretLost ? [...notes, SIGNED_OUT] : notes }
}

/** The first process says which key it is; one that has the former key among its previous ones may change it. */
async function checkKey({ store, sealer }: Context): Promise<void> {
  for (;;) {
    const keyId = await firstKey(store, sealer.keyId)
    if (keyId === sealer.keyId) return
    if (!sealer.has(keyId)) throw anotherKey(store, sealer.keyId, keyId)
    await followKey(store, keyId, sealer.keyId)
  }
}

/**
 * Returns how many secrets of the row were sealed anew. `onLost` hears of each that cannot be opened, and says what is to
 * stand in its place; undefined leaves it as it is.
 */
async function resealRow(
  { store, sealer }: Context,
  sealed: SealedColumn,
  id: string,
  onLost: (error: AppError) => string | undefined,
): Promise<number> {
  const before = await readSealed(store, sealed, id)
  if (before === undefined) return 0
  let count = 0
  const changed = mapTexts(JSON.parse(before), sealed.placeOf(id), (token, place) => {
    const sealedWith = keyIdOf(token)
    if (sealedWith === undefined || sealedWith === sealer.keyId) return token
    const secret = open(sealer, token, place, onLost)
    if (secret === undefined) return token
    count += 1
    return sealer.seal(secret, place)
  })
  if (count === 0) return 0
  const isReplaced = await replaceSealed(store, sealed, id, { before, after: JSON.stringify(changed) })
  return isReplaced ? count : 0
}

function open(
  sealer: Sealer,
  token: string,
  place: string,
  onLost: (error: AppError) => string | undefined,
): string | undefined {
  try {
    return sealer.open(token, place)
  } catch (error) {
    return onLost(asAppError(error))
  }
}

/** Kept answers are gone in a day: one that cannot be opened is no loss. Returns how many were. */
async function resealAnswers({ store, sealer }: Context): Promise<number> {
  let count = 0
  for (const answer of await answersSealedWithOthers(store, sealer.keyId)) {
    let isResealed = false
    for (const part of ['request', 'body'] as const) {
      const before = answer[part]
      const sealedWith = keyIdOf(before ?? '') ?? sealer.keyId
      if (before === null || sealedWith === sealer.keyId || !sealer.has(sealedWith)) continue
      const place = sealedFor(answer, part)
      const opened = open(sealer, before, place, () => undefined)
      if (opened === undefined) continue
      const after = sealer.seal(opened, place)
      await replaceAnswer(store, answer, part, { before, after })
      isResealed = true
    }
    if (isResealed) count += 1
  }
  return count
}

/** The same JSON with every text mapped; the place is that of src/app/secrets.ts. */
function mapTexts(value: unknown, place: string, map: (text: string, place: string) => string): unknown {
  const below = (step: string | number) => `${place}/${encodeURIComponent(String(step).toWellFormed())}`
  if (typeof value === 'string') return map(value, place)
  if (Array.isArray(value)) return value.map((element, index) => mapTexts(element, below(index), map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, mapTexts(child, below(name), map)]),
  )
}

function notesOf(resealed: number): string[] {
  if (resealed === 0) return []
  return [`${resealed === 1 ? 'A secret was' : `${resealed} secrets were`} sealed anew with this APP_KEY.`]
}

function warningsOf(unopened: readonly AppError[]): string[] {
  const [first] = unopened
  if (!first) return []
  const count = unopened.length === 1 ? 'A stored secret' : `${unopened.length} stored secrets`
  return [`${count} cannot be opened: ${first.message} ${first.hint ?? ''}`.trim()]
}

function anotherKey(store: Store, ours: string, theirs: string): AppError {
  return new AppError(
    'key_wrong',
    `The store ${store.location} is sealed with the APP_KEY ${theirs}; this process has ${ours}.`,
    {
      hint: 'Give every node the same APP_KEY. To change it, put the former one into APP_PREVIOUS_KEYS. If that is lost for good: holdfast app accept-key',
    },
  )
}
