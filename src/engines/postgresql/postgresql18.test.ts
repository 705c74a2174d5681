import { newestPostgres, skipUnless } from '../../../test/servers/needs.ts'
import { engineConformance } from '../conformance.ts'
import { startBed } from './test-bed.ts'

const major = newestPostgres() === 17 ? 17 : 18

engineConformance(`PostgreSQL ${major} with TLS`, {
  start: () => startBed({ major, tls: true }),
  skip: skipUnless(`postgres${major}`),
})
