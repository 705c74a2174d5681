import { startMariadb } from '../../../test/servers/mariadb.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { engineConformance } from '../conformance.ts'
import { mysqlBed } from './test-bed.ts'

engineConformance('MariaDB 11.8', {
  start: async () =>
    mysqlBed(
      await startMariadb({ version: '11.8', settings: { 'max-allowed-packet': '1G', 'log-bin': 'bin' } }),
    ),
  skip: skipUnless('mariadb11.8'),
})
