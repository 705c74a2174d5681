import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { skipUnless } from '../../../test/servers/needs.ts'
import { isEverything } from '../../../test/servers/share.ts'
import { listingPage, type S3Server } from '../../../test/servers/s3-server.ts'
import { startSwift } from '../../../test/servers/swift.ts'
import { fails, keys, read, signal, text, volumeConformance } from '../conformance.ts'
import { openS3 } from './index.ts'
import { bounds, opener, quick, settingsFor } from './test-bed.ts'

const skip = skipUnless('swift')
let swift: S3Server
before(async () => {
  if (!skip) swift = await startSwift()
})
after(() => swift?.[Symbol.asyncDispose]())

// Ceph is tried in any case.
if (isEverything || skipUnless('ceph')) {
  volumeConformance(
    'S3 by Swift',
    opener(() => swift),
    {
      ...bounds,
      skip,
      page: listingPage,
      cannotDecideRaces: 'Swift knows no “If-None-Match: *” for S3: it answers 501.',
    },
  )
}

describe('S3 by Swift', { skip }, () => {
  it('says which region is the right one', async () => {
    const settings = settingsFor(swift, await swift.createBucket(), { region: 'eu-central-1' })
    await using volume = openS3(settings, quick)
    for (const work of [
      () => keys(volume),
      () => volume.stat('a', signal()),
      () => read(volume, 'a'),
      () => volume.write('a', text('x'), signal()),
    ]) {
      const { message, hint = '' } = await fails('volume_refused', work())
      assert.match(message, /region 'eu-central-1' is wrong/)
      assert.match(hint, /It wants region=us-east-1\./)
    }
  })
})
