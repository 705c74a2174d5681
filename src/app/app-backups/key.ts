const KEY = /^(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z\/db_v(\d+)\.db$/

/** A time for the name of a file: `2026-11-22T03-00-00Z` */
export function stampOf(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+/, '').replaceAll(':', '-')
}

/** `2026-11-22T03-00-00Z/db_v12.db` */
export function keyOf(time: number, schemaVersion: number): string {
  return `${stampOf(time)}/db_v${schemaVersion}.db`
}

/** Undefined for what is no such key. */
export function readKey(key: string): { time: number; schemaVersion: number } | undefined {
  const [, date, hours, minutes, seconds, version] = KEY.exec(key) ?? []
  const time = Date.parse(`${date}T${hours}:${minutes}:${seconds}Z`)
  return Number.isNaN(time) ? undefined : { time, schemaVersion: Number(version) }
}
