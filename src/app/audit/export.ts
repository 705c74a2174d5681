import { Readable } from 'node:stream'
import type { AuditEntry } from '../../shared/audit.ts'
import type { Store } from '../../store/database.ts'
import { present } from './present.ts'
import { type EntryFilter, listEntries } from './store.ts'

const PIECE = 200
const COLUMNS = [
  'number',
  'id',
  'at',
  'organizationId',
  'action',
  'outcome',
  'actorKind',
  'actorId',
  'actorName',
  'actorOwner',
  'address',
  'targetKind',
  'targetId',
  'targetName',
  'details',
  'hash',
]

export type ExportForm = 'jsonl' | 'csv'

/** All entries that the filter lets through, the newest first: read as slowly as they are taken. */
export function exportEntries(store: Store, filter: EntryFilter, form: ExportForm): Readable {
  return Readable.from(form === 'csv' ? asCsv(store, filter) : asJsonLines(store, filter), {
    objectMode: false,
  })
}

async function* pieces(store: Store, filter: EntryFilter): AsyncGenerator<AuditEntry[], void> {
  for (let before: number | null | undefined; before !== null;) {
    const { rows, next } = await listEntries(store, filter, { before, limit: PIECE })
    if (rows.length > 0) yield rows.map(present)
    before = next
  }
}

async function* asJsonLines(store: Store, filter: EntryFilter): AsyncGenerator<string, void> {
  for await (const entries of pieces(store, filter)) {
    yield entries.map((entry) => `${JSON.stringify(entry)}\n`).join('')
  }
}

/** Excel would take UTF-8 without it for another encoding. */
const BYTE_ORDER_MARK = '\uFEFF'

/** As RFC 4180 has it. */
async function* asCsv(store: Store, filter: EntryFilter): AsyncGenerator<string, void> {
  yield `${BYTE_ORDER_MARK}${COLUMNS.join(',')}\r\n`
  for await (const entries of pieces(store, filter)) {
    yield entries.map((entry) => `${cellsOf(entry).map(cell).join(',')}\r\n`).join('')
  }
}

function cellsOf(entry: AuditEntry): (string | number | null | undefined)[] {
  const { number, id, at, organizationId, action, outcome, actor, address, target, details, hash } = entry
  const who = [actor.kind, actor.id, actor.name, actor.owner?.name]
  const what = [target?.kind, target?.id, target?.name]
  return [
    number,
    id,
    at,
    organizationId,
    action,
    outcome,
    ...who,
    address,
    ...what,
    JSON.stringify(details),
    hash,
  ]
}

/** A text that a spreadsheet would take for a formula gets an apostrophe before it. */
function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const harmless = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
