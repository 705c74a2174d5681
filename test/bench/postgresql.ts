import { randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { type Bench, type Candidate, emptying } from './bench.ts'
import type { Comparison } from './comparison.ts'
import { makePostgresData } from './data-postgresql.ts'
import { holdfast, measure } from './measure.ts'

/** Both sides use pg_dump's custom format without compression of its own, and so dump the same bytes. */
const PLAIN_DUMP = 'pg_dump --format=custom --compress=0'
const PIPE = `${PLAIN_DUMP} | zstd -q -3 > "$OUT/dump.zst"`
const BACKUP = `${holdfast} backup once "$URL" --to "$TO" --quiet`
const PIPE_IN_WORDS = '`pg_dump -Fc -Z0 \\| zstd -3 > file`'

export const postgresql: readonly Candidate[] = [
  backup({
    name: 'postgres-start',
    what: 'an empty database: what every run costs',
    goal: {},
    fraction: 0,
  }),
  backup({
    name: 'postgres-local',
    what: 'PostgreSQL → folder, zstd 3',
    goal: { wall: 1.05, cpu: 1.1 },
  }),
  backup({
    name: 'postgres-age',
    what: 'the same + age',
    goal: { wall: 1.1 },
    options: '--encryption "age:$RECIPIENT"',
    env: async () => ({ RECIPIENT: await identityToRecipient(await generateX25519Identity()) }),
  }),
  backup({
    name: 'postgres-7z',
    what: 'the same + 7z',
    goal: { wall: 1.1 },
    options: '--encryption 7z',
    env: async () => ({ BACKUP_ENCRYPTION_KEY: `base64:${randomBytes(32).toString('base64')}` }),
  }),
  backup({
    name: 'postgres-7z-file',
    what: 'encrypted 7z, a tenth of the database',
    against: '`pg_dump > f; 7zz a -mhe=on -p… f`',
    goal: { wall: 1 / 35 },
    fraction: 0.1,
    rounds: 1,
    options: '--encryption 7z',
    env: async () => ({ BACKUP_ENCRYPTION_KEY: `base64:${randomBytes(32).toString('base64')}` }),
    plain: `${PLAIN_DUMP} --file="$OUT/dump"; 7zz a -mhe=on "-p$BACKUP_ENCRYPTION_KEY" "$OUT/dump.7z" "$OUT/dump" > /dev/null`,
    needs: ['7zip'],
  }),
  backup({
    name: 'postgres-threads',
    what: 'zstd 3, two threads',
    against: '`pg_dump -Fc -Z0 \\| zstd -3 -T2 > file`',
    goal: { wall: 1.05 },
    options: '--compression zstd:3:2',
    plain: `${PLAIN_DUMP} | zstd -q -3 -T2 > "$OUT/dump.zst"`,
  }),
  backup({
    name: 'postgres-directory',
    what: 'directory format, two jobs',
    against: '`pg_dump -Fd -Z0 -j2; tar \\| zstd -3 > file`',
    goal: { wall: 1.05 },
    options: '--format directory --jobs 2',
    plain: `pg_dump --format=directory --compress=0 --jobs=2 --file="$OUT/dump"
            tar -C "$OUT" -c dump | zstd -q -3 > "$OUT/dump.zst"; rm -r "$OUT/dump"`,
  }),
  {
    name: 'postgres-restore',
    needs: ['postgres15', 'zstd'],
    prepare: prepareRestore,
  },
]

/** A server with a database of this share of the bench's scale, warm. */
export async function postgresWith(
  bench: Bench,
  fraction = 1,
): Promise<{ server: PostgresServer; env: Record<string, string>; url: string }> {
  const server = await bench.share('postgres', async () =>
    bench.keep(await startPostgres({ major: 15, settings })),
  )
  const database = `bench_${String(fraction).replace('.', '_')}`
  const env = {
    PATH: `${server.programs}:${process.env['PATH']}`,
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGUSER: server.user,
    PGPASSWORD: server.password,
    PGDATABASE: database,
    HOLDFAST_DATABASE_PASSWORD: server.password,
  }
  await bench.share(database, async () => {
    if (fraction === 0) await server.query(`create database ${database}`)
    else await makePostgresData(server, database, bench.scale * fraction)
    await measure({ script: `${PLAIN_DUMP} > /dev/null`, env })
  })
  return { server, env, url: `postgresql://${server.user}@${server.host}:${server.port}/${database}` }
}

/** As one would set up a small server; nothing is done behind the back of what is measured. */
const settings = {
  shared_buffers: '512MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '8GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum: 'off',
}

interface Backup {
  name: string
  what: string
  goal: Comparison['goal']
  /** Of the scale; 0 for a database without tables. */
  fraction?: number
  rounds?: number
  options?: string
  env?: () => Promise<Record<string, string>>
  plain?: string
  against?: string
  needs?: Candidate['needs']
}

function backup(backup: Backup): Candidate {
  const { name, what, goal, rounds, fraction, options = '', plain = PIPE, against = PIPE_IN_WORDS } = backup
  return {
    name,
    needs: ['postgres15', 'zstd', ...(backup.needs ?? [])],
    async prepare(bench) {
      const { env: server, url } = await postgresWith(bench, fraction)
      const [TO, OUT] = [await bench.folder('to'), await bench.folder('out')]
      const env = { ...server, ...(await backup.env?.()), URL: url, TO, OUT }
      return {
        name,
        what,
        against,
        goal,
        ...(rounds !== undefined && { rounds }),
        holdfast: { script: `${BACKUP} ${options}`, env },
        plain: { script: plain, env },
        after: emptying(TO, OUT),
      }
    },
  }
}

/** Both sides load the same object, each into a database of its own, and neither in one transaction. */
async function prepareRestore(bench: Bench): Promise<Comparison> {
  const { server, env: signIn, url } = await postgresWith(bench)
  const FROM = await bench.folder('from')
  await measure({ script: BACKUP, env: { ...signIn, URL: url, TO: FROM } })
  const KEY = await largestFile(FROM)
  const into = url.replace(/[^/]*$/, 'restored')
  return {
    name: 'postgres-restore',
    what: 'folder → PostgreSQL, rows counted and compared',
    against: '`createdb; zstd -dc file \\| pg_restore`',
    goal: { wall: 1.05 },
    holdfast: {
      script: `${holdfast} restore once "$KEY" --from "$FROM" --into "$INTO" --quiet`,
      env: { ...signIn, FROM, KEY, INTO: into },
    },
    plain: {
      script: 'createdb restored; zstd -q -dc "$FROM/$KEY" | pg_restore --exit-on-error --dbname=restored',
      env: { ...signIn, FROM, KEY },
    },
    after: async () => {
      await server.query('drop database restored')
      await server.query('checkpoint')
    },
  }
}

/** The path of the largest file below the folder: a snapshot's object, as its key. */
export async function largestFile(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(
    names.map(async (name) => ({ name, bytes: (await stat(join(folder, name))).size })),
  )
  const largest = sizes.sort((a, b) => b.bytes - a.bytes)[0]
  if (!largest) throw new Error(`There is nothing in ${folder}.`)
  return largest.name
}
