import { AppError } from '../../shared/errors.ts'
import type { DumpReader } from '../engine.ts'

const MAGIC = 'SQLite format 3\0'
const HEADER = 100

/** What the first 100 bytes of a database file say. Source: https://www.sqlite.org/fileformat2.html#the_database_header */
interface SqliteHeader {
  /** In bytes. */
  pageSize: number
  /** Undefined if the last writer was so old that it did not keep the number. */
  pages: number | undefined
  /** Whether the database is opened in write-ahead mode. */
  wal: boolean
}

/** Undefined if the bytes do not begin as an SQLite database does. */
function readHeader(bytes: Uint8Array): SqliteHeader | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (head.length < HEADER || head.toString('latin1', 0, 16) !== MAGIC) return undefined
  const size = head.readUInt16BE(16)
  const pages = head.readUInt32BE(28)
  const trusted = pages > 0 && head.readUInt32BE(24) === head.readUInt32BE(92)
  return { pageSize: size === 1 ? 65_536 : size, pages: trusted ? pages : undefined, wal: head[18] === 2 }
}

/** A copy is complete when it is as long as its header says. */
export function sqliteDumpReader(): DumpReader {
  const head = Buffer.alloc(HEADER)
  let total = 0
  return {
    update(bytes) {
      if (total < HEADER) head.set(bytes.subarray(0, HEADER - total), total)
      total += bytes.length
    },
    finish() {
      const header = readHeader(head.subarray(0, Math.min(total, HEADER)))
      if (!header) throw incomplete('does not begin as an SQLite database does')
      const { pageSize, pages } = header
      if (pages === undefined ? total % pageSize !== 0 : total !== pages * pageSize) {
        const expected = pages === undefined ? 'whole pages' : `${pages} pages`
        throw incomplete(`has ${total} bytes, where its header promises ${expected} of ${pageSize} bytes`)
      }
      return {}
    },
  }
}

function incomplete(what: string): AppError {
  return new AppError('dump_incomplete', `The copy ${what}.`)
}
