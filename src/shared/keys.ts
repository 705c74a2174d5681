import { AppError } from './errors.ts'

/** What may stand in braces in a plan's path and file name. */
const placeholders = [
  'organization',
  'server',
  'database',
  'plan',
  'timestamp',
  'year',
  'month',
  'day',
  'version',
] as const
type Placeholder = (typeof placeholders)[number]

export const DEFAULT_PATH = '{server}/{database}'
export const DEFAULT_FILE_NAME = '{server}-{database}-{timestamp}'

const MAX_PATH = 255
const MAX_SEGMENT_BYTES = 150

export interface KeyValues {
  organization?: string
  server: string
  database: string
  plan?: string
  version?: string
  /** The snapshot's own time; written in UTC. */
  at: Date
}

/**
 * The key of a snapshot's object without its extension: `prod/shop/prod-shop-20261122T030000Z`. Values are made safe
 * for every kind of volume, so a database called `../x` or `a/b` stays one segment; the manifest keeps its true name.
 * The path `.` is no folder at all. Throws `invalid_input` for an unknown placeholder, an absolute path, or `..`.
 */
export function keyFor(values: KeyValues, path = DEFAULT_PATH, fileName = DEFAULT_FILE_NAME): string {
  if (path.length > MAX_PATH) throw refused(path, `it is longer than ${MAX_PATH} characters`)
  if (fileName.includes('/')) throw refused(fileName, 'a file name has no “/”; folders belong into the path')
  const segments = path === '' || path === '.' ? [] : path.split('/')
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..')) {
    throw refused(path, 'it must be relative, without empty segments and without “..”')
  }
  return [...segments, fileName].map((segment) => safeSegment(fill(segment, values))).join('/')
}

/** Where a snapshot's copy goes on a volume on which another snapshot has its key. */
export function besideKey(key: string, snapshotId: string): string {
  const folder = key.slice(0, key.lastIndexOf('/') + 1)
  return `${folder}${snapshotId}-${key.slice(folder.length)}`
}

/** One path segment that every file system and object store takes, and that reads like the text it is made of. */
export function safeSegment(text: string): string {
  const safe = text
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cs}/\\:*?"<>|]/gu, '_')
    .replaceAll(/^[.\s-]+|[.\s]+$/gu, (run) => '_'.repeat(run.length))
  return cutToBytes(safe === '' ? '_' : safe, MAX_SEGMENT_BYTES)
}

/** `20261122T030000Z`: sorts by time and is safe in a file name. */
function timestampOf(at: Date): string {
  return at.toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')
}

function fill(template: string, values: KeyValues): string {
  const iso = values.at.toISOString()
  const known: Record<Placeholder, string> = {
    organization: values.organization ?? 'default',
    server: values.server,
    database: values.database,
    plan: values.plan ?? 'manual',
    timestamp: timestampOf(values.at),
    year: iso.slice(0, 4),
    month: iso.slice(5, 7),
    day: iso.slice(8, 10),
    version: values.version ?? 'none',
  }
  return template.replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => {
    if (!Object.hasOwn(known, name)) {
      throw refused(template, `${whole} is not one of ${placeholders.map((known) => `{${known}}`).join(' ')}`)
    }
    return known[name as Placeholder]
  })
}

function cutToBytes(text: string, limit: number): string {
  const encoder = new TextEncoder()
  if (encoder.encode(text).length <= limit) return text
  let cut = ''
  let bytes = 0
  for (const character of text) {
    bytes += encoder.encode(character).length
    if (bytes > limit) break
    cut += character
  }
  return cut
}

function refused(template: string, why: string): AppError {
  return new AppError('invalid_input', `“${template.slice(0, 80)}” cannot be used for keys: ${why}.`)
}
