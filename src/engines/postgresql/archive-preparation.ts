import { open } from 'node:fs/promises'
import type { RestoreFilter } from '../engine.ts'
import { AppError } from '../../shared/errors.ts'
import { TocParser, type TocEntry } from './archive-toc.ts'

/** What an archive's table of contents is good for before pg_restore acts on it. */
export interface Preparation {
  /** The entries that `act` wants to see. */
  isKept: (entry: TocEntry) => boolean
  /** The schema public is there already and is not created, but still gets what else the archive has for it. */
  keepsPublic: boolean
  /** Runs when the table of contents is known, and before pg_restore has changed anything. */
  act: (toc: TocParser, signal: AbortSignal) => Promise<void>
}

/** Turns a statement in one line into a comment, without a change in length: pg_dump writes one there, too. */
const COMMENT = Buffer.from('--')

/**
 * A stage before pg_restore that lets the archive through. pg_restore does nothing before it has read the table of
 * contents, of which the last bytes wait here until all is prepared; so it opens the list for `--use-list` later, too.
 */
export function prepareArchive({ isKept, keepsPublic, act }: Preparation): RestoreFilter {
  return async function* (bytes, signal) {
    const toc = new TocParser(undefined, isKept)
    let isRead = false
    // What has not been read, mostly less than one field of an entry, and what has just come.
    let held = Buffer.alloc(0)
    let before = 0
    for await (const chunk of bytes) {
      if (isRead) {
        yield chunk
        continue
      }
      held = Buffer.concat([held, chunk])
      isRead = toc.push(chunk) !== undefined
      const at = (toc.createsPublicAt ?? -1) - before
      if (keepsPublic && at >= 0) COMMENT.copy(held, at)
      if (isRead) await act(toc, signal)
      const done = isRead ? held.length : held.length - toc.unreadBytes
      if (done > 0) yield held.subarray(0, done)
      before += done
      held = held.subarray(done)
    }
    if (!isRead) throw endsEarly()
  }
}

/** The same with an archive, or the table of contents of a directory, that is in a file of ours. */
export async function prepareArchiveFile(
  path: string,
  { isKept, keepsPublic, act }: Preparation,
  signal: AbortSignal,
): Promise<void> {
  await using file = await open(path, 'r+')
  const toc = new TocParser(undefined, isKept)
  let isRead = false
  for await (const chunk of file.createReadStream({ autoClose: false, signal })) {
    isRead = toc.push(chunk as Buffer) !== undefined
    if (isRead) break
  }
  if (!isRead) throw endsEarly()
  if (keepsPublic && toc.createsPublicAt !== undefined)
    await file.write(COMMENT, 0, COMMENT.length, toc.createsPublicAt)
  await act(toc, signal)
}

function endsEarly(): AppError {
  return new AppError('dump_incomplete', 'The dump is not complete: it ends within its table of contents.')
}
