import { skipUnless } from '../../../test/servers/needs.ts'
import { engineConformance } from '../conformance.ts'
import { startBed } from './test-bed.ts'

engineConformance('PostgreSQL 15', {
  start: () => startBed({ major: 15, tls: false }),
  skip: skipUnless('postgres15'),
})
