import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Bench, type Candidate, emptying } from './bench.ts'
import { holdfast, measure } from './measure.ts'

export const sqlite: readonly Candidate[] = [
  {
    name: 'sqlite-local',
    needs: ['zstd'],
    programs: ['sqlite3'],
    async prepare(bench) {
      const SOURCE = await makeDatabase(bench)
      const [TO, OUT] = [await bench.folder('to'), await bench.folder('out')]
      const env = { SOURCE, TO, OUT }
      await measure({ script: 'cat "$SOURCE" > /dev/null', env })
      return {
        name: 'sqlite-local',
        what: 'SQLite → folder, zstd 3, integrity checked',
        against: '`sqlite3 .backup; zstd -3`',
        goal: { wall: 1.05 },
        holdfast: { script: `${holdfast} backup once "sqlite:$SOURCE" --to "$TO" --quiet`, env },
        plain: {
          script: `sqlite3 "$SOURCE" ".backup '$OUT/copy.db'"; zstd -q -3 "$OUT/copy.db" -o "$OUT/copy.db.zst"; rm "$OUT/copy.db"`,
          env,
        },
        after: emptying(TO, OUT),
      }
    },
  },
]

/** Scale 1 is 600 MB. */
async function makeDatabase(bench: Bench): Promise<string> {
  const file = join(await bench.folder('sqlite'), 'bench.db')
  const rows = (full: number) => Math.max(1, Math.round(full * bench.scale))
  using db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma synchronous = off')
  db.exec('create table reading (id integer primary key, sensor integer, taken_at text, value real)')
  db.exec('create table note (id integer primary key, title text, body text, digest blob)')
  db.exec(`insert into reading with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows(6_000_000)})
    select i, i * 2654435761 % 5000, datetime(1767225600 + i * 7, 'unixepoch'), i * 2654435761 % 4294967296 / 65536.0 from n`)
  db.exec(`insert into note with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows(200_000)})
    select i, 'Note ' || i, replace(printf('%.60c', 'x'), 'x', 'line ' || i * 2654435761 % 99991 || ' and more; '),
      cast(printf('%016x', i * 2654435761) as blob) from n`)
  db.exec('create index reading_sensor on reading (sensor)')
  return file
}
