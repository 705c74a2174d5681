import { startMariadb } from '../../../test/servers/mariadb.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { isEverything } from '../../../test/servers/share.ts'
import { engineConformance } from '../conformance.ts'
import { mysqlBed } from './test-bed.ts'
import { mysqlTraps } from './test-traps.ts'

const version = '10.11'
const settings = { 'max-allowed-packet': '1G', 'log-bin': 'bin' }
const skip = skipUnless('mariadb10.11')

// The newer one is tried in any case.
if (isEverything || skipUnless('mariadb11.8')) {
  engineConformance(`MariaDB ${version}`, {
    start: async () => mysqlBed(await startMariadb({ version, settings })),
    skip,
  })
}
mysqlTraps(`MariaDB ${version}`, {
  start: () => startMariadb({ version, settings }),
  startWithTls: () => startMariadb({ version, tls: { serverNames: ['elsewhere.test'] } }),
  checksLoopbackName: true,
  skip,
})
