import { skipUnless } from '../../../test/servers/needs.ts'
import { engineConformance } from '../conformance.ts'
import { startBed } from './test-bed.ts'

engineConformance('PostgreSQL 15', {
  start: () => startBed({ major: 15, tls: false }),
  skip: skipUnless('postgres15'),
})

engineConformance('PostgreSQL 18 with TLS', {
  start: () => startBed({ major: 18, tls: true }),
  skip: skipUnless('postgres18'),
})
