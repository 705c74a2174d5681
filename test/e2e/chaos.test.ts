import { after, describe, it } from 'node:test'
import { runRounds } from '../chaos/suite.ts'
import { suites } from '../chaos/suites.ts'
import { skipUnless } from '../servers/needs.ts'
import { openSources } from './databases.ts'
import { openGrounds } from './places.ts'

/*
 * What `npm run test:chaos` tries a hundred times of each kind, a few times. The suites say what is promised.
 */
const grounds = openGrounds()
const sources = openSources()
const stack = new AsyncDisposableStack()
after(async () => {
  await stack.disposeAsync()
  await sources[Symbol.asyncDispose]()
  await grounds[Symbol.asyncDispose]()
})

for (const [name, suite] of Object.entries(suites)) {
  describe(`chaos: ${name}`, { concurrency: 2 }, () => {
    for (const group of suite({ grounds, sources, stack })) {
      if (group.few === 0) continue
      it(group.name, { skip: skipUnless(...group.needs) }, async () => {
        const { failures } = await runRounds(group, group.few, 1)
        if (failures.length > 0) throw failures[0]
      })
    }
  })
}
