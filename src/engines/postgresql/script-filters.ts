import { randomBytes } from 'node:crypto'
import { restrictKey } from './plain.ts'

type Filter = (bytes: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>

/** The settings of a script stand before this many bytes. */
const HEAD = 8192
/** The last `\unrestrict` and the closing comment stand within this many. */
const TAIL = 1024

/**
 * Takes out of the settings at a script's beginning the one that pg_dump and pg_restore write since 17 and that servers
 * before 17 refuse. It limits nothing: it sets a limit to none.
 */
export const withoutTransactionTimeout: Filter = (bytes) =>
  editHead(bytes, (head) => {
    const first = head.indexOf('\nSET transaction_timeout = 0;\n')
    const settings =
      /^(?:--[^\n]*\n|\n|\\restrict \w+\n|SET [^\n]*\n|SELECT pg_catalog\.set_config[^\n]*\n)*/.exec(head)
    return first === -1 || first > (settings?.[0].length ?? 0)
      ? head
      : head.slice(0, first) + head.slice(first + 29)
  })

/**
 * Puts a script between a `\restrict` and an `\unrestrict` of our own, whose key nobody else knows, in place of its
 * own: psql then refuses every other meta-command, of which some run programs on this machine.
 */
export const restricted: Filter = async function* (bytes) {
  const key = randomBytes(24).toString('hex')
  let own: string | undefined
  yield Buffer.from(`\\restrict ${key}\n`)
  const headless = editHead(bytes, (head) => {
    own = restrictKey(head)
    return own === undefined ? head : head.replace(`\\restrict ${own}\n`, '')
  })
  yield* editTail(headless, (tail) => {
    if (own === undefined) return tail
    const at = tail.lastIndexOf(`\\unrestrict ${own}\n`)
    return at === -1 ? tail : tail.slice(0, at) + tail.slice(at + own.length + 13)
  })
  yield Buffer.from(`\n\\unrestrict ${key}\n`)
}

/**
 * Begins a transaction before the script and commits it behind its last byte. psql's own `--single-transaction` would
 * commit at the end of its input, also when that is only where we were killed.
 */
export const inTransaction: Filter = async function* (bytes) {
  yield* editHead(bytes, (head) => {
    const restrict = /^(?:--[^\n]*\n|\n)*\\restrict \w+\n/.exec(head)?.[0] ?? ''
    return `${restrict}BEGIN;\n${head.slice(restrict.length)}`
  })
  yield Buffer.from('\nCOMMIT;\n')
}

/** A role that is there already is not created again, but still gets what the script gives it. */
export const withExistingRoles: Filter = async function* (bytes) {
  for await (const line of lines(bytes)) {
    const create = /^CREATE ROLE (.+);\n$/.exec(line)?.[1]
    yield Buffer.from(
      create === undefined || line.includes('$holdfast$')
        ? line
        : `DO $holdfast$ BEGIN CREATE ROLE ${create}; EXCEPTION WHEN duplicate_object THEN NULL; END $holdfast$;\n`,
      'latin1',
    )
  }
}

/** Latin-1 keeps every byte as it is; what is looked for is ASCII. */
async function* editHead(
  bytes: AsyncIterable<Uint8Array>,
  edit: (head: string) => string,
): AsyncGenerator<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of bytes) {
    if (!head) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length < HEAD) continue
    yield Buffer.from(edit(head.toString('latin1')), 'latin1')
    head = undefined
  }
  if (head) yield Buffer.from(edit(head.toString('latin1')), 'latin1')
}

async function* editTail(
  bytes: AsyncIterable<Uint8Array>,
  edit: (tail: string) => string,
): AsyncGenerator<Uint8Array> {
  let kept = Buffer.alloc(0)
  for await (const chunk of bytes) {
    kept = Buffer.concat([kept, chunk])
    if (kept.length <= TAIL) continue
    yield kept.subarray(0, -TAIL)
    kept = Buffer.from(kept.subarray(-TAIL))
  }
  yield Buffer.from(edit(kept.toString('latin1')), 'latin1')
}

/** Lines with their ends, in Latin-1. */
async function* lines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of bytes) {
    const parts = (rest + Buffer.from(chunk).toString('latin1')).split(/(?<=\n)/)
    rest = parts.pop() ?? ''
    if (rest.endsWith('\n')) {
      parts.push(rest)
      rest = ''
    }
    yield* parts
  }
  if (rest !== '') yield rest
}
