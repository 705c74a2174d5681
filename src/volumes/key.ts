import { createHash, randomBytes } from 'node:crypto'
import { isOver, ownToken } from '../lib/identity.ts'
import { AppError } from '../shared/errors.ts'
import type { ByteRange, Volume } from './volume.ts'

/** Of a whole key, in bytes of UTF-8: what S3 allows. */
const KEY_BYTES = 1024
/** Of one segment, in bytes of UTF-8: what file systems allow. */
const SEGMENT_BYTES = 255
/** What all temporary names begin with. */
export const TEMPORARY = '.holdfast-tmp-'
const PATTERN = /^\.holdfast-tmp-(?:(claim)-[0-9a-f]{16}|([0-9a-f]{12}-\d+-\d*)-[0-9a-f]{8})-(.*)$/s
/** Of the name that a temporary name stands for, in bytes: with all that is before it, less than a segment may have. */
const NAME_KEPT = 150

/**
 * Throws `invalid_input` unless every kind of volume can store an object under this key, so that any copy can be
 * replicated to any volume: relative, `/`-separated, no `.` or `..` or empty segment, no control character, at most
 * 1024 bytes and 255 per segment, and not a name that we give to temporary files.
 */
export function checkKey(key: string): void {
  if (key === '') throw refused(key, 'is empty')
  checkText(key)
  for (const segment of key.split('/')) checkSegment(key, segment)
}

/** As `checkKey`, for the beginning of a key: it may be empty and may end anywhere. */
function checkPrefix(prefix: string): void {
  checkText(prefix)
  for (const segment of prefix.split('/').slice(0, -1)) checkSegment(prefix, segment)
}

/** The same volume, with keys, prefixes and ranges checked before the driver sees them. */
export function withCheckedKeys(volume: Volume): Volume {
  const checked: Volume = {
    location: volume.location,
    ...(volume.place !== undefined && { place: volume.place }),
    ...(volume.folder !== undefined && { folder: volume.folder }),
    ...(volume.usesKeysOfMachine !== undefined && { usesKeysOfMachine: volume.usesKeysOfMachine }),
    readsAreCheap: volume.readsAreCheap,
    async write(key, source, signal, options) {
      checkKey(key)
      await volume.write(key, source, signal, options)
    },
    read(key, signal, range) {
      checkKey(key)
      if (range) checkRange(range)
      return volume.read(key, signal, range)
    },
    async stat(key, signal) {
      checkKey(key)
      return await volume.stat(key, signal)
    },
    list(prefix, signal) {
      checkPrefix(prefix)
      return volume.list(prefix, signal)
    },
    async remove(key, signal) {
      checkKey(key)
      await volume.remove(key, signal)
    },
    async discard(scope, signal) {
      checkPrefix(scope)
      await volume.discard(scope, signal)
    },
    [Symbol.asyncDispose]: () => volume[Symbol.asyncDispose](),
  }
  if (volume.presign) {
    const presign = volume.presign.bind(volume)
    checked.presign = async (key, seconds) => {
      checkKey(key)
      return await presign(key, seconds)
    }
  }
  if (volume.isThere) checked.isThere = volume.isThere.bind(volume)
  if (volume.space) checked.space = volume.space.bind(volume)
  if (volume.examine) checked.examine = volume.examine.bind(volume)
  return checked
}

/**
 * A name for a file that is still being written, in the folder where it will be published: who writes it, and for
 * which name, cut where a file system would find it too long.
 */
export function temporaryName(name: string): string {
  return `${TEMPORARY}${ownToken()}-${randomBytes(4).toString('hex')}-${cut(name)}`
}

/** The name of what keeps other writers of this name out for a moment; the same for all of them. */
export function claimName(name: string): string {
  return `${TEMPORARY}claim-${createHash('sha256').update(name).digest('hex').slice(0, 16)}-${cut(name)}`
}

/** Whether `discard` of the scope means the key: the key itself, or any in the folder that a slash at the end tells. */
export function isWithin(key: string, scope: string): boolean {
  return scope === '' || scope.endsWith('/') ? key.startsWith(scope) : key === scope
}

/** What a temporary name in a folder (`a/b/`, or empty) tells: whether the scope means its key, and its writer. */
export function readTemporaryName(
  folder: string,
  temporary: string,
  scope: string,
): { isMeant: boolean; isClaim: boolean; writer: string } {
  const [, claimed, writer = '', name = ''] = PATTERN.exec(temporary) ?? []
  const key = folder + name
  const isCut = Buffer.byteLength(name) > NAME_KEPT - 4
  return {
    isMeant: isWithin(key, scope) || (isCut && scope.startsWith(key)),
    isClaim: claimed !== undefined,
    writer,
  }
}

/**
 * True for a temporary name that an interrupted write within the scope left behind: its writer is over, or
 * cannot be known and has not written for a day. A claim is only held for a moment.
 */
export function isLeftOver(folder: string, temporary: string, scope: string, modifiedAt: Date): boolean {
  if (!isTemporary(temporary)) return false
  const { isMeant, isClaim, writer } = readTemporaryName(folder, temporary, scope)
  if (!isMeant) return false
  const age = Date.now() - modifiedAt.getTime()
  if (isClaim) return age > 60_000
  const over = isOver(writer)
  return over === true || (over === 'unknown' && age > 86_400_000)
}

/** True for the names of files that are still being written, or were left behind. */
export function isTemporary(name: string): boolean {
  return name.startsWith(TEMPORARY)
}

/** The beginning of the name, of whole characters. */
function cut(name: string): string {
  const bytes = Buffer.from(name)
  if (bytes.length <= NAME_KEPT) return name
  return new TextDecoder().decode(bytes.subarray(0, NAME_KEPT), { stream: true })
}

function checkText(key: string): void {
  if (Buffer.byteLength(key) > KEY_BYTES) throw refused(key, `is longer than ${KEY_BYTES} bytes`)
  if (key.startsWith('/')) throw refused(key, 'begins with a slash')
  // oxlint-disable-next-line eslint/no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(key)) throw refused(key, 'contains a control character')
  if (!key.isWellFormed()) throw refused(key, 'is not well-formed Unicode')
}

function checkSegment(key: string, segment: string): void {
  if (segment === '') throw refused(key, 'contains an empty segment')
  if (segment === '.' || segment === '..') throw refused(key, `contains the segment “${segment}”`)
  if (Buffer.byteLength(segment) > SEGMENT_BYTES) {
    throw refused(key, `contains a segment of more than ${SEGMENT_BYTES} bytes`)
  }
  if (isTemporary(segment)) throw refused(key, `contains a segment that begins with “${TEMPORARY}”`)
}

function checkRange(range: ByteRange): void {
  const end = range.end ?? range.start
  if (
    Number.isSafeInteger(range.start) &&
    Number.isSafeInteger(end) &&
    range.start >= 0 &&
    end >= range.start
  )
    return
  throw new AppError('invalid_input', `There is no such range of bytes: ${range.start}–${range.end ?? ''}.`)
}

/** The key is quoted in JSON's way, so that no control character reaches a terminal, and cut. */
function refused(key: string, why: string): AppError {
  const shown = JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}…` : key)
  return new AppError('invalid_input', `No object can be stored under the key ${shown}: it ${why}.`)
}
