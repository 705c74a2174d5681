/** What people call a database: of a file its name, without the folders, which stand elsewhere. Null stays null. */
export function databaseTitle(database: string | null): string | null {
  if (database === null || !database.startsWith('/')) return database
  return database.slice(database.lastIndexOf('/') + 1)
}
