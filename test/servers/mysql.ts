import { basename, join } from 'node:path'
import { type MysqlLikeOptions, type MysqlLikeServer, startMysqlLike } from './mysql-like.ts'
import { rootOf } from './needs.ts'

/** Oracle's MySQL, 9.x. It offers TLS with certificates of its own also without the option `tls`. */
export async function startMysql(options: MysqlLikeOptions = {}): Promise<MysqlLikeServer> {
  const root = rootOf('mysql9')
  const base = join(root, 'usr')
  const server = join(base, 'sbin/mysqld')
  const locations = {
    basedir: base,
    'lc-messages-dir': join(base, 'share/mysql'),
    'character-sets-dir': join(base, 'share/mysql/charsets'),
    'plugin-dir': join(base, 'lib/mysql/plugin'),
  }
  return await startMysqlLike(
    {
      name: 'mysql',
      template: `mysql9-${basename(root)}`,
      programs: join(base, 'bin'),
      server,
      locations,
      settings: {
        // Its second protocol would listen on port 33060 of every address.
        mysqlx: 'OFF',
        'secure-file-priv': '',
        'performance-schema': 'OFF',
      },
      initialize: (data) => ({
        file: server,
        args: [
          '--no-defaults',
          ...Object.entries(locations).map(([name, value]) => `--${name}=${value}`),
          `--datadir=${data}`,
          '--initialize-insecure',
          // Saves half a second and a hundred megabytes.
          '--innodb-doublewrite=OFF',
          '--innodb-redo-log-capacity=48M',
        ],
      }),
    },
    options,
  )
}
