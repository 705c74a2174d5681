import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

/** Everything about a database file that a copy may lose. */
export const AWKWARD = `
PRAGMA page_size = 8192; PRAGMA encoding = 'UTF-16be'; PRAGMA journal_mode = WAL;
PRAGMA user_version = 42; PRAGMA application_id = 1213481300; PRAGMA auto_vacuum = INCREMENTAL;
CREATE TABLE "odd ""name"" ñ 🎉" (id INTEGER PRIMARY KEY AUTOINCREMENT, "a b" TEXT COLLATE NOCASE, real REAL, "nothing");
INSERT INTO "odd ""name"" ñ 🎉" VALUES (1, 'x' || char(0) || 'y 🎉', 1e300, NULL), (9007199254740993, '', -0.0, x'');
DELETE FROM "odd ""name"" ñ 🎉" WHERE id = 1;
CREATE TABLE implicit (a); INSERT INTO implicit (rowid, a) VALUES (7, 'seven'), (3, 'three'), (-1, 'minus');
CREATE TABLE kv (k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID; INSERT INTO kv VALUES ('k', randomblob(3000000));
CREATE TABLE strictly (i INT NOT NULL CHECK (i > 0), a ANY) STRICT; INSERT INTO strictly VALUES (1, 'x'), (2, x'00');
CREATE TABLE generated (a INT, b INT AS (a * 2) STORED, c TEXT AS ('c' || a)); INSERT INTO generated VALUES (1), (2);
CREATE INDEX partial ON generated (c) WHERE b > 2; CREATE UNIQUE INDEX expression ON generated (a + b);
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE child (p REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED); INSERT INTO child VALUES (NULL);
CREATE TABLE log (message);
CREATE TRIGGER logged AFTER INSERT ON kv BEGIN INSERT INTO log VALUES ('insert ' || new.k); END;
CREATE VIEW both AS SELECT a FROM generated UNION ALL SELECT i FROM strictly;
CREATE VIEW view_of_view AS SELECT count(*) AS n FROM both;
CREATE TRIGGER instead INSTEAD OF INSERT ON both BEGIN INSERT INTO log VALUES ('instead'); END;
CREATE VIRTUAL TABLE search USING fts5 (title, body); INSERT INTO search VALUES ('Größe', 'der schnelle Fuchs');
CREATE VIRTUAL TABLE boxes USING rtree (id, x0, x1); INSERT INTO boxes VALUES (1, 2.5, 3.5);
INSERT INTO kv VALUES ('after the trigger', zeroblob(10)); ANALYZE;
`

/** The settings, the schema and every row with its row id, as lines. A file that is no database is told by its error. */
export function fingerprintOf(path: string): string[] {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(pathToFileURL(path), { readOnly: true, enableForeignKeyConstraints: false })
    return linesOf(db)
  } catch (error) {
    return [String(error)]
  } finally {
    db?.close()
  }
}

function linesOf(db: DatabaseSync): string[] {
  const lines: string[] = []
  for (const pragma of [
    'page_size',
    'encoding',
    'user_version',
    'application_id',
    'auto_vacuum',
    'journal_mode',
  ]) {
    lines.push(JSON.stringify(db.prepare(`PRAGMA ${pragma}`).get()))
  }
  const schema = db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').all()
  for (const object of schema) {
    lines.push(JSON.stringify(object))
    const { type, name, sql } = object as { type: string; name: string; sql: string | null }
    if (type !== 'table') continue
    const rowid = /WITHOUT ROWID|CREATE VIRTUAL/.test(sql ?? '') ? '' : 'rowid AS "the row id", '
    const rows = db.prepare(`SELECT ${rowid}* FROM "${name.replaceAll('"', '""')}"`)
    rows.setReadBigInts(true)
    for (const row of rows.iterate()) lines.push(`${name}: ${valuesOf(row)}`)
  }
  return lines
}

function valuesOf(row: Record<string, unknown>): string {
  return Object.entries(row)
    .map(([column, value]) => {
      if (!(value instanceof Uint8Array)) return `${column}=${typeof value} ${String(value)}`
      return `${column}=blob ${createHash('sha256').update(value).digest('hex')}`
    })
    .join(' ')
}
