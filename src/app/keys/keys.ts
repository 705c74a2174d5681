import { randomInt } from 'node:crypto'
import type { Transaction } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { deriveSevenzipKey, fingerprint, sevenzipPassword } from '../../lib/sevenzip/index.ts'
import {
  type EncryptionChoice,
  fingerprintOfRecipients,
  INSTANCE_KEY,
  type KeyRing,
  type NamedKey,
} from '../../runner/encryption.ts'
import type { EncryptionKeyChanges, KeyCheck, NewEncryptionKey } from '../../shared/encryption-keys.ts'
import { AppError } from '../../shared/errors.ts'
import type { PlanEncryption } from '../../shared/plans.ts'
import { secret } from '../../shared/secrets.ts'
import type { Tables } from '../../store/tables.ts'
import type { AppContext } from '../context.ts'
import { holdOrganization } from '../hold.ts'
import { savingName } from '../names.ts'
import { changedMeanwhile } from '../revisions.ts'
import { openSettings, sealSettings, type Settings } from '../secrets.ts'
import { usersInWords } from '../users.ts'
import {
  allKeys,
  backupsOfFormerPlans,
  countNaming,
  deleteKey,
  findKey,
  insertKey,
  type KeyRow,
  type NamedInSnapshots,
  namedInSnapshots,
  plansWith,
  type Protected,
  protectedSnapshots,
  updateKey,
} from './store.ts'

/** What a key is made of: a password or a passphrase, or public keys. */
const material = z.object({
  password: secret('Password').optional(),
  recipients: z.array(z.string()).optional(),
})
type Material = z.output<typeof material>

/** 30 of these characters are 148 bits. None looks like another, because people will have to type them. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789'
const GROUPS = 6
const GROUP_LENGTH = 5

/** Throws `not_found`. */
export async function keyOf({ store }: AppContext, organizationId: string, id: string): Promise<KeyRow> {
  const row = await findKey(store.db, organizationId, id)
  if (!row) throw noKey()
  return row
}

/** All keys that may open snapshots of the organization. One that APP_KEY does not open any more is left out. */
export async function keyRingOf(context: AppContext, organizationId: string): Promise<KeyRing> {
  const rows = await allKeys(context.store, organizationId)
  const namedKeys = rows.flatMap((row): NamedKey[] => {
    const secret = secretOf(context, row)
    if (row.kind === 'recipients' || secret === undefined) return []
    return [{ id: row.id, kind: row.kind, secret }]
  })
  return { instanceKeys: context.instanceKeys, ageIdentities: [], agePassphrases: [], namedKeys }
}

/**
 * What new snapshots are encrypted with. Throws `invalid_input` for a key that is not there, is retired, or does not
 * fit the method.
 */
export async function encryptionOf(
  context: AppContext,
  organizationId: string,
  encryption: PlanEncryption,
): Promise<EncryptionChoice | undefined> {
  if (encryption.method === 'none') return undefined
  const { method, keyId } = encryption
  if (keyId === INSTANCE_KEY) {
    if (method === '7z') return { method }
    throw unfit('The instance key is for 7z; for age, choose recipients or a passphrase.')
  }
  const row = await findKey(context.store.db, organizationId, keyId)
  if (!row) throw unfit('There is no such key.')
  if (row.state === 'retired') throw unfit(`The key “${row.name}” is retired: it only opens older snapshots.`)
  if ((row.kind === 'password') !== (method === '7z')) {
    throw unfit(`The key “${row.name}” is for ${row.kind === 'password' ? '7z' : 'age'}, not for ${method}.`)
  }
  const { password, recipients = [] } = materialOf(context, row)
  if (row.kind === 'recipients') return { method: 'age', recipients, keyId }
  if (password === undefined) throw unfit(`The key “${row.name}” is incomplete.`)
  return method === '7z' ? { method, key: { id: keyId, password } } : { method, passphrase: password, keyId }
}

/**
 * Adds a key, active at once. What was made up is returned beside it, and can never be had again. Throws
 * `invalid_input` for what is no recipient or no password, and `name_taken`.
 */
export async function addKey(
  { store, sealer }: AppContext,
  organizationId: string,
  key: NewEncryptionKey,
): Promise<{ row: KeyRow; made: string | undefined }> {
  const id = uuidv7()
  const { kind, name } = key
  const made = key.kind !== 'recipients' && key.generate ? makeSecret() : undefined
  const content: Material =
    key.kind === 'recipients'
      ? { recipients: [...new Set(key.recipients)] }
      : { password: made ?? (key.kind === 'password' ? key.password : key.passphrase) }
  const values = {
    id,
    name,
    kind,
    fingerprint: await fingerprintOf(kind, content),
    material: JSON.stringify(sealSettings(material, content, sealer, contextOf(id))),
  }
  const row = await savingName(store, 'key', name, () => insertKey(store, organizationId, values))
  return { row, made }
}

/**
 * Changes the name or the state of a key; its `revision` must be the one given, if one is. Throws `not_found`,
 * `changed_meanwhile`, `name_taken`, and `in_use` if it is to be retired while plans encrypt with it.
 */
export async function changeKey(
  { store }: AppContext,
  organizationId: string,
  id: string,
  changes: EncryptionKeyChanges,
  revision: number | undefined,
): Promise<KeyRow> {
  return await savingName(store, 'key', changes.name, () =>
    store.db.transaction().execute(async (trx) => {
      await holdOrganization(trx, organizationId)
      const found = await findKey(trx, organizationId, id)
      if (!found) throw noKey()
      if (revision !== undefined && revision !== found.revision) throw changedMeanwhile('The key')
      const { name, state } = { ...found, ...changes }
      if (state === 'retired' && found.state === 'active') {
        await refuseWhilePlansNeed(trx, organizationId, found)
      }
      const updated = await updateKey(store, trx, found, { name, state })
      if (!updated) throw changedMeanwhile('The key')
      return updated
    }),
  )
}

/** Throws `not_found`, and `in_use` while snapshots or plans need it. */
export async function removeKey({ store }: AppContext, organizationId: string, id: string): Promise<void> {
  await store.db.transaction().execute(async (trx) => {
    await holdOrganization(trx, organizationId)
    const found = await findKey(trx, organizationId, id)
    if (!found) throw noKey()
    const groups = await protectedSnapshots(trx, organizationId)
    const snapshots = countProtected(found, groups)
    if (snapshots > 0) throw neededBySnapshots(found, snapshots)
    await refuseWhilePlansNeed(trx, organizationId, found)
    if ((await backupsOfFormerPlans(trx, organizationId)) > 0) throw perhapsNeeded(found)
    await deleteKey(trx, id)
  })
}

/** How many snapshots each of the keys protects, by their ids. */
export async function protectedBy(
  { store }: AppContext,
  organizationId: string,
  rows: readonly KeyRow[],
): Promise<Map<string, number>> {
  const groups = await protectedSnapshots(store.db, organizationId)
  return new Map(rows.map((row) => [row.id, countProtected(row, groups)]))
}

/** The public keys of a key; undefined if it has none. */
export function recipientsOf(row: KeyRow): string[] | undefined {
  return material.parse(JSON.parse(row.material)).recipients
}

/**
 * Every key that there is or should be: the instance keys, those of the organization, and those that only snapshots
 * know of. A snapshot that several keys open counts for each.
 */
export async function checkKeys(context: AppContext, organizationId: string): Promise<KeyCheck[]> {
  const [rows, groups, instance] = await Promise.all([
    allKeys(context.store, organizationId),
    protectedSnapshots(context.store.db, organizationId),
    instancePrintsOf(context),
  ])
  const instanceChecks = instance.map((print, i): KeyCheck => ({
    keyId: INSTANCE_KEY,
    name: i === 0 ? 'Instance key' : 'Former instance key',
    kind: 'instance',
    state: i === 0 ? 'active' : 'retired',
    fingerprint: print,
    isAtHand: true,
    ...spanOf(groups.filter((group) => group.fingerprint === print)),
  }))
  const checks = rows.map((row): KeyCheck => ({
    keyId: row.id,
    name: row.name,
    kind: row.kind,
    state: row.state,
    fingerprint: row.fingerprint,
    isAtHand: row.kind !== 'recipients' && secretOf(context, row) !== undefined,
    ...spanOf(groups.filter((group) => protects(row, group))),
  }))
  const orphans = groups.filter(
    (group) =>
      !instance.some((print) => print === group.fingerprint) && !rows.some((row) => protects(row, group)),
  )
  const missing = orphans.map((group): KeyCheck => ({
    keyId: group.keyId,
    name: null,
    kind: 'unknown',
    state: 'missing',
    fingerprint: group.fingerprint,
    isAtHand: false,
    ...spanOf([group]),
  }))
  return [...instanceChecks, ...checks, ...missing]
}

/** A key that snapshots need, and that cannot open them here: nobody has it, or APP_KEY does not open it. */
export interface MissingKey extends NamedInSnapshots {
  /** Null if only snapshots know of it. */
  name: string | null
  snapshots: number
}

/** Cheap, however many snapshots there are. A key of recipients is not missing: their identities are never here. */
export async function missingKeys(context: AppContext, organizationId: string): Promise<MissingKey[]> {
  const { db } = context.store
  const named = await namedInSnapshots(db, organizationId)
  if (named.length === 0) return []
  const rows = await allKeys(context.store, organizationId)
  const atHand = rows.filter((row) => row.kind === 'recipients' || secretOf(context, row) !== undefined)
  const closed = named.filter((one) => !atHand.some((row) => protects(row, one)))
  if (closed.length === 0) return []
  const instance = await instancePrintsOf(context)
  const missing = closed.filter(({ fingerprint }) => !instance.some((print) => print === fingerprint))
  return await Promise.all(
    missing.map(async (one) => ({
      ...one,
      name: rows.find((row) => protects(row, one))?.name ?? null,
      snapshots: await countNaming(db, organizationId, one),
    })),
  )
}

/** The fingerprint decides where there is one: after a loss of the app, the same key gets another id. */
function protects(row: KeyRow, group: NamedInSnapshots): boolean {
  return group.keyId === row.id || (row.fingerprint !== null && group.fingerprint === row.fingerprint)
}

function countProtected(row: KeyRow, groups: readonly Protected[]): number {
  return groups.filter((group) => protects(row, group)).reduce((total, { snapshots }) => total + snapshots, 0)
}

function spanOf(groups: readonly Protected[]): Pick<KeyCheck, 'snapshots' | 'oldest' | 'newest'> {
  if (groups.length === 0) return { snapshots: 0, oldest: null, newest: null }
  return {
    snapshots: groups.reduce((total, { snapshots }) => total + snapshots, 0),
    oldest: new Date(Math.min(...groups.map(({ oldest }) => oldest))).toISOString(),
    newest: new Date(Math.max(...groups.map(({ newest }) => newest))).toISOString(),
  }
}

/** As manifests have it. Throws `invalid_input` for what is no password or no recipient. */
async function fingerprintOf(
  kind: KeyRow['kind'],
  { password = '', recipients = [] }: Material,
): Promise<string | null> {
  switch (kind) {
    case 'password':
      return await asField('password', () => fingerprintOfPassword(password))
    case 'recipients':
      for (const [i, recipient] of recipients.entries()) {
        await asField(`recipients.${i}`, () => checkRecipient(recipient))
      }
      return fingerprintOfRecipients(recipients)
    case 'passphrase':
      return null
    default: {
      const never: never = kind
      throw never
    }
  }
}

const instancePrints = new WeakMap<readonly string[], Promise<string[]>>()

/** Each takes a processor for a moment: they are derived once. */
function instancePrintsOf({ instanceKeys }: AppContext): Promise<string[]> {
  const known = instancePrints.get(instanceKeys) ?? Promise.all(instanceKeys.map(fingerprintOfPassword))
  instancePrints.set(instanceKeys, known)
  known.catch(() => instancePrints.delete(instanceKeys)) // reported to whoever asked
  return known
}

async function fingerprintOfPassword(value: string): Promise<string> {
  return fingerprint(await deriveSevenzipKey(sevenzipPassword(value)))
}

/** By encrypting nothing for it. */
async function checkRecipient(recipient: string): Promise<void> {
  const { encryptAge } = await import('../../lib/age/index.ts') // sixty modules, which few ever need
  async function* nothing(): AsyncGenerator<Uint8Array, void> {}
  await Array.fromAsync(encryptAge({ recipients: [recipient] }, nothing()))
}

async function asField<T>(field: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'invalid_input') throw error
    const { message, hint } = error
    throw new AppError('invalid_input', `${field}: ${message}`, {
      hint,
      fields: [{ field, message }],
      cause: error,
    })
  }
}

function materialOf({ sealer }: AppContext, row: KeyRow): Material {
  const stored = JSON.parse(row.material) as Settings
  return material.parse(openSettings(material, stored, sealer, contextOf(row.id)))
}

/** Undefined if there is none, or APP_KEY does not open it: the other keys are there all the same. */
function secretOf(context: AppContext, row: KeyRow): string | undefined {
  try {
    return materialOf(context, row).password
  } catch (error) {
    if (error instanceof AppError && (error.code === 'key_wrong' || error.code === 'decryption_failed')) {
      return undefined
    }
    throw error
  }
}

/** The place that secrets are sealed for. */
function contextOf(id: string): string {
  return `keys/${id}/material`
}

/** `k7mpq-…` */
function makeSecret(): string {
  const group = () =>
    Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

function unfit(message: string): AppError {
  const field = 'encryption.keyId'
  return new AppError('invalid_input', message, { fields: [{ field, message }] })
}

async function refuseWhilePlansNeed(
  trx: Transaction<Tables>,
  organizationId: string,
  { id, name }: KeyRow,
): Promise<void> {
  const users = usersInWords([{ what: 'plan', names: await plansWith(trx, organizationId, id) }])
  if (users === undefined) return
  throw new AppError('in_use', `The key “${name}” is used by ${users}.`, {
    hint: 'Give them another key first.',
  })
}

function neededBySnapshots({ name }: KeyRow, snapshots: number): AppError {
  const what = snapshots === 1 ? '1 snapshot' : `${snapshots} snapshots`
  return new AppError('in_use', `The key “${name}” protects ${what}, which nobody could read without it.`, {
    hint: 'Retire it instead: then it encrypts nothing more, and still opens them.',
  })
}

function perhapsNeeded({ name }: KeyRow): AppError {
  return new AppError('in_use', `Backups are running that may be encrypted with the key “${name}”.`, {
    hint: 'They began before their plan was changed. Wait until they are over.',
  })
}

function noKey(): AppError {
  return new AppError('not_found', 'There is no such key.')
}
