import { AppError } from '../../shared/errors.ts'
import type { DumpContents, DumpReader } from '../engine.ts'
import { DumpScanner } from './scanner.ts'

/**
 * Recognises a complete dump: its last line is `-- Dump completed`, with or without a date, and stands outside of
 * every statement. Learns the number of rows per table and the position in the binary log.
 */
export function mysqlDumpReader(): DumpReader {
  let lastComment = ''
  const position: Record<string, string> = {}
  const scanner = new DumpScanner({
    onComment(line) {
      lastComment = line
      readPosition(line, position)
    },
    onPiece(bytes) {
      // Anything but white space after the closing mark, and it was not the closing mark.
      if (lastComment !== '' && !isComment(bytes) && !isBlank(bytes)) lastComment = ''
    },
  })
  return {
    update: (bytes) => scanner.feed(bytes),
    finish(): DumpContents {
      scanner.end()
      if (!scanner.atRest || !/^-- Dump completed( on [-\d]+ +[:\d]+)?\s*$/.test(lastComment)) {
        throw new AppError('dump_incomplete', 'The dump does not end with “-- Dump completed”.', {
          hint: 'The tool was interrupted, or the extra options take the comments away.',
        })
      }
      return {
        rows: Object.fromEntries(scanner.rows),
        ...(Object.keys(position).length > 0 && { position }),
      }
    },
  }
}

function readPosition(line: string, position: Record<string, string>): void {
  const log =
    /^-- CHANGE (?:MASTER|REPLICATION SOURCE) TO (?:MASTER|SOURCE)_LOG_FILE='([^']+)', (?:MASTER|SOURCE)_LOG_POS=(\d+);/
  const [, file, offset] = log.exec(line) ?? []
  if (file !== undefined && offset !== undefined) Object.assign(position, { file, offset })
  const gtid = /^-- SET GLOBAL gtid_slave_pos='([^']+)';/.exec(line)?.[1]
  if (gtid !== undefined) position['gtid'] = gtid
}

function isComment(bytes: Uint8Array): boolean {
  return bytes[0] === 45 && bytes[1] === 45
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 32 || (byte >= 9 && byte <= 13))
}
