import { after, describe, it } from 'node:test'
import { runRounds } from '../chaos/suite.ts'
import { suites } from '../chaos/suites.ts'
import { skipUnless } from '../servers/needs.ts'
import { openSources } from './databases.ts'
import { openGrounds } from './places.ts'

/**
 * Tries a few times what `npm run test:chaos` tries a hundred times of each kind. The suites say what is promised. Each
 * test file has some of them, so that they run beside one another.
 */
export function tryAFew(...names: (keyof typeof suites)[]): void {
  const grounds = openGrounds()
  const sources = openSources()
  const stack = new AsyncDisposableStack()
  after(async () => {
    await stack.disposeAsync()
    await sources[Symbol.asyncDispose]()
    await grounds[Symbol.asyncDispose]()
  })
  for (const name of names) {
    describe(`chaos: ${name}`, { concurrency: 2 }, () => {
      for (const group of suites[name]({ grounds, sources, stack })) {
        if (group.few === 0) continue
        it(group.name, { skip: skipUnless(...group.needs) }, async () => {
          const { failures } = await runRounds(group, group.few, { atOnce: 1, isShort: true })
          if (failures.length > 0) throw failures[0]
        })
      }
    })
  }
}
