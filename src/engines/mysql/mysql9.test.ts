import { startMysql } from '../../../test/servers/mysql.ts'
import { skipUnless } from '../../../test/servers/needs.ts'
import { engineConformance } from '../conformance.ts'
import { mysqlBed } from './test-bed.ts'

engineConformance('MySQL 9', {
  start: async () => mysqlBed(await startMysql({ settings: { 'max-allowed-packet': '1G' } })),
  skip: skipUnless('mysql9'),
})
