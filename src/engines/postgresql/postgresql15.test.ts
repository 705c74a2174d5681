import { skipUnless } from '../../../test/servers/needs.ts'
import { isEverything } from '../../../test/servers/share.ts'
import { engineConformance } from '../conformance.ts'
import { startBed } from './test-bed.ts'

// What differs from version to version has tests of its own; the newest one is tried in any case.
if (isEverything || skipUnless('postgres18')) {
  engineConformance('PostgreSQL 15', {
    start: () => startBed({ major: 15, tls: false }),
    skip: skipUnless('postgres15'),
  })
}
