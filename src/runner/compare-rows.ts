/** A restored database beside what the snapshot says of it. */
export interface RowComparison {
  /** Those that were compared. */
  tables: number
  rows: number
  /** Tables whose numbers of rows are not those of the snapshot; `found` is undefined if the table is missing. */
  differences: { table: string; expected: number; found: number | undefined }[]
}

/** Tables that the snapshot does not speak of are not held against the restored database. */
export function compareRows(expected: Record<string, number>, found: Record<string, number>): RowComparison {
  const tables = Object.entries(expected)
  const differences = tables
    .filter(([table, rows]) => found[table] !== rows)
    .map(([table, rows]) => ({ table, expected: rows, found: found[table] }))
  return { tables: tables.length, rows: tables.reduce((sum, [, rows]) => sum + rows, 0), differences }
}
