import { basename, join } from 'node:path'
import { type MysqlLikeOptions, type MysqlLikeServer, startMysqlLike } from './mysql-like.ts'
import { rootOf } from './needs.ts'

export interface MariadbOptions extends MysqlLikeOptions {
  version: '10.11' | '11.8'
}

export async function startMariadb({ version, ...options }: MariadbOptions): Promise<MysqlLikeServer> {
  const root = rootOf(`mariadb${version}`)
  const programs = join(root, 'usr/bin')
  const base = join(root, 'usr')
  return await startMysqlLike(
    {
      name: 'mariadb',
      template: `mariadb${version}-${basename(root)}`,
      programs,
      server: join(root, 'usr/sbin/mariadbd'),
      locations: {
        basedir: base,
        'lc-messages-dir': join(base, 'share/mysql'),
        'character-sets-dir': join(base, 'share/mysql/charsets'),
        'plugin-dir': join(base, 'lib/mysql/plugin'),
      },
      settings: {},
      initialize: (data) => ({
        file: join(programs, 'mariadb-install-db'),
        args: [
          '--no-defaults',
          `--basedir=${base}`,
          `--datadir=${data}`,
          // Or else root could sign in through a socket only.
          '--auth-root-authentication-method=normal',
          '--skip-test-db',
          '--skip-name-resolve',
        ],
      }),
    },
    options,
  )
}
