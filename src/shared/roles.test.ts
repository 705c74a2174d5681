import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isNoWider, isWithin, type ServerLimit } from './roles.ts'

describe('a limit on servers', () => {
  it('is no wider than another one if it names no more', () => {
    const cases: [limit: ServerLimit | null, than: ServerLimit | null, expected: boolean][] = [
      [null, null, true],
      [{ names: ['*'] }, null, true],
      [null, { names: ['*'] }, false],
      [{ names: ['a-*'] }, { names: ['a-*'] }, true],
      [{ names: ['a-1', 'a-2*'] }, { names: ['a-*'] }, true],
      [{ names: ['a-1', 'b-1'] }, { names: ['a-*'] }, false],
      [{ names: ['a-1', 'b-1'] }, { names: ['a-*', 'b-?'] }, true],
      [{ names: ['*'] }, { names: ['a-*'] }, false],
      [{ names: ['a*'] }, { names: ['a?'] }, false],
      [{ names: ['a?'] }, { names: ['a?'] }, true],
      [{ names: ['a?'] }, { names: ['a*'] }, true],
      [{ names: ['a?'] }, { names: ['a1'] }, false],
      [{ names: ['a*b*'] }, { names: ['a*b'] }, false],
      [{ names: ['a*b*'] }, { names: ['a*'] }, true],
      [{ labels: { team: 'a' } }, { names: ['a-*'] }, false],
      [{ labels: { team: 'a' } }, { names: ['*'] }, true],
      [{ labels: { team: 'a', env: 'test' } }, { labels: { team: 'a' } }, true],
      [{ labels: { team: 'a' } }, { labels: { team: 'a', env: 'test' } }, false],
      [{ labels: { team: 'b' } }, { labels: { team: 'a' } }, false],
      [{ names: ['a-1'] }, { labels: { team: 'a' } }, false],
    ]
    for (const [limit, than, expected] of cases) {
      assert.equal(isNoWider(limit, than), expected, JSON.stringify([limit, than]))
    }
  })

  it('that is called no wider lets nothing through that the other one does not', () => {
    const letters = ['a', 'b', '?', '*']
    const patterns = letters.flatMap((one) =>
      letters.flatMap((two) => [one + two, ...letters.map((three) => one + two + three)]),
    )
    const texts = ['', 'a', 'b'].flatMap((one) =>
      ['', 'a', 'b'].flatMap((two) => ['', 'a', 'b', 'ab'].map((three) => one + two + three)),
    )
    for (const narrow of patterns) {
      for (const wide of patterns) {
        if (!isNoWider({ names: [narrow] }, { names: [wide] })) continue
        for (const name of texts) {
          const server = { name, labels: {} }
          if (!isWithin({ names: [narrow] }, server)) continue
          assert.ok(
            isWithin({ names: [wide] }, server),
            `${name} is within ${narrow}, and not within ${wide}`,
          )
        }
      }
    }
  })
})
