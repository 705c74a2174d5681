import { startMariadb } from '../servers/mariadb.ts'
import type { MysqlLikeServer } from '../servers/mysql-like.ts'
import { type Bench, type Candidate, emptying } from './bench.ts'
import { makeMariadbData } from './data-mariadb.ts'
import { holdfast, measure } from './measure.ts'
import { largestFile } from './postgresql.ts'

/** With the options that Holdfast gives it, so that both dump the same bytes. */
const PLAIN_DUMP = `mariadb-dump --single-transaction --quick --routines --triggers --events --hex-blob
  --default-character-set=utf8mb4 --no-tablespaces --max-allowed-packet=1073741824 $CONNECTION bench`.replaceAll(
  '\n',
  ' ',
)
const BACKUP = `${holdfast} backup once "$URL/bench" --to "$TO" --quiet`

export const mariadb: readonly Candidate[] = [
  {
    name: 'mariadb-local',
    needs: ['mariadb10.11', 'zstd'],
    async prepare(bench) {
      const { env } = await serverWithData(bench)
      const [TO, OUT] = [await bench.folder('to'), await bench.folder('out')]
      return {
        name: 'mariadb-local',
        what: 'MariaDB → folder, zstd 3',
        against: '`mariadb-dump \\| zstd -3 > file`',
        goal: { wall: 1.05 },
        holdfast: { script: BACKUP, env: { ...env, TO } },
        plain: { script: `${PLAIN_DUMP} | zstd -q -3 > "$OUT/dump.zst"`, env: { ...env, OUT } },
        after: emptying(TO, OUT),
      }
    },
  },
  {
    name: 'mariadb-restore',
    needs: ['mariadb10.11', 'zstd'],
    async prepare(bench) {
      const { server, env } = await serverWithData(bench)
      const FROM = await bench.folder('from')
      await measure({ script: BACKUP, env: { ...env, TO: FROM } })
      const KEY = await largestFile(FROM)
      return {
        name: 'mariadb-restore',
        what: 'folder → MariaDB, object verified first, rows counted',
        against: '`zstd -dc file \\| mariadb`',
        goal: { wall: 1.05 },
        holdfast: {
          script: `${holdfast} restore once "$KEY" --from "$FROM" --into "$URL/restored" --quiet`,
          env: { ...env, FROM, KEY },
        },
        plain: {
          script: `mariadb $CONNECTION -e 'create database restored'
                   zstd -q -dc "$FROM/$KEY" | mariadb $CONNECTION --max-allowed-packet=1073741824 restored`,
          env: { ...env, FROM, KEY },
        },
        after: async () => {
          await server.query('drop database restored')
        },
      }
    },
  },
]

function serverWithData(bench: Bench): Promise<{ server: MysqlLikeServer; env: Record<string, string> }> {
  return bench.share('mariadb', async () => {
    const server = bench.keep(
      await startMariadb({
        version: '10.11',
        settings: { 'innodb-buffer-pool-size': '512M', 'innodb-log-file-size': '512M' },
      }),
    )
    await makeMariadbData(server, 'bench', bench.scale)
    const env = {
      PATH: `${server.programs}:${process.env['PATH']}`,
      CONNECTION: `--host=${server.host} --port=${server.port} --user=${server.user}`,
      MYSQL_PWD: server.password,
      HOLDFAST_DATABASE_PASSWORD: server.password,
      URL: `mariadb://${server.user}@${server.host}:${server.port}`,
    }
    await measure({ script: `${PLAIN_DUMP} > /dev/null`, env })
    return { server, env }
  })
}
