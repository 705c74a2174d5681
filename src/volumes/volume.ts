import type { z } from 'zod'
import type { TestStep } from '../shared/test-report.ts'
import type { Space } from './space.ts'

export type { TestStep }

/**
 * A place where snapshots are kept. Keys are relative, `/`-separated, and never contain `.` or `..` segments,
 * NUL or a leading slash; `checkKey` refuses the others before a driver sees them.
 */
export interface Volume extends AsyncDisposable {
  /** For sentences: `s3://bucket/prefix`, without any secret. */
  readonly location: string
  /**
   * Which place it is, where `location` alone does not tell: two volumes for which both are equal are the same place.
   * Different ones may be the same all the same, by links or a second host name.
   */
  readonly place?: string
  /** The folder that it is, where it is one of this machine. */
  readonly folder?: string
  /** True where it has no keys of its own, and is signed in to as whatever this machine is there: a role, a profile. */
  readonly usesKeysOfMachine?: boolean
  /** True where reading back costs nothing to speak of (a local disk). */
  readonly readsAreCheap: boolean

  /**
   * Stores the object under the key. It appears only when the source has ended and the volume has confirmed that
   * it holds exactly these bytes (size or checksum); if the source or the volume fails, whatever was there before
   * is still there and nothing else is left behind. Memory is bounded by parts in flight × part size, whatever
   * the object's size. With `ifAbsent` an existing object is never replaced: `object_exists`.
   */
  write(key: string, source: ObjectSource, signal: AbortSignal, options?: WriteOptions): Promise<void>

  /**
   * The object's bytes, or those of the range. Throws `object_not_found` before the first byte if there is no
   * such object, and throws rather than ends when the connection breaks before the last byte.
   */
  read(key: string, signal: AbortSignal, range?: ByteRange): AsyncIterable<Uint8Array>

  /** Throws `object_not_found` if there is no such object. */
  stat(key: string, signal: AbortSignal): Promise<ObjectInfo>

  /** Every published object whose key starts with the prefix, in any order; temporary names are never listed. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo>

  /**
   * False if the folder itself is missing, which the first write would make: to `list` it looks like an empty one.
   * Absent where there is no such difference.
   */
  isThere?(signal: AbortSignal): Promise<boolean>

  /** Succeeds if the object is already gone. Folders that became empty go with it. */
  remove(key: string, signal: AbortSignal): Promise<void>

  /**
   * Removes what interrupted writes left behind (temporary files, unfinished multipart uploads), never a published
   * object: those of one key, or, with a slash at the end or an empty scope, of all keys in that folder and below.
   * Temporary names carry the token of their writer (lib/identity.ts): those of a process that lives, or that may live
   * elsewhere and wrote within the last day, are left alone. Where the storage knows no writer (multipart uploads),
   * the caller names only keys that nobody writes any more.
   */
  discard(scope: string, signal: AbortSignal): Promise<void>

  /** A link that downloads the object without credentials for so many seconds. Absent where there is no such thing. */
  presign?(key: string, seconds: number): Promise<string>

  /** The room on the disk that it lies on; undefined if it does not tell. Absent where there is no such thing. */
  space?(signal: AbortSignal): Promise<Space | undefined>

  /** What only this kind of volume can tell: free space, clock skew, missing permissions. Part of the test report. */
  examine?(signal: AbortSignal): Promise<TestStep[]>
}

export interface ObjectInfo {
  key: string
  /** Size in bytes. */
  bytes: number
  modifiedAt: Date
}

/**
 * Bytes `start` to `end`, both included, as in HTTP. `end` may lie beyond the object's end; a range that begins there
 * has no bytes, and is no error.
 */
export interface ByteRange {
  start: number
  end?: number
}

/** What is written: a body, perhaps behind a head that is known only when the body has ended (7z). */
export interface ObjectSource {
  body: AsyncIterable<Uint8Array>
  head?: {
    /** Its length in bytes, known before; at most 64 KiB. */
    length: number
    /** Called once, after the body has ended. */
    bytes(): Uint8Array
  }
}

export interface WriteOptions {
  /** Throw `object_exists` rather than replace an object. Decided by the volume at the moment of publishing. */
  ifAbsent?: boolean
}

/**
 * A place in which we may do no more than put objects and remove them: nothing is listed, looked at or read. What it
 * holds is for the caller to remember.
 */
export interface WriteOnlyVolume extends AsyncDisposable {
  /** As of `Volume`. */
  readonly location: string
  readonly place?: string
  readonly folder?: string
  /**
   * Stores the file under the key, in the place of what is there. Resolves when the storage has confirmed that it has
   * exactly these bytes (by the size or the checksum that were sent along). If it fails, something may be there all the
   * same, for nobody can look: the caller removes it.
   */
  put(key: string, file: StoredFile, signal: AbortSignal): Promise<void>
  /** Removes the object, and what an interrupted `put` has left of it. Succeeds if there is none. */
  remove(key: string, signal: AbortSignal): Promise<void>
}

/** A file of this machine that does not change any more. */
export interface StoredFile {
  path: string
  bytes: number
  /** In hex. */
  sha256: string
}

/** A kind of volume: its settings, declared once as data, and how to open it. */
export interface VolumeDriver<Config extends z.ZodType = z.ZodType> {
  label: string
  /** The URL schemes that the command line knows it by, without the colon: `s3`. */
  schemes: readonly string[]
  config: Config
  /** The settings that a volume URL and the environment stand for; validated with `config` afterwards. */
  fromUrl(url: string, environment: NodeJS.ProcessEnv): unknown
  /** Checks nothing yet: the first call that needs the storage says what is wrong with it. */
  open(config: z.output<Config>): Volume
  /** With the least rights that the storage knows. Absent where it has no finer ones: then `open` does. */
  openWriteOnly?(config: z.output<Config>): WriteOnlyVolume
  /** The settings as `config` wants them, where a relative path is one from this folder. Absent without paths. */
  relativeTo?(settings: Record<string, unknown>, folder: string): Record<string, unknown>
}

/** Ties a driver's schema to the type of its settings. */
export function defineVolume<Config extends z.ZodType>(driver: VolumeDriver<Config>): VolumeDriver<Config> {
  return driver
}
