import { startMysql } from '../../../test/servers/mysql.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { isEverything } from '../../../test/servers/share.ts'
import { engineConformance } from '../conformance.ts'
import { mysqlBed } from './test-bed.ts'
import { mysqlTraps } from './test-traps.ts'

const settings = { 'max-allowed-packet': '1G' }
const skip = skipUnless('mysql9')

// MariaDB is tried in any case.
if (isEverything || skipUnless('mariadb11.8')) {
  engineConformance('MySQL 9', { start: async () => mysqlBed(await startMysql({ settings })), skip })
}
mysqlTraps('MySQL 9', {
  start: () => startMysql({ settings }),
  startWithTls: () => startMysql({ tls: { serverNames: ['elsewhere.test'] } }),
  checksLoopbackName: true,
  skip,
})
